/*
 * service.h - programs that are kept running: container runtime and kubelet.
 *
 * Each runs in a session of its own and, where there is a cgroup2 tree of ours, in a cgroup of its own. Only the main process is ever signalled:
 * what it started (containers and their shims) lives on over a restart, as with systemd's KillMode=process. Restarts wait 1 s, 2 s ... 30 s; a
 * program that ran for a minute starts from 1 s again. What it writes goes into a ring of bytes and to /var/log/NAME.log.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SERVICE_H
#define JOINBOOT_BOARDS_LINUX_SERVICE_H

#include "firmware/agent/host.h"

enum {
    SERVICE_ARGV_BYTES = 8 * 1024,
    SERVICE_RING = 16 * 1024,
    SERVICE_GRACE_MS = 10000,
    SERVICE_LOG_MAX = 4 * 1024 * 1024
};

struct service {
    const char *name; /* static; names cgroup and log file */
    bool wanted;
    bool pid1;
    int pid; /* 0: not running */
    unsigned starts;
    int last_exit;
    uint64_t started_ms, restart_ms, kill_ms;
    uint32_t backoff_ms;
    int out_fd, log_fd; /* -1: none */
    const char *argv[HOST_ARGS_MAX + 1];
    char bytes[SERVICE_ARGV_BYTES];
    uint8_t ring[SERVICE_RING];
    size_t ring_n; /* bytes ever written */
    size_t log_n;  /* bytes in the log file since it was opened or began anew */
};

void service_init(struct service *s, const char *name, bool pid1);

/* Starts the program and keeps it running. Same argv as now: nothing happens. Another argv: it is stopped and started with the new one.
 * ERR_LIMIT, ERR_SPAWN. */
enum err service_start(struct service *s, const char *const *argv, uint64_t now_ms, struct fault *f) MUST_USE;

/* Asks the program to end; service_poll() kills it after SERVICE_GRACE_MS. Idempotent. */
void service_stop(struct service *s, uint64_t now_ms);

/* Tells that a child ended. True if it was this service's. */
bool service_exited(struct service *s, int pid, int status, uint64_t now_ms);

/* Reads output, kills after the grace, restarts. Returns when it wants to be called again. */
uint64_t service_poll(struct service *s, uint64_t now_ms);

void service_status(const struct service *s, uint64_t now_ms, struct host_service_status *ret);
void service_output(const struct service *s, unsigned lines, struct buf *ret);

#endif
