/*
 * files.c - see files.h.
 */
#include "boards/linux/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

const char *files_reason(int error)
{
    return strerror(error);
}

/* The folder that holds path: "/" for a name directly below the root, "." for a plain name. False if it does not fit. */
static bool parent_of(const char *path, char ret[static SYSFILE_PATH])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    if (n >= SYSFILE_PATH)
        return false;
    memcpy(ret, path, n);
    ret[n] = 0;
    if (n == 0)
        memcpy(ret, slash ? "/" : ".", 2);
    return true;
}

bool files_sync_parent(const char *path)
{
    char dir[SYSFILE_PATH];
    int fd, saved;
    bool good;

    if (!parent_of(path, dir))
        return false;
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    good = fsync(fd) == 0;
    saved = errno;
    close(fd);
    errno = saved;
    return good;
}

static bool make_one(const char *dir)
{
    /* kubelet's folder holds its keys. */
    bool is_private = strcmp(dir, "/var/lib/kubelet") == 0 || span_starts(span_str(dir), "/var/lib/kubelet/");
    mode_t mode = is_private ? 0700 : 0755;

    if (mkdir(dir, mode) != 0)
        return errno == EEXIST;
    return chmod(dir, mode) == 0 && files_sync_parent(dir);
}

bool files_make_parents(const char *path)
{
    char dir[SYSFILE_PATH];

    for (size_t i = 1; path[0] && path[i]; i++) {
        if (path[i] != '/')
            continue;
        if (i >= sizeof(dir)) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(dir, path, i);
        dir[i] = 0;
        if (!make_one(dir))
            return false;
    }
    return true;
}

bool files_pwrite(int fd, struct span data, uint64_t off)
{
    while (data.n > 0) {
        ssize_t put = pwrite(fd, data.p, data.n, (off_t)off);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data = span_sub(data, (size_t)put, data.n - (size_t)put);
        off += (uint64_t)put;
    }
    return true;
}

/* The temporary file: same folder, so that the rename stays within one file system; a fixed name, so that a cut leaves at most one behind. */
static int open_temp(const char *path, unsigned mode, char ret_temp[static SYSFILE_PATH])
{
    int fd;

    if (!sysfile_path(ret_temp, "%s.joinboot-new", path)[0]) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (unlink(ret_temp) != 0 && errno != ENOENT)
        return -1;
    fd = open(ret_temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && fchmod(fd, (mode_t)mode) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

enum err files_write(const char *path, unsigned mode, struct span data, struct fault *f)
{
    char temp[SYSFILE_PATH] = "";
    int fd = -1;

    if (!files_make_parents(path))
        return fault_set(f, ERR_FILE, "folder of %s: %s", path, files_reason(errno));
    fd = open_temp(path, mode, temp);
    if (fd < 0 || !files_pwrite(fd, data, 0) || fsync(fd) != 0)
        goto fail;
    if (close(fd) != 0) {
        fd = -1;
        goto fail;
    }
    fd = -1;
    if (rename(temp, path) != 0 || !files_sync_parent(path))
        goto fail;
    return OK;
fail:
    fault_set(f, ERR_FILE, "%s: %s", path, files_reason(errno));
    if (fd >= 0)
        close(fd);
    if (temp[0])
        unlink(temp);
    return ERR_FILE;
}

enum err files_read(const char *path, uint8_t *ret, size_t cap, size_t *ret_n)
{
    enum err e = sysfile_read(path, ret, cap, ret_n);

    return e == ERR_IO ? ERR_FILE : e;
}

/* On a journaling or copying file system old blocks may survive; on what a node's state lies on, this is the best that can be done. */
static void overwrite(const char *path)
{
    static const uint8_t zeros[512];
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        for (off_t off = 0; off < st.st_size; off += (off_t)sizeof(zeros)) {
            off_t left = st.st_size - off;
            size_t n = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
            if (!files_pwrite(fd, span_of(zeros, n), (uint64_t)off))
                break;
        }
    (void)fsync(fd);
    close(fd);
}

enum err files_remove(const char *path, bool secret, struct fault *f)
{
    if (secret)
        overwrite(path);
    if (unlink(path) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? OK
                   : fault_set(f, ERR_FILE, "%s: %s", path, files_reason(errno));
    return files_sync_parent(path) ? OK
                                   : fault_set(f, ERR_FILE, "folder of %s: %s", path, files_reason(errno));
}

enum err files_name(const char *folder, unsigned n, char *ret, size_t cap)
{
    char best[SYSFILE_NAME], last[SYSFILE_NAME] = "", path[SYSFILE_PATH];
    struct sysfile_dir d;
    const char *name;
    struct stat st;

    /* Each pass finds the smallest name behind that of the pass before: no list is kept. */
    for (unsigned i = 0; i <= n; i++) {
        best[0] = 0;
        if (!sysfile_dir_open(&d, folder))
            return ERR_STORE_EMPTY;
        while ((name = sysfile_dir_next(&d)) != NULL)
            if (strcmp(name, last) > 0 && (!best[0] || strcmp(name, best) < 0) &&
                stat(sysfile_path(path, "%s/%s", folder, name), &st) == 0 && S_ISREG(st.st_mode))
                (void)!span_to_cstr(span_str(name), best, sizeof(best));
        sysfile_dir_close(&d);
        if (!best[0])
            return ERR_STORE_EMPTY;
        memcpy(last, best, sizeof(last));
    }
    return span_to_cstr(span_str(best), ret, cap);
}
