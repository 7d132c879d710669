/*
 * port.h - what lwIP needs of us and what net/'s wrapper files share: time, random numbers, address conversion, the resolvers that DHCP gave.
 * Only for files in net/ that include lwIP headers.
 */
#ifndef JOINBOOT_NET_PORT_H
#define JOINBOOT_NET_PORT_H

#include "firmware/base/ip.h"

#include "lwip/ip_addr.h"

enum { PORT_DHCP_DNS_MAX = 4 };

/* Starts lwIP, or, when it runs already, lets its timers go on from now. */
void port_stack(void);
/* Sets the time that lwIP sees. */
void port_time(uint64_t now_ms);
uint64_t port_now_ms(void);

/* A random number for ports and identifiers. */
uint32_t port_random(void);
/* A random port of the dynamic range (RFC 6056, RFC 6335). */
uint16_t port_random_port(void);

void port_to_lwip(const struct ip *addr, ip_addr_t *ret);
void port_from_lwip(const ip_addr_t *addr, struct ip *ret);

/* The resolvers of the last DHCPv4 acknowledgement. */
unsigned port_dhcp_dns(struct ip ret[static PORT_DHCP_DNS_MAX]);
void port_dhcp_dns_clear(void);

/* Sets the static IPv6 gateway; NULL: none. */
void port_set_gateway6(const struct ip *gateway);

#endif
