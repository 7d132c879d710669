/*
 * join_select.c - which of a stream's documents is the one to join by. Kinds that are known but not handled are refused by their names.
 */
#include "config/join.h"

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

static enum err check_kind(const struct yaml_node *doc, struct fault *f)
{
    struct span version, kind;
    enum err e = identify(doc, &version, &kind, f);
    if (e != OK)
        return e;
    bool kubeadm = span_starts(version, "kubeadm.k8s.io/");
    if (kubeadm && (span_is(kind, "InitConfiguration") || span_is(kind, "ClusterConfiguration")))
        return yaml_fault(f, ERR_CONFIG_INIT, yaml_get(doc, "kind"),
                          "a document for kubeadm init" STRICTER("init-unsupported"));
    if (!kubeadm || !span_is(kind, "JoinConfiguration"))
        return yaml_fault(f, ERR_CONFIG_KIND, yaml_get(doc, "kind"),
                          "this kind of document is not handled" STRICTER("other-kind"));
    if (span_is(version, "kubeadm.k8s.io/v1beta3"))
        return yaml_fault(f, ERR_CONFIG_KIND, yaml_get(doc, "apiVersion"),
                          "an old form; `kubeadm config migrate` makes v1beta4 of it" STRICTER("v1beta3"));
    if (!span_is(version, api))
        return yaml_fault(f, ERR_CONFIG_KIND, yaml_get(doc, "apiVersion"), "must be %s", api);
    return OK;
}

enum err join_select(const struct yaml_stream *stream, unsigned first, const struct yaml_node **ret,
                     struct fault *f)
{
    for (unsigned i = first; i < stream->count; i++) {
        enum err e = check_kind(stream->docs[i], f);
        if (e != OK)
            return e;
    }
    if (stream->count <= first)
        return fault_set(f, ERR_CONFIG_KIND, "there is no JoinConfiguration" STRICTER("empty-document"));
    if (stream->count > first + 1)
        return yaml_fault(f, ERR_CONFIG_KIND, stream->docs[first + 1], "a second JoinConfiguration");
    *ret = stream->docs[first];
    return OK;
}
