/*
 * system.c - see system.h: starting, sleeping, ending.
 */
#include "boards/linux/system.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/pid1.h"
#include "boards/linux/signals.h"
#include "boards/linux/sysfile.h"

#define STATE_PID1 "/run/joinboot/state"

/* What a node cannot do without; systemd's units of containerd and kubelet have the same. */
enum { WATCHDOG_FEED_MS = 5000, FINISH_GRACE_MS = 12000, OOM_SCORE_NODE = -999 };

/* A netlink socket that reports changes of one multicast group. */
static int listen_netlink(int protocol, unsigned groups)
{
    struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void start_common(struct system *s)
{
    static const char *const names[HOST_SERVICES] = {
        [HOST_RUNTIME] = "runtime", [HOST_KUBELET] = "kubelet", [HOST_JOB] = "job"};

    packet_init(&s->packets);
    probe_init(&s->probe);
    keep_init(&s->keep);
    for (unsigned i = 0; i < HOST_SERVICES; i++)
        service_init(&s->services[i], names[i], s->pid1);
    for (unsigned i = 0; i < SYSTEM_BUTTONS; i++)
        s->button_fd[i] = -1;
    s->services[HOST_RUNTIME].oom_score_adj = s->services[HOST_KUBELET].oom_score_adj = OOM_SCORE_NODE;
    rootfs_init(&s->rootfs);
    bootlog_init(&s->bootlog);
    s->storage.fd = s->uevent_fd = s->watchdog_fd = s->bundles.fd = -1;
    s->link_fd = listen_netlink(NETLINK_ROUTE, RTMGRP_LINK);
    signals_init(s->pid1);
}

static enum err read_site(struct system *s, struct fault *f)
{
    const char *path = s->options.site;
    size_t n = 0;
    enum err e = sysfile_read(path, s->site_mem, sizeof(s->site_mem), &n);

    if (e == ERR_LIMIT)
        return fault_set(f, ERR_SITE_SYNTAX, "%s is larger than %d bytes", path, LIMIT_SITE);
    if (e)
        return fault_set(f, ERR_SITE_MISSING, "%s: %s", path, files_reason(errno));
    s->site = span_of(s->site_mem, n);
    return OK;
}

/* What a BMC keeps for its host lies beside its own record. */
static void name_bundles(struct system *s)
{
    struct buf b = BUF_OF(s->bundles_path);

    buf_fmt(&b, "%s.bundle", s->options.state);
    buf_u8(&b, 0);
    storage_later(&s->bundles, b.overflow ? "/var/lib/joinboot/state.bundle" : s->bundles_path,
                  STORAGE_BUNDLES);
}

enum err system_start(struct system *s, struct fault *f)
{
    enum err e;

    start_common(s);
    s->nics.only = s->options.nic;
    s->cmdline = buf_span(&s->options.cmdline);
    if (s->options.one_shot)
        oneshot_start(&s->oneshot, &s->nics);
    e = read_site(s, f);
    devkey_load(&s->devkey, s->options.site);
    if (e == OK)
        e = storage_open(&s->storage, s->options.state, f);
    name_bundles(s);
    system_fill_board(s);
    system_fill_host(s);
    return e;
}

void system_start_enrol(struct system *s)
{
    struct fault unused = {0};

    start_common(s);
    s->nics.only = s->options.nic;
    devkey_load(&s->devkey, s->options.site);
    (void)!storage_open(&s->storage, s->options.state, &unused);
    system_fill_board(s);
}

void system_say(struct system *s, const char *fmt, ...)
{
    static const char head[] = "joinboot: ";
    char text[400];
    const size_t room = sizeof(text) - sizeof(head) - 1;
    size_t at = sizeof(head) - 1;
    va_list ap;
    int n;

    memcpy(text, head, at);
    va_start(ap, fmt);
    n = vsnprintf(text + at, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    at += (size_t)n < room ? (size_t)n : room - 1;
    text[at++] = '\n';
    /* One write: lines of the kernel come in between otherwise. */
    s->board.console(s->board.ctx, span_of(text, at));
}

void system_start_pid1(struct system *s)
{
    struct fault f = {0};
    size_t n = 0;

    s->pid1 = true;
    start_common(s);
    system_fill_board(s);
    s->options.site = "/etc/joinboot/site.conf";
    devkey_load(&s->devkey, s->options.site);
    s->uevent_fd = listen_netlink(NETLINK_KOBJECT_UEVENT, 1);
    pid1_prepare(s);
    if (!sysfile_read("/proc/cmdline", s->cmdline_mem, sizeof(s->cmdline_mem), &n))
        s->cmdline = span_trim(span_of(s->cmdline_mem, n));
    if (read_site(s, &f))
        system_say(s, "no site configuration: %s", f.text);
    else if (!pid1_is_authenticated())
        system_say(
            s,
            "nothing authenticates this image and its %s: whoever can change the boot medium chooses whom it trusts",
            "site.conf");
    fault_clear(&f);
    s->options.state = pid1_root_is_lasting() ? "/var/lib/joinboot/state" : STATE_PID1;
    if (storage_open(&s->storage, s->options.state, &f)) {
        system_say(s, "%s; state is kept in memory", f.text);
        s->options.state = STATE_PID1;
        fault_clear(&f);
        if (storage_open(&s->storage, STATE_PID1, &f))
            system_say(s, "no state can be kept: %s", f.text);
    }
    name_bundles(s);
    system_fill_board(s);
    system_fill_host(s);
}

const char *system_lasting_state(const struct system *s)
{
    bool lasts = !s->pid1 || (s->state_open && (s->rootfs.state[0] || pid1_root_is_lasting()));

    return lasts ? s->options.state : NULL;
}

/* From here on there is one place for what lasts. */
static enum err open_state(struct system *s, struct fault *f)
{
    if (s->rootfs.switched || s->rootfs.state[0]) {
        enum err e;
        s->board.storage = NULL;
        storage_close(&s->storage);
        s->options.state = STATEFS_STORAGE;
        e = storage_open(&s->storage, s->options.state, f);
        if (e)
            return e;
        s->board.storage = &s->storage.ops;
    }
    if (!s->rootfs.state[0] && !pid1_root_is_lasting())
        system_say(s, "the state is in memory: nothing survives a power cycle, %s",
                   "and an older config is not recognised after one");
    logfile_close(&s->services[HOST_JOB].log); /* what is written from now on stands in the new /var/log */
    bootlog_start(&s->bootlog, "/var/log/joinboot");
    s->state_open = true;
    return OK;
}

enum err system_root_step(struct system *s, const struct host_root *want, enum host_answer *ret,
                          struct fault *f)
{
    enum host_answer a = HOST_YES;
    enum err e = OK;

    if (s->pid1 && !s->state_open) {
        e = rootfs_step(s, want, &a, f);
        if (e == OK && a == HOST_YES)
            e = open_state(s, f);
    }
    if (e == OK)
        *ret = a;
    return e;
}

static unsigned add(struct pollfd *list, unsigned n, int fd)
{
    if (fd >= 0)
        list[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return n;
}

void system_sleep(struct system *s, uint64_t wake_ms)
{
    struct pollfd list[BOARD_NICS_MAX + HOST_SERVICES + SYSTEM_BUTTONS + 4 + KEEP_FDS + ONESHOT_POLL_MAX];
    unsigned n = 0, sockets;
    uint64_t now = clock_now_ms();
    uint64_t ms = wake_ms > now ? wake_ms - now : 0;
    struct timespec t;
    uint8_t drop[4096];

    if (packet_waiting(&s->packets))
        return;
    for (unsigned i = 0; i < BOARD_NICS_MAX; i++)
        n = add(list, n, s->packets.fd[i]);
    for (unsigned i = 0; i < HOST_SERVICES; i++)
        n = add(list, n, s->services[i].out_fd);
    for (unsigned i = 0; i < SYSTEM_BUTTONS; i++)
        n = add(list, n, s->button_fd[i]);
    n = add(list, n, s->link_fd);
    n = add(list, n, s->uevent_fd);
    if (s->probe.fd >= 0)
        list[n++] = (struct pollfd){.fd = s->probe.fd, .events = probe_events(&s->probe)};
    n = keep_poll(&s->keep, now, list, n, &ms);
    sockets = s->options.one_shot ? oneshot_poll(&s->oneshot, list + n) : 0;
    /* A hardware watchdog must be fed even if nothing happens. */
    if (ms > WATCHDOG_FEED_MS && (s->watchdog_fd >= 0 || ms > INT32_MAX))
        ms = s->watchdog_fd >= 0 ? WATCHDOG_FEED_MS : INT32_MAX;
    t = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)ppoll(list, n + sockets, &t, signals_sleep_mask());
    ksock_woken(list + n, sockets);
    /* What changed is read from /sys by whoever asks; here only the wake-up counts. */
    while (s->link_fd >= 0 && recv(s->link_fd, drop, sizeof(drop), MSG_DONTWAIT | MSG_TRUNC) > 0)
        ;
}

static void reap(struct system *s, uint64_t now_ms)
{
    int status;
    pid_t pid;

    /* As PID 1 this also ends orphans that nobody else waits for. */
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (unsigned i = 0; i < HOST_SERVICES; i++)
            if (service_exited(&s->services[i], pid, status, now_ms))
                break;
}

bool system_poll(struct system *s, uint64_t now_ms, uint64_t *ret_wake_ms, bool *ret_reboot)
{
    struct signals_seen seen;
    uint64_t wake = UINT64_MAX;

    signals_take(&seen);
    reap(s, now_ms);
    for (unsigned i = 0; i < HOST_SERVICES; i++) {
        uint64_t w = service_poll(&s->services[i], now_ms);
        wake = w < wake ? w : wake;
    }
    if (s->pid1 && !s->finishing)
        seen.stop = pid1_poll(s) || seen.stop;
    *ret_wake_ms = wake;
    *ret_reboot = seen.reboot;
    return seen.stop;
}

/* Stops one and waits for its end; system_poll() kills it after its grace. */
static void stop_service(struct system *s, enum host_service which)
{
    uint64_t now = clock_now_ms(), end = now + FINISH_GRACE_MS, wake;
    bool reboot;

    service_stop(&s->services[which], now);
    for (; s->services[which].pid != 0 && now < end; now = clock_now_ms()) {
        (void)system_poll(s, now, &wake, &reboot);
        s->board.feed(s->board.ctx);
        (void)ppoll(NULL, 0, &(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

void system_finish(struct system *s, enum board_finish how, int status)
{
    s->finishing = true;
    for (unsigned i = 0; i < BOARD_NICS_MAX; i++)
        packet_close(&s->packets, i);
    /* In this order: kubelet would start pods anew, and without their runtime pods could not be stopped in order. */
    stop_service(s, HOST_JOB);
    stop_service(s, HOST_KUBELET);
    if (s->pid1)
        pid1_end_pods(s);
    stop_service(s, HOST_RUNTIME);
    if (s->pid1)
        pid1_end(s, how == BOARD_FINISH_REBOOT);
    if (!s->net.applied)
        packet_restore(&s->packets, &s->nics);
    storage_close(&s->storage);
    exit(status);
}
