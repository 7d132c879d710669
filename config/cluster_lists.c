/*
 * cluster_lists.c - lists of a ClusterConfiguration: words, and the arguments, volumes and environment of a control-plane component.
 *
 * kubeadm checks little of what becomes a static pod: a pod that kubelet cannot start shows itself only after minutes, as a timeout of init.
 */
#include "config/cluster_fields.h"
#include "config/stricter.h"
#include "firmware/base/text.h"

enum err cluster_map_at(const struct yaml_node *n, const struct join_ctx *c, void *at,
                        const struct join_field *fields, size_t count)
{
    struct join_ctx inner = *c;
    inner.at = at;
    return join_map(n, fields, count, &inner);
}

enum err cluster_list(const struct yaml_node *n, const struct join_ctx *c, size_t size, void **ret_items,
                      unsigned *ret_count)
{
    unsigned count = 0;
    enum err e = join_items(n, CLUSTER_LIST_MAX, c);
    if (e != OK)
        return e;
    for (const struct yaml_node *v = n->child; v; v = v->next)
        count++;
    void *items = arena_take(c->arena, count * size);
    if (!items)
        return fault_set(c->f, ERR_NOMEM, "no memory for the document");
    *ret_items = items;
    *ret_count = count;
    return OK;
}

enum err cluster_words_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct cluster_words *words = join_at(c, off);
    void *items = NULL;
    enum err e = cluster_list(n, c, sizeof(*words->item), &items, &words->count);
    struct span *word = words->item = items;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next)
        e = yaml_string(v, word++, c->f);
    return e;
}

static bool has_control(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

enum err cluster_text_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct span *s = join_at(c, off);
    enum err e = yaml_string(n, s, c->f);
    if (e == OK && has_control(*s))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                          "a text without control characters" STRICTER("control-character"));
    return e;
}

/* [A-Za-z0-9][A-Za-z0-9._-]*, as flags are called */
static bool is_flag(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t ch = s.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!letter && (i == 0 || (ch != '.' && ch != '-' && ch != '_')))
            return false;
    }
    return s.n > 0;
}

enum err cluster_args_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"name", join_string_at, offsetof(struct join_arg, name)},
        {"value", cluster_text_at, offsetof(struct join_arg, value)},
    };
    struct cluster_args *args = join_at(c, off);
    void *items = NULL;
    enum err e = cluster_list(n, c, sizeof(*args->item), &items, &args->count);
    struct join_arg *arg = args->item = items;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next, arg++) {
        e = cluster_map_at(v, c, arg, fields, COUNT(fields));
        if (e == OK && arg->name.n == 0)
            e = yaml_fault(c->f, ERR_CONFIG_FIELD, v, "an argument without a name");
        if (e == OK && !is_flag(arg->name))
            e = yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                           "an argument's name is [A-Za-z0-9._-], no - before it" STRICTER("extra-arg"));
    }
    return e;
}

static bool is_path(struct span s)
{
    return span_starts(s, "/") && !has_control(s) && span_find(s, ':') == s.n;
}

static bool is_path_type(struct span s)
{
    static const char *const types[] = {"",       "DirectoryOrCreate", "Directory",  "FileOrCreate", "File",
                                        "Socket", "CharDevice",        "BlockDevice"};
    for (size_t i = 0; i < COUNT(types); i++) {
        if (span_is(s, types[i]))
            return true;
    }
    return false;
}

static bool is_dns_label(struct span s)
{
    return s.n <= 63 && text_is_subdomain(s) && span_find(s, '.') == s.n;
}

enum err cluster_volumes_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"name", join_string_at, offsetof(struct cluster_volume, name)},
        {"hostPath", join_string_at, offsetof(struct cluster_volume, host_path)},
        {"mountPath", join_string_at, offsetof(struct cluster_volume, mount_path)},
        {"readOnly", join_bool_at, offsetof(struct cluster_volume, read_only)},
        {"pathType", join_string_at, offsetof(struct cluster_volume, path_type)},
    };
    struct cluster_volumes *to = join_at(c, off);
    void *items = NULL;
    enum err e = cluster_list(n, c, sizeof(*to->item), &items, &to->count);
    struct cluster_volume *volume = to->item = items;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next, volume++) {
        e = cluster_map_at(v, c, volume, fields, COUNT(fields));
        if (e == OK && !is_dns_label(volume->name))
            e = yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                           "a volume's name is a lower-case RFC 1123 label" STRICTER("extra-volume"));
        if (e == OK && (!is_path(volume->host_path) || !is_path(volume->mount_path)))
            e = yaml_fault(
                c->f, ERR_CONFIG_FIELD, v,
                "hostPath and mountPath are absolute paths without a colon" STRICTER("extra-volume"));
        if (e == OK && !is_path_type(volume->path_type))
            e = yaml_fault(c->f, ERR_CONFIG_FIELD, v, "there is no such pathType" STRICTER("extra-volume"));
    }
    return e;
}

static enum err read_field_ref(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"apiVersion", join_string_at, offsetof(struct cluster_env, field_api)},
        {"fieldPath", join_string_at, offsetof(struct cluster_env, field_path)},
    };
    (void)off;
    struct cluster_env *env = c->at;
    env->has_field = true;
    env->field_api = SPAN_LIT("v1");
    enum err e = join_map(n, fields, COUNT(fields), c);
    if (e == OK && env->field_api.n == 0)
        env->field_api = SPAN_LIT("v1");
    if (e == OK && (env->field_path.n == 0 || !span_is(env->field_api, "v1")))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                          "needs fieldPath, of apiVersion v1" STRICTER("extra-env"));
    return e;
}

/* A static pod cannot refer to objects of the API server, and resources are those of a container that kubeadm writes. */
static enum err refuse_reference(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    return yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                      "a static pod's variables are values or fieldRef" STRICTER("extra-env"));
}

static enum err read_value_from(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"fieldRef", read_field_ref, 0},          {"resourceFieldRef", refuse_reference, 0},
        {"configMapKeyRef", refuse_reference, 0}, {"secretKeyRef", refuse_reference, 0},
        {"fileKeyRef", refuse_reference, 0},
    };
    (void)off;
    const struct cluster_env *env = c->at;
    enum err e = join_map(n, fields, COUNT(fields), c);
    if (e == OK && !env->has_field)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "needs fieldRef" STRICTER("extra-env"));
    return e;
}

enum err cluster_envs_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"name", join_string_at, offsetof(struct cluster_env, name)},
        {"value", cluster_text_at, offsetof(struct cluster_env, value)},
        {"valueFrom", read_value_from, 0},
    };
    struct cluster_envs *to = join_at(c, off);
    void *items = NULL;
    enum err e = cluster_list(n, c, sizeof(*to->item), &items, &to->count);
    struct cluster_env *env = to->item = items;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next, env++) {
        e = cluster_map_at(v, c, env, fields, COUNT(fields));
        bool low = span_starts(env->name, "_");
        if (e == OK &&
            (!is_flag(span_sub(env->name, low, env->name.n)) || (env->has_field && env->value.n > 0)))
            e = yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                           "a variable has a name of [A-Za-z0-9._-] and one value" STRICTER("extra-env"));
    }
    return e;
}

enum err cluster_component_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"extraArgs", cluster_args_at, offsetof(struct cluster_component, args)},
        {"extraVolumes", cluster_volumes_at, offsetof(struct cluster_component, volumes)},
        {"extraEnvs", cluster_envs_at, offsetof(struct cluster_component, envs)},
    };
    return cluster_map_at(n, c, join_at(c, off), fields, COUNT(fields));
}

struct span cluster_arg(const struct cluster_args *args, const char *name)
{
    for (unsigned i = args->count; i-- > 0;) {
        if (span_is(args->item[i].name, name))
            return args->item[i].value;
    }
    return (struct span){NULL, 0};
}
