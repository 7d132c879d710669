/*
 * cgroup.h - the cgroup2 tree as PID 1 keeps it: controllers for everybody, one group per supervised program.
 */
#ifndef JOINBOOT_BOARDS_LINUX_CGROUP_H
#define JOINBOOT_BOARDS_LINUX_CGROUP_H

#include "firmware/base/base.h"

/* Enables every controller that the kernel has for the children of the root group. Returns how many. */
unsigned cgroup_enable(void);

/* Makes /sys/fs/cgroup/joinboot-NAME. Takes the kernel tens of milliseconds with all controllers on, so it is done before the first program. */
void cgroup_make(const char *name);

/* Ends all processes of the group and of those below it with SIGKILL (cgroup.kill: Linux 5.14). Not for groups that the caller is in. */
void cgroup_kill(const char *name);

/* Sends a signal to every process in groups whose name below the root starts with `prefix`, and in those below them. Returns how many there
 * were. Signal 0 only counts. */
unsigned cgroup_signal(const char *prefix, int number);

/* Moves the calling process there. Without a cgroup2 tree nothing happens. */
void cgroup_enter(const char *name);

#endif
