/*
 * blockdev.c - see blockdev.h.
 */
#include "boards/linux/blockdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/sysfile.h"

#define CLASS "/sys/class/block"

static bool read_at(void *ctx, uint64_t off, void *ret, size_t n)
{
    const struct blockdev *b = ctx;
    uint8_t *p = ret;

    while (n > 0) {
        ssize_t got = pread(b->fd, p, n, (off_t)off);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        off += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

bool blockdev_open(struct blockdev *b, const char *name, bool write)
{
    char path[SYSFILE_PATH];
    int flags = write ? O_RDWR | O_EXCL : O_RDONLY | O_NONBLOCK; /* a drive without a disk must not block */
    uint64_t size = 0;

    b->fd = open(sysfile_path(path, "/dev/%s", name), flags | O_CLOEXEC);
    if (b->fd < 0)
        return false;
    if (sysfile_ioctl(b->fd, BLKGETSIZE64, &size) != 0) {
        int saved = errno;
        close(b->fd);
        b->fd = -1;
        errno = saved;
        return false;
    }
    b->io = (struct fsprobe_device){.ctx = b, .read = read_at, .size = size};
    return true;
}

void blockdev_close(struct blockdev *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}

/* The disk of a partition: /sys/class/block/vda2 points to .../block/vda/vda2. */
static bool disk_of(const char *name, char ret[static BLOCKDEV_NAME])
{
    char path[SYSFILE_PATH], link[SYSFILE_PATH];
    ssize_t n = readlink(sysfile_path(path, CLASS "/%s", name), link, sizeof(link));
    size_t end, at;

    if (n <= 0 || (size_t)n >= sizeof(link))
        return false;
    for (end = (size_t)n; end > 0 && link[end - 1] != '/'; end--)
        ;
    if (end == 0)
        return false;
    for (at = --end; at > 0 && link[at - 1] != '/'; at--)
        ;
    return !span_to_cstr(span_of(link + at, end - at), ret, BLOCKDEV_NAME);
}

static bool read_partition(const char *name, struct fsprobe_partition *ret)
{
    char path[SYSFILE_PATH], disk[BLOCKDEV_NAME];
    uint64_t number = sysfile_u64(sysfile_path(path, CLASS "/%s/partition", name), 0);
    uint64_t block;
    struct blockdev b;
    bool good;

    if (number == 0 || number > 4096 || !disk_of(name, disk) || !blockdev_open(&b, disk, false))
        return false;
    block = sysfile_u64(sysfile_path(path, CLASS "/%s/queue/logical_block_size", disk), 512);
    good = block >= 512 && block <= 65536 && fsprobe_partition(&b.io, (unsigned)block, (unsigned)number, ret);
    blockdev_close(&b);
    return good;
}

static bool is_on_device(struct blockdev_search *s, const char *name, bool by_label, struct span want)
{
    struct fsprobe p;
    struct blockdev b;

    if (!blockdev_open(&b, name, false))
        return false;
    fsprobe(&b.io, &p);
    blockdev_close(&b);
    if ((p.kind == FSPROBE_LVM2 || p.kind == FSPROBE_LUKS || p.kind == FSPROBE_MD) &&
        !span_to_cstr(span_str(name), s->volume, sizeof(s->volume)))
        s->volume_kind = p.kind;
    return by_label ? span_is(want, p.label) : p.uuid[0] && span_is_nocase(want, p.uuid);
}

static bool is_it(struct blockdev_search *s, const char *name, struct span spec)
{
    struct fsprobe_partition part;
    struct span key, want = spec;

    if (span_starts(spec, "/dev/"))
        return span_is(span_sub(spec, 5, spec.n), name);
    key = span_cut(&want, '=');
    if (want.n == 0)
        return false;
    if (span_is(key, "PARTLABEL"))
        return read_partition(name, &part) && span_is(want, part.name);
    if (span_is(key, "PARTUUID"))
        return read_partition(name, &part) && span_is_nocase(want, part.uuid);
    return (span_is(key, "LABEL") || span_is(key, "UUID")) &&
           is_on_device(s, name, span_is(key, "LABEL"), want);
}

/* Opening an empty floppy drive takes seconds. */
static bool is_candidate(const char *name)
{
    static const char *const not [] = {"loop", "ram", "zram", "dm-", "md", "fd", "nbd", "mtdblock"};
    char path[SYSFILE_PATH];

    for (size_t i = 0; i < COUNT(not ); i++)
        if (span_starts(span_str(name), not [i]))
            return false;
    return strlen(name) < BLOCKDEV_NAME && strchr(name, '!') == NULL &&
           sysfile_u64(sysfile_path(path, CLASS "/%s/size", name), 0) > 0;
}

/* What a symbolic link such as /dev/disk/by-id/... stands for; there are none unless something made them. */
static enum host_answer find_path(const char *spec, char ret_name[static BLOCKDEV_NAME])
{
    struct stat st;

    if (stat(spec, &st) != 0 || !S_ISBLK(st.st_mode))
        return HOST_NO;
    return span_to_cstr(span_str(spec + strlen("/dev/")), ret_name, BLOCKDEV_NAME) ? HOST_NO : HOST_YES;
}

static void note(struct blockdev_search *s, const char *name)
{
    char *place = s->found[0] ? s->other : s->found;

    if (!s->other[0])
        (void)!span_to_cstr(span_str(name), place, BLOCKDEV_NAME);
}

enum host_answer blockdev_find(struct blockdev_search *s, const char *spec,
                               char ret_name[static BLOCKDEV_NAME])
{
    uint64_t end = clock_now_ms() + BLOCKDEV_SLICE_MS;
    struct sysfile_dir d;
    const char *name;
    unsigned i = 0;

    if (span_starts(span_str(spec), "/dev/"))
        return find_path(spec, ret_name);
    if (s->at == 0)
        *s = (struct blockdev_search){0};
    if (!sysfile_dir_open(&d, CLASS))
        return HOST_NO;
    while ((name = sysfile_dir_next(&d)) != NULL) {
        if (i++ < s->at)
            continue;
        s->at = i;
        if (is_candidate(name) && is_it(s, name, span_str(spec)))
            note(s, name);
        if (clock_now_ms() >= end)
            break;
    }
    sysfile_dir_close(&d);
    if (name)
        return HOST_BUSY;
    s->at = 0;
    if (!s->found[0] || s->other[0])
        return HOST_NO;
    memcpy(ret_name, s->found, BLOCKDEV_NAME);
    return HOST_YES;
}
