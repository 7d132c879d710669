/*
 * mounts.c - see mounts.h.
 */
#include "boards/linux/mounts.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

struct mount_row {
    const char *type, *target, *options;
    unsigned long flags;
    unsigned mode;          /* of the folder that is made */
    bool optional;          /* kernels and machines without it are fine */
    const char *or_options; /* for kernels that do not know one of the options; NULL: none */
};

/* In this order: each may need the one before. */
static const struct mount_row rows[] = {
    {.type = "proc", .target = "/proc", .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC, .mode = 0555},
    {.type = "sysfs", .target = "/sys", .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC, .mode = 0555},
    {.type = "devtmpfs", .target = "/dev", .options = "mode=0755", .flags = MS_NOSUID, .mode = 0755},
    {.type = "devpts",
     .target = "/dev/pts",
     .options = "mode=0620,ptmxmode=0666,gid=5",
     .flags = MS_NOSUID | MS_NOEXEC,
     .mode = 0755},
    {.type = "tmpfs",
     .target = "/dev/shm",
     .options = "mode=1777",
     .flags = MS_NOSUID | MS_NODEV,
     .mode = 01777},
    {.type = "tmpfs", .target = "/run", .options = "mode=0755", .flags = MS_NOSUID | MS_NODEV, .mode = 0755},
    {.type = "tmpfs", .target = "/tmp", .options = "mode=1777", .flags = MS_NOSUID | MS_NODEV, .mode = 01777},
    {.type = "cgroup2",
     .target = "/sys/fs/cgroup",
     .options = "nsdelegate,memory_recursiveprot",
     .or_options = "",
     .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC,
     .mode = 0755},
    {.type = "bpf",
     .target = "/sys/fs/bpf",
     .options = "mode=0700",
     .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC,
     .mode = 0700,
     .optional = true},
    {.type = "efivarfs",
     .target = "/sys/firmware/efi/efivars",
     .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
     .mode = 0700,
     .optional = true},
};

/* A mount point is on another device than its parent. */
static bool is_mounted(const char *target)
{
    char up[SYSFILE_PATH];
    struct stat a, b;

    return stat(target, &a) == 0 && stat(sysfile_path(up, "%s/..", target), &b) == 0 && a.st_dev != b.st_dev;
}

static int mount_one(const struct mount_row *r)
{
    (void)mkdir(r->target, (mode_t)r->mode);
    if (is_mounted(r->target))
        return 0;
    if (mount(r->type, r->target, r->type, r->flags, r->options) == 0)
        return 0;
    if (r->or_options && mount(r->type, r->target, r->type, r->flags, r->or_options) == 0)
        return 0;
    return errno;
}

void mounts_make(void (*tell)(void *ctx, const char *target, int error), void *ctx)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        int error = mount_one(&rows[i]);
        if (error && !rows[i].optional)
            tell(ctx, rows[i].target, error);
    }
    (void)symlink("/proc/self/fd", "/dev/fd");
    (void)symlink("fd/0", "/dev/stdin");
    (void)symlink("fd/1", "/dev/stdout");
    (void)symlink("fd/2", "/dev/stderr");
    if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) != 0)
        tell(ctx, "/ (shared)", errno);
}

/* The target in a line of /proc/mounts: the second word, with octal escapes undone. */
static bool target_of(struct span line, char ret[static SYSFILE_PATH])
{
    struct span t;
    size_t n = 0;

    (void)span_cut(&line, ' ');
    t = span_cut(&line, ' ');
    for (size_t i = 0; i < t.n && n + 1 < SYSFILE_PATH; i++) {
        uint8_t c = t.p[i];
        if (c == '\\' && t.n - i > 3) {
            c = (uint8_t)((t.p[i + 1] & 7) << 6 | (t.p[i + 2] & 7) << 3 | (t.p[i + 3] & 7));
            i += 3;
        }
        ret[n++] = (char)c;
    }
    ret[n] = 0;
    return n > 0;
}

static void unmount_once(void)
{
    char text[8192], target[SYSFILE_PATH];
    size_t n = 0;
    struct span all;

    if (sysfile_read("/proc/mounts", text, sizeof(text), &n) == ERR_LIMIT)
        n = sizeof(text);
    all = span_of(text, n);
    while (all.n > 0) {
        /* The last line first. */
        size_t at = all.n;
        while (at > 0 && all.p[at - 1] != '\n')
            at--;
        if (target_of(span_sub(all, at, all.n), target) && strcmp(target, "/") != 0 &&
            strncmp(target, "/proc", 5) != 0 && strncmp(target, "/dev", 4) != 0)
            (void)umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
        all = at > 0 ? span_sub(all, 0, at - 1) : (struct span){0};
    }
}

void mounts_end(void)
{
    sync();
    unmount_once();
    (void)mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    sync();
}
