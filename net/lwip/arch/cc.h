/*
 * cc.h - lwIP's view of compiler and platform. A failed assertion of lwIP stops the process at once: its state can no longer be trusted.
 */
#ifndef JOINBOOT_NET_LWIP_ARCH_CC_H
#define JOINBOOT_NET_LWIP_ARCH_CC_H

#include <stdint.h>
#include <sys/types.h>

#define LWIP_PLATFORM_DIAG(x) \
    do {                      \
    } while (0)
#define LWIP_PLATFORM_ASSERT(x) __builtin_trap()
/* ssize_t is the C library's: lwIP would define its own if it saw no SSIZE_MAX. */
#define LWIP_NO_UNISTD_H 1
#ifndef SSIZE_MAX
#define SSIZE_MAX INTPTR_MAX
#endif

uint32_t port_random(void);
#define LWIP_RAND() port_random()

#endif
