/*
 * service.h - programs that are kept running: container runtime and kubelet; and jobs, which run to their end.
 *
 * Each runs in a session of its own and, where there is a cgroup2 tree of ours, in a cgroup of its own. Only the main process is ever signalled:
 * what it started (containers and their shims) lives on over a restart, as with systemd's KillMode=process. Restarts wait 1 s, 2 s ... 30 s; a
 * program that ran for a minute starts from 1 s again. What it writes goes into a ring of bytes and to /var/log/NAME.log.
 *
 * A job is a program, or a function of ours in a child, that is not started again. With it ends everything that it started.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SERVICE_H
#define JOINBOOT_BOARDS_LINUX_SERVICE_H

#include "boards/linux/logfile.h"
#include "firmware/agent/host.h"

enum { SERVICE_ARGV_BYTES = 8 * 1024, SERVICE_RING = 16 * 1024, SERVICE_GRACE_MS = 10000 };

struct service {
    const char *name; /* static; names cgroup and log file */
    bool wanted;
    bool pid1;
    bool job;                                       /* runs once */
    int oom_score_adj;                              /* as PID 1 */
    int (*run)(void *ctx, const char *const *argv); /* a job that is a function of ours; NULL: a program */
    void *run_ctx;
    int pid; /* 0: not running */
    unsigned starts;
    int last_exit;
    uint64_t started_ms, restart_ms, kill_ms;
    uint32_t backoff_ms;
    int out_fd; /* -1: none */
    struct logfile log;
    const char *argv[HOST_ARGS_MAX + 1];
    char bytes[SERVICE_ARGV_BYTES];
    uint8_t ring[SERVICE_RING];
    size_t ring_n; /* bytes ever written; of a job: by this one */
    size_t read_n; /* of those, what service_job_read() has told */
};

void service_init(struct service *s, const char *name, bool pid1);

/* Starts the program and keeps it running. Same argv as now: nothing happens. Another argv: it is stopped and started with the new one.
 * ERR_LIMIT, ERR_SPAWN. */
enum err service_start(struct service *s, const char *const *argv, uint64_t now_ms, struct fault *f) MUST_USE;

/* Runs a job once. One that still runs is asked to end, and the new one starts when it has. run: NULL, or a function of ours instead of the
 * program argv[0] (spawn.h); ctx must stay as it is until the job started. ERR_LIMIT, ERR_SPAWN. */
enum err service_run_job(struct service *s, int (*run)(void *ctx, const char *const *argv), void *ctx,
                         const char *const *argv, uint64_t now_ms, struct fault *f) MUST_USE;

/* HOST_BUSY: it runs, or is about to. HOST_YES: it ended with status 0. HOST_NO: otherwise, or there was none. */
enum host_answer service_job_result(const struct service *s);

/* Appends what the job wrote since the last call, as far as it fits and is still in the ring. */
void service_job_read(struct service *s, struct buf *ret);

/* Asks the program to end; service_poll() kills it after SERVICE_GRACE_MS. Idempotent. */
void service_stop(struct service *s, uint64_t now_ms);

/* Tells that a child ended. True if it was this service's. */
bool service_exited(struct service *s, int pid, int status, uint64_t now_ms);

/* Reads output, kills after the grace, restarts. Returns when it wants to be called again. */
uint64_t service_poll(struct service *s, uint64_t now_ms);

void service_status(const struct service *s, uint64_t now_ms, struct host_service_status *ret);
void service_output(const struct service *s, unsigned lines, struct buf *ret);

#endif
