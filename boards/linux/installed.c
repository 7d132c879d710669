/*
 * installed.c - see installed.h.
 */
#include "boards/linux/installed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/files.h"
#include "boards/linux/mounts.h"
#include "boards/linux/signals.h"
#include "boards/linux/switchroot.h"
#include "boards/linux/sysctl.h"
#include "boards/linux/sysfile.h"
#include "boards/linux/system.h"

#define LOWER "/run/joinboot/lower"
#define UPPER "/run/joinboot/upper"

bool installed_can(enum fsprobe_kind kind)
{
    return kind == FSPROBE_EXT4 || kind == FSPROBE_XFS || kind == FSPROBE_BTRFS ||
           installed_is_read_only(kind);
}

bool installed_is_read_only(enum fsprobe_kind kind)
{
    return kind == FSPROBE_EROFS || kind == FSPROBE_SQUASHFS;
}

static int failed(const char *what, int error)
{
    mounts_say(what, error);
    return 1;
}

static bool make_folder(const char *path, unsigned mode)
{
    return files_make_parents(path) && (mkdir(path, (mode_t)mode) == 0 || errno == EEXIST);
}

/* Distributions put the root of a btrfs into a subvolume of one of these names; without one it is the default. */
static int mount_writable(const char *device, const char *type, const char *place)
{
    static const char *const btrfs[] = {"subvol=@rootfs", "subvol=@", "", NULL};
    static const char *const plain[] = {"", NULL};
    const char *const *options = strcmp(type, "btrfs") == 0 ? btrfs : plain;
    int error = 0;

    for (; *options; options++) {
        if (mount(device, place, type, 0, *options) == 0)
            return 0;
        error = errno;
    }
    return error;
}

/* These are written to by programs that cannot work on an overlay. */
static int bind_apart(const char *folder, unsigned mode)
{
    char from[SYSFILE_PATH], to[SYSFILE_PATH];
    const char *slash = strrchr(folder, '/');

    sysfile_path(from, UPPER "/apart/%s", slash + 1);
    sysfile_path(to, SWITCHROOT_PLACE "%s", folder);
    if (!make_folder(from, mode) || !make_folder(to, mode) || mount(from, to, NULL, MS_BIND, NULL) != 0)
        return failed(folder, errno);
    return 0;
}

static int mount_overlay(struct modules *m, const char *const *argv)
{
    static const char options[] = "lowerdir=" LOWER ",upperdir=" UPPER "/changes,workdir=" UPPER "/work";
    int error;

    (void)modules_load(m, "overlay");
    if (!make_folder(LOWER, 0755) || !make_folder(UPPER, 0755))
        return failed("folders below /run/joinboot", errno);
    if (!mounts_is_mount(LOWER) && mount(argv[0], LOWER, argv[1], MS_RDONLY, NULL) != 0)
        return failed(argv[1], errno);
    if (!mounts_is_mount(UPPER)) {
        if (argv[2][0])
            (void)modules_load(m, argv[3]);
        error = argv[2][0] ? mount_writable(argv[2], argv[3], UPPER)
                : mount("tmpfs", UPPER, "tmpfs", MS_NODEV, "mode=0755") == 0 ? 0
                                                                             : errno;
        if (error)
            return failed("the overlay's upper side", error);
    }
    if (!make_folder(UPPER "/changes", 0755) || !make_folder(UPPER "/work", 0755))
        return failed("folders of the overlay", errno);
    if (mount("overlay", SWITCHROOT_PLACE, "overlay", 0, options) != 0)
        return failed("overlay", errno);
    return bind_apart("/var/lib/containerd", 0711) || bind_apart("/var/lib/kubelet", 0700);
}

int installed_mount(void *ctx, const char *const *argv)
{
    struct modules *m = ctx;
    int error;

    if (mkdir(SWITCHROOT_PLACE, 0755) != 0 && errno != EEXIST)
        return failed("folder " SWITCHROOT_PLACE, errno);
    if (mounts_is_mount(SWITCHROOT_PLACE))
        return 0;
    (void)modules_load(m, argv[1]);
    if (argv[2])
        return mount_overlay(m, argv);
    error = mount_writable(argv[0], argv[1], SWITCHROOT_PLACE);
    if (error == ENODEV)
        (void)!write(STDOUT_FILENO, "the kernel has no driver for this file system: ", 47);
    return error ? failed(argv[1], error) : 0;
}

enum host_answer installed_is(struct system *s, const char *spec, struct fault *f)
{
    char name[BLOCKDEV_NAME];
    enum host_answer a = blockdev_find(&s->rootfs.search, spec, name);

    if (a == HOST_BUSY)
        return a;
    if (a == HOST_YES && strcmp(name, s->rootfs.image) == 0)
        return a;
    fault_set(f, ERR_TARGET_OTHER, "%s is %s, and this machine hands over to %s", spec,
              a == HOST_YES ? name : "no device of this machine", s->rootfs.image);
    return HOST_NO;
}

static bool copy(int from, int to)
{
    uint8_t part[16 * 1024];
    uint64_t off = 0;
    ssize_t got;

    while ((got = read(from, part, sizeof(part))) > 0) {
        if (!files_pwrite(to, span_of(part, (size_t)got), off))
            return false;
        off += (uint64_t)got;
    }
    return got == 0;
}

enum err installed_copy_self(const char *path, struct fault *f)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = -1;
    bool good = false;

    if (from >= 0 && files_make_parents(path)) {
        (void)unlink(path);
        to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        good = to >= 0 && copy(from, to) && fchmod(to, 0755) == 0;
    }
    if (!good)
        fault_set(f, ERR_FILE, "%s: %s", path, files_reason(errno));
    if (to >= 0)
        close(to);
    if (from >= 0)
        close(from);
    return good ? OK : ERR_FILE;
}

/* Links are left as a cold start has them: down, so that udev may rename them, and with IPv6 on. */
static void leave_links(struct system *s)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (unsigned i = 0; i < s->nics.count; i++) {
        struct ifreq r = {0};
        char path[SYSFILE_PATH];

        packet_close(&s->packets, i);
        memcpy(r.ifr_name, s->nics.name[i], IFNAMSIZ);
        if (fd >= 0 && sysfile_ioctl(fd, SIOCGIFFLAGS, &r) == 0) {
            r.ifr_flags = (short)(r.ifr_flags & ~IFF_UP);
            (void)sysfile_ioctl(fd, SIOCSIFFLAGS, &r);
        }
        sysfile_path(path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", s->nics.name[i]);
        (void)!sysfile_write(path, "0");
    }
    if (fd >= 0)
        close(fd);
    (void)!sysctl_set("net.ipv6.conf.default.disable_ipv6", "0", NULL);
}

/* The init will want a cgroup tree of its own: it must not find itself in one of ours. */
static void leave_cgroups(struct system *s)
{
    char path[SYSFILE_PATH];

    (void)!sysfile_write("/sys/fs/cgroup/cgroup.procs", "0");
    (void)rmdir("/sys/fs/cgroup/joinboot-agent");
    for (unsigned i = 0; i < HOST_SERVICES; i++)
        (void)rmdir(sysfile_path(path, "/sys/fs/cgroup/joinboot-%s", s->services[i].name));
}

enum err installed_switch(struct system *s, struct fault *f)
{
    static char *const argv[] = {"/sbin/init", NULL};
    static char *const env[] = {"HOME=/", "TERM=linux",
                                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int error;

    leave_links(s);
    system_say(s, "%s of the installed system on %s takes over", argv[0], s->rootfs.image);
    s->board.storage = NULL;
    storage_close(&s->storage);
    for (unsigned i = 0; i < HOST_SERVICES; i++)
        logfile_close(&s->services[i].log);
    bootlog_stop(&s->bootlog);
    leave_cgroups(s);
    (void)umount2("/tmp", MNT_DETACH);
    if (s->watchdog_fd >= 0) {
        (void)!write(s->watchdog_fd, "V", 1); /* magic close: it is the new init's to start */
        close(s->watchdog_fd);
        s->watchdog_fd = -1;
    }
    sync();
    signals_reset();
    (void)execve(argv[0], argv, env);
    error = errno;
    system_say(s, "%s: %s; the machine restarts", argv[0], files_reason(error));
    fault_set(f, ERR_SPAWN, "%s: %s", argv[0], files_reason(error));
    s->board.finish(s->board.ctx, BOARD_FINISH_REBOOT, 1);
    return ERR_SPAWN;
}
