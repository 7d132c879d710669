/*
 * frames.h - Ethernet frames made by hand for tests: headers, checksums, ARP, ND, DHCP, DNS, UDP, TCP.
 */
#ifndef JOINBOOT_TESTS_UNIT_FRAMES_H
#define JOINBOOT_TESTS_UNIT_FRAMES_H

#include "firmware/base/ip.h"

/* Addresses and MACs of a test's peer and of the machine under test. */
struct frames_host {
    uint8_t mac[6];
    struct ip v4, v6;
};

struct ip frames_ip(const char *text);

/* Each appends a whole frame, checksums filled in, padded to 60 bytes. */
void frames_arp(struct buf *ret, const uint8_t *src, const uint8_t *dst, unsigned op,
                const uint8_t *sender_mac, const struct ip *sender, const struct ip *target);
void frames_icmp6(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                  const struct ip *to, unsigned hops, struct span message);
void frames_udp(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                const struct ip *to, unsigned from_port, unsigned to_port, struct span payload);
/* segment: a TCP header whose checksum is zero, and data. */
void frames_tcp(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                const struct ip *to, struct span segment);
void frames_ipv4(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                 const struct ip *to, unsigned protocol, struct span payload);

/* ND messages; their checksum is filled in by frames_icmp6. */
void frames_ra(struct buf *ret, unsigned flags, unsigned lifetime_s, const uint8_t *source_mac);
void frames_ra_prefix(struct buf *ret, const char *prefix, unsigned flags, uint32_t valid_s,
                      uint32_t preferred_s);
void frames_ra_rdnss(struct buf *ret, const char *server, uint32_t lifetime_s);
void frames_na(struct buf *ret, unsigned flags, const struct ip *target, const uint8_t *mac);
void frames_ns(struct buf *ret, const struct ip *target, const uint8_t *source_mac);

/* The DHCP message in a frame to a server's port; empty if it is another frame. */
struct span frames_dhcp_request(struct span frame);
/* A frame with a server's reply to that message (RFC 2131), to everybody: `type` 2 OFFER, 5 ACK, 6 NAK; an hour's lease, with the server as router and
 * as resolver. */
void frames_dhcp_reply(struct buf *ret, const uint8_t *src, struct span request, unsigned type,
                       const char *lease, const char *server);

/* Big-endian numbers. */
void frames_u16(struct buf *ret, unsigned v);
void frames_u32(struct buf *ret, uint32_t v);
unsigned frames_get16(struct span s, size_t off);

/* Calls `each` with every Ethernet frame of a classic pcap file of link type 1; returns how many, 0 if it is not such a file. */
unsigned frames_pcap(struct span file, void (*each)(void *ctx, struct span frame), void *ctx);

#endif
