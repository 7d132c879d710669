/*
 * blockdev.h - finds the block device that a site configuration names, and reads what is on it.
 *
 * LABEL= and UUID= are read from file systems, PARTLABEL= and PARTUUID= from the partition table: the kernel tells the first two not at all and
 * the others only since Linux 6.x. Devices that are made of others (dm, md, loop) are never looked at.
 */
#ifndef JOINBOOT_BOARDS_LINUX_BLOCKDEV_H
#define JOINBOOT_BOARDS_LINUX_BLOCKDEV_H

#include "boards/linux/fsprobe.h"
#include "firmware/agent/host.h"

enum { BLOCKDEV_NAME = 64, BLOCKDEV_SLICE_MS = 40 };

/* A search over all devices, which may take several calls. All zero: begins. */
struct blockdev_search {
    unsigned at;                /* devices that were looked at in this round */
    char found[BLOCKDEV_NAME];  /* kernel name */
    char other[BLOCKDEV_NAME];  /* a second one of which the same is true */
    char volume[BLOCKDEV_NAME]; /* a device with a volume in which it might lie: LVM, LUKS, md */
    enum fsprobe_kind volume_kind;
};

/* Looks at devices for at most BLOCKDEV_SLICE_MS. HOST_BUSY: call again. HOST_YES: ret_name is the kernel's name, such as vda2. HOST_NO: all were
 * looked at, and none is it; or two are, then both stand in `s`. The next call after HOST_NO begins anew. */
enum host_answer blockdev_find(struct blockdev_search *s, const char *spec,
                               char ret_name[static BLOCKDEV_NAME]);

/* An open device. */
struct blockdev {
    int fd;
    struct fsprobe_device io;
};

/* Opens /dev/NAME; `write` also claims it, so that nothing mounted is ever written to. False with errno. */
bool blockdev_open(struct blockdev *b, const char *name, bool write);
void blockdev_close(struct blockdev *b);

#endif
