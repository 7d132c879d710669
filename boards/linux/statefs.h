/*
 * statefs.h - the state partition: what is on it, making it ours, and laying it below the folders that a node writes to.
 *
 * Invariant: a partition is written to only if it is blank, ours, half-made by us, or if that was permitted. Ours is ext4 with the label
 * joinboot-state, or with the file .joinboot in it. The file system leaves the last MiB of the partition to us: there stands a mark from before the
 * first byte of formatting is written until the file system is whole and synced, so that after a power cut it is known that everything on the
 * partition is ours to write again.
 */
#ifndef JOINBOOT_BOARDS_LINUX_STATEFS_H
#define JOINBOOT_BOARDS_LINUX_STATEFS_H

#include "boards/linux/fsprobe.h"
#include "firmware/base/fault.h"

#define STATEFS_PLACE   "/var/lib/joinboot"
#define STATEFS_LABEL   "joinboot-state"
#define STATEFS_STORAGE STATEFS_PLACE "/state.bin" /* the record log (storage.h) */

enum statefs_kind {
    STATEFS_FOREIGN,
    STATEFS_BLANK,  /* first and last MiB are zero */
    STATEFS_HALF,   /* formatting was cut off */
    STATEFS_OURS,   /* by its label */
    STATEFS_MARKED, /* ext4 with another label: ours if it holds the file .joinboot */
    STATEFS_SMALL   /* below STATEFS_MIN bytes */
};

enum { STATEFS_MIN = 32 * 1024 * 1024 };

/* Exit statuses of statefs_mount. */
enum { STATEFS_NOT_OURS = 3, STATEFS_DAMAGED = 4 /* the file system on it cannot be mounted */ };

/* Reads at most 2 MiB. ret_found says what is on it. ERR_STATE_MOUNT: it cannot be read. */
enum err statefs_look(const struct fsprobe_device *d, enum statefs_kind *ret,
                      struct fsprobe *ret_found) MUST_USE;

/* A job (spawn.h): argv[0] is the kernel's name of the device. Sets the mark, clears what is there, and becomes the image's mke2fs. */
int statefs_format(void *ctx, const char *const *argv);

/* A job: argv[0] as above. Becomes the image's e2fsck, which mends what it can without being asked. */
int statefs_check(void *ctx, const char *const *argv);

/* A job: argv[0] as above, or empty for a file system in memory; argv[1]: "marked" if it must hold .joinboot, else empty; ctx is the struct modules
 * with the drivers. Mounts it at STATEFS_PLACE and below the folders of a node, makes /etc writable, and shares all mounts. 0; STATEFS_NOT_OURS;
 * STATEFS_DAMAGED; otherwise the reason is on stdout. */
int statefs_mount(void *ctx, const char *const *argv);

/* wipe_folders (wipe.h), and of a folder below an overlay of the state partition only what was written into it: what the image has there stays.
 * Where no such overlay is mounted, all of it on a root that lasts, and nothing on one in memory or that cannot be written to. */
int statefs_wipe(void *ctx, const char *const *folders);

#endif
