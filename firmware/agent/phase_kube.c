/*
 * phase_kube.c - discover and configure: the cluster proven, then read. Both rows drive one struct discover over one connection, which
 * therefore lives on when discover is done and is closed by configure, or by discover if that fails.
 */
#include "config/gate.h"
#include "config/join_supported.h"
#include "config/versions.h"
#include "firmware/agent/handoff.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/target.h"
#include "firmware/kube/kubeletcfg_patch.h"

enum { DISCOVER_MS = 30000, API_CALL_MS = 30000, VERSION_MS = 25000, VERSION_POLL_MS = 5 };

/* A node image says in a file beside kubelet what that prints: the program itself takes a second of a processor to say it. A system whose programs are
 * replaced one by one is not believed. */
static bool read_version(struct agent *a)
{
    char path[sizeof(a->site.kubelet) + 8];
    uint8_t text[sizeof(a->kubelet_version)];
    struct buf b = BUF_OF(path);
    struct span line;
    unsigned minor;
    size_t n;

    buf_fmt(&b, "%s.version%c", a->site.kubelet, 0);
    if (!a->host->pid1 || !a->site.root[0] || target_used(a) ||
        a->host->read_file(a->host->ctx, path, text, sizeof(text), &n) != OK)
        return false;
    line = span_trim(span_of(text, n));
    return versions_read(line, &minor) == OK &&
           span_to_cstr(line, a->kubelet_version, sizeof(a->kubelet_version)) == OK;
}

enum err handoff_ask_version(struct agent *a)
{
    const char *const argv[] = {a->site.kubelet, "--version", NULL};
    bool ask = a->host->job_start && !read_version(a);
    enum err e = ask ? a->host->job_start(a->host->ctx, argv, &a->fault) : OK;

    a->version_asked = ask && e == OK;
    return e;
}

/* The kubeconfig that discovery.file names on this machine. It may hold a token, and lies in the arena, which is wiped. */
static enum err read_kubeconfig(struct agent *a, struct span *ret)
{
    const struct host *h = a->host;
    const struct join *join = &a->bundle.join;
    char path[256];
    uint8_t *text;
    size_t n = 0;

    if (!join->has_file)
        return OK;
    if (span_to_cstr(join->kubeconfig_path, path, sizeof(path)) != OK)
        return fault_set(&a->fault, ERR_LIMIT, "discovery.file.kubeConfigPath");
    text = arena_take(&a->arena, KUBECONFIG_MAX);
    if (!text)
        return fault_set(&a->fault, ERR_NOMEM, "%s", path);
    if (h->read_file(h->ctx, path, text, KUBECONFIG_MAX, &n) != OK)
        return fault_set(&a->fault, ERR_DISCOVER_FILE, "%s cannot be read, or has more than %d bytes", path,
                         KUBECONFIG_MAX);
    *ret = span_of(text, n);
    return gate_admit(GATE_OWN_FILE, *ret);
}

enum err discover_phase_start(struct agent *a)
{
    struct discover_input in = {
        .join = &a->bundle.join,
        .node_name = a->node_name,
        .now_s = agent_time(a),
        .quality = a->time.quality,
        .arena = &a->arena,
        .own_node = a->state.joined && memcmp(a->state.digest, verified_digest(a->verified), HASH_SIZE) == 0,
    };
    enum err e = render_node_name(&a->bundle.join, a->bundle.node.name, a->node_name);

    a->trusted = false;
    a->at.limit_ms = join_timeout_ms(in.join, "discovery", in.join->timeouts.discovery_ms, DISCOVER_MS);
    if (e != OK)
        return fault_set(&a->fault, e, "node name");
    a->kubelet_version[0] = 0;
    e = read_kubeconfig(a, &in.file);
    if (e != OK)
        return e;
    if (!a->version_asked && handoff_ask_version(a) != OK)
        return a->fault.code;
    a->version_asked = false; /* another attempt asks anew: the program may have been replaced */
    if (!a->discover)
        a->discover = arena_take(&a->arena, sizeof(*a->discover));
    if (!a->discover)
        return fault_set(&a->fault, ERR_NOMEM, "discovery");
    e = discover_start(a->discover, &in, a->now_ms);
    if (e != OK)
        a->fault = a->discover->fault;
    return e;
}

/* Both rows go on with the one discovery: WAIT, DONE with a->cluster filled, or ERROR. */
static enum step go_on(struct agent *a)
{
    switch (discover_step(a->discover, a->now_ms, &a->cluster)) {
    case DISCOVER_WAIT:
        a->at.wake_ms = discover_wake_ms(a->discover);
        return STEP_WAIT;
    case DISCOVER_DONE:
        return STEP_DONE;
    default:
        a->fault = a->discover->fault;
        return STEP_ERROR;
    }
}

enum step discover_phase_step(struct agent *a)
{
    enum step s = go_on(a);

    if (s == STEP_WAIT && discover_trusted(a->discover))
        s = STEP_DONE;
    a->trusted = s == STEP_DONE;
    return s;
}

void discover_phase_stop(struct agent *a)
{
    if (!a->trusted && a->discover)
        discover_stop(a->discover);
}

void discover_phase_report(struct agent *a)
{
    const struct discover_result *r = &a->discover->result;

    journal_text(&a->journal, "family", r->prover.family == FAMILY_V6 ? "ipv6" : "ipv4");
    journal_ip(&a->journal, "server", &r->prover);
    journal_text(&a->journal, "tls", r->tls);
    journal_span(&a->journal, "endpoint", r->server);
}

/* The line that kubelet printed among what it may have said beside it. */
static void keep_version(struct agent *a)
{
    uint8_t text[1024];
    struct buf b = BUF_OF(text);
    struct span rest, line;
    unsigned minor;

    a->host->service_output(a->host->ctx, HOST_JOB, 4, &b);
    for (rest = buf_span(&b); rest.n > 0;) {
        line = span_trim(span_cut(&rest, '\n'));
        if (versions_read(line, &minor) == OK &&
            span_to_cstr(line, a->kubelet_version, sizeof(a->kubelet_version)) == OK)
            return;
    }
}

/* The patches for kubelet's configuration that the document's folder has, in the order of their names, as kubeadm takes them. */
static enum err read_patches(struct agent *a)
{
    const struct host *h = a->host;
    char folder[256], name[256], path[600];
    struct buf text = {.p = arena_take(&a->arena, LIMIT_PATCHES), .cap = LIMIT_PATCHES}, b;
    enum kubeletcfg_patch_file kind;
    size_t n;

    a->patches = (struct span){0};
    if (a->bundle.role != BUNDLE_WORKER || a->bundle.join.patches_directory.n == 0)
        return OK; /* where kubeadm runs, it applies its own */
    if (!text.p || span_to_cstr(a->bundle.join.patches_directory, folder, sizeof(folder)) != OK)
        return fault_set(&a->fault, ERR_LIMIT, "patches.directory");
    if (!h->exists(h->ctx, folder))
        return fault_set(&a->fault, ERR_KUBELET_CONFIG, "patches.directory %s is not on this machine",
                         folder);
    for (unsigned i = 0; h->file_name(h->ctx, folder, i, name, sizeof(name)) == OK; i++) {
        kind = kubeletcfg_patch_name(span_str(name));
        b = BUF_OF(path);
        buf_fmt(&b, "%s/%s%c", folder, name, 0);
        if (kind == KUBELETCFG_PATCH_UNKNOWN)
            return fault_set(&a->fault, ERR_KUBELET_CONFIG, "%s: only patches of type strategic and merge",
                             path);
        if (kind == KUBELETCFG_NO_PATCH)
            continue;
        if (text.n > 0)
            buf_str(&text, "\n---\n");
        if (b.overflow || h->read_file(h->ctx, path, text.p + text.n, text.cap - text.n, &n) != OK)
            return fault_set(&a->fault, ERR_KUBELET_CONFIG, "%s cannot be read", path);
        if (text.n > 0 && span_starts(span_of(text.p + text.n, n), "---"))
            memset(text.p + text.n, ' ', 3); /* there is one already */
        text.n += n;
    }
    a->patches = buf_span(&text);
    return text.n > 0 ? gate_admit(GATE_OWN_FILE, a->patches) : OK;
}

/* The kubelet must not be newer than the cluster, nor too old for it. */
static enum step check_version(struct agent *a)
{
    const struct apiobj_cluster *c = &a->cluster.cluster;
    bool asked = a->kubelet_version[0] == 0;
    enum host_answer answer = a->host->job_start && asked ? a->host->job_result(a->host->ctx) : HOST_NO;
    unsigned ignored = 0;

    if (!a->host->job_start)
        return STEP_DONE;
    if (answer == HOST_BUSY && a->now_ms - a->at.start_ms < VERSION_MS)
        return phases_wait(a, VERSION_POLL_MS);
    if (answer == HOST_YES)
        keep_version(a);
    if (join_ignored(&a->bundle.join, &ignored, &a->fault) != OK)
        return STEP_ERROR;
    if (ignored & JOIN_IGNORE_VERSION)
        return STEP_DONE;
    if (a->kubelet_version[0] == 0)
        fault_set(&a->fault, ERR_VERSION_SKEW, "%s --version gives no version", a->site.kubelet);
    else if (versions_check(c->minor, c->version, span_str(a->kubelet_version), &a->fault) == OK)
        return STEP_DONE;
    return STEP_ERROR;
}

enum step configure_step(struct agent *a)
{
    enum step s = a->at.sub ? STEP_DONE : go_on(a);

    a->at.limit_ms = join_timeout_ms(&a->bundle.join, "kubernetesAPICall",
                                     a->bundle.join.timeouts.kubernetes_api_call_ms, API_CALL_MS);
    if (s != STEP_DONE)
        return s;
    a->at.sub = 1;
    s = check_version(a);
    if (s != STEP_DONE)
        return s;
    if (a->bundle.role == BUNDLE_CONTROL_PLANE && !a->cluster.cluster.endpoint[0]) {
        fault_set(&a->fault, ERR_NO_ENDPOINT, "ConfigMap kube-system/kubeadm-config");
        return STEP_ERROR;
    }
    if (read_patches(a) != OK)
        return STEP_ERROR;
    /* Rendered once here, so that a configuration that cannot be rendered is refused before anything is stored or written. */
    return handoff_render(a, RENDER_CONFIG) == OK ? STEP_DONE : STEP_ERROR;
}

void configure_stop(struct agent *a)
{
    discover_stop(a->discover);
    a->trusted = false;
}

void configure_report(struct agent *a)
{
    journal_text(&a->journal, "kubernetes", a->cluster.cluster.version);
    journal_text(&a->journal, "node", a->node_name);
    if (a->kubelet_version[0])
        journal_text(&a->journal, "kubelet", a->kubelet_version);
    journal_num(&a->journal, "connections", a->cluster.connections);
    if (a->kubelet.dropped[0])
        journal_text(&a->journal, "dropped", a->kubelet.dropped);
}
