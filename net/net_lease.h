/*
 * net_lease.h - what the network of net.h was lent, and until when: for whoever keeps it after net_stop(). Static addresses are not among it.
 */
#ifndef JOINBOOT_NET_NET_LEASE_H
#define JOINBOOT_NET_NET_LEASE_H

#include "net/lease.h"
#include "net/resolvers.h"
#include "net/slaac.h"

struct net_lease {
    uint8_t mac[6];
    struct lease_grant v4;  /* addr of family NONE: no lease */
    uint64_t v4_granted_ms; /* since when its times count */
    struct slaac v6;        /* addresses by SLAAC, and the routers that advertise */
    struct resolvers resolvers;
};

/* False if the network does not run. To be called before net_stop(). */
bool net_lease(struct net_lease *ret, uint64_t now_ms);

#endif
