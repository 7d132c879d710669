/*
 * wipe.h - removes everything below folders, durably, and nothing else.
 *
 * Invariant: only names below the folder, on the folder's own file system, are removed. A symbolic link is removed and never followed; where
 * another file system is mounted and cannot be unmounted, its content stays.
 */
#ifndef JOINBOOT_BOARDS_LINUX_WIPE_H
#define JOINBOOT_BOARDS_LINUX_WIPE_H

#include "firmware/base/base.h"

/* A job (spawn.h). folders ends with NULL; a missing one is fine. What is mounted below a folder is unmounted first; each file system is synced at
 * the end. Says on stdout what could not be removed. 0: everything is gone. ctx is not used. */
int wipe_folders(void *ctx, const char *const *folders);

/* The same below an open folder, without unmounting anything. Returns how many names could not be removed. */
unsigned wipe_below(int folder);

#endif
