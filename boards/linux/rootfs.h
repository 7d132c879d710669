/*
 * rootfs.h - from the initramfs to the node image with its state: the order of things, in small steps. What takes time runs in children.
 */
#ifndef JOINBOOT_BOARDS_LINUX_ROOTFS_H
#define JOINBOOT_BOARDS_LINUX_ROOTFS_H

#include "boards/linux/blockdev.h"
#include "boards/linux/statefs.h"

struct system;

enum rootfs_at {
    ROOTFS_FIND_IMAGE,
    ROOTFS_MOUNT_IMAGE,
    ROOTFS_SWITCH,
    ROOTFS_SETTLE, /* the initramfs is deleted; the image's modules are loaded */
    ROOTFS_FIND_STATE,
    ROOTFS_FORMAT,
    ROOTFS_MOUNT_STATE,
    ROOTFS_CHECK_STATE, /* it could not be mounted: e2fsck, once, and then again */
    ROOTFS_FIND_UPPER,  /* of the overlay over an installed system that cannot be written to */
    ROOTFS_DONE
};

struct rootfs {
    enum rootfs_at at;
    bool job_runs; /* of this step */
    bool switched; /* the node image is / */
    struct blockdev_search search;
    char image[BLOCKDEV_NAME], state[BLOCKDEV_NAME]; /* kernel names; empty: none */
    char upper[BLOCKDEV_NAME];                       /* likewise: the upper side of an overlay */
    enum fsprobe_kind image_kind, upper_kind;
    enum statefs_kind state_kind;
    bool checked;    /* by e2fsck since it was found */
    bool unmendable; /* e2fsck looked at all of it and left errors */
    bool unclean;    /* the state partition's journal is replayed */
    int old;         /* the initramfs, open until it is deleted; -1 */
};

void rootfs_init(struct rootfs *r);

/* host.h: root_step. After HOST_YES the caller opens what lies on the state partition, if r->at was not ROOTFS_DONE before. */
enum err rootfs_step(struct system *s, const struct host_root *want, enum host_answer *ret,
                     struct fault *f) MUST_USE;

#endif
