/*
 * switchroot.h - the node image becomes the root of everything.
 *
 * The root that the kernel starts with (an initramfs) cannot be pivoted away by a container runtime, so the image is mounted beside it, the
 * mounts of proc, sys, dev, run and tmp move there, and the image takes the place of /. What the initramfs held is deleted: it is memory.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SWITCHROOT_H
#define JOINBOOT_BOARDS_LINUX_SWITCHROOT_H

#include "boards/linux/modules.h"
#include "firmware/base/fault.h"

/* Where what will be the root is mounted before. */
#define SWITCHROOT_PLACE "/joinboot-root"

/* A job (spawn.h): argv[0] is the device's path, argv[1] the file system; ctx is the struct modules with its driver. Mounts it read-only at its
 * place beside the root; says why not on stdout. Mounted already: 0. */
int switchroot_mount(void *ctx, const char *const *argv);

/* Moves the mounts and makes the image /. *ret_old receives the old root, open, if it lies in memory; -1 otherwise. All mounts are private
 * afterwards. ERR_ROOT_MOUNT; nothing has changed then, or the next call goes on. */
enum err switchroot_move(int *ret_old, struct fault *f) MUST_USE;

#endif
