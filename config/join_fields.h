/*
 * join_fields.h - reading maps by tables of their fields. A field that no row names is refused.
 */
#ifndef JOINBOOT_CONFIG_JOIN_FIELDS_H
#define JOINBOOT_CONFIG_JOIN_FIELDS_H

#include "config/join.h"

struct join_ctx {
    struct join *j;
    struct arena *arena;
    struct fault *f;
};

struct join_field {
    const char *name;
    enum err (*read)(const struct yaml_node *n, const struct join_ctx *c, size_t off);
    size_t off; /* where in struct join, or in the list's item */
};

enum err join_map(const struct yaml_node *n, const struct join_field *fields, size_t count,
                  const struct join_ctx *c) MUST_USE;
/* Refuses what is no list, or one of more than `max` items. */
enum err join_items(const struct yaml_node *n, unsigned max, const struct join_ctx *c) MUST_USE;
void *join_at(const struct join_ctx *c, size_t off);

/* Readers for rows: a struct span, a bool, a struct join_words at `off`. */
enum err join_string_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err join_bool_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err join_words_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;

/* The map nodeRegistration (join_node.c). */
enum err join_node_registration(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;

#endif
