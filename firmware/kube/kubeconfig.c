/*
 * kubeconfig.c - the two forms of kubeconfig.h. Invariant: a key that no list of names here has is refused.
 */
#include "firmware/kube/kubeconfig.h"

#include "firmware/kube/yamlout.h"

/* One entry of clusters, contexts or users. */
struct entry {
    struct span name;
    const struct yaml_node *at; /* its cluster, context or user; NULL: there is none */
};

static enum err refuse(struct fault *f, const struct yaml_node *n, const char *why)
{
    return yaml_fault(f, ERR_DISCOVER_FILE, n, "%s", why);
}

/* names: each with a zero byte behind it, and one more at the end. */
static enum err only(const struct yaml_node *map, const char *names, struct fault *f)
{
    if (map->type != YAML_MAP)
        return refuse(f, map, "must be a map");
    for (const struct yaml_node *n = map->child; n; n = n->next) {
        const char *name = names;
        while (*name && !span_is(n->key, name))
            name += strlen(name) + 1;
        if (!*name)
            return refuse(f, n, "is not supported");
    }
    return OK;
}

/* A text, or empty if it is absent. */
static enum err text_of(const struct yaml_node *map, const char *key, struct span *ret, struct fault *f)
{
    const struct yaml_node *n = yaml_get(map, key);

    *ret = (struct span){0};
    if (!n)
        return OK;
    if (n->type != YAML_SCALAR || (n->plain && yamlout_resolve(n->value) != YAMLOUT_STRING))
        return refuse(f, n, "must be a text");
    *ret = n->value;
    return OK;
}

static enum err must_be(const struct yaml_node *map, const char *key, struct span want, struct fault *f)
{
    struct span text;
    enum err e = text_of(map, key, &text, f);

    if (e == OK && !span_eq(text, want))
        e = yaml_fault(f, ERR_DISCOVER_FILE, yaml_get(map, key) ? yaml_get(map, key) : map,
                       "%s must be \"%.*s\"", key, (int)(want.n < 64 ? want.n : 64), (const char *)want.p);
    return e;
}

static bool is_empty(const struct yaml_node *n)
{
    return !n || yaml_is_null(n) || (n->type != YAML_SCALAR && !n->child);
}

/* The only entry of a list; none if it is absent, null or empty. */
static enum err entry_of(const struct yaml_node *root, const char *list, const char *kind, const char *names,
                         struct entry *ret, struct fault *f)
{
    const struct yaml_node *n = yaml_get(root, list);

    *ret = (struct entry){0};
    if (is_empty(n))
        return OK;
    if (n->type != YAML_SEQ || n->child->next)
        return refuse(f, n, "must be a list of one");
    enum err e = only(n->child, names, f);
    if (e == OK)
        e = text_of(n->child, "name", &ret->name, f);
    ret->at = yaml_get(n->child, kind);
    return e == OK && !ret->at ? refuse(f, n->child, "is not complete") : e;
}

/* The entries name each other as clientcmd.Validate demands, and the context is the current one. */
static enum err check_names(const struct yaml_node *root, const struct entry *cluster,
                            const struct entry *context, const struct entry *user, struct fault *f)
{
    enum err e;

    if (!cluster->at)
        return refuse(f, root, "there is no cluster");
    e = must_be(root, "current-context", context->name, f);
    if (e != OK)
        return e;
    if (!context->at) /* kubeadm takes an unnamed cluster without a context */
        return cluster->name.n || user->at ? refuse(f, root, "there is no context") : OK;
    if (!cluster->name.n || !context->name.n || !user->name.n)
        return refuse(f, root, "the cluster, the context and its user need names");
    e = only(context->at, "cluster\0user\0", f);
    if (e == OK)
        e = must_be(context->at, "cluster", cluster->name, f);
    return e == OK ? must_be(context->at, "user", user->name, f) : e;
}

/* It becomes part of a header. */
static bool is_token(struct span token)
{
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] <= 0x20 || token.p[i] >= 0x7f)
            return false;
    }
    return token.n <= KUBECONFIG_TOKEN_MAX;
}

static enum err choose_user(const struct entry *context, const struct entry *user, const struct join *join,
                            struct kubeconfig_user *ret, struct fault *f)
{
    struct kubeconfig_user u = {.name = user->name, .context = context->name};
    enum err e = user->at ? only(user->at, "token\0", f) : OK;

    if (e == OK)
        e = text_of(user->at, "token", &u.token, f);
    if (e == OK && !is_token(u.token))
        e = refuse(f, yaml_get(user->at, "token"), "is no token of at most 1023 bytes");
    if (e == OK && join->tls_bootstrap_token.n > 0)
        u = (struct kubeconfig_user){.token = join->tls_bootstrap_token};
    if (e == OK && u.token.n == 0)
        e = fault_set(f, ERR_DISCOVER_FILE, "has no user with a token, and there is no tlsBootstrapToken");
    if (e == OK)
        *ret = u;
    return e;
}

static enum err read(const struct yaml_node *root, const struct join *join, struct arena *arena,
                     struct clusterinfo *ret_info, struct kubeconfig_user *ret_user, struct fault *f)
{
    struct entry cluster, context, user;
    enum err e = only(root, "apiVersion\0kind\0clusters\0contexts\0current-context\0preferences\0users\0", f);

    if (e == OK)
        e = must_be(root, "apiVersion", SPAN_LIT("v1"), f);
    if (e == OK)
        e = must_be(root, "kind", SPAN_LIT("Config"), f);
    if (e == OK && !is_empty(yaml_get(root, "preferences")))
        e = refuse(f, yaml_get(root, "preferences"), "must be empty");
    if (e == OK)
        e = entry_of(root, "clusters", "cluster", "name\0cluster\0", &cluster, f);
    if (e == OK)
        e = entry_of(root, "contexts", "context", "name\0context\0", &context, f);
    if (e == OK)
        e = entry_of(root, "users", "user", "name\0user\0", &user, f);
    if (e == OK)
        e = check_names(root, &cluster, &context, &user, f);
    if (e == OK)
        e = only(cluster.at, "server\0certificate-authority-data\0", f);
    if (e == OK)
        e = clusterinfo_cluster(cluster.at, join, arena, ret_info, f);
    return e == OK ? choose_user(&context, &user, join, ret_user, f) : e;
}

enum err kubeconfig_read(struct span text, const struct join *join, struct arena *arena,
                         struct clusterinfo *ret_info, struct kubeconfig_user *ret_user, struct fault *f)
{
    struct clusterinfo info = {0};
    struct yaml_stream stream;
    struct fault why = {0};
    enum err e = yaml_parse(text, arena, &stream, &why);

    if (e == OK && stream.count != 1)
        e = fault_set(&why, ERR_DISCOVER_FILE, "must be one document");
    if (e == OK)
        e = read(stream.docs[0], join, arena, &info, ret_user, &why);
    if (e == OK)
        *ret_info = info;
    else if (e != ERR_NOMEM && e != ERR_LIMIT)
        e = ERR_DISCOVER_FILE;
    return e == OK ? OK : fault_at(f, e, why.line, why.column, why.path, "%s", why.text);
}
