/*
 * phase_kubeadm.c - kubeadm: control-plane join and init are done by the node image's own `kubeadm join|init --config`, with every line relayed.
 *
 * The agent is the init system that kubeadm misses: it starts kubelet as soon as kubeadm has written its configuration, and keeps it running.
 * The documents go to a file that only root can read, in memory, and are gone when kubeadm has ended. Lines that could hold a token or a
 * certificate key are not relayed (SECURITY P9).
 */
#include "firmware/agent/handoff.h"
#include "firmware/agent/phases.h"
#include "firmware/kube/flags.h"

#define DOCUMENTS    "/run/joinboot/kubeadm.yaml"
#define KUBELET_YAML "/var/lib/kubelet/config.yaml"

enum { POLL_MS = 100, KUBEADM_RUNS = 0, KUBELET_RUNS = 1, PIECE = 1024 };

/* kubeadm ends each of its own waits; the row's time is for the work between them. */
static uint32_t limit_ms(const struct join_timeouts *t)
{
    static const uint64_t day_ms = 24 * 3600 * 1000;
    const uint64_t waits[] = {t->control_plane_component_health_check_ms,
                              t->kubelet_health_check_ms,
                              t->kubernetes_api_call_ms,
                              t->etcd_api_call_ms,
                              t->tls_bootstrap_ms,
                              t->discovery_ms};
    uint64_t sum = phases[PHASE_KUBEADM].deadline_ms;

    for (size_t i = 0; i < COUNT(waits); i++)
        sum += waits[i] < day_ms ? waits[i] : day_ms;
    return (uint32_t)(sum < day_ms ? sum : day_ms);
}

enum err kubeadm_start(struct agent *a)
{
    const char *const join[] = {"/usr/bin/kubeadm", "join", "--config", DOCUMENTS, NULL};
    const char *const init[] = {
        "/usr/bin/kubeadm", "init", "--config", DOCUMENTS, "--skip-token-print",
        "--skip-certificate-key-print",
        /* A certificate key is there to be used: by the control-plane nodes that follow. */
        a->bundle.join.certificate_key.n > 0 ? "--upload-certs" : NULL, NULL};
    const struct host *h = a->host;
    enum err e = render_node_name(&a->bundle.join, a->bundle.node.name, a->node_name);

    if (e == OK)
        e = h->write_file(h->ctx, DOCUMENTS, 0600, a->bundle.kubeadm_yaml, &a->fault);
    if (e == OK)
        e = h->job_start(h->ctx, a->bundle.role == BUNDLE_INIT ? init : join, &a->fault);
    a->line.n = 0;
    a->at.limit_ms = limit_ms(&a->bundle.join.timeouts);
    return e;
}

/* A kubeadm that has come to no end in its time must not go on beside the next one. */
void kubeadm_stop(struct agent *a)
{
    a->host->service_stop(a->host->ctx, HOST_JOB);
    (void)!a->host->remove_file(a->host->ctx, DOCUMENTS, true, NULL);
}

static bool holds(struct span line, struct span secret)
{
    for (size_t at = 0; secret.n > 0 && secret.n <= line.n - at; at++) {
        if (span_eq(span_sub(line, at, secret.n), secret))
            return true;
    }
    return false;
}

/* A token is id.secret, and the id is none. */
static bool holds_token(struct span line, struct span token)
{
    (void)span_cut(&token, '.');
    return holds(line, token);
}

/* The bundle's own secrets, wherever they stand; and what speaks of one that kubeadm may have made. */
static bool may_hold_secret(const struct bundle *b, struct span line)
{
    static const char *const words[] = {"token", "certificate-key", "certificate key"};

    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_find_str(line, words[i]) < line.n)
            return true;
    }
    for (unsigned i = 0; i < b->init.token_count; i++) {
        if (holds_token(line, b->init.tokens[i].token))
            return true;
    }
    return holds_token(line, b->join.token) || holds_token(line, b->join.tls_bootstrap_token) ||
           holds(line, b->join.certificate_key);
}

/* kubeadm adds the member to the cluster's etcd before it writes a file of it here: its word is all that there is. at.mark_ms: it was said. */
static void look_for_member(struct agent *a, struct span line)
{
    if (span_starts(line, "[etcd] Announced new etcd member"))
        a->at.mark_ms = a->now_ms;
}

static enum err record_member(struct agent *a)
{
    if (a->at.mark_ms == 0 || a->state.member)
        return OK;
    if (!a->saving) {
        a->next = a->state;
        a->next.member = true;
    }
    return phases_save(a);
}

static void relay_line(struct agent *a)
{
    struct span line = span_trim(buf_span(&a->line));

    look_for_member(a, line);
    if (line.n > 0 && !may_hold_secret(&a->bundle, line)) {
        journal_begin(&a->journal, a->now_ms, "kubeadm", "says");
        journal_span(&a->journal, "line", line);
        journal_end(&a->journal);
    }
    wipe(a->line_mem, sizeof(a->line_mem));
    a->line = BUF_OF(a->line_mem);
}

/* Whole lines; the beginning of one waits in a->line for its end. What a line has beyond that memory is cut. */
static void relay(struct agent *a, bool ended)
{
    uint8_t piece[PIECE];
    struct buf b = BUF_OF(piece);

    do {
        b.n = 0;
        a->host->job_read(a->host->ctx, &b);
        for (size_t i = 0; i < b.n; i++) {
            if (piece[i] == '\n')
                relay_line(a);
            else
                buf_u8(&a->line, piece[i]);
        }
    } while (ended && b.n == b.cap);
    wipe(piece, sizeof(piece));
    if (ended)
        relay_line(a);
}

/* kubeadm has written what kubelet needs, and waits for it. Until then kubelet would only exit. */
static enum err start_kubelet(struct agent *a)
{
    const struct host *h = a->host;
    enum err e;

    if (!h->exists(h->ctx, KUBELET_YAML) || !h->exists(h->ctx, FLAGS_PATH) ||
        (!h->exists(h->ctx, HANDOFF_BOOTSTRAP_CONF) && !h->exists(h->ctx, HANDOFF_KUBELET_CONF)))
        return OK;
    e = handoff_start_kubelet(a);
    if (e == ERR_FILE) {
        fault_clear(&a->fault); /* kubeadm is still writing it */
        return OK;
    }
    a->at.sub = KUBELET_RUNS;
    return e;
}

static enum step ended(struct agent *a, bool well)
{
    enum err e;

    if (!well) {
        a->host->service_stop(a->host->ctx, HOST_KUBELET);
        fault_set(&a->fault, ERR_KUBEADM, "%s",
                  a->bundle.role == BUNDLE_INIT ? "kubeadm init" : "kubeadm join");
        return STEP_ERROR;
    }
    if (a->bundle.role == BUNDLE_INIT)
        a->kubelet = (struct kubeletcfg_facts){.healthz_port = 10248, .fail_swap_on = true};
    e = handoff_record(a, false);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    return e == OK ? STEP_DONE : STEP_ERROR;
}

enum step kubeadm_step(struct agent *a)
{
    enum host_answer answer = a->host->job_result(a->host->ctx);
    enum err e;

    relay(a, answer != HOST_BUSY);
    e = record_member(a);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK) { /* kubeadm is past the point where it may be stopped: this boot knows without the record */
        journal_note(&a->journal, a->now_ms, "kubeadm", "the new etcd member could not be recorded");
        a->state.member = true;
    }
    if (answer != HOST_BUSY)
        return ended(a, answer == HOST_YES);
    if (a->at.sub == KUBEADM_RUNS && start_kubelet(a) != OK)
        return STEP_ERROR;
    return phases_wait(a, POLL_MS);
}
