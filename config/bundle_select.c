/*
 * bundle_select.c - which of a stream's documents are kubeadm's, and which role they give. Kinds that are known but not handled are refused by their names.
 */
#include "config/bundle.h"

#include "config/stricter.h"

static const char api[] = "kubeadm.k8s.io/v1beta4";

static enum err identify(const struct yaml_node *doc, struct span *ret_api, struct span *ret_kind,
                         struct fault *f)
{
    if (doc->type != YAML_MAP)
        return yaml_fault(f, ERR_CONFIG_KIND, doc, "a document must be a map");
    const struct yaml_node *a = yaml_get(doc, "apiVersion"), *k = yaml_get(doc, "kind");
    if (!a || !k)
        return yaml_fault(f, ERR_CONFIG_KIND, doc, "apiVersion or kind is missing");
    enum err e = yaml_string(a, ret_api, f);
    return e == OK ? yaml_string(k, ret_kind, f) : e;
}

/* kubeadm's documents, at most one of each kind. */
struct documents {
    const struct yaml_node *join, *init, *cluster;
};

static enum err check_version(const struct yaml_node *doc, struct span version, struct fault *f)
{
    const struct yaml_node *n = yaml_get(doc, "apiVersion");
    if (span_is(version, "kubeadm.k8s.io/v1beta3"))
        return yaml_fault(f, ERR_CONFIG_KIND, n,
                          "an old form; `kubeadm config migrate` makes v1beta4 of it" STRICTER("v1beta3"));
    return span_is(version, api) ? OK : yaml_fault(f, ERR_CONFIG_KIND, n, "must be %s", api);
}

/* Puts a document in its place. */
static enum err sort(const struct yaml_node *doc, struct documents *to, struct fault *f)
{
    const struct {
        const char *kind;
        const struct yaml_node **place;
    } kinds[] = {
        {"JoinConfiguration", &to->join},
        {"InitConfiguration", &to->init},
        {"ClusterConfiguration", &to->cluster},
    };
    struct span version, kind;
    enum err e = identify(doc, &version, &kind, f);
    if (e != OK)
        return e;
    for (size_t i = 0; i < COUNT(kinds) && span_starts(version, "kubeadm.k8s.io/"); i++) {
        if (!span_is(kind, kinds[i].kind))
            continue;
        if (*kinds[i].place)
            return yaml_fault(f, ERR_CONFIG_KIND, yaml_get(doc, "kind"), "a second %s", kinds[i].kind);
        *kinds[i].place = doc;
        return check_version(doc, version, f);
    }
    return yaml_fault(f, ERR_CONFIG_KIND, yaml_get(doc, "kind"),
                      "this kind of document is not handled" STRICTER("other-kind"));
}

static enum err select(const struct yaml_stream *stream, unsigned first, struct documents *ret,
                       struct fault *f)
{
    struct documents d = {NULL, NULL, NULL};
    for (unsigned i = first; i < stream->count; i++) {
        enum err e = sort(stream->docs[i], &d, f);
        if (e != OK)
            return e;
    }
    const struct yaml_node *other = d.init ? d.init : d.cluster;
    if (!d.join && !other)
        return fault_set(f, ERR_CONFIG_KIND,
                         "there is no JoinConfiguration, InitConfiguration or ClusterConfiguration" STRICTER(
                             "empty-document"));
    if (d.join && other)
        return yaml_fault(f, ERR_CONFIG_KIND, yaml_get(other, "kind"),
                          "a machine creates a cluster or joins one" STRICTER("two-roles"));
    *ret = d;
    return OK;
}

enum err bundle_kubeadm(const struct yaml_stream *stream, unsigned first, struct arena *arena,
                        struct bundle *ret, struct fault *f)
{
    struct documents d = {0};
    struct join join = {.root = NULL};
    struct init init = {.root = NULL};
    struct cluster cluster = {.root = NULL};
    enum err e = select(stream, first, &d, f);
    if (e != OK)
        return e;
    if (d.join) {
        e = join_read(d.join, arena, &join, f);
    } else {
        e = cluster_read(d.cluster, arena, &cluster, f);
        if (e == OK)
            e = init_read(d.init, arena, &init, &join, f);
    }
    if (e != OK)
        return e;
    ret->role = !d.join ? BUNDLE_INIT : join.has_control_plane ? BUNDLE_CONTROL_PLANE : BUNDLE_WORKER;
    ret->join = join;
    ret->init = init;
    ret->cluster = cluster;
    return OK;
}
