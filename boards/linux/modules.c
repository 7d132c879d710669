/*
 * modules.c - see modules.h.
 */
#include "boards/linux/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "boards/linux/modalias.h"
#include "boards/linux/sysfile.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4 /* Linux 5.17 */
#endif

enum { NEEDS_DEPTH = 6, ROUNDS = 8 };

static struct span map(const char *folder, const char *name)
{
    char path[SYSFILE_PATH];
    struct stat st;
    void *p = MAP_FAILED;
    int fd = open(sysfile_path(path, "%s/%s", folder, name), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return (struct span){0};
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return (struct span){0};
    return span_of(p, (size_t)st.st_size);
}

void modules_init(struct modules *m)
{
    struct utsname u;
    struct buf b = BUF_OF(m->folder);

    if (uname(&u) != 0)
        return;
    buf_fmt(&b, "/lib/modules/%s%c", u.release, 0);
    if (b.overflow || !sysfile_exists(m->folder)) {
        m->folder[0] = 0;
        return;
    }
    m->alias = map(m->folder, "modules.alias");
    m->dep = map(m->folder, "modules.dep");
    m->softdep = map(m->folder, "modules.softdep");
}

/* /sys/module has a folder with the name's - as _. */
static bool is_loaded(struct span name)
{
    char path[SYSFILE_PATH];

    sysfile_path(path, "/sys/module/%.*s", (int)name.n, (const char *)name.p);
    for (char *p = path; *p; p++)
        *p = *p == '-' ? '_' : *p;
    return path[0] && sysfile_exists(path);
}

static bool insert(struct modules *m, struct span path)
{
    char file[SYSFILE_PATH];
    int fd, flags = span_ends(path, ".ko") ? 0 : MODULE_INIT_COMPRESSED_FILE;
    bool good;

    if (is_loaded(modalias_file_name(path)))
        return true;
    fd = open(sysfile_path(file, "%s/%.*s", m->folder, (int)path.n, (const char *)path.p),
              O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    good = syscall(SYS_finit_module, fd, "", flags) == 0;
    if (good)
        m->loaded++;
    good = good || errno == EEXIST;
    close(fd);
    return good;
}

/* The needs of modules.dep stand in such an order that the last has to be loaded first. */
static bool insert_needs(struct modules *m, struct span needs)
{
    while (needs.n > 0) {
        size_t at = needs.n;
        while (at > 0 && needs.p[at - 1] != ' ')
            at--;
        if (!insert(m, span_sub(needs, at, needs.n)))
            return false;
        needs = span_trim(span_sub(needs, 0, at));
    }
    return true;
}

static bool load(struct modules *m, struct span name, bool wanted_only, unsigned depth)
{
    struct span path, needs, soft;

    if (depth == 0 || is_loaded(name))
        return depth > 0;
    if (!modalias_dep(m->dep, name, &path, &needs))
        return false;
    if (wanted_only && !modalias_is_wanted(path))
        return true;
    for (soft = modalias_softdep_pre(m->softdep, name); soft.n > 0;)
        (void)load(m, span_cut(&soft, ' '), false, depth - 1);
    if (insert_needs(m, needs) && insert(m, path))
        return true;
    if (m->failed++ == 0 && span_to_cstr(name, m->first_failed, sizeof(m->first_failed)))
        m->first_failed[0] = 0;
    return false;
}

bool modules_load(struct modules *m, const char *name)
{
    return load(m, span_str(name), false, NEEDS_DEPTH);
}

/* Remembers a modalias. True if it is new. FNV-1a: among a few hundred texts a collision is unlikely (1 in 50,000), and costs one device
 * its driver. */
static bool is_new(struct modules *m, struct span text)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < text.n; i++)
        hash = (hash ^ text.p[i]) * 16777619u;
    for (unsigned i = 0; i < m->tried_count; i++)
        if (m->tried[i] == hash)
            return false;
    if (m->tried_count < MODULES_TRIED)
        m->tried[m->tried_count++] = hash;
    return true;
}

void modules_for_device(struct modules *m, const char *modalias)
{
    struct span rest = m->alias, text = span_str(modalias), pattern, name;
    size_t bus = span_find(text, ':');

    if (!is_new(m, text))
        return;
    while (modalias_next(&rest, &pattern, &name)) {
        /* Nearly all lines are of another bus: this comparison keeps a cold start short. */
        if (pattern.n <= bus || memcmp(pattern.p, text.p, bus < text.n ? bus + 1 : bus) != 0)
            continue;
        if (modalias_match(pattern, text))
            (void)load(m, name, true, NEEDS_DEPTH);
    }
}

static void devices_of_bus(struct modules *m, const char *bus)
{
    char path[SYSFILE_PATH], text[1024];
    struct sysfile_dir d;
    const char *name;

    if (!sysfile_dir_open(&d, sysfile_path(path, "/sys/bus/%s/devices", bus)))
        return;
    while ((name = sysfile_dir_next(&d)) != NULL) {
        /* A device that has its driver needs nothing. */
        if (sysfile_exists(sysfile_path(path, "/sys/bus/%s/devices/%s/driver", bus, name)))
            continue;
        if (sysfile_text(sysfile_path(path, "/sys/bus/%s/devices/%s/modalias", bus, name), text,
                         sizeof(text)) &&
            text[0])
            modules_for_device(m, text);
    }
    sysfile_dir_close(&d);
}

unsigned modules_coldplug(struct modules *m)
{
    unsigned before = m->loaded;

    if (!m->folder[0])
        return 0;
    /* A bus driver brings new devices (PCI -> virtio -> network): look again until nothing new was loaded. */
    for (unsigned round = 0, last; round < ROUNDS; round++) {
        struct sysfile_dir d;
        const char *bus;
        last = m->loaded;
        if (!sysfile_dir_open(&d, "/sys/bus"))
            break;
        while ((bus = sysfile_dir_next(&d)) != NULL)
            /* What processors want is instruction-set crypto; their modaliases are a thousand bytes long. */
            if (strcmp(bus, "cpu") != 0)
                devices_of_bus(m, bus);
        sysfile_dir_close(&d);
        if (m->loaded == last)
            break;
    }
    return m->loaded - before;
}
