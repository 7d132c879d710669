/*
 * statelay.c - see statefs.h: mounting the state partition, and laying it below the folders of a node.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "boards/linux/blockdev.h"
#include "boards/linux/files.h"
#include "boards/linux/modules.h"
#include "boards/linux/mounts.h"
#include "boards/linux/pid1.h"
#include "boards/linux/statefs.h"
#include "boards/linux/storage.h"
#include "boards/linux/sysfile.h"
#include "boards/linux/wipe.h"
#include "firmware/base/text.h"

#define MARKER     STATEFS_PLACE "/.joinboot"
#define MACHINE_ID STATEFS_PLACE "/machine-id"
#define ETC        "/run/joinboot/etc"

struct lay {
    const char *name, *target;
    unsigned mode;
    bool overlay;  /* what the image has there stays visible below */
    bool optional; /* an image without such a folder does without it */
};

/* In the order in which they are mounted; /etc was made writable before. */
static const struct lay rows[] = {
    {.name = "kubernetes", .target = "/etc/kubernetes", .mode = 0755},
    {.name = "cni-conf", .target = "/etc/cni", .mode = 0755, .overlay = true},
    {.name = "cni-bin", .target = "/opt/cni/bin", .mode = 0755, .overlay = true, .optional = true},
    {.name = "kubelet", .target = "/var/lib/kubelet", .mode = 0700},
    {.name = "containerd", .target = "/var/lib/containerd", .mode = 0711},
    {.name = "cni", .target = "/var/lib/cni", .mode = 0755, .optional = true},
    {.name = "etcd", .target = "/var/lib/etcd", .mode = 0700, .optional = true},
    {.name = "log", .target = "/var/log", .mode = 0755},
};

static bool make_folder(const char *path, unsigned mode)
{
    if (mkdir(path, (mode_t)mode) != 0)
        return errno == EEXIST;
    return chmod(path, (mode_t)mode) == 0;
}

/* The folder and those above it; on a read-only image that works only if they are there. */
static bool have_target(const char *path)
{
    char with_slash[SYSFILE_PATH];

    return files_make_parents(sysfile_path(with_slash, "%s/", path));
}

/* `folder` receives what is written; it has the two subfolders that overlayfs wants. */
static bool mount_overlay(const char *folder, const char *target, unsigned mode)
{
    char upper[SYSFILE_PATH], work[SYSFILE_PATH], options[3 * SYSFILE_PATH];
    struct buf b = BUF_OF(options);

    sysfile_path(upper, "%s/upper", folder);
    sysfile_path(work, "%s/work", folder);
    if (!have_target(upper) || !make_folder(upper, mode) || !make_folder(work, 0755))
        return false;
    (void)chmod(upper, (mode_t)mode);
    buf_fmt(&b, "lowerdir=%s,upperdir=%s,workdir=%s,index=off,redirect_dir=off", target, upper, work);
    buf_u8(&b, 0);
    return mount("overlay", target, "overlay", 0, options) == 0;
}

/* An earlier attempt may have come as far as here. */
static bool is_laid(const struct lay *r, const char *from)
{
    struct stat a, b;

    if (r->overlay)
        return mounts_is_mount(r->target);
    return stat(from, &a) == 0 && stat(r->target, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* False if the node cannot do without it. */
static bool lay_one(const struct lay *r)
{
    char from[SYSFILE_PATH];
    bool good;

    sysfile_path(from, STATEFS_PLACE "/%s", r->name);
    if (!have_target(r->target)) {
        mounts_say(r->target, errno);
        return r->optional;
    }
    if (is_laid(r, from))
        return true;
    good = make_folder(from, r->mode) && (r->overlay ? mount_overlay(from, r->target, r->mode)
                                                     : mount(from, r->target, NULL, MS_BIND, NULL) == 0);
    if (!good)
        mounts_say(r->target, errno);
    return good;
}

/* The agent, kubelet and others write there; nothing of it lasts but what lies on the state partition. */
static bool make_etc_writable(void)
{
    struct statvfs fs;

    if (statvfs("/etc", &fs) != 0 || !(fs.f_flag & ST_RDONLY))
        return true;
    if (mount_overlay(ETC, "/etc", 0755))
        return true;
    mounts_say("/etc (overlay)", errno);
    return false;
}

static bool is_machine_id(struct span s)
{
    uint8_t id[16];

    return s.n == 33 && s.p[32] == '\n' && text_hex(span_sub(s, 0, 32), id, sizeof(id)) == OK;
}

/* machine-id(5): 32 hexadecimal digits, of a random UUID. */
static enum err make_machine_id(struct buf *b)
{
    uint8_t id[16];

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return ERR_IO;
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    text_hex_put(b, span_of(id, sizeof(id)));
    buf_u8(b, '\n');
    return files_write(MACHINE_ID, 0444, buf_span(b), NULL);
}

static bool show_machine_id(void)
{
    uint8_t bytes[64];
    struct buf b = BUF_OF(bytes);

    if (files_read(MACHINE_ID, bytes, sizeof(bytes), &b.n) != OK || !is_machine_id(buf_span(&b))) {
        b.n = 0;
        if (make_machine_id(&b) != OK) {
            mounts_say(MACHINE_ID, errno);
            return false;
        }
    }
    if (files_write("/etc/machine-id", 0444, buf_span(&b), NULL) == OK)
        return true;
    mounts_say("/etc/machine-id", errno);
    return false;
}

/* The file of the record log, so that the agent's own loop only opens it. */
static bool make_storage(void)
{
    struct storage_file storage;
    struct fault f = {0};

    if (storage_open(&storage, STATEFS_STORAGE, &f) == OK) {
        storage_close(&storage);
        return true;
    }
    (void)!write(STDOUT_FILENO, f.text, strlen(f.text));
    return false;
}

static bool mount_memory(void)
{
    if (mount("joinboot-state", STATEFS_PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") == 0)
        return true;
    mounts_say(STATEFS_PLACE " (tmpfs)", errno);
    return false;
}

/* Looks without replaying a journal: what is not ours must not be written to. */
static bool has_marker(const char *device)
{
    bool found;

    if (mount(device, STATEFS_PLACE, "ext4", MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC, "noload") != 0)
        return false;
    found = sysfile_exists(MARKER);
    (void)umount2(STATEFS_PLACE, UMOUNT_NOFOLLOW);
    return found;
}

/* Of mount(2): what is on the device makes no sense to the file system, or cannot be read; not what a missing driver or device would give. */
static bool is_damage(int error)
{
    return error == EUCLEAN || error == EBADMSG || error == EINVAL || error == EIO;
}

/* An exit status of statefs_mount. */
static int mount_disk(struct modules *m, const char *name, bool marked)
{
    char device[SYSFILE_PATH];

    sysfile_path(device, "/dev/%s", name);
    (void)modules_load(m, "ext4");
    if (marked && !has_marker(device))
        return STATEFS_NOT_OURS;
    if (mount(device, STATEFS_PLACE, "ext4", 0, "errors=remount-ro") != 0) {
        int error = errno;
        mounts_say(name, error);
        return is_damage(error) ? STATEFS_DAMAGED : 1;
    }
    (void)chmod(STATEFS_PLACE, 0700);
    if (!sysfile_exists(MARKER) && files_write(MARKER, 0444, SPAN_LIT("joinboot state 1\n"), NULL) != OK) {
        mounts_say(MARKER, errno);
        return 1;
    }
    return 0;
}

int statefs_mount(void *ctx, const char *const *argv)
{
    struct modules *m = ctx;
    bool good;
    int status;

    (void)modules_load(m, "overlay");
    if (!have_target(STATEFS_PLACE)) {
        mounts_say(STATEFS_PLACE, errno);
        return 1;
    }
    /* Private while binds are made: they would share with the partition's own mount what is mounted below them later. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        mounts_say("/ (private)", errno);
        return 1;
    }
    if (!mounts_is_mount(STATEFS_PLACE)) {
        status = argv[0][0] ? mount_disk(m, argv[0], argv[1][0] != 0) : !mount_memory();
        if (status)
            return status;
    }
    good = make_etc_writable();
    for (size_t i = 0; i < COUNT(rows) && good; i++)
        good = lay_one(&rows[i]);
    good = good && show_machine_id() && make_storage();
    if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) != 0) {
        mounts_say("/ (shared)", errno);
        return 1;
    }
    return good ? 0 : 1;
}

static const struct lay *overlay_above(const char *folder)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].overlay && strncmp(folder, rows[i].target, strlen(rows[i].target)) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool root_is_overlay(void)
{
    struct statfs fs;

    return statfs("/", &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* Removed through an overlay, the image's own files would be hidden for ever; and what an overlay shows of a folder that changes below it, the kernel
 * leaves open. So it is away meanwhile. Without one, what a root in memory has is the image's, and so is what a root shows that is an overlay itself; a
 * root that lasts is the node's own. */
static int wipe_one(const char *folder)
{
    const struct lay *r = overlay_above(folder);
    bool laid = r && mounts_is_mount(r->target);
    char upper[SYSFILE_PATH];
    const char *const folders[] = {laid ? upper : folder, NULL};
    bool away;
    int status;

    if (r && !laid && (!pid1_root_is_lasting() || root_is_overlay()))
        return 0;
    if (laid)
        sysfile_path(upper, STATEFS_PLACE "/%s/upper%s", r->name, folder + strlen(r->target));
    away = laid && umount2(r->target, UMOUNT_NOFOLLOW) == 0;
    status = wipe_folders(NULL, folders);
    return away && !lay_one(r) ? 1 : status;
}

int statefs_wipe(void *ctx, const char *const *folders)
{
    int status = 0;

    (void)ctx;
    for (; *folders; folders++)
        status |= wipe_one(*folders);
    return status;
}
