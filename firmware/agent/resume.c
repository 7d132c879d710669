/*
 * resume.c - see resume.h.
 */
#include "firmware/agent/resume.h"

#include "config/join_supported.h"
#include "firmware/agent/handoff.h"
#include "firmware/crypto/x509_client.h"
#include "firmware/kube/flags.h"

/* A clock that is so far ahead of the last signed time is wrong; one that is less so may be right, and what it says expired may have expired. */
enum { FAR_S = 5 * 365 * 86400 };

bool resume_possible(const struct agent *a, const char **ret_why)
{
    const struct host *h = a->host;

    *ret_why = a->state.wiping ? "a reset is not finished" : a->state.kubeadm ? "kubeadm did not end" : "";
    if (!h || **ret_why || !a->state.joined || !a->state.node.node[0])
        return false;
    if (!h->exists(h->ctx, HANDOFF_KUBELET_CONF) || !h->exists(h->ctx, HANDOFF_KUBELET_PEM))
        *ret_why = "kubelet has no certificate yet";
    else if (!h->exists(h->ctx, FLAGS_PATH) || !h->exists(h->ctx, a->state.node.ca))
        *ret_why = "kubelet's files are not whole";
    return !**ret_why;
}

_Static_assert(sizeof(((struct agent *)0)->node_name) == STATE_NAME, "names are copied whole");
_Static_assert(sizeof(((struct nodejoin *)0)->name) == STATE_NAME, "names are copied whole");

void resume_load(struct agent *a)
{
    const struct state_node *n = &a->state.node;
    struct nodejoin *node = &a->bundle.node;

    memset(&a->bundle, 0, sizeof(a->bundle));
    memcpy(node->name, n->host, sizeof(node->name));
    node->families = n->families;
    node->v4 = n->v4;
    node->v6 = n->v6;
    a->bundle.join.cri_socket = span_str(n->cri);
    memcpy(a->node_name, n->node, sizeof(a->node_name));
    memcpy(a->node_ips, n->node_ips, sizeof(a->node_ips));
    a->node_ip_count = n->node_ip_count;
    a->kubelet.healthz = n->healthz;
    a->kubelet.healthz_port = n->healthz_port;
    a->kubelet.fail_swap_on = n->fail_swap_on;
}

/* Certificate, CA and scratch lie in memory that nothing else uses before the next row. */
static enum err check_certificate(struct agent *a, int64_t now_s, enum time_quality quality, struct fault *f)
{
    const struct host *h = a->host;
    size_t half = sizeof(a->file_mem) / 2, pem_n = 0, ca_n = 0;
    struct buf scratch = {.p = a->bundle_mem, .cap = sizeof(a->bundle_mem)};
    char name[STATE_TEXT + 16];
    struct buf b = BUF_OF(name);
    enum err e;

    if (h->read_file(h->ctx, HANDOFF_KUBELET_PEM, a->file_mem, half, &pem_n) != OK)
        return fault_set(f, ERR_RESUME_CERT, HANDOFF_KUBELET_PEM " cannot be read");
    if (h->read_file(h->ctx, a->state.node.ca, a->file_mem + half, half, &ca_n) != OK)
        return fault_set(f, ERR_RESUME_CERT, "%s cannot be read", a->state.node.ca);
    buf_fmt(&b, "system:node:%s", a->state.node.node);
    e = x509_client_check(span_of(a->file_mem, pem_n), span_of(a->file_mem + half, ca_n), name, now_s,
                          quality, &scratch, f);
    wipe(a->file_mem, sizeof(a->file_mem)); /* kubelet's key is in the same file */
    return e;
}

enum err resume_check_certificate(struct agent *a)
{
    struct fault unused = {0};
    enum err e = check_certificate(a, agent_time(a), a->time.quality, &a->fault);
    bool far_ahead = agent_time(a) - a->time.floor_s > FAR_S;

    if (e == OK || a->time.quality != TIME_HINT || (e == ERR_RESUME_EXPIRED && !far_ahead) ||
        check_certificate(a, a->time.floor_s, TIME_FLOOR, &unused) != OK)
        return e;
    (void)timekeeper_drop_hint(&a->time, a->now_ms);
    journal_note(&a->journal, a->now_ms, "resume",
                 "the real-time clock makes kubelet's certificate fail; the floor is used from now on");
    fault_clear(&a->fault);
    return OK;
}

enum err resume_remember(const struct agent *a, struct state_node *ret)
{
    const struct nodejoin *node = &a->bundle.node;
    struct render_facts facts;
    char path[STATE_TEXT];
    struct state_node n = {
        .families = node->families,
        .v4 = node->v4,
        .v6 = node->v6,
        .healthz = a->kubelet.healthz,
        .healthz_port = a->kubelet.healthz_port,
        .fail_swap_on = handoff_fails_on_swap(a),
    };
    struct fault unused;
    enum err e = join_node_ips(&a->bundle.join, n.node_ips, &n.node_ip_count, &unused);

    if (e == OK)
        e = join_ignored(&a->bundle.join, &n.ignored, &unused);
    if (e == OK)
        e = render_facts(RENDER_CA, &a->bundle.join, path, &facts);
    if (e == OK)
        e = span_to_cstr(span_str(facts.path), n.ca, sizeof(n.ca));
    if (e == OK)
        e = span_to_cstr(span_str(node->name), n.host, sizeof(n.host));
    if (e == OK)
        e = span_to_cstr(span_str(a->node_name), n.node, sizeof(n.node));
    if (e == OK)
        e = span_to_cstr(a->bundle.join.cri_socket, n.cri, sizeof(n.cri));
    if (e == OK)
        *ret = n;
    return e;
}
