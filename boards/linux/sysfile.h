/*
 * sysfile.h - small files of /sys and /proc, and folders, without stdio and without allocation.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SYSFILE_H
#define JOINBOOT_BOARDS_LINUX_SYSFILE_H

#include "firmware/base/span.h"

enum { SYSFILE_PATH = 320, SYSFILE_NAME = 256 };

/* Formats a path; one that does not fit becomes empty, which no file has. Returns ret. */
const char *sysfile_path(char ret[static SYSFILE_PATH], const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The whole file. ERR_STORE_EMPTY if it is missing, ERR_LIMIT if it is larger than cap, ERR_IO otherwise (errno tells). */
enum err sysfile_read(const char *path, void *ret, size_t cap, size_t *ret_n) MUST_USE;

/* The file as a zero-terminated text without white space at its ends. False if it is missing, unreadable or too large. */
bool sysfile_text(const char *path, char *ret, size_t cap);

/* The file as an unsigned decimal number; `none` if it is not one. */
uint64_t sysfile_u64(const char *path, uint64_t none);

/* One write(2) of the text to an existing file. ERR_IO; errno tells why. */
enum err sysfile_write(const char *path, const char *text) MUST_USE;

bool sysfile_exists(const char *path);

/* ioctl(2) past the C library, whose declarations differ in the request's type. As the system call: -1 with errno. */
int sysfile_ioctl(int fd, unsigned long request, void *arg);

struct sysfile_dir {
    int fd;
    size_t n, off;
    _Alignas(8) uint8_t raw[2048];
};

/* Reads a folder with getdents64: opendir() would allocate. False if it cannot be opened. */
bool sysfile_dir_open(struct sysfile_dir *d, const char *path);
/* The same for a path from an open folder (openat(2)). */
bool sysfile_dir_open_at(struct sysfile_dir *d, int folder, const char *path);
/* The next name except . and .., valid until the next call; NULL at the end. */
const char *sysfile_dir_next(struct sysfile_dir *d);
void sysfile_dir_close(struct sysfile_dir *d);

#endif
