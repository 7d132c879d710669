/*
 * oneshot.h - the agent as an ordinary service of a system whose network is up (--one-shot): the system's network in the form of net/kernel.h.
 */
#ifndef JOINBOOT_BOARDS_LINUX_ONESHOT_H
#define JOINBOOT_BOARDS_LINUX_ONESHOT_H

#include <poll.h>

#include "boards/linux/hostaddrs.h"
#include "boards/linux/ksock.h"

enum { ONESHOT_POLL_MAX = KSOCK_MAX + 1 };

struct oneshot {
    struct hostaddrs addrs;
    struct nics *nics;
    struct kernel kernel;
};

/* From now on the agent uses the system's network. */
void oneshot_start(struct oneshot *o, struct nics *nics);

/* The NICs that the board knows, and the link of the default route, whatever it is: a bond, a bridge, a VLAN. */
unsigned oneshot_scan(struct oneshot *o);

/* Adds what is to be waited for; how many entries. */
unsigned oneshot_poll(const struct oneshot *o, struct pollfd ret[static ONESHOT_POLL_MAX]);

#endif
