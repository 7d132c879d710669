/*
 * kubeletcfg_patch.c - see kubeletcfg_patch.h; cmd/kubeadm/app/util/patches has the names, RFC 7396 the merge.
 */
#include "firmware/kube/kubeletcfg_patch.h"

#include "firmware/kube/yamlout.h"

enum kubeletcfg_patch_file kubeletcfg_patch_name(struct span name)
{
    struct span type;

    if (!span_starts(name, "kubeletconfiguration"))
        return KUBELETCFG_NO_PATCH;
    if (span_ends(name, ".yaml"))
        name.n -= 5;
    else if (span_ends(name, ".json"))
        name.n -= 5;
    else
        return KUBELETCFG_NO_PATCH;
    type = span_sub(name, span_find(name, '+'), name.n);
    return type.n == 0 || span_is(type, "+strategic") || span_is(type, "+merge") ? KUBELETCFG_PATCH
                                                                                 : KUBELETCFG_PATCH_UNKNOWN;
}

static enum err refuse(struct fault *f, const struct yaml_node *n, const char *why)
{
    return yaml_fault(f, ERR_KUBELET_CONFIG, n, "patch: %s", why);
}

/* kubeadm sets these itself, some before and some after the patches. */
static bool is_kubeadms(const struct yaml_node *n)
{
    return !n->parent->parent && (span_is(n->key, "rotateCertificates") || span_is(n->key, "resolvConf") ||
                                  span_is(n->key, "containerRuntimeEndpoint"));
}

/* Marks all that a patch brings. */
static enum err mark(struct yaml_node *n, struct fault *f)
{
    enum err e = OK;

    if (yaml_is_null(n))
        return refuse(f, n, "null takes a key away, which kubeadm's defaults do not know");
    n->patched = true;
    if (n->type == YAML_SCALAR)
        return OK;
    for (struct yaml_node *c = n->child; c && !e; c = c->next)
        e = c->parent->type == YAML_MAP && span_starts(c->key, "$")
                ? refuse(f, c, "directives are not supported")
                : mark(c, f);
    return e;
}

static struct yaml_node **place_of(struct yaml_node *map, struct span key)
{
    struct yaml_node **at = &map->child;

    while (*at && !span_eq((*at)->key, key))
        at = &(*at)->next;
    return at;
}

static enum err merge(struct yaml_node *map, struct yaml_node *patch, struct fault *f);

/* One entry of a patch: into the map of the same key, or in place of what is there. */
static enum err merge_entry(struct yaml_node *map, struct yaml_node *entry, struct fault *f)
{
    struct yaml_node **at = place_of(map, entry->key);
    enum err e;

    if (is_kubeadms(entry))
        return refuse(f, entry, "kubeadm sets this itself");
    if (*at && (*at)->type == YAML_MAP && entry->type == YAML_MAP)
        return merge(*at, entry, f);
    e = mark(entry, f);
    if (e)
        return e;
    entry->next = *at ? (*at)->next : NULL;
    entry->parent = map;
    *at = entry;
    return OK;
}

static enum err merge(struct yaml_node *map, struct yaml_node *patch, struct fault *f)
{
    struct yaml_node *next;
    enum err e = OK;

    for (struct yaml_node *c = patch->child; c && !e; c = next) {
        next = c->next;
        if (span_starts(c->key, "$"))
            return refuse(f, c, "directives are not supported");
        if (!patch->parent && (span_is(c->key, "apiVersion") || span_is(c->key, "kind"))) {
            const struct yaml_node *own = yaml_get(map, span_is(c->key, "kind") ? "kind" : "apiVersion");
            e = c->type == YAML_SCALAR && own && span_eq(own->value, c->value)
                    ? OK
                    : refuse(f, c, "is of another kind");
            continue;
        }
        e = merge_entry(map, c, f);
    }
    return e;
}

enum err kubeletcfg_patch(struct span text, struct arena *arena, struct yaml_node *root, struct fault *f)
{
    struct yaml_stream patches;
    struct fault why = {0};
    enum err e = yaml_parse(text, arena, &patches, &why);

    if (e == ERR_LIMIT || e == ERR_NOMEM)
        return fault_set(f, e, "patches: %s", why.text);
    if (e)
        return fault_at(f, ERR_KUBELET_CONFIG, why.line, why.column, why.path, "patch: %s", why.text);
    for (unsigned i = 0; i < patches.count && !e; i++) {
        struct yaml_node *doc = patches.docs[i];
        e = doc->type == YAML_MAP ? merge(root, doc, f) : refuse(f, doc, "must be a map");
    }
    return e;
}

enum err kubeletcfg_patch_scalar(struct fault *f, const struct yaml_node *n, const struct kubeletcfg_value *v)
{
    if (!n || !n->patched)
        return OK;
    if (span_eq(v->text, n->value) &&
        (!v->string || !n->plain || yamlout_resolve(n->value) == YAMLOUT_STRING))
        return OK;
    return yaml_fault(f, ERR_KUBELET_CONFIG, n, "patch: write it as %s%.*s%s", v->string ? "\"" : "",
                      (int)v->text.n, (const char *)v->text.p, v->string ? "\"" : "");
}

enum err kubeletcfg_patch_whole(struct fault *f, const struct field_table *t, const struct yaml_node *map)
{
    enum err e = OK;

    if (!map || !map->patched || map->type != YAML_MAP)
        return OK;
    for (size_t i = 0; i < t->count && !e; i++) {
        const struct yaml_node *n = yaml_get(map, t->row[i].name);
        if (!n && t->row[i].rule == RULE_ALWAYS)
            e = yaml_fault(f, ERR_KUBELET_CONFIG, map, "patch: what is new must have %s, too",
                           t->row[i].name);
        else if (n && t->row[i].type == FIELD_STRUCT)
            e = kubeletcfg_patch_whole(f, t->row[i].sub, n);
    }
    return e;
}
