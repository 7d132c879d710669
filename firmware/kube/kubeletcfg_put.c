/*
 * kubeletcfg_put.c - reads a YAML tree as Go's JSON decoder would read it into a type, and writes that type as Go's marshaller would.
 *
 * Names are compared exactly (the decoder of Kubernetes is case-sensitive), null is the zero value, and a key outside the
 * table is dropped. The recursion is as deep as the tables (4).
 */
#include "firmware/kube/kubeletcfg_patch.h"

#include "firmware/kube/yamlout.h"

static bool given(const struct yaml_node *n)
{
    return n && !yaml_is_null(n);
}

static enum err write_string(struct kubeletcfg_put *w, struct span s, const struct yaml_node *n,
                             unsigned indent)
{
    if (yamlout_string(w->out, s, indent) == OK)
        return OK;
    return n ? yaml_fault(w->f, ERR_KUBELET_CONFIG, n,
                          "the text cannot be written with certainty as kubeadm would")
             : fault_set(w->f, ERR_KUBELET_CONFIG, "a default cannot be written");
}

static void write_indent(struct kubeletcfg_put *w, unsigned indent)
{
    for (unsigned i = w->at_dash ? 1 : indent; i > 0; i--)
        buf_u8(w->out, ' ');
    w->at_dash = false;
}

static void write_key(struct kubeletcfg_put *w, const char *name, unsigned indent)
{
    write_indent(w, indent);
    buf_str(w->out, name);
    buf_u8(w->out, ':');
}

static void write_dash(struct kubeletcfg_put *w, unsigned indent)
{
    write_indent(w, indent);
    buf_u8(w->out, '-');
}

static enum err write_value(struct kubeletcfg_put *w, const struct kubeletcfg_value *v,
                            const struct yaml_node *n, unsigned indent)
{
    if (v->string)
        return write_string(w, v->text, n, indent);
    buf_u8(w->out, ' ');
    buf_put(w->out, v->text);
    buf_u8(w->out, '\n');
    return OK;
}

static enum err put_scalar(struct kubeletcfg_put *w, const struct field *fd, const struct yaml_node *n,
                           unsigned indent)
{
    struct kubeletcfg_value v;
    struct span preset = w->preset[fd->preset];
    /* kubeadm replaces a nil pointer and an empty string; a *T that is given as null is nil as well. */
    bool pointer = fd->rule == RULE_POINTER;
    enum err e = pointer && !given(n) ? OK : kubeletcfg_scalar(w->f, fd->type, n, &v);

    if (e)
        return e;
    bool empty = pointer ? !given(n) : v.zero;
    bool replaced = preset.n > 0 && (fd->forced || empty);
    if (n && n->patched && (replaced || (empty && fd->rule != RULE_ALWAYS)))
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, n,
                          "patch: kubelet's own default cannot be asked for like this");
    if (replaced) {
        v = (struct kubeletcfg_value){.text = preset, .string = fd->type == FIELD_STRING};
        n = NULL;
    } else if (empty && fd->rule != RULE_ALWAYS) {
        return OK;
    }
    e = kubeletcfg_patch_scalar(w->f, n, &v);
    if (e)
        return e;
    write_key(w, fd->name, indent);
    return write_value(w, &v, n, indent);
}

static enum err put_list(struct kubeletcfg_put *w, enum field_type item, const struct field_table *sub,
                         const struct yaml_node *list, unsigned indent)
{
    enum err e = OK;

    for (const struct yaml_node *n = list->child; n && !e; n = n->next) {
        struct kubeletcfg_value v;
        unsigned count;
        write_dash(w, indent);
        w->at_dash = sub != NULL;
        if (sub) {
            e = kubeletcfg_put_struct(w, sub, n, indent + 2, &count);
            if (!e)
                e = kubeletcfg_patch_whole(w->f, sub, n);
            continue;
        }
        e = kubeletcfg_scalar(w->f, item, n, &v);
        if (!e)
            e = kubeletcfg_patch_scalar(w->f, n, &v);
        if (!e)
            e = write_value(w, &v, n, indent);
    }
    return e;
}

/* The marshaller leaves it out; what a patch gives stays. */
static enum err refuse_empty(struct kubeletcfg_put *w, const struct yaml_node *n)
{
    return n && n->patched ? yaml_fault(w->f, ERR_KUBELET_CONFIG, n, "patch: it is empty") : OK;
}

static enum err put_sequence(struct kubeletcfg_put *w, const struct field *fd, const struct yaml_node *n,
                             unsigned indent)
{
    static const enum field_type items[] = {[FIELD_STRINGS] = FIELD_STRING, [FIELD_I32S] = FIELD_I32};
    struct span preset = w->preset[fd->preset];

    if (!given(n)) {
        if (preset.n == 0)
            return OK;
        write_key(w, fd->name, indent);
        buf_u8(w->out, '\n');
        write_dash(w, indent);
        return write_string(w, preset, NULL, indent);
    }
    if (n->type != YAML_SEQ)
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, n, "must be a list");
    if (!n->child)
        return refuse_empty(w, n);
    write_key(w, fd->name, indent);
    buf_u8(w->out, '\n');
    return fd->type == FIELD_STRUCTS ? put_list(w, FIELD_STRUCT, fd->sub, n, indent)
                                     : put_list(w, items[fd->type], NULL, n, indent);
}

/* The entry whose key follows `after` (NULL: the first) in the order of writing. */
static const struct yaml_node *next_entry(const struct yaml_node *map, const struct yaml_node *after)
{
    const struct yaml_node *best = NULL;

    for (const struct yaml_node *n = map->child; n; n = n->next) {
        if (after && yamlout_key_order(n->key, after->key) <= 0)
            continue;
        if (!best || yamlout_key_order(n->key, best->key) < 0)
            best = n;
    }
    return best;
}

static enum err put_strings_of(struct kubeletcfg_put *w, const struct yaml_node *n, unsigned indent)
{
    if (!given(n)) {
        buf_str(w->out, " null\n");
        return OK;
    }
    if (n->type != YAML_SEQ)
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, n, "must be a list");
    buf_str(w->out, n->child ? "\n" : " []\n");
    return put_list(w, FIELD_STRING, NULL, n, indent);
}

static enum err put_map(struct kubeletcfg_put *w, const struct field *fd, const struct yaml_node *map,
                        unsigned indent)
{
    static const enum field_type items[] = {[FIELD_MAP_STRING] = FIELD_STRING,
                                            [FIELD_MAP_BOOL] = FIELD_BOOL,
                                            [FIELD_MAP_STRINGS] = FIELD_STRINGS,
                                            [FIELD_MAP_QUANTITY] = FIELD_QUANTITY};

    if (given(map) && map->type != YAML_MAP)
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, map, "must be a map");
    bool empty = !given(map) || !map->child;
    if (empty && fd->rule != RULE_ALWAYS)
        return refuse_empty(w, map);
    write_key(w, fd->name, indent);
    buf_str(w->out, !given(map) ? " null\n" : empty ? " {}\n" : "\n");
    const struct yaml_node *n = empty ? NULL : next_entry(map, NULL);
    for (; n; n = next_entry(map, n)) {
        struct kubeletcfg_value v;
        write_indent(w, indent + 2);
        if (yamlout_key(w->out, n->key))
            return yaml_fault(w->f, ERR_KUBELET_CONFIG, n,
                              "the key cannot be written with certainty as kubeadm would");
        buf_u8(w->out, ':');
        enum err e = items[fd->type] == FIELD_STRINGS ? put_strings_of(w, n, indent + 2)
                                                      : kubeletcfg_scalar(w->f, items[fd->type], n, &v);
        if (!e && items[fd->type] != FIELD_STRINGS)
            e = kubeletcfg_patch_scalar(w->f, n, &v);
        if (!e && items[fd->type] != FIELD_STRINGS)
            e = write_value(w, &v, n, indent + 2);
        if (e)
            return e;
    }
    return OK;
}

static enum err put_nested(struct kubeletcfg_put *w, const struct field *fd, const struct yaml_node *n,
                           unsigned indent)
{
    unsigned count;

    if (fd->rule == RULE_POINTER && !given(n))
        return OK;
    write_key(w, fd->name, indent);
    size_t at = w->out->n;
    buf_u8(w->out, '\n');
    enum err e = kubeletcfg_put_struct(w, fd->sub, n, indent + 2, &count);
    if (!e && fd->rule == RULE_POINTER)
        e = kubeletcfg_patch_whole(w->f, fd->sub, n);
    if (!e && count == 0 && !w->out->overflow) {
        w->out->n = at;
        buf_str(w->out, " {}\n");
    }
    return e;
}

static enum err put_field(struct kubeletcfg_put *w, const struct field *fd, const struct yaml_node *n,
                          unsigned indent)
{
    switch (fd->type) {
    case FIELD_STRUCT:
        return put_nested(w, fd, n, indent);
    case FIELD_STRINGS:
    case FIELD_I32S:
    case FIELD_STRUCTS:
        return put_sequence(w, fd, n, indent);
    case FIELD_MAP_STRING:
    case FIELD_MAP_BOOL:
    case FIELD_MAP_STRINGS:
    case FIELD_MAP_QUANTITY:
        return put_map(w, fd, n, indent);
    default:
        return put_scalar(w, fd, n, indent);
    }
}

/* kubeadm reads the whole text before it drops anything, so what it could not read is refused here as well: keys that are not
 * strings, numbers that JSON does not have. */
static enum err check_dropped(struct kubeletcfg_put *w, const struct yaml_node *n)
{
    static const char *const no_json[] = {".nan", "-.nan", ".inf", "+.inf", "-.inf"};

    if (n->patched)
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, n, "patch: kubelet has no such field");
    if (n->parent && n->parent->type == YAML_MAP &&
        (yamlout_resolve(n->key) != YAMLOUT_STRING || span_is(n->key, "<<")))
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, n, "the key is not a string");
    for (size_t i = 0; n->type == YAML_SCALAR && n->plain && i < COUNT(no_json); i++) {
        if (span_is_nocase(n->value, no_json[i]))
            return yaml_fault(w->f, ERR_KUBELET_CONFIG, n, "JSON has no such number");
    }
    enum err e = OK;
    for (const struct yaml_node *c = n->type == YAML_SCALAR ? NULL : n->child; c && !e; c = c->next)
        e = check_dropped(w, c);
    return e;
}

static bool in_table(const struct field_table *t, struct span key, unsigned minor)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->row[i].since <= minor && span_is(key, t->row[i].name))
            return true;
    }
    return false;
}

enum err kubeletcfg_put_struct(struct kubeletcfg_put *w, const struct field_table *t,
                               const struct yaml_node *map, unsigned indent, unsigned *ret_count)
{
    unsigned count = 0;

    if (given(map) && map->type != YAML_MAP)
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, map, "must be a map");
    for (size_t i = 0; i < t->count; i++) {
        size_t before = w->out->n;
        if (t->row[i].since > w->minor)
            continue;
        enum err e = put_field(w, &t->row[i], given(map) ? yaml_get(map, t->row[i].name) : NULL, indent);
        if (e)
            return e;
        count += w->out->n != before;
    }
    for (const struct yaml_node *n = given(map) ? map->child : NULL; n; n = n->next) {
        if (in_table(t, n->key, w->minor))
            continue;
        enum err e = check_dropped(w, n);
        if (e)
            return e;
        w->dropped = w->dropped ? w->dropped : n;
    }
    *ret_count = count;
    return OK;
}
