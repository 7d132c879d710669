/*
 * cgroup.h - the cgroup2 tree as PID 1 keeps it: controllers for everybody, one group per supervised program.
 */
#ifndef JOINBOOT_BOARDS_LINUX_CGROUP_H
#define JOINBOOT_BOARDS_LINUX_CGROUP_H

#include "firmware/base/base.h"

/* Enables every controller that the kernel has for the children of the root group. Returns how many. */
unsigned cgroup_enable(void);

/* Moves the calling process into /sys/fs/cgroup/joinboot-NAME, which is made if missing. Without a cgroup2 tree nothing happens. */
void cgroup_enter(const char *name);

#endif
