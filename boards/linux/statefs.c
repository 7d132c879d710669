/*
 * statefs.c - see statefs.h: what is on the partition, and formatting it. Mounting it is in statelay.c.
 */
#include "boards/linux/statefs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/linux/blockdev.h"
#include "boards/linux/files.h"
#include "boards/linux/mounts.h"

enum { EDGE = 1024 * 1024, CHUNK = 16 * 1024, BLOCK = 4096 };

static const char mark[] = "joinboot: formatting began and did not end\n";

static uint64_t mark_at(const struct fsprobe_device *d)
{
    return (d->size & ~UINT64_C(4095)) - BLOCK;
}

static bool all_zero(const struct fsprobe_device *d, uint64_t from, uint64_t to, bool *ret)
{
    uint8_t chunk[CHUNK];

    *ret = false;
    for (uint64_t off = from; off < to; off += CHUNK) {
        size_t n = to - off < CHUNK ? (size_t)(to - off) : CHUNK;
        if (!d->read(d->ctx, off, chunk, n))
            return false;
        for (size_t i = 0; i < n; i++)
            if (chunk[i])
                return true;
    }
    *ret = true;
    return true;
}

enum err statefs_look(const struct fsprobe_device *d, enum statefs_kind *ret, struct fsprobe *ret_found)
{
    uint8_t there[sizeof(mark)];
    enum statefs_kind kind = STATEFS_FOREIGN;
    bool head, tail;

    if (d->size < STATEFS_MIN) {
        *ret = STATEFS_SMALL;
        return OK;
    }
    if (!d->read(d->ctx, mark_at(d), there, sizeof(there)))
        return ERR_STATE_MOUNT;
    fsprobe(d, ret_found);
    if (memcmp(there, mark, sizeof(mark)) == 0) {
        kind = STATEFS_HALF;
    } else if (ret_found->kind == FSPROBE_EXT4) {
        kind = strcmp(ret_found->label, STATEFS_LABEL) == 0 ? STATEFS_OURS : STATEFS_MARKED;
    } else if (ret_found->kind == FSPROBE_UNKNOWN) {
        if (!all_zero(d, 0, EDGE, &head) || !all_zero(d, d->size - EDGE, d->size, &tail))
            return ERR_STATE_MOUNT;
        kind = head && tail ? STATEFS_BLANK : STATEFS_FOREIGN;
    }
    *ret = kind;
    return OK;
}

static bool zero(int fd, uint64_t from, uint64_t to)
{
    const uint8_t zeros[BLOCK] = {0};

    for (uint64_t off = from; off < to; off += BLOCK) {
        size_t n = to - off < BLOCK ? (size_t)(to - off) : BLOCK;
        if (!files_pwrite(fd, span_of(zeros, n), off))
            return false;
    }
    return true;
}

/* The mark is durable before anything else changes, and what stood at the edges is gone before mke2fs begins: it clears only some of what other
 * file systems and volumes are recognised by. */
static bool prepare(struct blockdev *b)
{
    uint64_t at = mark_at(&b->io), size = b->io.size;

    return files_pwrite(b->fd, span_of(mark, sizeof(mark)), at) && fsync(b->fd) == 0 &&
           zero(b->fd, 0, EDGE) && zero(b->fd, size - EDGE, at) && zero(b->fd, at + BLOCK, size) &&
           fsync(b->fd) == 0;
}

/* The exit status of mke2fs, or -1. What it writes goes where our own output goes. */
static int run_mke2fs(const char *name, uint64_t size)
{
    char device[BLOCKDEV_NAME + 8], blocks[24];
    struct buf d = BUF_OF(device), n = BUF_OF(blocks);
    const char *const argv[] = {"mke2fs",
                                "-q",
                                "-F",
                                "-t",
                                "ext4",
                                "-b",
                                "4096",
                                "-m",
                                "1",
                                "-L",
                                STATEFS_LABEL,
                                "-E",
                                "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
                                device,
                                blocks,
                                NULL};
    int status;
    pid_t pid;

    buf_fmt(&d, "/dev/%s", name);
    buf_u8(&d, 0);
    buf_fmt(&n, "%llu", (unsigned long long)((size - EDGE) / BLOCK));
    buf_u8(&n, 0);
    pid = fork();
    if (pid == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        mounts_say("mke2fs, which the node image must have", errno);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static bool take_mark_away(struct blockdev *b)
{
    uint64_t at = mark_at(&b->io);

    return fsync(b->fd) == 0 && zero(b->fd, at, at + BLOCK) && fsync(b->fd) == 0;
}

int statefs_format(void *ctx, const char *const *argv)
{
    struct blockdev b;
    bool good;

    (void)ctx;
    if (!blockdev_open(&b, argv[0], true)) {
        mounts_say(argv[0], errno);
        return 1;
    }
    good = b.io.size >= STATEFS_MIN && prepare(&b);
    blockdev_close(&b); /* mke2fs claims it, too */
    if (!good) {
        mounts_say("clearing the partition", errno);
        return 1;
    }
    if (run_mke2fs(argv[0], b.io.size) != 0)
        return 1;
    good = blockdev_open(&b, argv[0], true) && take_mark_away(&b);
    if (!good)
        mounts_say("finishing the partition", errno);
    blockdev_close(&b);
    return good ? 0 : 1;
}

int statefs_check(void *ctx, const char *const *argv)
{
    char device[BLOCKDEV_NAME + 8];
    struct buf d = BUF_OF(device);
    const char *const program[] = {"e2fsck", "-p", device, NULL};

    (void)ctx;
    buf_fmt(&d, "/dev/%s%c", argv[0], 0);
    execvp(program[0], (char *const *)(uintptr_t)program);
    mounts_say("e2fsck, which the node image must have", errno);
    return 127;
}
