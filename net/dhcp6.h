/*
 * dhcp6.h - stateless DHCPv6 (RFC 8415 section 18.2.6): asks for resolvers when a router says that there is other configuration. Pure.
 */
#ifndef JOINBOOT_NET_DHCP6_H
#define JOINBOOT_NET_DHCP6_H

#include "firmware/base/ip.h"

enum { DHCP6_MESSAGE_MAX = 64, DHCP6_DNS_MAX = 4, DHCP6_CLIENT_PORT = 546, DHCP6_SERVER_PORT = 547 };

struct dhcp6_reply {
    struct ip dns[DHCP6_DNS_MAX];
    unsigned dns_count;
    uint32_t refresh_s; /* RFC 8415 section 21.23; a day if the server does not say */
};

/* Appends an information-request. xid: 24 bits. elapsed_cs: hundredths of a second since the first one. */
void dhcp6_put_request(struct buf *ret, uint32_t xid, const uint8_t mac[static 6], unsigned elapsed_cs);
/* True if the message is a good reply to it. */
bool dhcp6_read_reply(struct span msg, uint32_t xid, const uint8_t mac[static 6], struct dhcp6_reply *ret);

#endif
