/*
 * netstate.h - the one state behind net.h, shared by net.c (life and frames), net_v4.c, net_v6.c (a family each) and net_status.c.
 * Only for files in net/ that include lwIP headers.
 */
#ifndef JOINBOOT_NET_NETSTATE_H
#define JOINBOOT_NET_NETSTATE_H

#include "net/dad.h"
#include "net/net.h"
#include "net/nic.h"
#include "net/quarantine.h"
#include "net/resolvers.h"

#include "lwip/dhcp.h"

struct net_v4 {
    bool automatic; /* DHCP is wanted */
    bool has_static;
    struct ip_prefix fixed; /* the static address */
    struct ip gateway;      /* family NONE: none */
    struct ip current;      /* the address in use or on probation; family NONE: none */
    uint64_t restart_ms;    /* when DHCP starts again after a duplicate; 0: not waiting */
    struct quarantine avoid;
    uint64_t nak_ms; /* no DHCPNAK is listened to before */
    ip4_addr_t www;  /* the web server that DHCP names; zero: none */
    struct dhcp dhcp;
};

struct net_v6 {
    bool automatic;
    bool wanted;         /* automatic, or there is a static address */
    uint64_t solicit_ms; /* of the next router solicitation */
    unsigned solicits;   /* sent since the link came up */
    uint32_t mtu;
    bool other_config; /* a router says that DHCPv6 has resolvers */
    struct quarantine avoid;
    struct ip fixed[NET_ADDR6_MAX];
    uint8_t fixed_len[NET_ADDR6_MAX];
    unsigned fixed_count;
    struct ip gateway; /* static; family NONE: none */
};

struct net_dhcp6 {
    struct udp_pcb *pcb;
    bool waiting; /* for the answer to `xid` */
    uint32_t xid;
    unsigned tries;
    uint64_t first_ms, next_ms;
};

struct net {
    bool running;
    bool link;
    bool host_link; /* net_options.host_link */
    enum net_dad policy;
    struct nic nic;
    struct dad dad;
    struct resolvers resolvers;
    struct net_v4 v4;
    struct net_v6 v6;
    struct net_dhcp6 dhcp6;
    bool duplicate;
    struct ip duplicate_addr;
    uint8_t duplicate_mac[6];
};

extern struct net net_state;

/* Carrier came: begin to acquire. Carrier went: forget everything that was acquired. */
void net_v4_up(struct net *n, uint64_t now_ms);
void net_v4_down(struct net *n);
/* After frames and timers: follows what lwIP has done, applies the DAD policy. */
void net_v4_turn(struct net *n, uint64_t now_ms);
uint64_t net_v4_wake_ms(const struct net *n);
enum err net_v4_static(struct net *n, const struct ip_prefix *addr, const struct ip *gateway,
                       uint64_t now_ms) MUST_USE;

void net_v6_up(struct net *n, uint64_t now_ms);
void net_v6_down(struct net *n);
void net_v6_turn(struct net *n, uint64_t now_ms);
uint64_t net_v6_wake_ms(const struct net *n);
enum err net_v6_static(struct net *n, const struct ip_prefix *addr, const struct ip *gateway,
                       uint64_t now_ms) MUST_USE;
void net_v6_advertised(struct net *n, const struct ndp_ra *ra, uint64_t now_ms);
void net_v4_reacquire(struct net *n, uint64_t now_ms);
void net_v6_reacquire(struct net *n, uint64_t now_ms);

void net_dhcp6_turn(struct net *n, uint64_t now_ms);
uint64_t net_dhcp6_wake_ms(const struct net *n);
void net_dhcp6_down(struct net *n);

/* The default router of lwIP with its remaining lifetime; false: none. */
bool net_v6_router(struct ip *ret, uint32_t *ret_s);

#endif
