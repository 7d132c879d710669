/*
 * cgroup.c - see cgroup.h (the kernel's admin-guide/cgroup-v2).
 */
#include "boards/linux/cgroup.h"

#include <sys/stat.h>

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
