/*
 * logfile.h - a log in two generations: PATH, and PATH.1 with what came before it.
 *
 * Writing never fails for the caller: what a full disk does not take is lost, and what comes later is written again when there is room.
 */
#ifndef JOINBOOT_BOARDS_LINUX_LOGFILE_H
#define JOINBOOT_BOARDS_LINUX_LOGFILE_H

#include "firmware/base/span.h"

enum { LOGFILE_PATH = 64, LOGFILE_DISK = 10 * 1024 * 1024, LOGFILE_MEMORY = 1024 * 1024 };

struct logfile {
    int fd; /* -1: closed */
    uint64_t n, max;
    char path[LOGFILE_PATH];
};

/* Closed, and ready to be opened. */
void logfile_init(struct logfile *l);

/* Opens the file, or makes it; its folder must be there. max: bytes of a generation; 0: LOGFILE_DISK, or LOGFILE_MEMORY if the file lies in
 * memory. Without a file, writing does nothing. */
void logfile_open(struct logfile *l, const char *path, uint64_t max);
void logfile_write(struct logfile *l, struct span text);
void logfile_close(struct logfile *l);

#endif
