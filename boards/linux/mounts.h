/*
 * mounts.h - the file systems that a kubelet needs below it, and their orderly end.
 */
#ifndef JOINBOOT_BOARDS_LINUX_MOUNTS_H
#define JOINBOOT_BOARDS_LINUX_MOUNTS_H

#include "firmware/agent/host.h"

/* Mounts one after the other what is not mounted yet, and makes / shared, so that mounts inside of pods are seen where they must be.
 * tell(ctx, target, errno) is called for each that fails. */
void mounts_make(void (*tell)(void *ctx, const char *target, int error), void *ctx);

/* True if something is mounted exactly there. */
bool mounts_is_mount(const char *target);

/* For jobs: "WHAT: reason" on stdout. */
void mounts_say(const char *what, int error);

/* Unmounts everything below a folder, and the folder itself not. What is busy is detached. */
void mounts_below(const char *folder);

/* Unmounts what can be, last mounted first, and detaches the rest; the root becomes read-only. It is done in a child with a limit of time, because
 * sync and umount wait for ever for a pod's volume whose server is gone. wait(ctx) is called every now and then; other children are reaped.
 * HOST_NO: a file system stayed busy: its files are written, but it was not ended in order. HOST_BUSY: the time was over. */
enum host_answer mounts_end(uint64_t limit_ms, void (*wait)(void *ctx), void *ctx);

#endif
