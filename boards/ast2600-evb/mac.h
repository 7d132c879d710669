/*
 * mac.h - an FTGMAC100 with its PHY: one network card of the board.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_MAC_H
#define JOINBOOT_BOARDS_AST2600_EVB_MAC_H

#include "boards/ast2600-evb/phy.h"
#include "boards/ast2600-evb/ring.h"

struct mac {
    uint32_t base, mdio;
    struct ring_memory *memory;
    uint32_t bus; /* the device's address of *memory */
    bool open;
    uint32_t control; /* MACCR as it was last set */
    struct ring ring;
};

/* The station address that the loader, or QEMU, left in the MAC's registers. False: none that a station may have. */
bool mac_address(const struct mac *m, uint8_t ret[static 6]);
/* Link state; an open MAC follows what the PHY negotiated. */
bool mac_carrier(struct mac *m);
/* Resets the MAC and starts it with empty rings; idempotent. ERR_LINK_NONE: it does not leave its reset. */
enum err mac_open(struct mac *m) MUST_USE;
void mac_close(struct mac *m);
/* ERR_STATE: it is not open; else as ring_send(). */
enum err mac_send(struct mac *m, struct span frame) MUST_USE;
/* The next good frame and its length; 0: none is waiting. */
size_t mac_recv(struct mac *m, uint8_t *ret, size_t cap);
/* Before a sleep that the MAC's interrupt may end: true if something is waiting already. */
bool mac_arm(struct mac *m);

#endif
