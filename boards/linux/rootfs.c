/*
 * rootfs.c - see rootfs.h.
 */
#include "boards/linux/rootfs.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/installed.h"
#include "boards/linux/mounts.h"
#include "boards/linux/pid1.h"
#include "boards/linux/switchroot.h"
#include "boards/linux/system.h"
#include "boards/linux/wipe.h"

void rootfs_init(struct rootfs *r)
{
    *r = (struct rootfs){.old = -1};
}

static void go(struct rootfs *r, enum rootfs_at to)
{
    r->at = to;
    r->job_runs = false;
    r->search = (struct blockdev_search){0};
}

/* The last line that the job wrote is the reason. */
static enum err job_failed(struct system *s, enum err code, struct fault *f)
{
    char text[160];
    struct buf b = BUF_OF(text);
    struct span line;

    service_output(&s->services[HOST_JOB], 1, &b);
    line = span_trim(buf_span(&b));
    if (line.n == 0)
        return fault_set(f, code, "ended with wait status %d", s->services[HOST_JOB].last_exit);
    return fault_set(f, code, "%.*s", (int)line.n, (const char *)line.p);
}

/* Runs one job per step. HOST_YES: it ended well. */
static enum err job(struct system *s, int (*run)(void *ctx, const char *const *argv), void *ctx,
                    const char *const *argv, enum err code, enum host_answer *ret, struct fault *f)
{
    struct service *j = &s->services[HOST_JOB];
    enum err e;

    if (!s->rootfs.job_runs) {
        e = service_run_job(j, run, ctx, argv, clock_now_ms(), f);
        if (e)
            return e;
        s->rootfs.job_runs = true;
    }
    *ret = service_job_result(j);
    if (*ret == HOST_BUSY)
        return OK;
    s->rootfs.job_runs = false;
    return *ret == HOST_YES ? OK : job_failed(s, code, f);
}

/* HOST_YES: ret_name is the device. HOST_BUSY: f says what is waited for. */
static enum err find(struct rootfs *r, const char *spec, char ret_name[static BLOCKDEV_NAME], enum err code,
                     enum host_answer *ret, struct fault *f)
{
    enum host_answer a = blockdev_find(&r->search, spec, ret_name);

    if (a == HOST_NO && r->search.other[0])
        return fault_set(f, code, "%s is true of %s and of %s", spec, r->search.found, r->search.other);
    if (a != HOST_YES && r->search.volume[0])
        fault_set(f, code, "waiting for %s; %s is %s, which is not opened", spec, r->search.volume,
                  fsprobe_name(r->search.volume_kind));
    else if (a != HOST_YES)
        fault_set(f, code, "waiting for %s", spec);
    *ret = a == HOST_YES ? HOST_YES : HOST_BUSY;
    return OK;
}

/* A file system that cannot be written to is given what is on `state` for that. */
static enum err find_installed(struct system *s, const struct host_root *want, struct fault *f)
{
    struct rootfs *r = &s->rootfs;

    if (!installed_can(r->image_kind))
        return fault_set(f, ERR_TARGET_KIND, "%s (%s) holds %s", want->root, r->image,
                         fsprobe_name(r->image_kind));
    go(r, installed_is_read_only(r->image_kind) && want->state[0] ? ROOTFS_FIND_UPPER : ROOTFS_MOUNT_IMAGE);
    return OK;
}

static enum err find_upper(struct system *s, const struct host_root *want, enum host_answer *ret,
                           struct fault *f)
{
    struct rootfs *r = &s->rootfs;
    struct fsprobe found;
    struct blockdev b;
    enum err e = find(r, want->state, r->upper, ERR_STATE_MISSING, ret, f);

    if (e || *ret != HOST_YES)
        return e;
    if (!blockdev_open(&b, r->upper, false))
        return fault_set(f, ERR_STATE_MISSING, "%s: %s", r->upper, files_reason(errno));
    fsprobe(&b.io, &found);
    blockdev_close(&b);
    r->upper_kind = found.kind;
    if (!installed_can(found.kind) || installed_is_read_only(found.kind))
        return fault_set(f, ERR_TARGET_KIND, "%s (%s) holds %s: make an ext4, xfs or btrfs on it",
                         want->state, r->upper, fsprobe_name(found.kind));
    go(r, ROOTFS_MOUNT_IMAGE);
    return OK;
}

/* Names that only exist when something has opened a volume. */
static bool is_volume(const char *spec)
{
    struct span s = span_str(spec);

    return span_starts(s, "/dev/mapper/") || span_starts(s, "/dev/dm-") || span_starts(s, "/dev/md");
}

static enum err find_image(struct system *s, const struct host_root *want, enum host_answer *ret,
                           struct fault *f)
{
    struct rootfs *r = &s->rootfs;
    struct fsprobe found;
    struct blockdev b;
    enum err e;

    if (!want->root[0]) {
        go(r, want->state[0] ? ROOTFS_FIND_STATE : ROOTFS_DONE);
        *ret = HOST_YES;
        return OK;
    }
    if (is_volume(want->root))
        return fault_set(f, ERR_ROOT_KIND, "%s is a volume", want->root);
    e = find(r, want->root, r->image, ERR_ROOT_MISSING, ret, f);
    if (e || *ret != HOST_YES)
        return e;
    if (!blockdev_open(&b, r->image, false))
        return fault_set(f, ERR_ROOT_MISSING, "%s: %s", r->image, files_reason(errno));
    fsprobe(&b.io, &found);
    blockdev_close(&b);
    r->image_kind = found.kind;
    if (want->installed)
        return find_installed(s, want, f);
    if (found.kind != FSPROBE_EROFS && found.kind != FSPROBE_SQUASHFS && found.kind != FSPROBE_EXT4)
        return fault_set(f, ERR_ROOT_KIND, "%s (%s) holds %s", want->root, r->image,
                         fsprobe_name(found.kind));
    go(r, ROOTFS_MOUNT_IMAGE);
    return OK;
}

static enum err mount_image(struct system *s, const struct host_root *want, enum host_answer *ret,
                            struct fault *f)
{
    struct rootfs *r = &s->rootfs;
    char device[BLOCKDEV_NAME + 8], upper[BLOCKDEV_NAME + 8];
    struct buf b = BUF_OF(device), u = BUF_OF(upper);
    bool overlay = want->installed && installed_is_read_only(r->image_kind);
    const char *const argv[] = {device, fsprobe_name(r->image_kind), overlay ? upper : NULL,
                                r->upper[0] ? fsprobe_name(r->upper_kind) : "", NULL};
    enum err e;

    buf_fmt(&b, "/dev/%s", r->image);
    buf_u8(&b, 0);
    buf_fmt(&u, "%s%s%c", r->upper[0] ? "/dev/" : "", r->upper, 0);
    e = job(s, want->installed ? installed_mount : switchroot_mount, &s->modules, argv, ERR_ROOT_MOUNT, ret,
            f);
    if (e)
        go(r, ROOTFS_FIND_IMAGE);
    else if (*ret == HOST_YES)
        go(r, ROOTFS_SWITCH);
    else
        fault_set(f, ERR_ROOT_MOUNT, "mounting %s", device);
    return e;
}

static enum err switch_root(struct system *s, const struct host_root *want, enum host_answer *ret,
                            struct fault *f)
{
    enum err e;

    (void)want;
    logfile_close(&s->services[HOST_JOB].log); /* it would keep a file of the initramfs */
    e = switchroot_move(&s->rootfs.old, f);
    if (e)
        return e;
    s->rootfs.switched = true;
    modules_init(&s->modules);
    *ret = HOST_YES;
    go(&s->rootfs, ROOTFS_SETTLE);
    return OK;
}

/* In a child, since a kernel module takes as long as its hardware takes. What pods and power buttons want is loaded by name. */
static int settle_job(void *ctx, const char *const *argv)
{
    static const char *const by_name[] = {"overlay", "br_netfilter", "nf_conntrack", "veth",
                                          "bridge",  "evdev",        "button"};
    struct system *s = ctx;
    struct modules *m = &s->modules;
    char text[200];
    struct buf b = BUF_OF(text);

    (void)argv;
    if (s->rootfs.old >= 0)
        (void)wipe_below(s->rootfs.old);
    for (size_t i = 0; i < COUNT(by_name); i++)
        (void)modules_load(m, by_name[i]);
    (void)modules_coldplug(m);
    if (!m->folder[0])
        buf_str(&b, "the node image has no modules for the running kernel\n");
    else if (m->failed)
        buf_fmt(&b, "%u kernel modules could not be loaded, the first is %s: %s\n", m->failed,
                m->first_failed, files_reason(m->first_error));
    (void)!write(STDOUT_FILENO, b.p, b.n);
    return 0;
}

/* What a job said although it went well is for the operator. */
static void pass_on_output(struct system *s)
{
    char text[1000];
    struct buf b = BUF_OF(text);
    struct span rest;

    service_output(&s->services[HOST_JOB], 8, &b);
    for (rest = buf_span(&b); rest.n > 0;) {
        struct span line = span_cut(&rest, '\n');
        system_say(s, "%.*s", (int)line.n, (const char *)line.p);
    }
}

static enum err settle(struct system *s, const struct host_root *want, enum host_answer *ret, struct fault *f)
{
    static const char *const argv[] = {"settle", NULL};
    struct rootfs *r = &s->rootfs;
    enum err e = job(s, settle_job, s, argv, ERR_ROOT_MOUNT, ret, f);

    if (e || *ret != HOST_YES) {
        fault_set(f, ERR_ROOT_MOUNT, "loading the node image's kernel modules");
        return e;
    }
    if (r->old >= 0)
        close(r->old);
    r->old = -1;
    system_say(s, "the %s on %s (%s) is the root", want->installed ? "installed system" : "node image",
               r->image, fsprobe_name(r->image_kind));
    if (want->installed && installed_is_read_only(r->image_kind) && !r->upper[0])
        system_say(s, "what is written to it is in memory: nothing survives a power cycle");
    pass_on_output(s);
    pid1_open_devices(s);
    go(r, want->installed ? ROOTFS_DONE : ROOTFS_FIND_STATE);
    return OK;
}

static enum err judge_state(struct system *s, const struct host_root *want, const struct fsprobe *found,
                            struct fault *f)
{
    struct rootfs *r = &s->rootfs;

    r->unclean = found->unclean;
    r->checked = r->unmendable = false;
    if (r->state_kind == STATEFS_SMALL)
        return fault_set(f, ERR_STATE_MOUNT, "%s is smaller than %d MiB", r->state, STATEFS_MIN >> 20);
    if (r->state_kind == STATEFS_FOREIGN && !want->may_format)
        return fault_set(f, ERR_STATE_FOREIGN, "%s (%s) holds %s", want->state, r->state,
                         fsprobe_name(found->kind));
    if (r->state_kind == STATEFS_OURS || r->state_kind == STATEFS_MARKED) {
        go(r, ROOTFS_MOUNT_STATE);
        return OK;
    }
    system_say(s, "the state partition %s is formatted: %s", r->state,
               r->state_kind == STATEFS_BLANK  ? "it is blank"
               : r->state_kind == STATEFS_HALF ? "an earlier formatting did not end"
                                               : "a signed NodeJoin permits it");
    go(r, ROOTFS_FORMAT);
    return OK;
}

static enum err find_state(struct system *s, const struct host_root *want, enum host_answer *ret,
                           struct fault *f)
{
    struct rootfs *r = &s->rootfs;
    struct fsprobe found = {0};
    struct blockdev b;
    enum err e;

    r->state[0] = 0;
    if (!want->state[0]) {
        go(r, ROOTFS_MOUNT_STATE);
        *ret = HOST_YES;
        return OK;
    }
    if (is_volume(want->state))
        return fault_set(f, ERR_STATE_MOUNT, "%s is a volume of LVM, LUKS or md, which are not opened",
                         want->state);
    e = find(r, want->state, r->state, ERR_STATE_MISSING, ret, f);
    if (e || *ret != HOST_YES)
        return e;
    if (strcmp(r->state, r->image) == 0)
        return fault_set(f, ERR_STATE_FOREIGN, "%s is the node image", r->state);
    if (!blockdev_open(&b, r->state, false))
        return fault_set(f, ERR_STATE_MISSING, "%s: %s", r->state, files_reason(errno));
    e = statefs_look(&b.io, &r->state_kind, &found);
    blockdev_close(&b);
    if (e)
        return fault_set(f, e, "%s cannot be read", r->state);
    return judge_state(s, want, &found, f);
}

static enum err format(struct system *s, const struct host_root *want, enum host_answer *ret, struct fault *f)
{
    const char *const argv[] = {s->rootfs.state, NULL};
    enum err e = job(s, statefs_format, NULL, argv, ERR_STATE_MOUNT, ret, f);

    (void)want;
    if (e)
        go(&s->rootfs, ROOTFS_FIND_STATE);
    else if (*ret == HOST_YES)
        go(&s->rootfs, ROOTFS_MOUNT_STATE);
    else
        fault_set(f, ERR_STATE_MOUNT, "formatting %s", s->rootfs.state);
    return e;
}

/* e2fsck(8): 4 is said of errors that were left; with 8, 16, 32 or 128 it did not look at all, and so says nothing of the file system. */
static bool left_errors(int status)
{
    return WIFEXITED(status) && (WEXITSTATUS(status) & 0xfc) == 4;
}

/* What it could mend is seen when it is mounted again. */
static enum err check_state(struct system *s, const struct host_root *want, enum host_answer *ret,
                            struct fault *f)
{
    struct rootfs *r = &s->rootfs;
    const char *const argv[] = {r->state, NULL};
    enum err e = job(s, statefs_check, NULL, argv, ERR_STATE_MOUNT, ret, f);

    (void)want;
    if (e == OK && *ret != HOST_YES) {
        fault_set(f, ERR_STATE_MOUNT, "checking %s", r->state);
        return OK;
    }
    fault_clear(f);
    pass_on_output(s);
    r->checked = true;
    r->unmendable = left_errors(s->services[HOST_JOB].last_exit);
    go(r, ROOTFS_MOUNT_STATE);
    *ret = HOST_YES;
    return OK;
}

/* What is on the partition is not ours, or cannot be mended: a signed bundle may permit to format it. */
static enum err not_usable(struct system *s, const struct host_root *want, const char *why,
                           enum host_answer *ret, struct fault *f)
{
    struct rootfs *r = &s->rootfs;

    r->state_kind = STATEFS_FOREIGN;
    fault_clear(f);
    if (!want->may_format) {
        go(r, ROOTFS_FIND_STATE);
        return fault_set(f, ERR_STATE_FOREIGN, "%s (%s) holds %s", want->state, r->state, why);
    }
    go(r, ROOTFS_FORMAT);
    *ret = HOST_YES;
    return OK;
}

static enum err mount_state(struct system *s, const struct host_root *want, enum host_answer *ret,
                            struct fault *f)
{
    struct rootfs *r = &s->rootfs;
    const char *const argv[] = {r->state, r->state_kind == STATEFS_MARKED ? "marked" : "", NULL};
    enum err e = job(s, statefs_mount, &s->modules, argv, ERR_STATE_MOUNT, ret, f);
    int status = s->services[HOST_JOB].last_exit;

    if (e && WIFEXITED(status) && WEXITSTATUS(status) == STATEFS_NOT_OURS)
        return not_usable(s, want, "ext4 without our mark", ret, f);
    if (e && WIFEXITED(status) && WEXITSTATUS(status) == STATEFS_DAMAGED) {
        if (r->unmendable)
            return not_usable(s, want, "our ext4, which is damaged and cannot be mended", ret, f);
        if (r->checked) {
            go(r, ROOTFS_FIND_STATE);
            return e;
        }
        system_say(s, "the state partition %s is damaged and is checked: %s", r->state, f->text);
        fault_clear(f);
        go(r, ROOTFS_CHECK_STATE);
        *ret = HOST_YES;
        return OK;
    }
    if (e) {
        go(r, ROOTFS_FIND_STATE);
        return e;
    }
    if (*ret == HOST_YES) {
        if (r->state[0])
            system_say(s, "the state partition is %s%s", r->state,
                       r->unclean ? "; it was not unmounted in order, its journal was replayed" : "");
        pass_on_output(s);
        go(r, ROOTFS_DONE);
        return OK;
    }
    fault_set(f, ERR_STATE_MOUNT, "mounting %s", r->state[0] ? r->state : "the state in memory");
    return OK;
}

enum err rootfs_step(struct system *s, const struct host_root *want, enum host_answer *ret, struct fault *f)
{
    static enum err (*const steps[])(struct system * s, const struct host_root *want, enum host_answer *ret,
                                     struct fault *f) = {
        [ROOTFS_FIND_IMAGE] = find_image,   [ROOTFS_MOUNT_IMAGE] = mount_image,
        [ROOTFS_SWITCH] = switch_root,      [ROOTFS_SETTLE] = settle,
        [ROOTFS_FIND_STATE] = find_state,   [ROOTFS_FORMAT] = format,
        [ROOTFS_MOUNT_STATE] = mount_state, [ROOTFS_FIND_UPPER] = find_upper,
        [ROOTFS_CHECK_STATE] = check_state,
    };
    enum host_answer a = HOST_YES;
    enum err e = OK;

    if (f)
        fault_clear(f);
    while (s->rootfs.at != ROOTFS_DONE && a == HOST_YES) {
        e = steps[s->rootfs.at](s, want, &a, f);
        if (e)
            return e;
    }
    *ret = a;
    return OK;
}
