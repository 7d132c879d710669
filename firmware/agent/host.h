/*
 * host.h - the contract of a board that runs an operating system: files, kernel settings, kernel network, programs. A board without one has no
 * struct host, and its phase table cannot name the rows that need it.
 *
 * All operations return within a turn of the loop (100 ms) unless said otherwise. `f` receives the reason.
 */
#ifndef JOINBOOT_AGENT_HOST_H
#define JOINBOOT_AGENT_HOST_H

#include "firmware/base/fault.h"
#include "firmware/base/ip.h"
#include "net/kernel.h"

enum { HOST_ADDRS_MAX = 8, HOST_ROUTES_MAX = 8, HOST_ARGS_MAX = 96 };

struct host_route {
    enum family family;
    struct ip_prefix dst; /* len 0: default */
    struct ip via;
    uint32_t expires_s; /* the kernel drops an IPv6 route by itself then; 0: never */
};

/* The network as the kernel shall have it on the agent's NIC. */
struct host_net {
    unsigned nic; /* board's NIC index */
    struct ip_prefix addrs[HOST_ADDRS_MAX];
    uint32_t valid_s[HOST_ADDRS_MAX]; /* UINT32_MAX: for ever; 0: not given now, nor taken back */
    unsigned addr_count;
    struct host_route routes[HOST_ROUTES_MAX];
    unsigned route_count;
    uint32_t mtu6;  /* 0: leave */
    bool accept_ra; /* the kernel follows RAs from now on (accept_ra=2, autoconf 0) */
};

/* HOST_JOB is the place of programs that run to their end (job_start). */
enum host_service { HOST_RUNTIME, HOST_KUBELET, HOST_JOB, HOST_SERVICES };

enum host_service_state { HOST_SERVICE_STOPPED, HOST_SERVICE_RUNNING, HOST_SERVICE_BACKOFF };

struct host_service_status {
    enum host_service_state state;
    int pid;
    unsigned starts;     /* how often it was started */
    int last_exit;       /* wait status of the last exit */
    uint64_t running_ms; /* since the last start */
};

enum host_answer { HOST_NO, HOST_YES, HOST_BUSY /* ask again in a while */ };

/* What keep_recv gives: the payload of a DHCPv4 message from a server to this NIC, or a router advertisement as an ICMPv6 message. */
enum host_kept { HOST_KEPT_DHCP4, HOST_KEPT_RA };

struct host_kept_message {
    enum host_kept kind;
    struct ip from;
    struct span bytes; /* until the next call */
};

/* The node image and the state partition, as the site configuration names them: LABEL=, UUID=, PARTLABEL=, PARTUUID= or /dev/...; empty: none. */
struct host_root {
    const char *root;
    const char *state;
    bool
        may_format; /* a signed NodeJoin permits to format a state partition that is not blank and not ours */
    bool
        installed; /* root is an installed system whose own init will run: mounted writable, or below an overlay whose upper side lies on state */
};

struct host {
    void *ctx;
    bool pid1;
    /* As PID 1: finds the node image and the state partition, mounts them, and makes the image the root of everything. In small steps: HOST_BUSY
     * until devices are there and all is mounted; HOST_YES: done, board.storage lies on the state partition. Idempotent. f tells, also while it
     * is busy, what is waited for. ERR_ROOT_*, ERR_STATE_*. NULL on boards without it. */
    enum err (*root_step)(void *ctx, const struct host_root *want, enum host_answer *ret, struct fault *f);
    /* Writes path through a temporary file in the same folder, fsync, rename, fsync of the folder; makes missing parents (0755, /var/lib/kubelet
     * 0700). ERR_FILE. */
    enum err (*write_file)(void *ctx, const char *path, unsigned mode, struct span data, struct fault *f);
    /* ERR_STORE_EMPTY if there is none, ERR_LIMIT if it is larger than cap. */
    enum err (*read_file)(void *ctx, const char *path, uint8_t *ret, size_t cap, size_t *ret_n);
    /* Missing is OK. Overwritten before it is unlinked if `secret`. */
    enum err (*remove_file)(void *ctx, const char *path, bool secret, struct fault *f);
    bool (*exists)(void *ctx, const char *path);
    /* key such as net.ipv4.ip_forward. Sets and reads back. ERR_HANDOFF. */
    enum err (*sysctl_set)(void *ctx, const char *key, const char *value, struct fault *f);
    enum err (*sysctl_get)(void *ctx, const char *key, char *ret, size_t cap);
    /* Gives the kernel the addresses and routes; leaves disable_ipv6 = 0 for all later links. Idempotent. ERR_HANDOFF. */
    enum err (*net_apply)(void *ctx, const struct host_net *net, struct fault *f);
    /* Takes back what net_apply gave, so that the agent's own stack may own the NIC again. Idempotent. */
    void (*net_release)(void *ctx, unsigned nic);
    enum err (*hostname_set)(void *ctx, const char *name, struct fault *f);
    enum err (*hostname_get)(void *ctx, char *ret, size_t cap);
    enum err (*clock_set)(void *ctx, int64_t unix_s, struct fault *f);
    bool (*swap_on)(void *ctx);
    bool (*resolved_active)(void *ctx); /* systemd-resolved manages /etc/resolv.conf */
    enum host_answer (*unix_answers)(void *ctx, const char *path); /* something accepts on this socket */
    enum host_answer (*port_free)(void *ctx, uint16_t port);
    /* GET http://addr:port/path in small steps: HOST_BUSY until the answer is there; HOST_YES: status 200. Family NONE: 127.0.0.1. */
    enum host_answer (*http_ok)(void *ctx, const struct ip *addr, uint16_t port, const char *path);
    /* Keeps a program running with restarts and backoff, in a cgroup of its own where there are cgroups. argv is copied. Idempotent. */
    enum err (*service_start)(void *ctx, enum host_service which, const char *const *argv, struct fault *f);
    void (*service_stop)(void *ctx, enum host_service which);
    void (*service_status)(void *ctx, enum host_service which, struct host_service_status *ret);
    /* The last lines that the program wrote, oldest first, at most `lines`. */
    void (*service_output)(void *ctx, enum host_service which, unsigned lines, struct buf *ret);
    /* Runs a program to its end, without restarts; service_status and service_output of HOST_JOB tell about it. A job that still runs is ended
     * first. argv is copied. ERR_SPAWN. */
    enum err (*job_start)(void *ctx, const char *const *argv, struct fault *f);
    /* Appends what the job wrote since the last call, as far as it fits and was not lost in the meantime. */
    void (*job_read)(void *ctx, struct buf *ret);
    /* HOST_BUSY while it runs; HOST_YES: it ended with status 0; HOST_NO: otherwise (service_status has the wait status), or there was none. */
    enum host_answer (*job_result)(void *ctx);
    /* A job that removes everything below the folders, not the folders themselves; what is mounted below is unmounted first. Of
     * a folder that shows the node image's files below what was written (/etc/cni), only the latter goes. ERR_SPAWN. */
    enum err (*job_wipe)(void *ctx, const char *const *folders, struct fault *f);
    /* The name of the n-th regular file of a folder in the order of strcmp. ERR_STORE_EMPTY: there is none. */
    enum err (*file_name)(void *ctx, const char *folder, unsigned n, char *ret, size_t cap);
    /* Reaps children, handles signals, restarts; called once a turn. *ret_wake_ms: when it wants to be called again. True: somebody asked to stop
     * (signal, power button); *ret_reboot tells which way. */
    bool (*poll)(void *ctx, uint64_t now_ms, uint64_t *ret_wake_ms, bool *ret_reboot);

    /* Keeping leases while the kernel owns the network. NULL on a board without it, where what was handed over stays for ever.
     * Opens what following needs on this NIC: only DHCPv4 answers for its MAC and router advertisements of the link come in, and nothing that
     * comes in is answered by it. They wake the loop. ERR_KEEP. */
    enum err (*keep_open)(void *ctx, unsigned nic, unsigned families, struct fault *f);
    void (*keep_close)(void *ctx); /* idempotent */
    /* The next message, at most a bounded number in a while, so that a flood does not starve the loop. False: none now. */
    bool (*keep_recv)(void *ctx, struct host_kept_message *ret);
    /* A DHCPv4 message to a server or to 255.255.255.255. from NULL: this machine has no address. Like any datagram it may be lost. */
    void (*keep_send)(void *ctx, const struct ip *from, const struct ip *to, struct span message);
    /* New lifetimes (seconds, not 0; UINT32_MAX: for ever) of an address in the kernel, which makes it anew if it is gone. ERR_HANDOFF. */
    enum err (*addr_lifetime)(void *ctx, unsigned nic, const struct ip_prefix *addr, uint32_t valid_s,
                              uint32_t preferred_s, struct fault *f);

    /* Handing over to an installed system, after root_step with `installed`. NULL on boards without it.
     * HOST_YES: spec names the device that root_step mounted. HOST_NO: another one; f has both. */
    enum host_answer (*target_is)(void *ctx, const char *spec, struct fault *f);
    /* Copies the agent's own program. ERR_FILE. */
    enum err (*copy_self)(void *ctx, const char *path, struct fault *f);
    /* Lets go of links, files, mounts and process settings, and becomes the installed system's init. Returns only if that cannot be executed:
     * ERR_SPAWN. */
    enum err (*target_switch)(void *ctx, struct fault *f);
    const struct datagrams
        *datagrams; /* over the system's network, for the log server after the hand-over; NULL: none */
};

#endif
