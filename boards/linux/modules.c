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
#include "boards/linux/signals.h"
#include "boards/linux/sysfile.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4 /* Linux 5.17 */
#endif

enum { NEEDS_DEPTH = 6, ROUNDS = 8, LOOKUP_DEVICES = 128, LOOKUP_BYTES = 8 * 1024 };

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

static void unmap(struct span *s)
{
    if (s->n > 0)
        (void)munmap((void *)(uintptr_t)s->p, s->n);
    *s = (struct span){0};
}

void modules_init(struct modules *m)
{
    struct utsname u;
    struct buf b = BUF_OF(m->folder);

    unmap(&m->alias);
    unmap(&m->dep);
    unmap(&m->softdep);
    m->tried_count = 0;
    m->folder[0] = 0;
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
    int saved;
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
    saved = errno;
    close(fd);
    errno = saved;
    return good;
}

static bool load(struct modules *m, struct span name, bool wanted_only, unsigned depth);

static void load_soft(struct modules *m, struct span name, bool post, unsigned depth)
{
    struct span rest = m->softdep, soft;

    while (modalias_softdep(&rest, name, post, &soft))
        while (soft.n > 0)
            (void)load(m, span_cut(&soft, ' '), false, depth - 1);
}

/* The needs of modules.dep stand in such an order that the last has to be loaded first. What one of them wants softly it may need at once:
 * libcrc32c asks for crc32c when it starts. */
static bool insert_needs(struct modules *m, struct span needs, unsigned depth)
{
    while (needs.n > 0) {
        size_t at = needs.n;
        struct span path;
        while (at > 0 && needs.p[at - 1] != ' ')
            at--;
        path = span_sub(needs, at, needs.n);
        load_soft(m, modalias_file_name(path), false, depth);
        if (!insert(m, path))
            return false;
        load_soft(m, modalias_file_name(path), true, depth);
        needs = span_trim(span_sub(needs, 0, at));
    }
    return true;
}

/* Names such as crc32c stand for several modules, of which not all are for this machine. */
static bool load_by_alias(struct modules *m, struct span name, unsigned depth)
{
    struct span rest = m->alias, pattern, module;
    unsigned failed = m->failed;
    bool good = false;

    while (modalias_next(&rest, &pattern, &module))
        if (modalias_same_name(pattern, name))
            good = load(m, module, false, depth - 1) || good;
    m->failed = failed;
    return good;
}

static bool load(struct modules *m, struct span name, bool wanted_only, unsigned depth)
{
    struct span path, needs;

    if (depth == 0 || is_loaded(name))
        return depth > 0;
    if (!modalias_dep(m->dep, name, &path, &needs))
        return load_by_alias(m, name, depth);
    if (wanted_only && !modalias_is_wanted(path))
        return true;
    load_soft(m, name, false, depth);
    if (insert_needs(m, needs, depth) && insert(m, path)) {
        load_soft(m, name, true, depth);
        return true;
    }
    if (m->failed++ == 0) {
        m->first_error = errno;
        if (span_to_cstr(name, m->first_failed, sizeof(m->first_failed)))
            m->first_failed[0] = 0;
    }
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

/* Modaliases that are looked up together: a full modules.alias has more than a million bytes, and reading it once per device would take most of
 * the time of a start. */
struct lookup {
    unsigned count;
    uint32_t heads[LOOKUP_DEVICES]; /* the first four bytes of each */
    uint16_t offs[LOOKUP_DEVICES];
    struct buf texts; /* each with its zero */
    uint8_t bytes[LOOKUP_BYTES];
};

static uint32_t head_of(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void lookup_begin(struct lookup *l)
{
    l->count = 0;
    l->texts = BUF_OF(l->bytes);
}

static void lookup_run(struct modules *m, struct lookup *l)
{
    struct span rest = l->count ? m->alias : (struct span){0}, pattern, name;

    while (modalias_next(&rest, &pattern, &name)) {
        uint32_t head;
        if (pattern.n < sizeof(head))
            continue;
        head = head_of(pattern.p);
        /* Nearly all lines are of a bus that none of the devices is on. */
        for (unsigned i = 0; i < l->count; i++)
            if (l->heads[i] == head && modalias_match(pattern, span_str((const char *)l->bytes + l->offs[i])))
                (void)load(m, name, true, NEEDS_DEPTH);
    }
    lookup_begin(l);
}

static void lookup_add(struct modules *m, struct lookup *l, const char *modalias)
{
    size_t n = strlen(modalias) + 1;

    if (n <= sizeof(uint32_t) || n > sizeof(l->bytes) || !is_new(m, span_str(modalias)))
        return;
    if (l->count == LOOKUP_DEVICES || n > l->texts.cap - l->texts.n)
        lookup_run(m, l);
    l->heads[l->count] = head_of((const uint8_t *)modalias);
    l->offs[l->count++] = (uint16_t)l->texts.n;
    buf_put(&l->texts, span_of(modalias, n));
}

void modules_for_devices(struct modules *m, const char *(*next)(void *ctx), void *ctx)
{
    struct lookup l;
    const char *modalias;
    pid_t pid;

    lookup_begin(&l);
    while ((modalias = next(ctx)) != NULL)
        lookup_add(m, &l, modalias);
    if (l.count == 0)
        return;
    pid = fork();
    if (pid == 0)
        signals_default();
    if (pid <= 0)
        lookup_run(m, &l);
    if (pid == 0)
        _exit(0);
}

static void devices_of_bus(struct modules *m, struct lookup *l, const char *bus)
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
                         sizeof(text)))
            lookup_add(m, l, text);
    }
    sysfile_dir_close(&d);
}

unsigned modules_coldplug(struct modules *m)
{
    unsigned before = m->loaded;
    struct lookup l;

    if (!m->folder[0])
        return 0;
    lookup_begin(&l);
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
                devices_of_bus(m, &l, bus);
        sysfile_dir_close(&d);
        lookup_run(m, &l);
        if (m->loaded == last)
            break;
    }
    return m->loaded - before;
}
