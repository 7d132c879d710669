/*
 * sysfile.c - see sysfile.h.
 */
#include "boards/linux/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "firmware/base/text.h"

const char *sysfile_path(char ret[static SYSFILE_PATH], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(ret, SYSFILE_PATH, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= SYSFILE_PATH)
        ret[0] = 0;
    return ret;
}

enum err sysfile_read(const char *path, void *ret, size_t cap, size_t *ret_n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_STORE_EMPTY : ERR_IO;
    uint8_t *p = ret;
    size_t n = 0;
    enum err e = OK;
    for (;;) {
        uint8_t more;
        /* With the buffer full, one more byte tells a file of exactly cap bytes from a larger one. */
        ssize_t got = n < cap ? read(fd, p + n, cap - n) : read(fd, &more, 1);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || n == cap) {
            e = got < 0 ? ERR_IO : ERR_LIMIT;
            break;
        }
        n += (size_t)got;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    if (e == OK)
        *ret_n = n;
    return e;
}

bool sysfile_text(const char *path, char *ret, size_t cap)
{
    char raw[4096];
    size_t n;
    if (sysfile_read(path, raw, sizeof raw, &n))
        return false;
    return !span_to_cstr(span_trim(span_of(raw, n)), ret, cap);
}

uint64_t sysfile_u64(const char *path, uint64_t none)
{
    char text[32];
    uint64_t v;
    if (!sysfile_text(path, text, sizeof text) || text_u64(span_str(text), UINT64_MAX, &v))
        return none;
    return v;
}

enum err sysfile_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return ERR_IO;
    size_t n = strlen(text);
    ssize_t put = write(fd, text, n);
    int saved = put < 0 ? errno : EIO;
    close(fd);
    if (put >= 0 && (size_t)put == n)
        return OK;
    errno = saved;
    return ERR_IO;
}

bool sysfile_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int sysfile_ioctl(int fd, unsigned long request, void *arg)
{
    return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* What the kernel writes for each name (getdents64(2)). */
struct sysfile_entry {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

bool sysfile_dir_open_at(struct sysfile_dir *d, int folder, const char *path)
{
    d->n = d->off = 0;
    d->fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return d->fd >= 0;
}

bool sysfile_dir_open(struct sysfile_dir *d, const char *path)
{
    return sysfile_dir_open_at(d, AT_FDCWD, path);
}

const char *sysfile_dir_next(struct sysfile_dir *d)
{
    for (;;) {
        if (d->off >= d->n) {
            long got = syscall(SYS_getdents64, d->fd, d->raw, sizeof d->raw);
            if (got <= 0)
                return NULL;
            d->n = (size_t)got;
            d->off = 0;
        }
        const struct sysfile_entry *e = (const void *)(d->raw + d->off);
        d->off += e->reclen;
        if (strcmp(e->name, ".") != 0 && strcmp(e->name, "..") != 0)
            return e->name;
    }
}

void sysfile_dir_close(struct sysfile_dir *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}
