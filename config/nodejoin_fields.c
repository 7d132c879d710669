/*
 * nodejoin_fields.c - maps and lists of a NodeJoin document by their tables.
 */
#include "config/nodejoin_fields.h"

enum err nodejoin_map(const struct yaml_node *map, const struct nodejoin_field *fields, size_t count,
                      struct nodejoin_ctx *c)
{
    if (map->type != YAML_MAP)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, map, "must be a map");
    for (const struct yaml_node *v = map->child; v; v = v->next) {
        const struct nodejoin_field *field = NULL;
        for (size_t i = 0; i < count && !field; i++)
            field = span_is(v->key, fields[i].name) ? &fields[i] : NULL;
        if (!field)
            return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "unknown field");
        enum err e = field->read(v, c);
        if (e != OK)
            return e;
    }
    return OK;
}

enum err nodejoin_list(const struct yaml_node *list, unsigned max,
                       enum err (*read)(const struct yaml_node *v, struct nodejoin_ctx *c),
                       struct nodejoin_ctx *c)
{
    unsigned count = 0;
    if (list->type != YAML_SEQ)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, list, "must be a list");
    for (const struct yaml_node *v = list->child; v; v = v->next) {
        if (++count > max)
            return yaml_fault(c->f, ERR_LIMIT, v, "more than %u items", max);
        enum err e = read(v, c);
        if (e != OK)
            return e;
    }
    return count > 0 ? OK : yaml_fault(c->f, ERR_CONFIG_FIELD, list, "must not be empty");
}
