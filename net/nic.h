/*
 * nic.h - one network card between the board and lwIP: frames in, guarded and padded, and frames out. Only for files in net/.
 */
#ifndef JOINBOOT_NET_NIC_H
#define JOINBOOT_NET_NIC_H

#include "boards/board.h"

#include "lwip/netif.h"

enum { NIC_CARRIER_MS = 100 };

struct nic {
    const struct board *board;
    unsigned index;
    struct board_nic info;
    uint64_t carrier_next_ms;
    bool mute; /* nothing leaves: for a silent end, so that the kernel can take the addresses over */
    struct netif netif;
    uint64_t frames_in, frames_out, frames_dropped;
    _Alignas(8) uint8_t rx[BOARD_FRAME_MAX + 2];
    _Alignas(8) uint8_t tx[BOARD_FRAME_MAX + 2];
};

/* Opens the card and adds it to lwIP. ERR_LINK_NONE, or the board's error. */
enum err nic_open(struct nic *n, const struct board *board, unsigned index) MUST_USE;
void nic_close(struct nic *n);
/* Asks the board for the carrier, at most every NIC_CARRIER_MS. True if it has changed. */
bool nic_carrier(struct nic *n, uint64_t now_ms);
/* The next frame that guard_frame() lets pass, valid until the next call. False: none is waiting. *budget counts down with every frame read. */
bool nic_next(struct nic *n, unsigned *budget, struct span *ret_frame);
/* Hands a frame to lwIP. */
void nic_deliver(struct nic *n, struct span frame);
/* Sends a frame that net/ made itself. */
void nic_send(struct nic *n, struct span frame);

#endif
