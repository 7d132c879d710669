/*
 * oneshot.c - see oneshot.h.
 */
#include "firmware/agent/oneshot.h"

#include "firmware/agent/handoff.h"

#define SYSCTL_FILE "/etc/sysctl.d/90-joinboot.conf"

enum { JOB_POLL_MS = 20, SYSCTL_TEXT = 4096 };

/* As kubeadm looks for them (k8s.io/kubernetes/cmd/kubeadm/app/util/initsystem): systemd first, then OpenRC. */
static const char *const systemctl[] = {"/usr/bin/systemctl", "/bin/systemctl"};
static const char *const openrc[] = {"/sbin/rc-service", "/usr/sbin/rc-service"};

static const char *there(const struct agent *a, const char *const list[static 2])
{
    for (unsigned i = 0; i < 2; i++) {
        if (a->host->exists(a->host->ctx, list[i]))
            return list[i];
    }
    return NULL;
}

void oneshot_name_node(struct agent *a)
{
    if (kernel_used() && a->bundle.join.name.n == 0)
        a->bundle.join.name = span_str(a->bundle.node.name);
}

enum err oneshot_hostname(const struct agent *a, char ret[static RENDER_NAME_MAX])
{
    enum err e = a->host->hostname_get(a->host->ctx, ret, RENDER_NAME_MAX);

    for (char *p = ret; e == OK && *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    return e;
}

/* A running system is its operator's: it is neither wiped nor formatted. */
unsigned oneshot_abilities(void)
{
    return kernel_used() ? BUNDLE_CAN_ONE_SHOT : BUNDLE_AGENT_CAN & ~(unsigned)BUNDLE_CAN_ONE_SHOT;
}

bool oneshot_keeps_port(const struct agent *a)
{
    return kernel_used() && a->state.joined;
}

enum err oneshot_check_mode(const struct agent *a, struct fault *f)
{
    enum nodejoin_hand_off mode = a->bundle.node.hand_off;

    if (!kernel_used() || mode == NODEJOIN_ONE_SHOT)
        return OK;
    return fault_at(
        f, ERR_CONFIG_UNSUPPORTED, 0, 0, "handOff",
        "%s, but this agent was started with --one-shot: sign with handOff: one-shot, or start it otherwise",
        nodejoin_hand_off_name(mode));
}

enum err oneshot_check_manager(struct agent *a)
{
    if (!kernel_used() || there(a, systemctl) || there(a, openrc))
        return OK;
    return fault_set(&a->fault, ERR_SERVICE_MANAGER, "neither systemctl nor rc-service");
}

static bool is_one(const struct agent *a, const char *key)
{
    char value[8];

    return a->host->sysctl_get(a->host->ctx, key, value, sizeof(value)) == OK && strcmp(value, "1") == 0;
}

/* net.ipv6.conf.LINK.accept_ra; a dot in a link's name is written as a slash. */
static bool accept_ra_key(const struct agent *a, unsigned nic, struct buf *ret)
{
    struct board_nic info;

    if (a->board->nic_info(a->board->ctx, nic, &info) != OK)
        return false;
    buf_str(ret, "net.ipv6.conf.");
    for (const char *p = info.name; *p; p++)
        buf_u8(ret, (uint8_t)(*p == '.' ? '/' : *p));
    buf_str(ret, ".accept_ra");
    buf_u8(ret, 0);
    return !ret->overflow;
}

/* accept_ra 1 means "unless this machine forwards" (Documentation/networking/ip-sysctl.rst): 2 is always. */
static enum err follow_routers(struct agent *a, bool set, struct buf *text)
{
    unsigned count = a->board->nic_count(a->board->ctx);

    for (unsigned i = 0; i < count; i++) {
        char key[64];
        struct buf b = BUF_OF(key);

        if (!accept_ra_key(a, i, &b) || !is_one(a, key))
            continue;
        buf_fmt(text, "%s = 2\n", key);
        if (set && a->host->sysctl_set(a->host->ctx, key, "2", &a->fault) != OK)
            return ERR_FORWARDING;
    }
    return OK;
}

enum err oneshot_prepare_forwarding(struct agent *a)
{
    static const char *const keys[] = {"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"};
    uint8_t mem[SYSCTL_TEXT];
    struct buf text = BUF_OF(mem);
    bool all = is_one(a, keys[0]) && is_one(a, keys[1]);
    enum err e;

    /* A system that forwards already has had its network laid out for it. */
    if (!kernel_used() || all)
        return OK;
    buf_str(&text, "# joinboot: pods of this Kubernetes node are reached through it\n");
    for (size_t i = 0; i < COUNT(keys); i++)
        buf_fmt(&text, "%s = 1\n", keys[i]);
    e = follow_routers(a, false, &text);
    if (e == OK && !text.overflow)
        e = a->host->write_file(a->host->ctx, SYSCTL_FILE, 0644, buf_span(&text), &a->fault);
    return e == OK ? follow_routers(a, true, &text) : e;
}

enum err oneshot_restart_kubelet(struct agent *a)
{
    const char *manager = there(a, systemctl);
    const char *const systemd[] = {manager, "restart", "kubelet", NULL};
    const char *const rc[] = {there(a, openrc), "kubelet", "restart", NULL};
    const char *const *argv = manager ? systemd : rc;
    enum err e;

    if (!argv[0])
        return oneshot_check_manager(a);
    e = a->host->job_start(a->host->ctx, argv, &a->fault);
    if (e == OK)
        handoff_tell_start(a, argv);
    return e;
}

enum step oneshot_await_kubelet(struct agent *a)
{
    enum host_answer done = a->host->job_result(a->host->ctx);

    if (done == HOST_BUSY)
        return phases_wait(a, JOB_POLL_MS);
    if (done == HOST_YES)
        return STEP_DONE;
    handoff_tell_output(a, HOST_JOB);
    fault_set(&a->fault, ERR_SPAWN, "the service manager could not restart kubelet");
    return STEP_ERROR;
}

void oneshot_give_up(struct agent *a)
{
    struct fault unused = {0};

    if (a->host->remove_file(a->host->ctx, HANDOFF_BOOTSTRAP_CONF, true, &unused) != OK)
        journal_note(&a->journal, a->now_ms, "joined", HANDOFF_BOOTSTRAP_CONF " could not be removed");
    wipe(a->arena_mem, sizeof(a->arena_mem));
    wipe(a->bundle_mem, sizeof(a->bundle_mem));
    wipe(a->file_mem, sizeof(a->file_mem));
}
