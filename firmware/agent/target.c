/*
 * target.c - see target.h.
 */
#include "firmware/agent/target.h"

#include "firmware/agent/handoff.h"
#include "firmware/agent/networkd.h"
#include "firmware/agent/resume.h"

#define SELF "/run/joinboot/joinboot"

enum { POLL_MS = 20, LINK_GLANCE_MS = 3000, ADDRESS_GLANCE_MS = 5000 };

bool target_used(const struct agent *a)
{
    return a->site.target[0] && a->host && a->host->pid1 && a->host->target_switch;
}

unsigned target_abilities(const struct agent *a, unsigned can)
{
    return target_used(a) ? BUNDLE_CAN_SWITCH_ROOT | BUNDLE_CAN_RESET
                          : can & ~(unsigned)BUNDLE_CAN_SWITCH_ROOT;
}

enum err target_check_mode(const struct agent *a, struct fault *f)
{
    enum nodejoin_hand_off mode = a->bundle.node.hand_off;
    bool wanted = mode == NODEJOIN_SWITCH_ROOT;

    if (target_used(a) && !wanted)
        return fault_at(f, ERR_CONFIG_UNSUPPORTED, 0, 0, "handOff",
                        "%s, but this machine's site configuration has `target`: sign with switch-root",
                        nodejoin_hand_off_name(mode));
    if (wanted && !target_used(a))
        return fault_at(f, ERR_CONFIG_UNSUPPORTED, 0, 0, "handOff",
                        "switch-root: the agent must be init, and the site configuration have `target = %s`",
                        a->bundle.node.target_root);
    if (wanted && a->bundle.role != BUNDLE_WORKER)
        return fault_at(f, ERR_CONFIG_UNSUPPORTED, 0, 0, "handOff",
                        "switch-root: only workers; run kubeadm in the installed system");
    return OK;
}

enum step target_check_device(struct agent *a)
{
    enum host_answer answer;

    if (!target_used(a))
        return STEP_DONE;
    answer = a->host->target_is(a->host->ctx, a->bundle.node.target_root, &a->fault);
    if (answer == HOST_BUSY)
        return phases_wait(a, POLL_MS);
    return answer == HOST_YES ? STEP_DONE : STEP_ERROR;
}

bool target_leaves_out(const struct agent *a, enum phase_id row)
{
    if (!target_used(a))
        return false;
    return row == PHASE_IMAGES || row == PHASE_KUBEADM || (a->resuming && row == PHASE_NETWORK);
}

uint32_t target_glance_ms(const struct agent *a, enum phase_id row)
{
    if (!target_used(a) || !a->resuming)
        return 0;
    return row == PHASE_LINK ? LINK_GLANCE_MS : row == PHASE_ADDRESS ? ADDRESS_GLANCE_MS : 0;
}

void target_resume(struct agent *a)
{
    if (!target_used(a) || !a->resuming)
        return;
    /* A certificate's end is judged by the best time that there is without a network. */
    (void)clock_step(a);
    if (resume_check_certificate(a) == OK)
        return;
    journal_fault(&a->journal, a->now_ms, "resume", &a->fault, 1, 0);
    fault_clear(&a->fault);
    a->resuming = false;
    a->rejoin = true;
}

static bool one_of(const struct agent *a, const char *const *list)
{
    for (; *list; list++) {
        if (a->host->exists(a->host->ctx, *list))
            return true;
    }
    return false;
}

enum step target_preflight(struct agent *a)
{
    static const char *const init[] = {"/sbin/init", NULL};
    static const char *const networkd[] = {"/lib/systemd/systemd-networkd",
                                           "/usr/lib/systemd/systemd-networkd", NULL};
    static const char *const unit[] = {"/etc/systemd/system/kubelet.service",
                                       "/usr/lib/systemd/system/kubelet.service",
                                       "/lib/systemd/system/kubelet.service", NULL};
    static const char *const drop_in[] = {"/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
                                          "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
                                          "/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", NULL};
    static const struct {
        const char *name;
        const char *const *list;
    } needed[] = {{"/sbin/init", init},
                  {"systemd-networkd", networkd},
                  {"kubelet.service", unit},
                  {"kubelet.service.d/10-kubeadm.conf", drop_in}};

    for (size_t i = 0; i < COUNT(needed); i++) {
        if (one_of(a, needed[i].list))
            continue;
        fault_set(&a->fault, ERR_TARGET_SYSTEM, "%s is not in the system on %s", needed[i].name,
                  a->site.target);
        return STEP_ERROR;
    }
    if (a->host->exists(a->host->ctx, HANDOFF_KUBELET_CONF) && !a->state.joined) {
        fault_set(&a->fault, ERR_STALE, HANDOFF_KUBELET_CONF " is there");
        return STEP_ERROR;
    }
    if (a->resuming)
        resume_load(a);
    return STEP_DONE;
}

bool target_resolved(const struct agent *a)
{
    static const char *const enabled[] = {
        "/etc/systemd/system/sysinit.target.wants/systemd-resolved.service",
        "/etc/systemd/system/multi-user.target.wants/systemd-resolved.service", NULL};

    return one_of(a, enabled);
}

static enum err write_text(struct agent *a, const char *path)
{
    if (a->file.overflow)
        return fault_set(&a->fault, ERR_LIMIT, "%s", path);
    return a->host->write_file(a->host->ctx, path, 0644, buf_span(&a->file), &a->fault);
}

static struct buf *begin_text(struct agent *a)
{
    wipe(a->file_mem, a->file.n);
    a->file.n = 0;
    a->file.overflow = false;
    return &a->file;
}

/* Applied by systemd-sysctl and systemd-modules-load before the network comes up. */
static enum err write_settings(struct agent *a)
{
    enum err e;

    buf_str(begin_text(a), "# joinboot: pods of this Kubernetes node are reached through it\n"
                           "net.ipv4.ip_forward = 1\n"
                           "net.ipv6.conf.all.forwarding = 1\n");
    e = write_text(a, "/etc/sysctl.d/90-joinboot.conf");
    if (e != OK)
        return e;
    buf_str(begin_text(a), "overlay\nbr_netfilter\n");
    return write_text(a, "/etc/modules-load.d/joinboot.conf");
}

/* networkd takes over what the agent acquired; the agent's own stack is silent from here on. */
static enum err hand_network(struct agent *a)
{
    struct networkd n = {
        .automatic = a->site.families,
        .required = a->bundle.node.families,
        .v4 = &a->bundle.node.v4,
        .v6 = &a->bundle.node.v6,
    };
    struct board_nic nic;
    enum err e = a->board->nic_info(a->board->ctx, a->nic, &nic);

    if (e != OK)
        return fault_set(&a->fault, e, "the network card has gone");
    memcpy(n.mac, nic.mac, sizeof(n.mac));
    networkd_put(&n, begin_text(a));
    e = write_text(a, NETWORKD_PATH);
    if (e != OK)
        return e;
    report_stop(a);
    net_stop();
    a->net_up = false;
    a->board->nic_close(a->board->ctx, a->nic);
    return OK;
}

/* What an installed system has already is its operator's. */
static enum err write_names(struct agent *a)
{
    const struct host *h = a->host;
    enum err e = h->hostname_set(h->ctx, a->bundle.node.name, &a->fault);

    if (e != OK || target_resolved(a) || h->exists(h->ctx, "/etc/resolv.conf"))
        return e;
    return handoff_write_resolvers(a);
}

static const char *runtime_unit(const struct agent *a)
{
    bool is_crio = span_find_str(a->bundle.join.cri_socket, "crio") < a->bundle.join.cri_socket.n;

    return is_crio ? "crio.service" : "containerd.service";
}

static void put_joined(const struct agent *a, struct buf *b)
{
    char addr[IP_TEXT_MAX] = "";

    if (a->kubelet.healthz.family)
        (void)ip_text(&a->kubelet.healthz, addr);
    buf_fmt(b,
            "[Unit]\nDescription=joinboot: waits until this node has joined\nAfter=kubelet.service\n\n"
            "[Service]\nType=exec\nExecStart=" SELF " --joined %u %s\nRestart=on-failure\nRestartSec=10\n",
            (unsigned)a->kubelet.healthz_port, addr);
}

/* A node-ip that is not there when kubelet starts would leave the Node without addresses. */
static void put_order(const struct agent *a, struct buf *b)
{
    buf_fmt(b,
            "[Unit]\nWants=systemd-networkd-wait-online.service %s\n"
            "After=systemd-networkd-wait-online.service %s\n",
            runtime_unit(a), runtime_unit(a));
}

static void put_wants(const struct agent *a, struct buf *b)
{
    buf_fmt(b, "[Unit]\nWants=systemd-networkd.service %s kubelet.service joinboot-joined.service\n",
            runtime_unit(a));
}

static enum err write_units(struct agent *a)
{
    static const struct {
        const char *path;
        void (*put)(const struct agent *a, struct buf *b);
    } units[] = {
        {"/run/systemd/system/joinboot-joined.service", put_joined},
        {"/run/systemd/system/kubelet.service.d/50-joinboot.conf", put_order},
        {"/run/systemd/system/multi-user.target.d/50-joinboot.conf", put_wants},
    };
    enum err e = a->host->copy_self(a->host->ctx, SELF, &a->fault);

    for (size_t i = 0; i < COUNT(units) && e == OK; i++) {
        units[i].put(a, begin_text(a));
        e = write_text(a, units[i].path);
    }
    return e;
}

enum { DO_SETTINGS = 5, DO_NETWORK, DO_NAMES, DO_CLOCK, DO_RECORD, DO_UNITS };

enum err target_do_step(struct agent *a, unsigned step)
{
    if (a->resuming && a->net_up) {
        net_stop();
        a->net_up = false;
    }
    if (a->resuming && step != DO_UNITS)
        return OK;
    switch (step) {
    case DO_SETTINGS:
        return write_settings(a);
    case DO_NETWORK:
        return hand_network(a);
    case DO_NAMES:
        return write_names(a);
    case DO_CLOCK:
        return a->host->clock_set(a->host->ctx, agent_time(a), &a->fault);
    case DO_RECORD:
        return handoff_record(a, false);
    default:
        return write_units(a);
    }
}

enum step target_switch(struct agent *a)
{
    phases_forget(a);
    wipe(a->arena_mem, sizeof(a->arena_mem));
    wipe(a->bundle_mem, sizeof(a->bundle_mem));
    wipe(a->file_mem, sizeof(a->file_mem));
    wipe(&a->bundle, sizeof(a->bundle));
    (void)a->host->target_switch(a->host->ctx, &a->fault);
    return STEP_ERROR;
}
