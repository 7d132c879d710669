/*
 * guard.h - decides which Ethernet frames the network stack may see. Pure: bytes in, verdict out.
 *
 * It lets pass only what this agent can use: ARP, unfragmented IPv4 and IPv6 with UDP, TCP or ICMP, in well-formed headers whose lengths agree;
 * and it drops what steers a host without being asked (ICMP redirects) or breaks the rules that keep Neighbor Discovery on the link
 * (RFC 4861 sections 6.1.2, 7.1, RFC 6980). It is the place of the bounds checks that lwIP 2.2.1 lacks.
 */
#ifndef JOINBOOT_NET_GUARD_H
#define JOINBOOT_NET_GUARD_H

#include "firmware/base/span.h"

enum { GUARD_FRAME_MIN = 60, GUARD_ETH = 14 };

/* True if the stack may see the frame. Frames shorter than GUARD_FRAME_MIN must have been padded with zeros to that length. */
bool guard_frame(struct span frame);

#endif
