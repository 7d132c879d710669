/*
 * mounts.h - the file systems that a kubelet needs below it, and their orderly end.
 */
#ifndef JOINBOOT_BOARDS_LINUX_MOUNTS_H
#define JOINBOOT_BOARDS_LINUX_MOUNTS_H

#include "firmware/base/base.h"

/* Mounts one after the other what is not mounted yet, and makes / shared, so that mounts inside of pods are seen where they must be.
 * tell(ctx, target, errno) is called for each that fails. */
void mounts_make(void (*tell)(void *ctx, const char *target, int error), void *ctx);

/* Unmounts what can be, last mounted first; the root becomes read-only. */
void mounts_end(void);

#endif
