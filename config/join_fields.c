/*
 * join_fields.c - maps, lists and plain values by their tables.
 */
#include "config/join_fields.h"

#include "config/stricter.h"

enum err join_map(const struct yaml_node *n, const struct join_field *fields, size_t count,
                  const struct join_ctx *c)
{
    if (n->type != YAML_MAP && yaml_is_null(n))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a map, not null" STRICTER("null"));
    if (n->type != YAML_MAP)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a map");
    for (const struct yaml_node *v = n->child; v; v = v->next) {
        const struct join_field *field = NULL;
        for (size_t i = 0; i < count && !field; i++)
            field = span_is(v->key, fields[i].name) ? &fields[i] : NULL;
        if (!field)
            return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "unknown field");
        enum err e = field->read(v, c, field->off);
        if (e != OK)
            return e;
    }
    return OK;
}

void *join_at(const struct join_ctx *c, size_t off)
{
    return (uint8_t *)c->at + off;
}

enum err join_string_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    return yaml_string(n, join_at(c, off), c->f);
}

enum err join_bool_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    return yaml_bool(n, join_at(c, off), c->f);
}

/* The items of a list, or a refusal if there are more than `max`. */
enum err join_items(const struct yaml_node *n, unsigned max, const struct join_ctx *c)
{
    if (n->type != YAML_SEQ && yaml_is_null(n))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a list, not null" STRICTER("null"));
    if (n->type != YAML_SEQ)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a list");
    unsigned count = 0;
    for (const struct yaml_node *v = n->child; v; v = v->next)
        count++;
    return count <= max ? OK
                        : yaml_fault(c->f, ERR_LIMIT, n, "more than %u items" STRICTER("list-length"), max);
}

enum err join_words_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct join_words *words = join_at(c, off);
    enum err e = join_items(n, JOIN_WORDS_MAX, c);
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next)
        e = yaml_string(v, &words->item[words->count++], c->f);
    return e;
}
