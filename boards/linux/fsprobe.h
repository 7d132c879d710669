/*
 * fsprobe.h - what lies on a block device: file systems with their label and UUID, volumes that have to be opened first, partition tables.
 *
 * Pure: the bytes come through a function. Formats: ext4 (the kernel's filesystems/ext4/super), erofs, squashfs, xfs and btrfs (the kernel's
 * documents on them), LVM2's label, LUKS 1 and 2 (cryptsetup's format documents), Linux md 0.90 and 1.x, MBR, GPT (UEFI 2.10 section 5.3).
 */
#ifndef JOINBOOT_BOARDS_LINUX_FSPROBE_H
#define JOINBOOT_BOARDS_LINUX_FSPROBE_H

#include "firmware/base/span.h"

enum fsprobe_kind {
    FSPROBE_UNKNOWN,
    FSPROBE_EXT4, /* also ext2 and ext3, which the kernel's ext4 mounts */
    FSPROBE_EROFS,
    FSPROBE_SQUASHFS,
    FSPROBE_XFS,
    FSPROBE_BTRFS,
    FSPROBE_SWAP,
    FSPROBE_LVM2,
    FSPROBE_LUKS,
    FSPROBE_MD,
    FSPROBE_TABLE /* a partition table */
};

enum { FSPROBE_LABEL = 256, FSPROBE_PART_NAME = 109 };

/* Where the bytes come from. read: n bytes at off, false if that cannot be. size: of the device, in bytes. */
struct fsprobe_device {
    void *ctx;
    bool (*read)(void *ctx, uint64_t off, void *ret, size_t n);
    uint64_t size;
};

struct fsprobe {
    enum fsprobe_kind kind;
    char label[FSPROBE_LABEL]; /* empty: none */
    char uuid[37];             /* lower case; empty: none */
    bool unclean;              /* ext4: its journal has to be replayed */
};

/* A partition as the table names it. */
struct fsprobe_partition {
    char uuid[37];                /* PARTUUID: of GPT, or SSSSSSSS-NN of an MBR */
    char name[FSPROBE_PART_NAME]; /* PARTLABEL in UTF-8; empty in an MBR */
};

/* What the device holds. A member of an array or of a volume group is told as such, also if it looks like a file system at its start. */
void fsprobe(const struct fsprobe_device *d, struct fsprobe *ret);

/* Partition `number` (from 1) of a whole disk. False if there is no table that can be read, or no such partition in it. MBR: 1 to 4. */
bool fsprobe_partition(const struct fsprobe_device *d, unsigned block_size, unsigned number,
                       struct fsprobe_partition *ret);

/* "ext4", "LVM2 physical volume", ... static. */
const char *fsprobe_name(enum fsprobe_kind kind);

#endif
