/*
 * wipe.c - see wipe.h.
 */
#include "boards/linux/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/files.h"
#include "boards/linux/mounts.h"
#include "boards/linux/sysfile.h"

enum { DEPTH = 100 };

struct wipe {
    int top; /* the folder below which all goes */
    dev_t device;
    unsigned moved;
};

static unsigned wipe_one(struct wipe *w, int folder, const char *name, unsigned depth);

/* Everything below an open folder. Names are read again until none is left that can go: removing while reading may skip some. */
static unsigned wipe_level(struct wipe *w, int folder, unsigned depth)
{
    unsigned left = 0, gone = 1;

    while (gone > 0) {
        struct sysfile_dir d;
        const char *name;
        gone = left = 0;
        if (!sysfile_dir_open_at(&d, folder, "."))
            return 1;
        while ((name = sysfile_dir_next(&d)) != NULL) {
            unsigned stayed = wipe_one(w, folder, name, depth);
            left += stayed;
            gone += stayed == 0;
        }
        sysfile_dir_close(&d);
    }
    return left;
}

/* A pod may have made folders deeper than any stack: what is too deep is moved to the top, whose names are read again. */
static bool move_up(struct wipe *w, int folder, const char *name)
{
    char to[48];
    struct buf b = BUF_OF(to);

    buf_fmt(&b, "joinboot-wipe-%u", w->moved++);
    buf_u8(&b, 0);
    return renameat(folder, name, w->top, to) == 0;
}

/* O_NOFOLLOW, and the device compared after the open: what is swapped for a link or a mount in between is not entered. */
static unsigned wipe_one(struct wipe *w, int folder, const char *name, unsigned depth)
{
    struct stat st;
    unsigned left;
    int fd;

    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return 1;
    if (depth == 0)
        return move_up(w, folder, name) ? 0 : 1;
    fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return 1;
    if (fstat(fd, &st) != 0 || st.st_dev != w->device) {
        close(fd);
        return 1;
    }
    left = wipe_level(w, fd, depth - 1);
    close(fd);
    return left || unlinkat(folder, name, AT_REMOVEDIR) == 0 ? left : 1;
}

unsigned wipe_below(int folder)
{
    struct wipe w = {.top = folder};
    struct stat st;

    if (fstat(folder, &st) != 0)
        return 1;
    w.device = st.st_dev;
    return wipe_level(&w, folder, DEPTH);
}

static void tell(const char *folder, const char *what)
{
    char text[SYSFILE_PATH + 80];
    struct buf b = BUF_OF(text);

    buf_fmt(&b, "%s: %s\n", folder, what);
    (void)!write(STDOUT_FILENO, b.p, b.n);
}

static bool wipe_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    unsigned left;
    bool synced;

    if (fd < 0) {
        if (errno == ENOENT)
            return true;
        tell(folder, files_reason(errno));
        return false;
    }
    mounts_below(folder);
    left = wipe_below(fd);
    synced = syncfs(fd) == 0;
    close(fd);
    if (left)
        tell(folder, "not all of it could be removed");
    else if (!synced)
        tell(folder, "what was removed may be back after a power cut");
    return left == 0 && synced;
}

int wipe_folders(void *ctx, const char *const *folders)
{
    int status = 0;

    (void)ctx;
    for (; *folders; folders++)
        status = wipe_folder(*folders) ? status : 1;
    return status;
}
