/*
 * storage.h - raw storage for the record log in one preallocated file: pwrite, made durable with fdatasync.
 *
 * The file has its whole size from the start, filled with 0xff like erased flash, and appears by a rename: nobody sees a shorter one. It is
 * locked, so that two agents never write the same state.
 */
#ifndef JOINBOOT_BOARDS_LINUX_STORAGE_H
#define JOINBOOT_BOARDS_LINUX_STORAGE_H

#include "boards/board.h"
#include "firmware/base/fault.h"

enum {
    STORAGE_ERASE = 4096,
    STORAGE_SIZE = 9 * STORAGE_ERASE
}; /* the mark and two areas of 16 KiB (firmware/base/reclog.h) */

/* The bundle that a BMC keeps: the mark and two areas of 36 KiB. */
enum { STORAGE_BUNDLES = 19 * STORAGE_ERASE };

struct storage_file {
    int fd;
    const char *path; /* of storage_later, until it is opened */
    struct storage ops;
};

/* Opens the file, or makes it and its parent folders. ERR_STORE_IO with the reason in f. */
enum err storage_open(struct storage_file *s, const char *path, struct fault *f) MUST_USE;
/* A storage of this size in a file that is only made when something is written; until then it reads as blank. path must stay. */
void storage_later(struct storage_file *s, const char *path, uint32_t size);
void storage_close(struct storage_file *s);

#endif
