/*
 * hooks.h - the hooks that lwIP calls, implemented in net/port.c and net/dhcp4_client.c.
 */
#ifndef JOINBOOT_NET_LWIP_HOOKS_H
#define JOINBOOT_NET_LWIP_HOOKS_H

#include "lwip/ip6_addr.h"
#include "lwip/ip_addr.h"

struct netif;
struct dhcp_msg;
struct pbuf;

/* Appends the DHCPv4 client identifier (RFC 2132 section 9.14: hardware type 1 and the MAC address) at msg->options + *len and raises *len. A
 * lease belongs to an identifier; systemd-networkd with ClientIdentifier=mac sends this one, and so renews the agent's lease. On the link to a BMC
 * the mask and the BMC's address are all that is asked for. */
void dhcp4_client_append(const struct netif *netif, struct dhcp_msg *msg, u16_t *len);
/* An option of a DHCPv4 answer that lwIP does not know, n bytes at `at` in p: takes the BMC's address on the link to it. */
void dhcp4_client_option(u8_t code, u8_t n, const struct pbuf *p, u16_t at);
/* Initial sequence number of a connection (RFC 6528). */
u32_t port_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                   u16_t remote_port);
/* The static IPv6 gateway, NULL if there is none. */
const ip6_addr_t *port_nd6_gateway(struct netif *netif, const ip6_addr_t *dest);

#endif
