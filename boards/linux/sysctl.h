/*
 * sysctl.h - kernel settings by their dotted names (sysctl.d(5)): dots and slashes are exchanged, so that net.ipv6.conf.eth0/100.mtu works.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SYSCTL_H
#define JOINBOOT_BOARDS_LINUX_SYSCTL_H

#include "firmware/base/fault.h"

/* Sets and reads back; a value that is there already is not written again, because writing some (ip_forward) resets others. ERR_HANDOFF. */
enum err sysctl_set(const char *key, const char *value, struct fault *f) MUST_USE;

/* ERR_STORE_EMPTY if the kernel has no such setting, ERR_LIMIT, ERR_IO. */
enum err sysctl_get(const char *key, char *ret, size_t cap) MUST_USE;

#endif
