/*
 * join_fields.h - reading the maps of kubeadm's documents by tables of their fields. A field that no row names is refused.
 */
#ifndef JOINBOOT_CONFIG_JOIN_FIELDS_H
#define JOINBOOT_CONFIG_JOIN_FIELDS_H

#include "config/join.h"

struct join_ctx {
    struct join *j;
    void *
        at; /* the struct that a row's `off` is an offset in: j, or an item of a list, or another document's struct */
    void *owner; /* what else the rows of a document fill in */
    struct arena *arena;
    struct fault *f;
};

struct join_field {
    const char *name;
    enum err (*read)(const struct yaml_node *n, const struct join_ctx *c, size_t off);
    size_t off; /* in what ctx.at points to */
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

/* A duration into a uint64_t of milliseconds; `apiVersion` and `kind`, which were looked at before. */
enum err join_duration_at(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err join_type_meta(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;

/* What a JoinConfiguration shares with an InitConfiguration, into c->j (join_shared.c). */
enum err join_local_endpoint(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err join_certificate_key(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err join_patches(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
enum err join_timeouts(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;
/* kubeadm's defaults before, and those for empty strings after a document was read. */
void join_begin(struct join *j);
void join_end(struct join *j);

/* The map nodeRegistration (join_node.c). */
enum err join_node_registration(const struct yaml_node *n, const struct join_ctx *c, size_t off) MUST_USE;

/* JSON members that both kinds have (join_json.c): localAPIEndpoint; and nodeRegistration, patches, skipPhases, timeouts. */
void join_put_endpoint(const struct join *j, struct buf *ret);
void join_put_tail(const struct join *j, const struct join_timeouts *timeouts, struct buf *ret);

#endif
