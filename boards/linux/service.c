/*
 * service.c - see service.h.
 */
#include "boards/linux/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "boards/linux/cgroup.h"
#include "boards/linux/files.h"
#include "boards/linux/spawn.h"
#include "boards/linux/sysfile.h"

enum {
    BACKOFF_MIN_MS = 1000,
    BACKOFF_MAX_MS = 30000,
    STABLE_MS = 60000,
    FAILED_START = 127 << 8 /* a wait status */
};

void service_init(struct service *s, const char *name, bool pid1)
{
    s->name = name;
    s->pid1 = pid1;
    s->out_fd = -1;
    logfile_init(&s->log);
}

static bool same_argv(const struct service *s, const char *const *argv)
{
    unsigned i = 0;

    for (; s->argv[i] && argv[i]; i++)
        if (strcmp(s->argv[i], argv[i]) != 0)
            return false;
    return !s->argv[i] && !argv[i];
}

static enum err copy_argv(struct service *s, const char *const *argv, struct fault *f)
{
    struct buf b = BUF_OF(s->bytes);
    unsigned count = 0;

    for (; argv[count]; count++) {
        if (count == HOST_ARGS_MAX)
            return fault_set(f, ERR_LIMIT, "%s has more than %d arguments", s->name, HOST_ARGS_MAX);
        s->argv[count] = (const char *)b.p + b.n;
        buf_str(&b, argv[count]);
        buf_u8(&b, 0);
    }
    s->argv[count] = NULL;
    if (count == 0 || b.overflow)
        return fault_set(f, ERR_LIMIT, "%s: the arguments do not fit", s->name);
    return OK;
}

static enum err run(struct service *s, uint64_t now_ms, struct fault *f)
{
    const struct spawn_how how = {.name = s->name,
                                  .own_cgroup = s->pid1,
                                  .oom_score_adj = s->oom_score_adj,
                                  .run = s->run,
                                  .ctx = s->run_ctx};
    char path[SYSFILE_PATH];
    enum err e;

    if (s->log.fd < 0)
        logfile_open(&s->log, sysfile_path(path, "/var/log/%s.log", s->name), 0);
    if (s->out_fd >= 0)
        close(s->out_fd);
    s->out_fd = -1;
    s->started_ms = now_ms;
    s->starts++;
    e = spawn(&how, s->argv, &s->pid, &s->out_fd, f);
    if (e == OK)
        return OK;
    s->pid = 0;
    return e;
}

static void plan_restart(struct service *s, uint64_t now_ms)
{
    if (now_ms - s->started_ms >= STABLE_MS || s->backoff_ms == 0)
        s->backoff_ms = BACKOFF_MIN_MS;
    else
        s->backoff_ms = s->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : s->backoff_ms * 2;
    s->restart_ms = now_ms + s->backoff_ms;
}

enum err service_start(struct service *s, const char *const *argv, uint64_t now_ms, struct fault *f)
{
    enum err e;

    if (s->wanted && same_argv(s, argv))
        return OK;
    e = copy_argv(s, argv, f);
    if (e)
        return e;
    s->wanted = true;
    s->backoff_ms = 0;
    if (s->pid) {
        /* service_exited() starts it again, with the new arguments. */
        service_stop(s, now_ms);
        s->wanted = true;
        return OK;
    }
    e = run(s, now_ms, f);
    if (e)
        s->wanted = false;
    return e;
}

/* The session of a job has nobody who would miss it; what a service started lives on. */
static void signal_it(const struct service *s, int number)
{
    (void)kill(s->job ? -s->pid : s->pid, number);
    if (s->job && number == SIGKILL && s->pid1)
        cgroup_kill(s->name);
}

enum err service_run_job(struct service *s, int (*function)(void *ctx, const char *const *argv), void *ctx,
                         const char *const *argv, uint64_t now_ms, struct fault *f)
{
    enum err e = copy_argv(s, argv, f);

    if (e)
        return e;
    s->job = true;
    s->run = function;
    s->run_ctx = ctx;
    if (s->pid)
        service_stop(s, now_ms); /* service_poll() starts the new one */
    s->wanted = true;
    s->restart_ms = now_ms;
    s->last_exit = FAILED_START;
    s->ring_n = s->read_n = 0;
    e = s->pid ? OK : run(s, now_ms, f);
    if (e)
        s->wanted = false;
    return e;
}

enum host_answer service_job_result(const struct service *s)
{
    if (s->pid || s->wanted)
        return HOST_BUSY;
    return s->starts && s->last_exit == 0 ? HOST_YES : HOST_NO;
}

void service_job_read(struct service *s, struct buf *ret)
{
    size_t oldest = s->ring_n > SERVICE_RING ? s->ring_n - SERVICE_RING : 0;

    if (s->read_n < oldest)
        s->read_n = oldest;
    for (; s->read_n < s->ring_n && ret->n < ret->cap; s->read_n++)
        buf_u8(ret, s->ring[s->read_n % SERVICE_RING]);
}

void service_stop(struct service *s, uint64_t now_ms)
{
    s->wanted = false;
    if (!s->pid || s->kill_ms)
        return;
    signal_it(s, SIGTERM);
    s->kill_ms = now_ms + SERVICE_GRACE_MS;
}

static void keep(struct service *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->ring[(s->ring_n + i) % SERVICE_RING] = p[i];
    s->ring_n += n;
    logfile_write(&s->log, span_of(p, n));
}

/* At most 64 KiB a turn: a program that writes without end must not hold the loop. */
static void drain(struct service *s)
{
    uint8_t chunk[4096];

    for (int i = 0; i < 16 && s->out_fd >= 0; i++) {
        ssize_t got = read(s->out_fd, chunk, sizeof(chunk));
        if (got > 0) {
            keep(s, chunk, (size_t)got);
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        close(s->out_fd);
        s->out_fd = -1;
    }
}

bool service_exited(struct service *s, int pid, int status, uint64_t now_ms)
{
    if (pid != s->pid || pid == 0)
        return false;
    drain(s);
    if (s->job) {
        signal_it(s, SIGKILL);
        s->wanted = s->wanted && s->kill_ms; /* the next one waits */
    }
    s->pid = 0;
    s->last_exit = status;
    if (s->kill_ms) {
        /* It was asked to end; if it is wanted again it starts at once. */
        s->kill_ms = 0;
        s->restart_ms = now_ms;
    } else {
        plan_restart(s, now_ms);
    }
    return true;
}

uint64_t service_poll(struct service *s, uint64_t now_ms)
{
    struct fault why = {0};
    struct buf line;
    char text[300];

    drain(s);
    if (s->pid && s->kill_ms && now_ms >= s->kill_ms) {
        signal_it(s, SIGKILL);
        s->kill_ms = now_ms + SERVICE_GRACE_MS;
    }
    if (s->wanted && !s->pid && now_ms >= s->restart_ms && run(s, now_ms, &why)) {
        line = BUF_OF(text);
        fault_print(&why, &line);
        buf_u8(&line, '\n');
        keep(s, line.p, line.n);
        plan_restart(s, now_ms);
        s->wanted = !s->job;
        s->last_exit = s->job ? FAILED_START : s->last_exit;
    }
    if (s->pid)
        return s->kill_ms ? s->kill_ms : UINT64_MAX;
    return s->wanted ? s->restart_ms : UINT64_MAX;
}

void service_status(const struct service *s, uint64_t now_ms, struct host_service_status *ret)
{
    *ret = (struct host_service_status){
        .state = s->pid      ? HOST_SERVICE_RUNNING
                 : s->wanted ? HOST_SERVICE_BACKOFF
                             : HOST_SERVICE_STOPPED,
        .pid = s->pid,
        .starts = s->starts,
        .last_exit = s->last_exit,
        .running_ms = s->pid ? now_ms - s->started_ms : 0,
    };
}

void service_output(const struct service *s, unsigned lines, struct buf *ret)
{
    size_t oldest = s->ring_n > SERVICE_RING ? s->ring_n - SERVICE_RING : 0;
    size_t from = s->ring_n;

    /* Backwards: a line ends in \n, so the (lines+1)th newline from the end stands before the first wanted line. */
    for (unsigned seen = 0; from > oldest; from--) {
        if (s->ring[(from - 1) % SERVICE_RING] == '\n' && from != s->ring_n && ++seen == lines)
            break;
    }
    if (lines == 0)
        return;
    for (; from < s->ring_n; from++)
        buf_u8(ret, s->ring[from % SERVICE_RING]);
}
