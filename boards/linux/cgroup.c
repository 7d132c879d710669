/*
 * cgroup.c - see cgroup.h (the kernel's admin-guide/cgroup-v2).
 */
#include "boards/linux/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

#define ROOT "/sys/fs/cgroup"

unsigned cgroup_enable(void)
{
    char list[256], name[64], word[72];
    struct span rest;
    unsigned count = 0;

    if (!sysfile_text(ROOT "/cgroup.controllers", list, sizeof(list)))
        return 0;
    for (rest = span_str(list); rest.n > 0;) {
        /* One by one: a controller that cannot be enabled (one still used by cgroup v1) must not keep the others out. */
        struct buf b = BUF_OF(word);
        if (span_to_cstr(span_cut(&rest, ' '), name, sizeof(name)))
            continue;
        buf_fmt(&b, "+%s%c", name, 0);
        if (!sysfile_write(ROOT "/cgroup.subtree_control", word))
            count++;
    }
    return count;
}

void cgroup_make(const char *name)
{
    char path[SYSFILE_PATH];

    (void)mkdir(sysfile_path(path, ROOT "/joinboot-%s", name), 0755);
}

void cgroup_enter(const char *name)
{
    char path[SYSFILE_PATH];

    (void)!sysfile_write(sysfile_path(path, ROOT "/joinboot-%s/cgroup.procs", name), "0");
}

void cgroup_kill(const char *name)
{
    char path[SYSFILE_PATH];

    (void)!sysfile_write(sysfile_path(path, ROOT "/joinboot-%s/cgroup.kill", name), "1");
}

enum { DEPTH = 6 };

/* The processes of one group, as the kernel lists them: one number per line. */
static unsigned signal_group(const char *path, int number)
{
    char file[SYSFILE_PATH], chunk[1024];
    uint64_t pid = 0;
    unsigned count = 0;
    int fd = open(sysfile_path(file, "%s/cgroup.procs", path), O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return 0;
    while ((got = read(fd, chunk, sizeof(chunk))) > 0)
        for (ssize_t i = 0; i < got; i++) {
            if (chunk[i] >= '0' && chunk[i] <= '9') {
                pid = pid * 10 + (uint64_t)(chunk[i] - '0');
                continue;
            }
            /* 0: a process of another PID namespace, and kill(0) would be ourselves. */
            if (pid > 1 && kill((pid_t)pid, number) == 0)
                count++;
            pid = 0;
        }
    close(fd);
    return count;
}

static unsigned signal_tree(const char *path, const char *prefix, int number, unsigned depth)
{
    char below[SYSFILE_PATH];
    struct sysfile_dir d;
    const char *name;
    unsigned count = 0;

    if (depth == 0 || !sysfile_dir_open(&d, path))
        return 0;
    while ((name = sysfile_dir_next(&d)) != NULL) {
        struct stat st;
        sysfile_path(below, "%s/%s", path, name);
        if (!span_starts(span_str(name), prefix) || lstat(below, &st) != 0 || !S_ISDIR(st.st_mode))
            continue;
        count += signal_group(below, number);
        count += signal_tree(below, "", number, depth - 1);
    }
    sysfile_dir_close(&d);
    return count;
}

unsigned cgroup_signal(const char *prefix, int number)
{
    return signal_tree(ROOT, prefix, number, DEPTH);
}
