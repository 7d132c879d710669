/*
 * sysctl.c - see sysctl.h.
 */
#include "boards/linux/sysctl.h"

#include <errno.h>

#include "boards/linux/files.h"
#include "boards/linux/sysfile.h"

static bool path_of(const char *key, char ret[static SYSFILE_PATH])
{
    size_t from = sizeof("/proc/sys/") - 1;

    if (strstr(key, "..") || !sysfile_path(ret, "/proc/sys/%s", key)[0])
        return false;
    for (char *p = ret + from; *p; p++)
        *p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
    return true;
}

enum err sysctl_get(const char *key, char *ret, size_t cap)
{
    char path[SYSFILE_PATH], raw[256];
    size_t n;
    enum err e;

    if (!path_of(key, path))
        return ERR_STORE_EMPTY;
    e = sysfile_read(path, raw, sizeof(raw), &n);
    return e ? e : span_to_cstr(span_trim(span_of(raw, n)), ret, cap);
}

enum err sysctl_set(const char *key, const char *value, struct fault *f)
{
    char path[SYSFILE_PATH], now[256];

    if (!path_of(key, path))
        return fault_set(f, ERR_HANDOFF, "%s is not a setting", key);
    if (!sysctl_get(key, now, sizeof(now)) && strcmp(now, value) == 0)
        return OK;
    if (sysfile_write(path, value))
        return fault_set(f, ERR_HANDOFF, "%s = %s: %s", key, value, files_reason(errno));
    if (sysctl_get(key, now, sizeof(now)) || strcmp(now, value) != 0)
        return fault_set(f, ERR_HANDOFF, "%s reads back as something else than %s", key, value);
    return OK;
}
