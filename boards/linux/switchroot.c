/*
 * switchroot.c - see switchroot.h.
 */
#include "boards/linux/switchroot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "boards/linux/files.h"
#include "boards/linux/mounts.h"
#include "boards/linux/sysfile.h"

#define PLACE SWITCHROOT_PLACE

int switchroot_mount(void *ctx, const char *const *argv)
{
    struct modules *m = ctx;
    int error = EBUSY;

    if (mkdir(PLACE, 0755) != 0 && errno != EEXIST) {
        mounts_say("folder " PLACE, errno);
        return 1;
    }
    if (mounts_is_mount(PLACE))
        return 0;
    (void)modules_load(m, argv[1]);
    if (mount(argv[0], PLACE, argv[1], MS_RDONLY, NULL) == 0)
        return 0;
    error = errno;
    if (error == ENODEV)
        (void)!write(STDOUT_FILENO, "the kernel has no driver for this file system: ", 47);
    mounts_say(argv[1], error);
    return 1;
}

static const char *const moved[] = {"/proc", "/sys", "/dev", "/run", "/tmp"};

/* Before anything moves: half a switch would leave a machine without /proc. */
static enum err check_image(struct fault *f)
{
    static const char *const more[] = {"/etc", "/var/lib", "/var/log"};
    char path[SYSFILE_PATH];
    struct stat st;

    for (size_t i = 0; i < COUNT(moved) + COUNT(more); i++) {
        const char *name = i < COUNT(moved) ? moved[i] : more[i - COUNT(moved)];
        if (lstat(sysfile_path(path, PLACE "%s", name), &st) != 0 || !S_ISDIR(st.st_mode))
            return fault_set(f, ERR_ROOT_MOUNT, "the node image has no folder %s", name);
    }
    return OK;
}

static int open_old(void)
{
    struct statfs fs;

    if (statfs("/", &fs) != 0 || (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC))
        return -1;
    return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

enum err switchroot_move(int *ret_old, struct fault *f)
{
    char path[SYSFILE_PATH];
    enum err e = check_image(f);
    int old;

    if (e)
        return e;
    /* A mount below a shared one cannot be moved. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return fault_set(f, ERR_ROOT_MOUNT, "mounts cannot be made private: %s", files_reason(errno));
    for (size_t i = 0; i < COUNT(moved); i++)
        if (mounts_is_mount(moved[i]) &&
            mount(moved[i], sysfile_path(path, PLACE "%s", moved[i]), NULL, MS_MOVE, NULL) != 0)
            return fault_set(f, ERR_ROOT_MOUNT, "moving %s: %s", moved[i], files_reason(errno));
    old = open_old();
    if (chdir(PLACE) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
        chdir("/") != 0) {
        fault_set(f, ERR_ROOT_MOUNT, "switching to the node image: %s", files_reason(errno));
        if (old >= 0)
            close(old);
        return ERR_ROOT_MOUNT;
    }
    *ret_old = old;
    return OK;
}
