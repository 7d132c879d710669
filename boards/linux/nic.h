/*
 * nic.h - the machine's network cards, as /sys/class/net shows them.
 *
 * Listed are Ethernet links that look like hardware (they have a device behind them) and veth ends, which is what a namespace has. Loopback,
 * bridges, tunnels, Wi-Fi, and links that already serve a bridge or bond are left out, unless the operator named exactly that link.
 * An index stays with its name for the life of the process; a link that has gone answers ERR_LINK_NONE.
 */
#ifndef JOINBOOT_BOARDS_LINUX_NIC_H
#define JOINBOOT_BOARDS_LINUX_NIC_H

#include <net/if.h>

#include "boards/board.h"

struct nics {
    const char *only; /* NULL: all that look right */
    char name[BOARD_NICS_MAX][IFNAMSIZ];
    unsigned count;
};

/* Looks again and appends links that are new. Returns how many are known. */
unsigned nic_scan(struct nics *n);

/* Adds a link of this name, whatever it is, unless it is known or there is no room. */
void nic_add(struct nics *n, const char *name);

enum err nic_info(const struct nics *n, unsigned nic, struct board_nic *ret) MUST_USE;

/* The kernel's index of the link now; 0 if it has gone. */
unsigned nic_index(const struct nics *n, unsigned nic);

/* Sets IFF_UP on a link. ERR_IO. */
enum err nic_up(const char *name) MUST_USE;

#endif
