/*
 * hostlink.h - what a BMC says on the link to its host, and what it listens to there. Pure: frames in, a verdict and frames out.
 *
 * The link is private, of two ends, and of other trust than the management network: whoever runs on the host may send anything. So this file
 * answers by itself what the link needs (ARP, Neighbor Discovery, router solicitations, DHCPv4), and of all else only TCP to the one port, from and
 * to addresses of the link, goes on to the network stack. Nothing that could change a route, a resolver, a neighbor or an address does: router
 * advertisements, redirects, DHCP offers are dropped with everything that is not for this link.
 *
 * Addresses: fe80::6a62:1, <ULA>::1 in a /64 derived from the BMC's MAC (RFC 4193 section 3.2.2), 169.254.106.1; the host forms its own within the
 * prefix (RFC 4862) or gets 169.254.106.2/30 (RFC 2131).
 */
#ifndef JOINBOOT_NET_HOSTLINK_H
#define JOINBOOT_NET_HOSTLINK_H

#include "net/dhcp4_server.h"

enum {
    HOSTLINK_PORT = 80,
    HOSTLINK_FRAME_MAX = 400,     /* of an answer */
    HOSTLINK_RA_MS = 30000,       /* between unsolicited advertisements */
    HOSTLINK_PREFIX_S = 24 * 3600 /* lifetime of the prefix */
};

struct hostlink {
    uint8_t mac[6];
    struct ip link_local, ula; /* the BMC's */
    struct dhcp4_server v4;
};

enum hostlink_verdict {
    HOSTLINK_DROP,
    HOSTLINK_ANSWER, /* *ret is a frame to send */
    HOSTLINK_TCP     /* for the stack: Ethernet header off, IP packet in */
};

/* The BMC's fixed link-local address, the same on every host link. */
struct ip hostlink_address(void);

/* ERR_NOMEM: the hash cannot be computed. */
enum err hostlink_init(struct hostlink *h, const uint8_t mac[static 6]) MUST_USE;
/* What to do with a frame; one that is shorter than 60 bytes was padded with zeros. ret is empty and has room for HOSTLINK_FRAME_MAX bytes. */
enum hostlink_verdict hostlink_frame(const struct hostlink *h, struct span frame, struct buf *ret);
/* An advertisement to all nodes: the prefix, no default router (lifetime 0), no resolver. */
void hostlink_advertise(const struct hostlink *h, struct buf *ret);
/* True if a TCP segment that hostlink_frame let pass asks for a new connection; ret_port is the one that it comes from. */
bool hostlink_is_syn(struct span frame, uint16_t *ret_port);
/* True if a frame that guard_frame() let pass is an IP packet for one of the BMC's addresses here. */
bool hostlink_is_for(const struct hostlink *h, struct span frame);
/* True if an IP packet of the stack is TCP from one of these addresses: all that it has to say here. */
bool hostlink_is_said(const struct hostlink *h, struct span frame);

#endif
