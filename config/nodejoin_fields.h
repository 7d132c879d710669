/*
 * nodejoin_fields.h - reading the maps of a NodeJoin document by tables of their fields. A field that no row names is refused.
 */
#ifndef JOINBOOT_CONFIG_NODEJOIN_FIELDS_H
#define JOINBOOT_CONFIG_NODEJOIN_FIELDS_H

#include "config/nodejoin.h"

struct nodejoin_ctx {
    struct nodejoin *n;
    struct nodejoin_network *net; /* the family that is being read */
    enum family family;
    struct fault *f;
};

struct nodejoin_field {
    const char *name;
    enum err (*read)(const struct yaml_node *v, struct nodejoin_ctx *c);
};

enum err nodejoin_map(const struct yaml_node *map, const struct nodejoin_field *fields, size_t count,
                      struct nodejoin_ctx *c) MUST_USE;
/* A list's items, each through `read`. At least one, at most `max`. */
enum err nodejoin_list(const struct yaml_node *list, unsigned max,
                       enum err (*read)(const struct yaml_node *v, struct nodejoin_ctx *c),
                       struct nodejoin_ctx *c) MUST_USE;

/* The maps network (nodejoin_network.c) and target (nodejoin_target.c). */
enum err nodejoin_read_network(const struct yaml_node *v, struct nodejoin_ctx *c) MUST_USE;
enum err nodejoin_read_target(const struct yaml_node *v, struct nodejoin_ctx *c) MUST_USE;

#endif
