/*
 * vnet.h - what a Linux packet socket with PACKET_VNET_HDR delivers, made into plain Ethernet frames.
 *
 * On veth, virtio and every card with receive offload the kernel hands over frames that were never on a wire: their transport checksum is only
 * begun (it holds the pseudo header's sum), and up to 64 KB of TCP or UDP payload stand behind one header. vnet finishes the checksum and cuts such
 * a frame into the segments that the sender would have sent. Other cards leave the FCS behind a frame: what follows an IP packet is cut off.
 * Pure: bytes in, bytes out.
 *
 * Header: struct virtio_net_hdr (virtio 1.2 section 5.1.6), in the machine's byte order, as packet(7) says.
 * Rules of cutting: RFC 9293 (TCP), RFC 768 (UDP); IPv4 identification counts up per segment, FIN and PSH stay with the last, CWR with the first.
 */
#ifndef JOINBOOT_BOARDS_LINUX_VNET_H
#define JOINBOOT_BOARDS_LINUX_VNET_H

#include "firmware/base/span.h"

enum {
    VNET_NEEDS_CSUM = 1, /* flags */
    VNET_GSO_NONE = 0,   /* gso_type, with VNET_GSO_ECN masked off */
    VNET_GSO_TCPV4 = 1,
    VNET_GSO_TCPV6 = 4,
    VNET_GSO_UDP_L4 = 5,
    VNET_GSO_ECN = 0x80,
    VNET_FRAME_MIN =
        60 /* Ethernet's shortest frame without FCS; shorter ones are padded, because lwIP reads a little past a runt */
};

struct vnet_hdr {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
};

/* One received frame on its way to plain frames. Zeroed: nothing waits. */
struct vnet {
    const uint8_t *frame; /* the caller's memory; must stay until vnet_next() returned 0 */
    size_t n;
    size_t l3, l4, payload; /* offsets; l4 and payload only when segments are cut */
    size_t off;             /* next payload byte */
    size_t gso_size;
    bool v6, udp;
    bool waiting;
};

/* Takes a frame; may finish its checksum in place. ERR_INPUT if header and frame do not fit together (the frame is then to be dropped). */
enum err vnet_take(struct vnet *v, const struct vnet_hdr *h, uint8_t *frame, size_t n) MUST_USE;

/* The next plain frame, at least VNET_FRAME_MIN long; 0 when all were delivered. A frame larger than cap is dropped. */
size_t vnet_next(struct vnet *v, uint8_t *ret, size_t cap);

#endif
