/*
 * phase_host.c - preflight and joined: may this host run a kubelet, and did it become a node? The hand-over itself is in phase_handoff.c.
 */
#include "config/join_supported.h"
#include "firmware/agent/handoff.h"
#include "firmware/agent/oneshot.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/target.h"

enum {
    EXITS_TOLD = 3,
    CSR_WAIT_MS = 30000,
    OUTPUT_LINES = 20,
    TOLD_CSR = 1,
    TOLD_HEALTH = 2,
    TOLD_SILENT = 4,
    HEALTH_WAIT_MS = 60000
};

static enum step refuse(struct agent *a, enum err e, const char *text)
{
    fault_set(&a->fault, e, "%s", text);
    return STEP_ERROR;
}

/* The path of a unix:// socket. */
enum err handoff_cri_path(const struct agent *a, char *ret, size_t cap)
{
    struct span s = a->bundle.join.cri_socket;

    if (span_starts(s, "unix://"))
        s = span_sub(s, 7, s.n);
    return span_to_cstr(s, ret, cap);
}

/* Files of an earlier join that is not ours: a kubelet that finds its kubelet.conf ignores the bootstrap file and stays in the old cluster. */
static bool stale_files(struct agent *a)
{
    return a->host->exists(a->host->ctx, HANDOFF_KUBELET_CONF) && !a->state.joined;
}

/* An argument of kubelet wins over its configuration. */
bool handoff_fails_on_swap(const struct agent *a)
{
    struct span arg = join_arg_value(&a->bundle.join, "fail-swap-on");

    return arg.n > 0 ? !span_is(arg, "false") : a->kubelet.fail_swap_on;
}

enum err handoff_start_runtime(struct agent *a)
{
    const char *const argv[] = {a->site.runtime, NULL};

    /* A running system runs its own. */
    if (kernel_used() || target_used(a) || strcmp(a->site.runtime, "none") == 0)
        return OK;
    return a->host->service_start(a->host->ctx, HOST_RUNTIME, argv, &a->fault);
}

enum step preflight_step(struct agent *a)
{
    const struct host *h = a->host;
    unsigned ignored = 0;
    char path[256];

    if (target_used(a))
        return target_preflight(a);
    if (a->at.sub == 0) {
        if (stale_files(a))
            return refuse(a, ERR_STALE, HANDOFF_KUBELET_CONF " is there");
        if (oneshot_check_manager(a) != OK)
            return STEP_ERROR;
        if (a->resuming)
            ignored = a->state.node.ignored;
        else if (join_ignored(&a->bundle.join, &ignored, &a->fault) != OK)
            return STEP_ERROR;
        if (!(ignored & JOIN_IGNORE_SWAP) && h->swap_on(h->ctx) && handoff_fails_on_swap(a))
            return refuse(a, ERR_SWAP, "/proc/swaps is not empty");
        if (!(ignored & JOIN_IGNORE_PORT) && !oneshot_keeps_port(a) && h->port_free(h->ctx, 10250) == HOST_NO)
            return refuse(a, ERR_PORT, "10250");
        if ((a->bundle.node.families & FAMILIES_V6) && a->net_up && !a->net.router6.family &&
            a->bundle.node.v6.gateway.family == FAMILY_NONE)
            return refuse(a, ERR_ROUTE6, "no IPv6 router on the link and no gateway in the config");
        if (handoff_start_runtime(a) != OK)
            return STEP_ERROR;
        a->at.sub = 1;
        return phases_wait(a, 0);
    }
    if (handoff_cri_path(a, path, sizeof(path)) != OK)
        return refuse(a, ERR_CRI, "criSocket is too long");
    if (h->unix_answers(h->ctx, path) == HOST_YES)
        return STEP_DONE;
    fault_peer(&a->fault, "%s", path);
    return phases_wait(a, 20);
}

void handoff_tell_output(struct agent *a, enum host_service which)
{
    static const char *const names[HOST_SERVICES] = {
        [HOST_RUNTIME] = "runtime", [HOST_KUBELET] = "kubelet", [HOST_JOB] = "job"};
    uint8_t text[4096];
    struct buf b = BUF_OF(text);
    struct span rest, line;

    a->host->service_output(a->host->ctx, which, OUTPUT_LINES, &b);
    rest = buf_span(&b);
    while (rest.n) {
        line = span_cut(&rest, '\n');
        journal_begin(&a->journal, a->now_ms, phases[a->at.row].name, names[which]);
        journal_span(&a->journal, "line", line);
        journal_end(&a->journal);
    }
}

static bool output_says(struct agent *a, const char *text)
{
    uint8_t mem[4096];
    struct buf b = BUF_OF(mem);

    a->host->service_output(a->host->ctx, HOST_KUBELET, 40, &b);
    return span_find_str(buf_span(&b), text) < b.n;
}

enum err joined_start(struct agent *a)
{
    a->kubelet_exits_told = 0;
    return OK;
}

/* Named once per cause; kubelet itself goes on trying, and so does this row. */
static void tell(struct agent *a, enum err e, const char *text, unsigned once)
{
    struct fault f = {0};

    if (a->at.sub & once)
        return;
    a->at.sub |= once;
    fault_set(&f, e, "%s", text);
    journal_fault(&a->journal, a->now_ms, "joined", &f, a->at.attempts[PHASE_JOINED], 0);
}

static enum step watch_kubelet(struct agent *a, bool has_conf)
{
    struct host_service_status st;

    a->host->service_status(a->host->ctx, HOST_KUBELET, &st);
    if (st.starts >= EXITS_TOLD && st.starts > a->kubelet_exits_told && st.state != HOST_SERVICE_RUNNING) {
        a->kubelet_exits_told = st.starts;
        a->at.sub &= ~(unsigned)TOLD_HEALTH;
        handoff_tell_output(a, HOST_KUBELET);
        tell(a, ERR_KUBELET_EXITS, "kubelet exited again", TOLD_HEALTH);
    }
    if (has_conf && a->now_ms - a->at.start_ms >= HEALTH_WAIT_MS)
        tell(a, ERR_HEALTHZ, "/healthz does not answer 200", TOLD_SILENT);
    if (has_conf || a->now_ms - a->at.start_ms < CSR_WAIT_MS)
        return phases_wait(a, 100);
    if (output_says(a, "certificate signing request is denied"))
        return refuse(a, ERR_CSR_DENIED, "kubelet says that its request was denied");
    tell(a, ERR_CSR_PENDING, "no certificate after 30 s", TOLD_CSR);
    if (a->now_ms - a->at.start_ms > a->bundle.join.timeouts.tls_bootstrap_ms)
        return refuse(a, ERR_CSR_PENDING, "no certificate within timeouts.tlsBootstrap");
    return phases_wait(a, 200);
}

/* Where the configuration switches kubelet's health server off, kubeadm asks nobody either. */
static bool is_healthy(const struct agent *a)
{
    const struct kubeletcfg_facts *k = &a->kubelet;

    return k->healthz_port == 0 ||
           a->host->http_ok(a->host->ctx, &k->healthz, k->healthz_port, "/healthz") == HOST_YES;
}

enum step joined_step(struct agent *a)
{
    const struct host *h = a->host;
    bool has_conf = h->exists(h->ctx, HANDOFF_KUBELET_CONF) && h->exists(h->ctx, HANDOFF_KUBELET_PEM);

    if (target_used(a))
        return target_switch(a);
    if (!has_conf || !is_healthy(a))
        return watch_kubelet(a, has_conf);
    if (h->remove_file(h->ctx, HANDOFF_BOOTSTRAP_CONF, true, &a->fault) != OK)
        return STEP_ERROR;
    /* The token is in the payload, in the tree and in the rendered file: all of that memory is wiped. */
    phases_forget(a);
    wipe(a->bundle_mem, sizeof(a->bundle_mem));
    wipe(a->file_mem, sizeof(a->file_mem));
    memset(&a->bundle, 0, sizeof(a->bundle));
    return STEP_DONE;
}

void node_drop(struct agent *a)
{
    https_stop(&a->https);
    if (a->discover)
        discover_stop(a->discover);
    a->discover = NULL;
}

void node_release(struct agent *a)
{
    /* Discovery leaves its connection to configure, which may not have started. */
    if (a->discover)
        discover_stop(a->discover);
    if (!a->handed_over)
        return;
    a->host->service_stop(a->host->ctx, HOST_KUBELET);
    keeper_stop(a);
    a->host->net_release(a->host->ctx, a->nic);
    a->handed_over = false;
}
