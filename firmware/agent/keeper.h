/*
 * keeper.h - after the hand-over the kernel owns addresses and routes; the keeper renews the DHCPv4 lease and follows router advertisements, and
 * passes new lifetimes on to the kernel.
 *
 * Invariant: no address is given to the kernel that the machine did not have at the hand-over, since kubelet is known by those. An address ends
 * only when its own lifetime does; that has a name in the journal, and the same address is asked for until it is back.
 */
#ifndef JOINBOOT_AGENT_KEEPER_H
#define JOINBOOT_AGENT_KEEPER_H

#include "net/net.h"
#include "net/net_lease.h"

struct agent;

struct keeper {
    unsigned families; /* of which something is kept; 0: nothing */
    bool on;           /* the host's sockets are open */
    uint64_t retry_ms; /* when they are tried again */
    unsigned failures;
    bool apply; /* routes have to be given again */
    struct lease v4;
    struct slaac v6;
    struct resolvers resolvers;
    struct ip dns[NET_DNS_MAX]; /* as resolv.conf has them */
    unsigned dns_count;
};

/* At the hand-over, while the agent's own stack still runs and a->host_net is complete: takes over what was lent, and gives a->host_net the lifetimes
 * that are kept from now on. Without the means to keep them (a board without, a socket that cannot be opened) the addresses stay without an end. */
void keeper_take(struct agent *a);

/* Once a turn: messages, timers, and what they change in the kernel. */
void keeper_turn(struct agent *a);
uint64_t keeper_wake_ms(const struct agent *a);

/* The agent's own stack takes the NIC again. Idempotent. */
void keeper_stop(struct agent *a);

#endif
