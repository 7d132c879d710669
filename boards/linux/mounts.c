/*
 * mounts.c - see mounts.h.
 */
#include "boards/linux/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/signals.h"
#include "boards/linux/statefs.h"
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
bool mounts_is_mount(const char *target)
{
    char up[SYSFILE_PATH];
    struct stat a, b;

    return stat(target, &a) == 0 && stat(sysfile_path(up, "%s/..", target), &b) == 0 && a.st_dev != b.st_dev;
}

void mounts_say(const char *what, int error)
{
    char text[SYSFILE_PATH];
    struct buf b = BUF_OF(text);

    buf_fmt(&b, "%s: %s\n", what, files_reason(error));
    (void)!write(STDOUT_FILENO, b.p, b.n);
}

static int mount_one(const struct mount_row *r)
{
    (void)mkdir(r->target, (mode_t)r->mode);
    if (mounts_is_mount(r->target))
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

/* What one pass over the mounts does. */
struct pass {
    const char *below; /* only mounts below this folder; NULL: all but those of proc, sys and dev */
    bool detach;
    unsigned done, busy;
};

static bool concerns(const struct pass *p, const char *target)
{
    size_t n;

    if (!p->below)
        return strcmp(target, "/") != 0 && strncmp(target, "/proc", 5) != 0 &&
               strncmp(target, "/sys", 4) != 0 && strncmp(target, "/dev", 4) != 0;
    n = strlen(p->below);
    while (n > 0 && p->below[n - 1] == '/')
        n--;
    return strncmp(target, p->below, n) == 0 && target[n] == '/';
}

static void unmount_line(struct pass *p, struct span line)
{
    char target[SYSFILE_PATH];

    if (!target_of(line, target) || !concerns(p, target))
        return;
    if (umount2(target, (p->detach ? MNT_DETACH : 0) | UMOUNT_NOFOLLOW) == 0)
        p->done++;
    else if (errno == EBUSY)
        p->busy++;
}

/* The lines of a window of the file, the last one first. Returns how many bytes at its start belong to a line that began before it. */
static size_t unmount_window(struct pass *p, struct span all, bool is_first)
{
    size_t head = is_first ? 0 : span_find(all, '\n') + 1;

    if (head > all.n)
        return all.n;
    while (all.n > head) {
        size_t at = all.n - 1;
        while (at > head && all.p[at - 1] != '\n')
            at--;
        unmount_line(p, span_sub(all, at, all.n - at));
        all = span_sub(all, 0, at);
    }
    return head;
}

static size_t file_size(int fd)
{
    char drop[4096];
    size_t n = 0;
    ssize_t got;

    while ((got = read(fd, drop, sizeof(drop))) > 0)
        n += (size_t)got;
    return n;
}

/* From the end of the list to its start: what was mounted last goes first. A node with many pods has a list of hundreds of kilobytes; it is read
 * in windows. Unmounting changes only what stands behind the place that is read next, or takes away from it: then the next pass finds the rest. */
static void unmount_pass(struct pass *p)
{
    char window[16 * 1024];
    int fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
    size_t end;

    p->done = p->busy = 0;
    if (fd < 0)
        return;
    end = file_size(fd);
    while (end > 0) {
        size_t from = end > sizeof(window) ? end - sizeof(window) : 0, head;
        ssize_t got = pread(fd, window, end - from, (off_t)from);
        if (got <= 0)
            break;
        head = unmount_window(p, span_of(window, (size_t)got), from == 0);
        /* A line longer than the window is given up. */
        end = from + (head < (size_t)got ? head : 0);
    }
    close(fd);
}

void mounts_below(const char *folder)
{
    struct pass p = {.below = folder};

    for (int i = 0; i < 64; i++) {
        unmount_pass(&p);
        if (p.done == 0)
            break;
    }
    p.detach = true;
    unmount_pass(&p);
}

static void sleep_ms(long ms)
{
    (void)ppoll(NULL, 0, &(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Our own files first: no other file system can hold them up. */
static void sync_own(void)
{
    static const char *const folders[] = {STATEFS_PLACE, "/"};

    for (size_t i = 0; i < COUNT(folders); i++) {
        int fd = open(folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue;
        (void)syncfs(fd);
        close(fd);
    }
}

/* What the machine's own disk takes to write has nothing to do with pods' volumes. */
static bool sync_all_own(void)
{
    sync_own();
    return true;
}

static bool end_all(void)
{
    enum { ATTEMPTS = 100 };
    struct pass p = {0};
    unsigned busy;

    sync();
    for (int i = 0; i < ATTEMPTS; i++) {
        unmount_pass(&p);
        if (p.busy == 0 && p.done == 0)
            break;
        /* The kernel ends the mount namespaces of killed containers a moment later. */
        if (p.done == 0)
            sleep_ms(20);
    }
    busy = p.busy;
    p.detach = true;
    for (int i = 0; busy && i < 4; i++)
        unmount_pass(&p);
    (void)mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    sync();
    return busy == 0;
}

/* In a child, which has none of PID 1's handlers. */
static enum host_answer in_child(bool (*run)(void), uint64_t limit_ms, void (*wait)(void *ctx), void *ctx)
{
    uint64_t end = clock_now_ms() + limit_ms;
    pid_t pid = fork(), got;
    int status;

    if (pid == 0) {
        signals_default();
        _exit(run() ? 0 : 1);
    }
    if (pid < 0)
        return run() ? HOST_YES : HOST_NO;
    while (clock_now_ms() < end) {
        while ((got = waitpid(-1, &status, WNOHANG)) > 0)
            if (got == pid)
                return status == 0 ? HOST_YES : HOST_NO;
        wait(ctx);
        sleep_ms(20);
    }
    return HOST_BUSY;
}

enum host_answer mounts_end(uint64_t limit_ms, void (*wait)(void *ctx), void *ctx)
{
    enum { OWN_MS = 10 * 60 * 1000 };

    (void)in_child(sync_all_own, OWN_MS, wait, ctx);
    return in_child(end_all, limit_ms, wait, ctx);
}
