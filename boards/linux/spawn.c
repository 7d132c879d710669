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

/* In the child, between fork and exec. Returns only if exec failed. */
static void become(const char *name, const char *const *argv, bool own_cgroup, int parent, int out)
{
    struct rlimit files = {.rlim_cur = 1048576, .rlim_max = 1048576};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setsid();
    signals_reset();
    umask(022);
    if (own_cgroup)
        cgroup_enter(name);
    else if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(1); /* a supervisor that was killed leaves no program behind that nobody watches */
    if (null >= 0)
        dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    /* Ours close on exec anyway; this is for what the agent itself was started with. Before Linux 5.11 there is no such call. */
    (void)syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (chdir("/") == 0)
        execvp(argv[0], (char *const *)(uintptr_t)argv);
}

static enum err failed(struct fault *f, const char *what, int error)
{
    return fault_set(f, ERR_SPAWN, "%s: %s", what, files_reason(error));
}

enum err spawn(const char *name, const char *const *argv, bool own_cgroup, int *ret_pid, int *ret_out,
               struct fault *f)
{
    int out[2], why[2], error = 0, parent = getpid();
    ssize_t got;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) != 0)
        return failed(f, name, errno);
    if (pipe2(why, O_CLOEXEC) != 0) {
        error = errno;
        goto no_why;
    }
    pid = fork();
    if (pid == 0) {
        become(name, argv, own_cgroup, parent, out[1]);
        error = errno;
        _exit(write(why[1], &error, sizeof(error)) == sizeof(error) ? 127 : 126);
    }
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
    return failed(f, argv[0], error);
no_why:
    close(out[0]);
    close(out[1]);
    return failed(f, name, error);
}
