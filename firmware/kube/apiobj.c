/*
 * apiobj.c - ConfigMap, Node and Status as kube-apiserver answers them in JSON (api/core/v1, apimachinery's meta/v1).
 */
#include "firmware/kube/apiobj.h"

#include "config/gate.h"
#include "config/versions.h"
#include "config/yaml.h"
#include "firmware/base/json.h"
#include "firmware/kube/yamlout.h"

enum err apiobj_status(const struct apiobj_answer *a, struct fault *f)
{
    static const char *const path[] = {"message", NULL};
    char message[120] = "";
    struct buf b = {.p = (uint8_t *)message, .cap = sizeof(message) - 1};
    bool found = false;

    if (a->status == 200)
        return OK;
    enum err e = a->status == 401   ? ERR_API_UNAUTHORIZED
                 : a->status == 403 ? ERR_API_FORBIDDEN
                                    : ERR_API_STATUS;
    if (json_get(a->body, path, &b, &found) || !found)
        b.n = 0;
    for (size_t i = 0; i < b.n; i++) /* a message is only shown */
        message[i] = message[i] >= 0x20 && message[i] < 0x7f ? message[i] : '?';
    message[b.n] = 0;
    return fault_set(f, e, "%s: status %u%s%s", a->what, a->status, b.n ? ": " : "", message);
}

enum err apiobj_configmap(const struct apiobj_answer *a, const char *key, struct buf *ret, struct fault *f)
{
    const char *const path[] = {"data", key, NULL};
    bool found = false;
    size_t before = ret->n;
    enum err e = apiobj_status(a, f);

    if (e)
        return e;
    e = json_get(a->body, path, ret, &found);
    if (e == ERR_LIMIT)
        return fault_set(f, ERR_LIMIT, "%s: %s is too large", a->what, key);
    if (e)
        return fault_set(f, ERR_API_SYNTAX, "%s: the answer is not the JSON of a ConfigMap", a->what);
    if (!found || ret->n == before)
        return fault_set(f, ERR_API_SYNTAX, "%s: data has no %s", a->what, key);
    return OK;
}

/* A string of a map, or its default if it is missing, null or empty (kubeadm's SetDefaults does the same). */
static enum err text_of(const struct yaml_node *map, const char *key, const char *otherwise, char *ret,
                        size_t cap, struct fault *f)
{
    const struct yaml_node *n = map ? yaml_get(map, key) : NULL;
    struct span s = span_str(otherwise);

    if (n && !yaml_is_null(n)) {
        if (n->type != YAML_SCALAR || (n->plain && yamlout_resolve(n->value) != YAMLOUT_STRING))
            return yaml_fault(f, ERR_API_SYNTAX, n, "must be a string");
        s = n->value.n > 0 ? n->value : s;
    }
    if (span_to_cstr(s, ret, cap))
        return yaml_fault(f, ERR_API_SYNTAX, n, "is too long");
    return OK;
}

/* featureGates.NodeLocalCRISocket: where kubeadm knows it, it obeys it, though it is locked since 1.36. */
static enum err local_cri(const struct yaml_node *doc, const struct versions_minor *v, bool *ret,
                          struct fault *f)
{
    const struct yaml_node *gates = yaml_get(doc, "featureGates");
    const struct yaml_node *n =
        gates && gates->type == YAML_MAP ? yaml_get(gates, "NodeLocalCRISocket") : NULL;

    *ret = true;
    if (!n || (v && !v->cri_socket_gate))
        return OK;
    if (n->type != YAML_SCALAR || !n->plain || (!span_is(n->value, "true") && !span_is(n->value, "false")))
        return yaml_fault(f, ERR_API_SYNTAX, n, "must be true or false");
    *ret = span_is(n->value, "true");
    return OK;
}

static enum err cluster_fields(const struct yaml_node *doc, struct apiobj_cluster *ret, struct fault *f)
{
    const struct yaml_node *kind = yaml_get(doc, "kind"), *api = yaml_get(doc, "apiVersion");
    const struct yaml_node *networking = yaml_get(doc, "networking");
    const struct versions_minor *v;
    struct apiobj_cluster c = {0};

    if (doc->type != YAML_MAP || !kind || !span_is(kind->value, "ClusterConfiguration") || !api ||
        (!span_is(api->value, "kubeadm.k8s.io/v1beta4") && !span_is(api->value, "kubeadm.k8s.io/v1beta3")))
        return yaml_fault(f, ERR_API_SYNTAX, doc,
                          "must be a ClusterConfiguration of kubeadm.k8s.io/v1beta4 or v1beta3");
    if (networking && yaml_is_null(networking))
        networking = NULL;
    if (networking && networking->type != YAML_MAP)
        return yaml_fault(f, ERR_API_SYNTAX, networking, "must be a map");
    enum err e = text_of(doc, "clusterName", "kubernetes", c.name, sizeof(c.name), f);
    if (!e)
        e = text_of(doc, "kubernetesVersion", "", c.version, sizeof(c.version), f);
    if (!e)
        e = text_of(doc, "certificatesDir", "/etc/kubernetes/pki", c.certificates_dir,
                    sizeof(c.certificates_dir), f);
    if (!e)
        e = text_of(networking, "serviceSubnet", "10.96.0.0/12", c.service_subnet, sizeof(c.service_subnet),
                    f);
    if (!e)
        e = text_of(doc, "controlPlaneEndpoint", "", c.endpoint, sizeof(c.endpoint), f);
    if (!e)
        e = text_of(networking, "dnsDomain", "cluster.local", c.dns_domain, sizeof(c.dns_domain), f);
    if (e)
        return e;
    if (versions_read(span_str(c.version), &c.minor))
        return yaml_fault(f, ERR_VERSION_SKEW, yaml_get(doc, "kubernetesVersion"),
                          "kubernetesVersion \"%s\" is not a version such as v1.36.2", c.version);
    v = versions_find(c.minor);
    if (v && !v->v1beta3 && span_is(api->value, "kubeadm.k8s.io/v1beta3"))
        return yaml_fault(f, ERR_API_SYNTAX, api, "kubeadm of 1.%u does not read v1beta3", c.minor);
    e = local_cri(doc, v, &c.local_cri_socket, f);
    if (e)
        return e;
    *ret = c;
    return OK;
}

enum err apiobj_cluster(const struct apiobj_answer *a, struct buf *text, struct arena *arena,
                        struct apiobj_cluster *ret, struct fault *f)
{
    size_t start = text->n, used = arena->used;
    struct yaml_stream s;
    struct fault why = {0};
    enum err e = apiobj_configmap(a, "ClusterConfiguration", text, f);

    if (e)
        return e;
    struct span doc = span_sub(buf_span(text), start, text->n);
    e = gate_admit(GATE_VERIFIED_PEER, doc);
    if (e)
        return fault_set(f, e, "%s", a->what);
    e = yaml_parse(doc, arena, &s, &why);
    if (e == ERR_NOMEM || e == ERR_LIMIT)
        e = fault_set(f, e, "%s: %s", a->what, why.text);
    else if (e)
        e = fault_at(f, ERR_API_SYNTAX, why.line, why.column, why.path, "%s: %s", a->what, why.text);
    else if (s.count != 1)
        e = fault_set(f, ERR_API_SYNTAX, "%s: must hold one document", a->what);
    else
        e = cluster_fields(s.docs[0], ret, f);
    arena_rewind(arena, used);
    return e;
}

/* Follows status.conditions[] of a Node. Levels: 1 the object, 2 status, 3 the list, 4 one condition. */
struct conditions {
    struct json json;
    bool in_status, in_conditions;
    bool key_type, key_status;
    bool type_ready, status_true;
    bool ready;
};

static void conditions_key(struct conditions *c)
{
    struct span key = c->json.raw;

    if (c->json.depth == 1)
        c->in_status = span_is(key, "status");
    if (c->json.depth == 2)
        c->in_conditions = c->in_status && span_is(key, "conditions");
    c->key_type = c->in_conditions && c->json.depth == 4 && span_is(key, "type");
    c->key_status = c->in_conditions && c->json.depth == 4 && span_is(key, "status");
}

static enum err conditions_read(struct conditions *c)
{
    for (;;) {
        enum json_event event = json_next(&c->json);
        switch (event) {
        case JSON_ERROR:
            return json_error(&c->json);
        case JSON_END:
            return OK;
        case JSON_KEY:
            conditions_key(c);
            continue;
        case JSON_STRING:
            c->type_ready |= c->key_type && span_is(c->json.raw, "Ready");
            c->status_true |= c->key_status && span_is(c->json.raw, "True");
            break;
        case JSON_OBJECT_END: /* depth is that around it: 3 behind one condition */
            c->ready |= c->in_conditions && c->json.depth == 3 && c->type_ready && c->status_true;
            if (c->json.depth == 3)
                c->type_ready = c->status_true = false;
            break;
        default:
            break;
        }
        c->key_type = c->key_status = false;
    }
}

enum err apiobj_node(const struct apiobj_answer *a, struct fault *f)
{
    static const char *const path[] = {"kind", NULL};
    char kind[16];
    struct buf b = BUF_OF(kind);
    struct conditions c = {0};
    bool found = false;

    if (a->status == 404) /* a real 404 is a Status object, not a proxy's page */
        return json_get(a->body, path, &b, &found) || !found || !span_is(buf_span(&b), "Status")
                   ? fault_set(f, ERR_API_STATUS, "%s: status 404 without a Status object", a->what)
                   : OK;
    enum err e = apiobj_status(a, f);
    if (e)
        return e;
    json_init(&c.json, a->body);
    if (json_get(a->body, path, &b, &found) || !found || !span_is(buf_span(&b), "Node") ||
        conditions_read(&c))
        return fault_set(f, ERR_API_SYNTAX, "%s: the answer is not the JSON of a Node", a->what);
    if (c.ready)
        return fault_set(f, ERR_NODE_EXISTS, "%s is there and Ready", a->what);
    return OK;
}
