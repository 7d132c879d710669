/*
 * networkd.h - the agent's network as systemd-networkd shall go on with it: one .network file (systemd.network(5)). Pure.
 *
 * The same machine for every server and router: DHCPv4 by the same client identifier (net/lwip/hooks.h), so that the same lease is renewed;
 * DHCPv6 by the same DUID and for information only, as the agent does it; IPv6 addresses from the MAC address.
 */
#ifndef JOINBOOT_AGENT_NETWORKD_H
#define JOINBOOT_AGENT_NETWORKD_H

#include "config/nodejoin.h"

/* Before the files that distributions and operators name 10-, 50-, 99-: the first that matches a link is used, and no other. */
#define NETWORKD_PATH "/etc/systemd/network/05-joinboot.network"

struct networkd {
    uint8_t mac[6];
    unsigned
        automatic; /* families that are configured by DHCP or router advertisements unless they are static */
    unsigned required; /* families without which the link is not online */
    const struct nodejoin_network *v4, *v6;
};

/* ret->overflow tells that it did not fit. */
void networkd_put(const struct networkd *n, struct buf *ret);

#endif
