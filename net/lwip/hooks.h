/*
 * hooks.h - the hooks that lwIP calls, implemented in net/port.c.
 */
#ifndef JOINBOOT_NET_LWIP_HOOKS_H
#define JOINBOOT_NET_LWIP_HOOKS_H

#include "lwip/ip6_addr.h"
#include "lwip/ip_addr.h"

struct netif;

/* Initial sequence number of a connection (RFC 6528). */
u32_t port_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                   u16_t remote_port);
/* The static IPv6 gateway, NULL if there is none. */
const ip6_addr_t *port_nd6_gateway(struct netif *netif, const ip6_addr_t *dest);

#endif
