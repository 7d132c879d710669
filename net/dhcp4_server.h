/*
 * dhcp4_server.h - the answers of a DHCPv4 server that has one address for one host (RFC 2131, RFC 2132), without a router and without resolvers:
 * what is given leads nowhere but to the server, which names itself as the web server to ask (option 72, RFC 2132 section 8.17). Pure.
 */
#ifndef JOINBOOT_NET_DHCP4_SERVER_H
#define JOINBOOT_NET_DHCP4_SERVER_H

#include "firmware/base/ip.h"

enum { DHCP4_SERVER_MESSAGE = 300, DHCP4_SERVER_LEASE_S = 3600 };

struct dhcp4_server {
    struct ip server;
    struct ip_prefix host; /* what it gets */
};

/* Appends the answer to a client's message that came from this MAC. False: none is due (nobody asked this server, or it is not well-formed). */
bool dhcp4_server_answer(const struct dhcp4_server *s, struct span request, const uint8_t mac[static 6],
                         struct buf *ret) MUST_USE;

#endif
