/*
 * files.h - files that survive a power cut whole: written beside their place, synced, renamed, and the folder synced.
 */
#ifndef JOINBOOT_BOARDS_LINUX_FILES_H
#define JOINBOOT_BOARDS_LINUX_FILES_H

#include "firmware/base/fault.h"

/* Replaces path by data with exactly this mode, whatever the umask. Missing parents are made first: 0755, /var/lib/kubelet and below 0700.
 * Afterwards the path holds the old or the new bytes, also after a power cut. ERR_FILE. */
enum err files_write(const char *path, unsigned mode, struct span data, struct fault *f) MUST_USE;

/* ERR_STORE_EMPTY if there is none, ERR_LIMIT if it is larger than cap, ERR_FILE. */
enum err files_read(const char *path, uint8_t *ret, size_t cap, size_t *ret_n) MUST_USE;

/* Removes a regular file durably; a missing one is fine. With `secret` its bytes are overwritten and synced first. ERR_FILE. */
enum err files_remove(const char *path, bool secret, struct fault *f) MUST_USE;

/* The name of the n-th (from 0) regular file of a folder in the order of strcmp. ERR_STORE_EMPTY: there is none. ERR_LIMIT: it does not fit. */
enum err files_name(const char *folder, unsigned n, char *ret, size_t cap) MUST_USE;

/* Makes the folders above path and syncs each new name. False with errno. */
bool files_make_parents(const char *path);
/* Makes the name of path durable. False with errno. */
bool files_sync_parent(const char *path);
/* Writes all bytes at an offset. False with errno. */
bool files_pwrite(int fd, struct span data, uint64_t off);

/* A short English text for an errno; static. */
const char *files_reason(int error);

#endif
