/*
 * ndp.h - reads and builds the few ARP (RFC 826, RFC 5227) and Neighbor Discovery (RFC 4861, RFC 8106) frames that net/ handles itself:
 * who claims an address, what a router advertises, who is a DHCP server, probes and solicitations. Pure.
 *
 * The readers expect frames that guard_frame() has passed, and check their bounds again.
 */
#ifndef JOINBOOT_NET_NDP_H
#define JOINBOOT_NET_NDP_H

#include "firmware/base/ip.h"

enum { NDP_FRAME_MAX = 96, NDP_RDNSS_MAX = 8 };

enum ndp_kind {
    NDP_NONE = 0,
    NDP_USE, /* the sender uses the address: ARP sender, neighbor advertisement */
    NDP_PROBE /* the sender is about to use the address: ARP probe, solicitation from the unspecified address */
};

struct ndp_claim {
    enum ndp_kind kind;
    struct ip addr;
    uint8_t mac[6];
};

struct ndp_rdnss {
    struct ip addr;
    uint32_t lifetime_s; /* 0: no longer to be used; UINT32_MAX: for ever */
};

struct ndp_ra {
    struct ip router; /* link-local source */
    uint8_t mac[6];
    uint16_t lifetime_s; /* as a default router; 0: none */
    bool managed, other; /* M and O flags */
    uint32_t mtu;        /* 0: none */
    struct ndp_rdnss rdnss[NDP_RDNSS_MAX];
    unsigned rdnss_count;
};

/* What the frame says about somebody's address; NDP_NONE: nothing. */
void ndp_read_claim(struct span frame, struct ndp_claim *ret);
/* True and *ret if the frame is a router advertisement. */
bool ndp_read_ra(struct span frame, struct ndp_ra *ret);

/* True if the frame is from a DHCPv4 server: *ret is its address, and *ret_mac the sender's MAC. */
bool ndp_read_dhcp4(struct span frame, struct ip *ret, uint8_t ret_mac[static 6]);
/* True if it says no (DHCPNAK, RFC 2131 section 3.1 point 4). */
bool ndp_is_nak(struct span frame);

/* Frames into ret, which must have room for NDP_FRAME_MAX bytes. */
void ndp_put_router_solicit(struct buf *ret, const uint8_t mac[static 6],
                            const struct ip *src); /* src NULL: unspecified */
void ndp_put_probe(struct buf *ret, const uint8_t mac[static 6],
                   const struct ip *addr); /* DAD, either family */

#endif
