/*
 * hostnet.h - gives the network that the agent's own stack acquired to the kernel, and takes it back.
 *
 * Order of giving, each step for a reason:
 *   accept_ra and autoconf before IPv6 comes on: the kernel must not make addresses of its own;
 *   disable_ipv6 = 0 for `all` and `default` too: links made later (bridges, a pod's veth) inherit it;
 *   addresses before routes: a gateway must be reachable when a route names it.
 */
#ifndef JOINBOOT_BOARDS_LINUX_HOSTNET_H
#define JOINBOOT_BOARDS_LINUX_HOSTNET_H

#include "boards/linux/nic.h"
#include "firmware/agent/host.h"

/* Of a route beside the one that the kernel learns from RAs: the learned one is preferred. */
enum { HOSTNET_METRIC_BESIDE_RA = 2048 };

struct hostnet {
    bool applied;
    struct host_net last; /* what was given, to be taken back */
};

/* ERR_LINK_NONE, ERR_HANDOFF. Idempotent; what an earlier call gave and this one does not name is taken back. */
enum err hostnet_apply(struct hostnet *h, const struct nics *nics, const struct host_net *want,
                       struct fault *f) MUST_USE;

/* Takes back routes and addresses, and IPv6 from the link. Idempotent. */
void hostnet_release(struct hostnet *h, const struct nics *nics, unsigned nic);

/* New lifetimes of an address; made anew if the kernel has it no more. ERR_HANDOFF. */
enum err hostnet_lifetime(const struct nics *nics, unsigned nic, const struct ip_prefix *addr,
                          uint32_t valid_s, uint32_t preferred_s, struct fault *f) MUST_USE;

/* Loopback up. ERR_HANDOFF. */
enum err hostnet_loopback(struct fault *f) MUST_USE;

#endif
