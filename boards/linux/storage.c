/*
 * storage.c - see storage.h.
 */
#include "boards/linux/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/files.h"
#include "boards/linux/sysfile.h"

static bool inside(const struct storage_file *s, uint32_t off, uint32_t n)
{
    return off <= s->ops.size && n <= s->ops.size - off;
}

static bool open_file(struct storage_file *s, const char *path, bool make, struct fault *f);

/* Opens what storage_later left to be opened; without `make` a file that is not there stays so. */
static bool is_open(struct storage_file *s, bool make)
{
    struct fault f = {0};

    return s->fd >= 0 || (s->path && open_file(s, s->path, make, &f));
}

static enum err storage_read(void *ctx, uint32_t off, void *ret, uint32_t n)
{
    struct storage_file *s = ctx;
    uint8_t *p = ret;

    if (!inside(s, off, n) || !is_open(s, false))
        return ERR_STORE_IO;
    if (s->fd < 0) {
        memset(p, 0xff, n);
        return OK;
    }
    while (n > 0) {
        ssize_t got = pread(s->fd, p, n, (off_t)off);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ERR_STORE_IO;
        p += got;
        off += (uint32_t)got;
        n -= (uint32_t)got;
    }
    return OK;
}

static enum err storage_prog(void *ctx, uint32_t off, const void *p, uint32_t n)
{
    struct storage_file *s = ctx;

    if (!inside(s, off, n) || !is_open(s, true))
        return ERR_STORE_IO;
    return files_pwrite(s->fd, span_of(p, n), off) ? OK : ERR_STORE_IO;
}

static enum err storage_erase(void *ctx, uint32_t off, uint32_t n)
{
    uint8_t blank[4096];

    memset(blank, 0xff, sizeof(blank));
    if (!inside(ctx, off, n))
        return ERR_STORE_IO;
    for (uint32_t step; n > 0; off += step, n -= step) {
        step = n < sizeof(blank) ? n : (uint32_t)sizeof(blank);
        if (storage_prog(ctx, off, blank, step))
            return ERR_STORE_IO;
    }
    return OK;
}

static enum err storage_sync(void *ctx)
{
    const struct storage_file *s = ctx;

    return s->fd < 0 || fdatasync(s->fd) == 0 ? OK : ERR_STORE_IO;
}

/* A new blank file, visible under its name only when it is whole. */
static bool create(struct storage_file *s, const char *path)
{
    char temp[SYSFILE_PATH];

    if (!sysfile_path(temp, "%s.new", path)[0])
        return false;
    s->fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return false;
    return !storage_erase(s, 0, s->ops.size) && fsync(s->fd) == 0 && rename(temp, path) == 0 &&
           files_sync_parent(path);
}

static bool open_file(struct storage_file *s, const char *path, bool make, struct fault *f)
{
    struct stat st;

    if (make && !files_make_parents(path)) {
        fault_set(f, ERR_STORE_IO, "the folder of %s cannot be made: %s", path, files_reason(errno));
        return false;
    }
    s->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (s->fd < 0 && errno == ENOENT && !make)
        return true;
    if (s->fd < 0 && (errno != ENOENT || !create(s, path))) {
        fault_set(f, ERR_STORE_IO, "%s: %s", path, files_reason(errno));
        goto fail;
    }
    if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != s->ops.size) {
        fault_set(f, ERR_STORE_IO, "%s is not a state file of %u bytes", path, (unsigned)s->ops.size);
        goto fail;
    }
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0) {
        fault_set(f, ERR_STORE_IO, "%s is in use by another joinboot", path);
        goto fail;
    }
    return true;
fail:
    storage_close(s);
    return false;
}

void storage_later(struct storage_file *s, const char *path, uint32_t size)
{
    *s = (struct storage_file){
        .fd = -1,
        .path = path,
        .ops = {.ctx = s,
                .prog_size = 1,
                .erase_size = STORAGE_ERASE,
                .size = size,
                .read = storage_read,
                .prog = storage_prog,
                .erase = storage_erase,
                .sync = storage_sync},
    };
}

enum err storage_open(struct storage_file *s, const char *path, struct fault *f)
{
    storage_later(s, NULL, STORAGE_SIZE);
    return open_file(s, path, true, f) ? OK : ERR_STORE_IO;
}

void storage_close(struct storage_file *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}
