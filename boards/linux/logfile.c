/*
 * logfile.c - see logfile.h.
 */
#include "boards/linux/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

void logfile_init(struct logfile *l)
{
    *l = (struct logfile){.fd = -1};
}

static void open_file(struct logfile *l)
{
    struct stat st;

    l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
    l->n = l->fd >= 0 && fstat(l->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void logfile_open(struct logfile *l, const char *path, uint64_t max)
{
    struct statfs fs;

    logfile_close(l);
    if (span_to_cstr(span_str(path), l->path, sizeof(l->path)))
        return;
    open_file(l);
    l->max = max;
    if (l->fd < 0 || max)
        return;
    l->max = LOGFILE_DISK;
    if (fstatfs(l->fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
        l->max = LOGFILE_MEMORY;
}

static void rotate(struct logfile *l)
{
    char old[SYSFILE_PATH];

    close(l->fd);
    if (rename(l->path, sysfile_path(old, "%s.1", l->path)) != 0)
        (void)unlink(l->path);
    open_file(l);
}

void logfile_write(struct logfile *l, struct span text)
{
    if (l->fd >= 0 && l->n > 0 && l->n + text.n > l->max)
        rotate(l);
    while (l->fd >= 0 && text.n > 0) {
        ssize_t put = write(l->fd, text.p, text.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return;
        l->n += (uint64_t)put;
        text = span_sub(text, (size_t)put, text.n - (size_t)put);
    }
}

void logfile_close(struct logfile *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
