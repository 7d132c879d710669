/*
 * installed.h - an installed system on this machine's disk: mounting it so that it can become the root, and becoming its init.
 *
 * A file system that can be written to is mounted as it is. erofs and squashfs get an overlay, whose upper side is on the partition `state`, or
 * else in memory; /var/lib/containerd and /var/lib/kubelet then lie on the upper side itself, since no overlay can lie on another.
 */
#ifndef JOINBOOT_BOARDS_LINUX_INSTALLED_H
#define JOINBOOT_BOARDS_LINUX_INSTALLED_H

#include "boards/linux/fsprobe.h"
#include "firmware/agent/host.h"

struct system;

/* File systems that installed_mount can mount. */
bool installed_can(enum fsprobe_kind kind);
/* Those that need an overlay. */
bool installed_is_read_only(enum fsprobe_kind kind);

/* A job (spawn.h): argv[0] is the device's path, argv[1] its file system; with an overlay argv[2] and argv[3] are the same of the upper side, or
 * empty for memory; ctx is the struct modules with the drivers. Mounts all at SWITCHROOT_PLACE; says why not on stdout. */
int installed_mount(void *ctx, const char *const *argv);

/* host.h: target_is, copy_self, target_switch. */
enum host_answer installed_is(struct system *s, const char *spec, struct fault *f);
enum err installed_copy_self(const char *path, struct fault *f) MUST_USE;
enum err installed_switch(struct system *s, struct fault *f) MUST_USE;

#endif
