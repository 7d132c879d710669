/*
 * hostlink_put.h - the frames that a BMC sends on its host link by itself, and the checksum of IPv6. Only for hostlink.c.
 */
#ifndef JOINBOOT_NET_HOSTLINK_PUT_H
#define JOINBOOT_NET_HOSTLINK_PUT_H

#include "net/hostlink.h"

/* The checksum over an IPv6 packet's pseudo header and this payload of it (RFC 8200 section 8.1); 0 if the one in it is right. */
uint16_t hostlink_sum6(struct span packet, struct span payload);

/* ARP reply to this sender. */
void hostlink_put_arp(struct buf *ret, const struct hostlink *h, const uint8_t mac[static 6],
                      const uint8_t addr[static 4]);
/* Neighbor advertisement of one of the BMC's addresses; to NULL: all nodes. */
void hostlink_put_na(struct buf *ret, const struct hostlink *h, const uint8_t target[static 16],
                     const uint8_t mac[static 6], const uint8_t *to);
/* A DHCPv4 server's message, as a broadcast that only this MAC gets: the host has no address yet. */
void hostlink_put_dhcp(struct buf *ret, const struct hostlink *h, const uint8_t mac[static 6],
                       struct span message);

#endif
