/*
 * devkey.c - see devkey.h.
 */
#include "boards/linux/devkey.h"

#include "boards/linux/files.h"
#include "boards/linux/sysfile.h"

/* The whole file: exactly one area. */
static enum err read_area(const char *path, uint8_t ret[static BOARD_KEY_SIZE])
{
    uint8_t area[BOARD_KEY_SIZE];
    size_t n = 0;
    enum err e = files_read(path, area, sizeof(area), &n);

    if (e == OK && n == sizeof(area))
        memcpy(ret, area, sizeof(area));
    wipe(area, sizeof(area));
    if (e == ERR_STORE_EMPTY)
        return e;
    if (e == ERR_FILE)
        return ERR_STORE_IO;
    return e == OK && n == sizeof(area) ? OK : ERR_DEVICE_KEY;
}

void devkey_load(struct devkey *k, const char *site)
{
    const char *slash = strrchr(site, '/');
    char path[SYSFILE_PATH];
    enum err e;

    k->image = DEVKEY_ABSENT;
    if (!sysfile_path(path, "%.*sdevice.key", slash ? (int)(slash + 1 - site) : 0, site)[0])
        return;
    e = read_area(path, k->area);
    k->image = e == OK ? DEVKEY_THERE : e == ERR_STORE_EMPTY ? DEVKEY_ABSENT : DEVKEY_DAMAGED;
}

enum err devkey_read(const struct devkey *k, const char *state, uint8_t ret[static BOARD_KEY_SIZE])
{
    char path[SYSFILE_PATH];

    if (k->image == DEVKEY_DAMAGED)
        return ERR_DEVICE_KEY;
    if (k->image == DEVKEY_THERE) {
        memcpy(ret, k->area, sizeof(k->area));
        return OK;
    }
    if (!state)
        return ERR_STORE_EMPTY;
    return sysfile_path(path, "%s.key", state)[0] ? read_area(path, ret) : ERR_STORE_IO;
}

enum err devkey_write(const char *state, const uint8_t area[static BOARD_KEY_SIZE])
{
    char path[SYSFILE_PATH];
    struct fault unused = {0};

    if (!state)
        return ERR_STORE_EMPTY;
    if (!sysfile_path(path, "%s.key", state)[0] ||
        files_write(path, 0600, span_of(area, BOARD_KEY_SIZE), &unused) != OK)
        return ERR_STORE_IO;
    return OK;
}
