/*
 * spawn.c - see spawn.h.
 */
#include "boards/linux/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

#include "boards/linux/cgroup.h"
#include "boards/linux/files.h"
#include "boards/linux/signals.h"
#include "boards/linux/sysfile.h"

/* In the child, before it becomes what it shall be. */
static void settle(const struct spawn_how *how, int parent, int out)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char score[16];
    struct buf b = BUF_OF(score);

    setsid();
    signals_default();
    umask(022);
    if (how->own_cgroup) {
        buf_fmt(&b, "%d", how->oom_score_adj);
        buf_u8(&b, 0);
        (void)!sysfile_write("/proc/self/oom_score_adj", score);
        cgroup_enter(how->name);
    } else if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) {
        _exit(1); /* a supervisor that was killed leaves no program behind that nobody watches */
    }
    if (null >= 0)
        dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
}

/* Returns only if exec failed. */
static void become(const char *const *argv)
{
    struct rlimit files = {.rlim_cur = 1048576, .rlim_max = 1048576};

    /* Ours close on exec anyway; this is for what the agent itself was started with. Before Linux 5.11 there is no such call. */
    (void)syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (chdir("/") == 0)
        execvp(argv[0], (char *const *)(uintptr_t)argv);
}

/* In the child. `why` closes when there is nothing more to say about its start. */
_Noreturn static void child(const struct spawn_how *how, const char *const *argv, int parent, int out,
                            int why)
{
    int error;

    settle(how, parent, out);
    if (how->run) {
        close(why);
        _exit(how->run(how->ctx, argv));
    }
    become(argv);
    error = errno;
    _exit(write(why, &error, sizeof(error)) == sizeof(error) ? 127 : 126);
}

static enum err failed(struct fault *f, const char *what, int error)
{
    return fault_set(f, ERR_SPAWN, "%s: %s", what, files_reason(error));
}

enum err spawn(const struct spawn_how *how, const char *const *argv, int *ret_pid, int *ret_out,
               struct fault *f)
{
    int out[2], why[2], error = 0, parent = getpid();
    ssize_t got;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) != 0)
        return failed(f, how->name, errno);
    if (pipe2(why, O_CLOEXEC) != 0) {
        error = errno;
        goto no_why;
    }
    pid = fork();
    if (pid == 0)
        child(how, argv, parent, out[1], why[1]);
    error = pid < 0 ? errno : 0;
    close(out[1]);
    close(why[1]);
    /* Ends at once: exec closes the pipe. */
    do
        got = pid < 0 ? 0 : read(why[0], &error, sizeof(error));
    while (got < 0 && errno == EINTR);
    close(why[0]);
    if (error == 0) {
        (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
        *ret_pid = pid;
        *ret_out = out[0];
        return OK;
    }
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    close(out[0]);
    return failed(f, how->run ? how->name : argv[0], error);
no_why:
    close(out[0]);
    close(out[1]);
    return failed(f, how->name, error);
}
