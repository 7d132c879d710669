/*
 * net.h - the network of one NIC, both families: acquires addresses, routers and resolvers with lwIP. No lwIP type is visible here.
 *
 * lwIP is one instance per process, so struct net has no handle: these functions are the wrapper around it. lwIP's callbacks only latch into
 * structs that net/ owns; nothing here calls upward. One caller, one thread.
 */
#ifndef JOINBOOT_NET_NET_H
#define JOINBOOT_NET_NET_H

#include "boards/board.h"
#include "firmware/base/fault.h"
#include "firmware/base/ip.h"

enum { NET_DNS_MAX = 4, NET_ADDR6_MAX = 4 };

enum net_dad { NET_DAD_OPTIMISTIC, NET_DAD_RFC4862, NET_DAD_SHORT };

struct net_options {
    enum net_dad dad;
    unsigned families; /* families to acquire automatically: FAMILIES_* */
    bool host_link;    /* the link to the BMC: no router and no resolver of DHCP, but net_bmc */
};

enum net_addr_state {
    NET_ADDR_NONE = 0,
    NET_ADDR_TENTATIVE,
    NET_ADDR_OPTIMISTIC,
    NET_ADDR_PREFERRED,
    NET_ADDR_DUPLICATE
};

struct net_addr {
    enum net_addr_state state;
    struct ip_prefix prefix; /* address with its prefix length */
    bool is_static;
    bool deprecated;  /* IPv6: preferred lifetime has ended */
    uint32_t valid_s; /* remaining; UINT32_MAX: for ever */
};

/* What the network looks like now. `router` is zero family if there is none. */
struct net_status {
    bool carrier;
    struct net_addr v4;
    struct ip router4;
    struct ip dhcp4_server;
    struct net_addr v6[NET_ADDR6_MAX]; /* without link-local */
    struct net_addr link_local;
    struct ip router6;  /* link-local address of the default router */
    uint32_t router6_s; /* remaining lifetime */
    struct ip dns[NET_DNS_MAX];
    unsigned dns_count;
    bool duplicate; /* a duplicate was found since net_start */
    struct ip duplicate_addr;
    uint8_t duplicate_mac[6];
    uint32_t mtu6; /* from the router, 0: none */
    uint64_t frames_in, frames_out, frames_dropped;
};

/* Opens the NIC and starts acquisition: DHCPv4 DISCOVER, RS and NS go out at once if there is carrier, else when it comes. May be called again
 * after net_stop. Randomness comes from rng.h. */
enum err net_start(const struct board *board, unsigned nic, const struct net_options *options,
                   uint64_t now_ms) MUST_USE;
void net_stop(void);

/* Moves frames and runs timers; at most a bounded number of frames per call. True if frames came in: what they changed (a connection, an answer)
 * is told by no wake time, so the caller looks at it before it sleeps. */
bool net_poll(uint64_t now_ms);
/* When net_poll wants to be called again at the latest. */
uint64_t net_wake_ms(uint64_t now_ms);

void net_status(struct net_status *ret);
/* True if this family has a usable address (optimistic counts) and, if need_router, a router. */
bool net_family_ready(const struct net_status *s, enum family family, bool need_router);
/* True if every usable address has passed its whole DAD. */
bool net_dad_done(const struct net_status *s);

/* Adds a static address (it passes DAD; IPv4 by an ARP probe, RFC 5227) with an optional gateway (family NONE: none). For IPv4 it takes the
 * place of DHCP. ERR_ADDRESS_STATIC if it cannot be used. */
enum err net_static_addr(const struct ip_prefix *addr, const struct ip *gateway) MUST_USE;
enum err net_static_dns(const struct ip *server) MUST_USE;

/* Gives up what this family acquired (not static addresses) and starts again, avoiding the DHCP server or router that was used for a time that
 * grows with every call. To be called when a peer failed verification: what led there may have been a rogue. */
void net_reacquire(enum family family, uint64_t now_ms);

/* The address that DHCP on a host link names as a web server (option 72, RFC 2132 section 8.17), the BMC's, if it is on that link by the leased
 * address and its mask. False: none. */
bool net_bmc(struct ip *ret);

/* The NIC index that net_start was given. */
unsigned net_nic(void);

/* The byte streams of the network that is used: lwIP's, or those of the system (net/kernel.h). Type in net/conn.h. */
struct transport;
const struct transport *net_transport(void);

#endif
