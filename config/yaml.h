/*
 * yaml.h - reads the narrow YAML subset into a tree in an arena (KUBEADM.md, "where readers differ"). libyaml is behind it and nowhere else.
 *
 * Accepted: UTF-8 without BOM; LF or CRLF; block and flow style; plain, quoted, literal and folded scalars; several documents split by `---`.
 * Refused with line, column and path: anchors, aliases, tags, merge keys, directives, `...`, duplicate keys, NEL/LS/PS and lone CR anywhere,
 * control characters, more than the caps of limits.h (64 KiB, depth 16, 5,000 events). What is accepted here means the same to kubeadm.
 */
#ifndef JOINBOOT_CONFIG_YAML_H
#define JOINBOOT_CONFIG_YAML_H

#include "firmware/base/arena.h"
#include "firmware/base/fault.h"

enum yaml_type { YAML_SCALAR, YAML_MAP, YAML_SEQ };

struct yaml_node {
    enum yaml_type type;
    bool plain;            /* scalar without quotes: its meaning depends on its looks */
    bool patched;          /* comes from a patch (kubeletcfg_patch.h) */
    uint32_t line, column; /* 1-based */
    struct span key;       /* in a map: this entry's key */
    uint32_t key_line, key_column;
    struct span value;       /* scalar's decoded text; below YAML_LONG bytes zero-terminated behind */
    struct yaml_node *child; /* first entry or item */
    struct yaml_node *next;  /* sibling */
    struct yaml_node *parent;
};

enum { YAML_DOCS_MAX = 8, YAML_LONG = 1024 };

struct yaml_stream {
    struct yaml_node *docs[YAML_DOCS_MAX]; /* roots; an empty document is a plain scalar "" */
    unsigned count;
};

/* Parses all documents. Nodes and texts live in the arena; a long scalar that stands undecoded in a text
 * in the same arena is a part of that. ERR_CONFIG_SYNTAX, ERR_CONFIG_FIELD (duplicate key), ERR_LIMIT, ERR_NOMEM. */
enum err yaml_parse(struct span text, struct arena *arena, struct yaml_stream *ret, struct fault *f) MUST_USE;

/* The entry of a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* Writes the path of a node, such as discovery.bootstrapToken.caCertHashes[0]. */
void yaml_path(const struct yaml_node *node, struct buf *ret);
/* fault_at() with this node's position and path. */
enum err yaml_fault(struct fault *f, enum err code, const struct yaml_node *node, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Typed readings; each refuses what kubeadm would read otherwise (ERR_CONFIG_FIELD). A plain scalar in a string field must not look like a
 * YAML 1.1 bool, number, null or timestamp. */
enum err yaml_string(const struct yaml_node *n, struct span *ret, struct fault *f) MUST_USE;
enum err yaml_bool(const struct yaml_node *n, bool *ret, struct fault *f) MUST_USE;
enum err yaml_u64(const struct yaml_node *n, uint64_t max, uint64_t *ret, struct fault *f) MUST_USE;
bool yaml_is_null(const struct yaml_node *n);

#endif
