/*
 * spawn.h - starts a program, or a function of our own, as a child with clean signals, its output in a pipe, and a cgroup of its own.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SPAWN_H
#define JOINBOOT_BOARDS_LINUX_SPAWN_H

#include "firmware/base/fault.h"

struct spawn_how {
    const char *name; /* names the cgroup, and the program in errors */
    bool
        own_cgroup; /* as PID 1: moves into /sys/fs/cgroup/joinboot-NAME with oom_score_adj; otherwise it ends with its parent */
    int oom_score_adj;
    /* NULL: argv[0] is executed, looked up in PATH if it has no slash. Otherwise this is called in the child; its result is the exit status. */
    int (*run)(void *ctx, const char *const *argv);
    void *ctx;
};

/* ret_out receives stdout and stderr, non-blocking, owned by the caller. An exec that fails is an error here: ERR_SPAWN with the reason. */
enum err spawn(const struct spawn_how *how, const char *const *argv, int *ret_pid, int *ret_out,
               struct fault *f) MUST_USE;

#endif
