/*
 * phase_handoff.c - gives kernel and kubelet what the agent found out: files, settings, addresses, name, time; then kubelet starts.
 *
 * Invariant: the addresses have passed their whole duplicate address detection before the kernel gets them without its own; the files are
 * written while it still runs. Each step below is one turn of the loop, so that a slow disk never holds up more than one write. The order
 * matters: the file with the token is written last of the files; ip_forward is set before the other settings, because writing it resets
 * them; kubelet starts when all else is done.
 */
#include "firmware/agent/handoff.h"
#include "firmware/agent/oneshot.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/resume.h"
#include "firmware/agent/target.h"
#include "firmware/base/text.h"
#include "firmware/kube/flags.h"

static void render_input(struct agent *a, struct render_input *ret)
{
    /* A running system keeps its name; kubelet is told the node's where it is another one. */
    bool own_name = kernel_used() && oneshot_hostname(a, a->system_name) == OK;

    *ret = (struct render_input){
        .join = &a->bundle.join,
        .cluster = &a->cluster.cluster,
        .server = a->cluster.server,
        .ca_pem = a->cluster.ca_pem,
        .user = a->cluster.user,
        .kubelet_config = a->cluster.kubelet_config,
        .patches = a->patches,
        .hostname = own_name ? a->system_name : a->bundle.node.name,
        .resolved_active = target_used(a) ? target_resolved(a) : a->host->resolved_active(a->host->ctx),
        .node_ip_count = a->node_ip_count,
    };
    memcpy(ret->node_ips, a->node_ips, sizeof(ret->node_ips));
}

enum err handoff_render(struct agent *a, enum render_file which)
{
    struct render_input in;

    render_input(a, &in);
    wipe(a->file_mem, a->file.n);
    a->file.n = 0;
    a->file.overflow = false;
    return render_put(which, &in, &a->arena, &a->file, which == RENDER_CONFIG ? &a->kubelet : NULL,
                      &a->fault);
}

static void tell_file(struct agent *a, const char *path, unsigned mode)
{
    uint8_t digest[HASH_SIZE];
    char hex[2 * HASH_SIZE + 1], mode_text[8];
    struct buf b = BUF_OF(hex), m = BUF_OF(mode_text);

    if (hash_sha256(buf_span(&a->file), digest) != OK)
        return;
    text_hex_put(&b, span_of(digest, sizeof(digest)));
    buf_fmt(&m, "%04o", mode);
    journal_begin(&a->journal, a->now_ms, "handoff", "file");
    journal_text(&a->journal, "path", path);
    journal_span(&a->journal, "mode", buf_span(&m));
    journal_span(&a->journal, "sha256", buf_span(&b));
    journal_end(&a->journal);
}

/* A CA of another cluster would stay kubelet's client CA. The bundle's bytes are not needed any more; their memory is scratch. */
static enum err same_file(struct agent *a, const char *path)
{
    size_t n = 0;
    enum err e = a->host->read_file(a->host->ctx, path, a->bundle_mem, sizeof(a->bundle_mem), &n);

    if (e == OK && span_eq(span_of(a->bundle_mem, n), buf_span(&a->file)))
        return OK;
    return fault_set(&a->fault, ERR_STALE, "%s is there and is another one", path);
}

static enum err write_file(struct agent *a, enum render_file which)
{
    const struct host *h = a->host;
    struct render_facts facts;
    char path[256];
    enum err e = render_facts(which, &a->bundle.join, path, &facts);

    if (which == RENDER_INSTANCE && !a->cluster.cluster.local_cri_socket)
        return OK;
    if (e == OK)
        e = handoff_render(a, which);
    if (e == OK && facts.only_if_absent && h->exists(h->ctx, facts.path))
        return same_file(a, facts.path);
    if (e == OK)
        e = h->write_file(h->ctx, facts.path, facts.mode, buf_span(&a->file), &a->fault);
    if (e == OK)
        tell_file(a, facts.path, facts.mode);
    return e == OK ? OK : fault_set(&a->fault, e, "%s", facts.path ? facts.path : "");
}

static enum err forward(struct agent *a)
{
    static const char *const keys[] = {"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"};
    const struct host *h = a->host;
    char value[8];

    for (size_t i = 0; i < COUNT(keys); i++) {
        if (h->sysctl_set(h->ctx, keys[i], "1", &a->fault) != OK)
            return ERR_FORWARDING;
    }
    /* Read back at the end: writing ip_forward resets what was set before it. */
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (h->sysctl_get(h->ctx, keys[i], value, sizeof(value)) != OK || strcmp(value, "1") != 0)
            return fault_set(&a->fault, ERR_FORWARDING, "%s is not 1", keys[i]);
    }
    return OK;
}

static void add_addr(struct host_net *n, const struct net_addr *addr)
{
    if (addr->state != NET_ADDR_PREFERRED || n->addr_count == HOST_ADDRS_MAX)
        return;
    n->addrs[n->addr_count] = addr->prefix;
    n->valid_s[n->addr_count++] = UINT32_MAX;
}

static void add_default(struct host_net *n, const struct ip *router)
{
    if (router->family == FAMILY_NONE)
        return;
    n->routes[n->route_count] = (struct host_route){.family = router->family, .via = *router};
    n->routes[n->route_count].dst.addr.family = router->family;
    n->route_count++;
}

/* lwIP lets go of the NIC, then the kernel gets the same addresses and routes. */
static enum err hand_network(struct agent *a)
{
    struct host_net *n = &a->host_net;
    enum err e;

    /* The system has its network already. */
    if (kernel_used())
        return OK;
    *n = (struct host_net){.nic = a->nic, .mtu6 = a->net.mtu6, .accept_ra = (a->families & FAMILIES_V6) != 0};
    add_addr(n, &a->net.v4);
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++)
        add_addr(n, &a->net.v6[i]);
    add_addr(n, &a->net.link_local);
    add_default(n, &a->net.router4);
    add_default(n, &a->net.router6);
    keeper_take(a);
    report_stop(a);
    net_stop();
    a->net_up = false;
    a->handed_over = true;
    e = a->host->net_apply(a->host->ctx, n, &a->fault);
    /* The kernel's settings for new links change with the addresses; forwarding must still be on. */
    return e == OK ? forward(a) : e;
}

/* A running system's own file is left alone; a machine that boots has none yet. */
static bool may_write(const struct agent *a, const char *path)
{
    return a->host->pid1 || !a->host->exists(a->host->ctx, path);
}

static enum err write_names(struct agent *a)
{
    const struct host *h = a->host;
    const char *name = a->bundle.node.name;
    char text[IP_TEXT_MAX];
    enum err e;

    if (kernel_used())
        return OK;
    e = h->hostname_set(h->ctx, name, &a->fault);
    a->file.n = 0;
    buf_fmt(&a->file, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for (unsigned i = 0; i < a->node_ip_count; i++)
        buf_fmt(&a->file, "%s %s\n", ip_text(&a->node_ips[i], text), name);
    if (e == OK && may_write(a, "/etc/hosts"))
        e = h->write_file(h->ctx, "/etc/hosts", 0644, buf_span(&a->file), &a->fault);
    if (e != OK || h->resolved_active(h->ctx) || !may_write(a, "/etc/resolv.conf"))
        return e;
    return handoff_write_resolvers(a);
}

void handoff_put_resolvers(struct buf *ret, const struct ip *dns, unsigned count)
{
    char text[IP_TEXT_MAX];

    for (unsigned i = 0; i < count; i++)
        buf_fmt(ret, "nameserver %s\n", ip_text(&dns[i], text));
}

enum err handoff_write_resolvers(struct agent *a)
{
    if (a->net.dns_count == 0)
        return OK;
    a->file.n = 0;
    handoff_put_resolvers(&a->file, a->net.dns, a->net.dns_count);
    return a->host->write_file(a->host->ctx, "/etc/resolv.conf", 0644, buf_span(&a->file), &a->fault);
}

static enum err set_clock(struct agent *a)
{
    /* An ordinary process runs on a system that keeps its own time. */
    if (!a->host->pid1)
        return OK;
    return a->host->clock_set(a->host->ctx, agent_time(a), &a->fault);
}

/* From here on kubelet's files and a Node of this name are this machine's own, whenever the power goes. */
static enum err record_joined(struct agent *a)
{
    return a->resuming ? OK : handoff_record(a, a->bundle.role != BUNDLE_WORKER);
}

enum err handoff_record(struct agent *a, bool by_kubeadm)
{
    enum err e = OK;

    if (!a->saving) {
        a->next = a->state;
        a->next.kubeadm = by_kubeadm;
        a->next.joined = !by_kubeadm;
        a->next.attempts = by_kubeadm ? a->state.attempts + (a->state.attempts < UINT8_MAX) : 0;
        if (a->next.joined)
            e = resume_remember(a, &a->next.node);
    }
    return e == OK ? phases_save(a) : fault_set(&a->fault, e, "state record");
}

void handoff_tell_start(struct agent *a, const char *const *argv)
{
    journal_begin(&a->journal, a->now_ms, "handoff", "kubelet");
    for (unsigned i = 0; argv[i]; i++)
        journal_text(&a->journal, "arg", argv[i]);
    journal_end(&a->journal);
}

/* kubeadm-flags.env with today's addresses, where the agent fills them in itself: into a->file. Written only if it is another one. */
static enum err refresh_flags(struct agent *a)
{
    const struct host *h = a->host;
    bool named = a->resuming ? a->state.node.node_ip_count > 0 : a->bundle.join.node_ip != NULL;
    size_t n = 0;
    struct span old;

    if (h->read_file(h->ctx, FLAGS_PATH, a->bundle_mem, sizeof(a->bundle_mem), &n) != OK)
        return fault_set(&a->fault, ERR_FILE, FLAGS_PATH " cannot be read");
    old = span_of(a->bundle_mem, n);
    a->file.n = 0;
    a->file.overflow = false;
    if (flags_set_node_ip(old, a->node_ips, named ? 0 : a->node_ip_count, &a->file) != OK)
        return fault_set(&a->fault, ERR_FILE, FLAGS_PATH " has not the form in which kubeadm writes it");
    if (span_eq(old, buf_span(&a->file)))
        return OK;
    return h->write_file(h->ctx, FLAGS_PATH, 0644, buf_span(&a->file), &a->fault);
}

enum err handoff_start_kubelet(struct agent *a)
{
    struct buf store = {.p = a->bundle_mem, .cap = sizeof(a->bundle_mem)};
    const char *argv[FLAGS_ARGV_MAX];
    enum err e = refresh_flags(a);

    if (e == OK && kernel_used())
        return oneshot_restart_kubelet(a);
    if (e == OK)
        e = flags_argv(buf_span(&a->file), a->site.kubelet, &store, argv, &a->fault);
    if (e == OK)
        e = a->host->service_start(a->host->ctx, HOST_KUBELET, argv, &a->fault);
    if (e == OK)
        handoff_tell_start(a, argv);
    return e;
}

enum { LAST_FILE_STEP = 4, NETWORK_STEP = 6, LAST_STEP = 10, DAD_POLL_MS = 10 };

static enum err do_step(struct agent *a, unsigned step)
{
    enum err e;
    bool by_kubeadm = a->bundle.role != BUNDLE_WORKER;

    /* A node that resumes has its files; kubeadm writes its own. */
    if ((a->resuming || by_kubeadm) && step <= LAST_FILE_STEP)
        return OK;
    if (by_kubeadm && step == LAST_STEP)
        return OK;
    if (target_used(a) && step > LAST_FILE_STEP)
        return target_do_step(a, step);
    switch (step) {
    case 0:
        return write_file(a, RENDER_CA);
    case 1:
        return write_file(a, RENDER_INSTANCE);
    case 2:
        return write_file(a, RENDER_CONFIG);
    case 3:
        return write_file(a, RENDER_FLAGS);
    case 4:
        return write_file(a, RENDER_BOOTSTRAP);
    case 5:
        e = oneshot_prepare_forwarding(a);
        return e == OK ? forward(a) : e;
    case 6:
        return hand_network(a);
    case 7:
        return write_names(a);
    case 8:
        return set_clock(a);
    case 9:
        return record_joined(a);
    default:
        return handoff_start_kubelet(a);
    }
}

/* Before the network is handed over: WAIT while the probe of an address runs or a short flap of the carrier has taken the addresses; an error if
 * other ones came instead of those that kubelet's files name. */
static enum step await_addresses(struct agent *a)
{
    char text[IP_TEXT_MAX];

    if (!a->net.carrier || !net_dad_done(&a->net) || phases_families_lost(a))
        return phases_wait(a, DAD_POLL_MS);
    for (unsigned i = 0; i < a->node_ip_count; i++) {
        if (!phases_has_address(a, &a->node_ips[i])) {
            fault_set(&a->fault, ERR_ADDRESS_LOST, "%s is no address of this machine any more",
                      ip_text(&a->node_ips[i], text));
            return STEP_ERROR;
        }
    }
    return STEP_DONE;
}

enum step handoff_step(struct agent *a)
{
    enum step ready = a->at.sub == NETWORK_STEP && a->net_up ? await_addresses(a) : STEP_DONE;
    enum err e;

    if (ready != STEP_DONE)
        return ready;
    if (a->at.sub > LAST_STEP)
        return oneshot_await_kubelet(a);
    e = do_step(a, a->at.sub);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK) {
        fault_set(&a->fault, e, "step %u of the hand-over", a->at.sub);
        return STEP_ERROR;
    }
    if (a->at.sub++ == LAST_STEP && !kernel_used())
        return STEP_DONE;
    return phases_wait(a, 0);
}

void handoff_report(struct agent *a)
{
    for (unsigned i = 0; i < a->host_net.addr_count; i++)
        journal_prefix(&a->journal, a->host_net.addrs[i].addr.family == FAMILY_V4 ? "ipv4" : "ipv6",
                       &a->host_net.addrs[i]);
    journal_num(&a->journal, "longest_turn_ms", a->longest_turn_ms);
}
