/*
 * packet.h - raw Ethernet frames on Linux links through packet sockets (packet(7)).
 *
 * Surprises that this file keeps away from the network stack: checksums that are only begun and super-frames (vnet.h), frames of other VLANs whose
 * tag the card has stripped, frames for other hosts on a bridged segment, our own frames, and the kernel's IPv6 on the same link, which would
 * configure the same address and reset our connections.
 */
#ifndef JOINBOOT_BOARDS_LINUX_PACKET_H
#define JOINBOOT_BOARDS_LINUX_PACKET_H

#include "boards/linux/nic.h"
#include "boards/linux/vnet.h"

enum { PACKET_SUPER = 65536 + 64 };

struct packets {
    int fd[BOARD_NICS_MAX];         /* -1: closed; packet_init() sets that */
    bool ip6_quiet[BOARD_NICS_MAX]; /* the kernel's IPv6 was switched off on this link, and was on before */
    unsigned index[BOARD_NICS_MAX]; /* the kernel's, of an open link */
    struct vnet vnet;               /* a frame that is being cut; it belongs to `owner` */
    unsigned owner;
    bool asked; /* meanwhile another link was asked for a frame */
    uint8_t super[PACKET_SUPER];
};

void packet_init(struct packets *p);

/* Link up, kernel IPv6 off on it, socket bound. Idempotent, but a link that came in the place of the opened one is opened anew. ERR_LINK_NONE if the link has gone, ERR_IO otherwise (errno tells). */
enum err packet_open(struct packets *p, const struct nics *n, unsigned nic) MUST_USE;
/* Idempotent; leaves the link up and the kernel's IPv6 as it is. */
void packet_close(struct packets *p, unsigned nic);

enum err packet_send(struct packets *p, unsigned nic, struct span frame) MUST_USE;
/* True if the link was opened, and has gone or been replaced by another of its name since: no frame comes from it any more. */
bool packet_is_lost(const struct packets *p, const struct nics *n, unsigned nic);
/* The next frame of this link, 0: none. While a super-frame of one link is being cut, the others wait, and then come before its next one. */
size_t packet_recv(struct packets *p, unsigned nic, uint8_t *ret, size_t cap);
/* True if packet_recv() has something without asking the kernel. */
bool packet_waiting(const struct packets *p);

/* Gives the kernel its IPv6 back on links where packet_open() took it. */
void packet_restore(struct packets *p, const struct nics *n);

#endif
