/*
 * spawn.h - starts a program as a child with clean signals, its output in a pipe, and a cgroup of its own.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SPAWN_H
#define JOINBOOT_BOARDS_LINUX_SPAWN_H

#include "firmware/base/fault.h"

/* argv[0] is looked up in PATH if it has no slash. With `own_cgroup` the child moves into /sys/fs/cgroup/joinboot-NAME. ret_out receives stdout
 * and stderr, non-blocking, owned by the caller. An exec that fails is an error here: ERR_SPAWN with the reason. */
enum err spawn(const char *name, const char *const *argv, bool own_cgroup, int *ret_pid, int *ret_out,
               struct fault *f) MUST_USE;

#endif
