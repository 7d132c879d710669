/*
 * yaml_value.c - reading values, paths and positions out of a YAML tree.
 */
#include <stdarg.h>
#include <stdio.h>

#include "config/yaml.h"

#include "config/stricter.h"
#include "config/yaml_looks.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->type != YAML_MAP)
        return NULL;
    for (const struct yaml_node *n = map->child; n; n = n->next) {
        if (span_is(n->key, key))
            return n;
    }
    return NULL;
}

static unsigned index_of(const struct yaml_node *n)
{
    unsigned i = 0;
    for (const struct yaml_node *c = n->parent->child; c && c != n; c = c->next)
        i++;
    return i;
}

void yaml_path(const struct yaml_node *node, struct buf *ret)
{
    const struct yaml_node *up[LIMIT_YAML_DEPTH + 1];
    unsigned n = 0;
    for (; node && node->parent && n < COUNT(up); node = node->parent)
        up[n++] = node;
    for (bool first = true; n > 0; first = false) {
        const struct yaml_node *c = up[--n];
        if (c->parent->type == YAML_SEQ) {
            buf_fmt(ret, "[%u]", index_of(c));
            continue;
        }
        if (!first)
            buf_str(ret, ".");
        buf_put(ret, c->key);
    }
}

enum err yaml_fault(struct fault *f, enum err code, const struct yaml_node *node, const char *fmt, ...)
{
    char path[sizeof(f->path)] = "", text[sizeof(f->text)] = "";
    struct buf b = {.p = (uint8_t *)path, .cap = sizeof(path) - 1};
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0)
        text[0] = 0;
    if (!node)
        return fault_set(f, code, "%s", text);
    yaml_path(node, &b);
    return fault_at(f, code, node->line, node->column, path, "%s", text);
}

bool yaml_is_null(const struct yaml_node *n)
{
    return n->type == YAML_SCALAR && n->plain && yaml_looks(n->value) == YAML_LOOKS_NULL;
}

/* Refuses what is no scalar, and null, which kubeadm takes for an absent field. */
static enum err scalar(const struct yaml_node *n, const char *wanted, struct fault *f)
{
    if (n->type != YAML_SCALAR)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "must be %s, not a %s", wanted,
                          n->type == YAML_MAP ? "map" : "list");
    if (yaml_is_null(n))
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "must be %s, not null" STRICTER("null"), wanted);
    return OK;
}

enum err yaml_string(const struct yaml_node *n, struct span *ret, struct fault *f)
{
    enum err e = scalar(n, "a string", f);
    if (e != OK)
        return e;
    if (n->plain && yaml_looks(n->value) != YAML_LOOKS_STRING)
        return yaml_fault(
            f, ERR_CONFIG_FIELD, n,
            "must be a string; readers differ about this text without quotes" STRICTER("plain-string"));
    *ret = n->value;
    return OK;
}

enum err yaml_bool(const struct yaml_node *n, bool *ret, struct fault *f)
{
    enum err e = scalar(n, "true or false", f);
    if (e != OK)
        return e;
    bool yes = n->plain && span_is(n->value, "true");
    if (!yes && !(n->plain && span_is(n->value, "false")))
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "must be true or false" STRICTER("bool-spelling"));
    *ret = yes;
    return OK;
}

enum err yaml_u64(const struct yaml_node *n, uint64_t max, uint64_t *ret, struct fault *f)
{
    uint64_t v = 0;
    enum err e = scalar(n, "a number", f);
    if (e != OK)
        return e;
    if (!n->plain || text_u64(n->value, UINT64_MAX, &v) != OK)
        return yaml_fault(
            f, ERR_CONFIG_FIELD, n,
            "must be a whole number in decimal without sign and leading zeros" STRICTER("number-spelling"));
    if (v > max)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "is larger than %llu", (unsigned long long)max);
    *ret = v;
    return OK;
}
