/*
 * bootlog.h - the boot journal of the last five boots, as files: boot.0 is this boot, boot.4 the oldest. The beginning of a boot is what explains
 * it: when that file is full, the journal goes on in agent.log, which is rotated (logfile.h) and goes on over boots.
 *
 * What is written before the file system for it is there is kept in memory and comes first in the file. Nothing here ever fails for the caller:
 * what a full disk does not take is lost.
 */
#ifndef JOINBOOT_BOARDS_LINUX_BOOTLOG_H
#define JOINBOOT_BOARDS_LINUX_BOOTLOG_H

#include "boards/linux/logfile.h"

enum { BOOTLOG_BOOTS = 5, BOOTLOG_EARLY = 16 * 1024, BOOTLOG_MAX = 512 * 1024 };

struct bootlog {
    int fd; /* -1: none yet, or it is full */
    bool started;
    size_t n;         /* bytes in `early` */
    uint64_t written; /* bytes in the file */
    uint8_t early[BOOTLOG_EARLY];
    char rest_path[LOGFILE_PATH];
    struct logfile rest; /* what boot.0 has no room for */
};

void bootlog_init(struct bootlog *b);

/* A part of the journal, as it goes to the console. boot.0 ends at BOOTLOG_MAX bytes. */
void bootlog_put(struct bootlog *b, struct span text);

/* Makes the folder, renames the files of earlier boots by one, and begins boot.0 with what was kept. */
void bootlog_start(struct bootlog *b, const char *folder);
void bootlog_stop(struct bootlog *b);

#endif
