/*
 * netpeer.h - a network of one peer for tests: a board whose frames stay in memory, and behind it a scripted DHCP server, router, neighbor and DNS
 * server, in fake time.
 */
#ifndef JOINBOOT_TESTS_UNIT_NETPEER_H
#define JOINBOOT_TESTS_UNIT_NETPEER_H

#include "boards/board.h"
#include "net/net.h"

enum { NETPEER_QUEUE = 256 };

/* One server on the link; a second one can play the rogue. */
struct netpeer_server {
    uint8_t mac[6];
    const char *v4, *ll; /* its addresses */
    const char *lease;   /* what it gives; NULL: no DHCP */
    uint32_t lease_s;
    const char *dns4;   /* option 6; NULL: none */
    struct span more4;  /* further options of its DHCP, as they are sent */
    const char *prefix; /* what it advertises; NULL: no router */
    const char *rdnss;  /* NULL: none */
    unsigned lifetime_s, rdnss_s, ra_flags;
    const char *dns6_stateless; /* what its DHCPv6 gives; NULL: none */
    const char *a, *aaaa;       /* what its DNS says for any name; NULL: no such address */
    bool deaf_dns;
    unsigned naks; /* so many of the next requests are refused: DHCPNAK */
};

struct netpeer {
    struct netpeer_server servers[2];
    unsigned server_count;
    bool carrier;
    uint64_t now_ms;
    /* counted by kind, from the machine under test */
    unsigned discovers, requests, solicits, probes4, probes6, queries, syns, releases, info_requests;
    uint16_t query_ports[64], query_ids[64];
    uint16_t syn_ports[16];
    uint32_t syn_isns[16];
    uint8_t wanted4[16]; /* the parameters that the last DHCP message asks for */
    unsigned wanted4_count;
    uint64_t first_ready_ms[2];
};

extern struct netpeer netpeer;
extern const struct board netpeer_board;
extern const uint8_t netpeer_mac[6];   /* of the machine under test */
extern const uint8_t netpeer_other[6]; /* of another machine that claims its addresses */

/* Carrier, one honest server with everything, time 1000. */
void netpeer_reset(void);
/* A frame towards the machine under test. */
void netpeer_inject(struct span frame);
/* What the servers do with a frame of the machine under test. */
void netpeer_serve(struct span frame);
/* Runs net_poll and the servers for so many milliseconds, or until `until` is true. True if it was. */
bool netpeer_run(unsigned ms, bool (*until)(const struct net_status *s));

/* Starts the network on the link; fails the test if it cannot. */
void netpeer_start(enum net_dad policy, unsigned families);
struct net_status netpeer_status(void);
/* An unsolicited neighbor advertisement, and an ARP request, of another machine. */
void netpeer_claim6(const char *addr);
void netpeer_claim4(const char *addr);

/* For netpeer_run: the families have usable addresses and routers; their probes have ended; a duplicate was found. */
bool netpeer_both_ready(const struct net_status *s);
bool netpeer_v4_ready(const struct net_status *s);
bool netpeer_v6_ready(const struct net_status *s);
bool netpeer_dad_done(const struct net_status *s);
bool netpeer_is_duplicate(const struct net_status *s);
bool netpeer_has_addr6(const struct net_status *s, const char *text);
bool netpeer_is(const struct ip *ip, const char *text);

/* For cmocka: a fresh link before each test, net_stop() twice behind it. */
int netpeer_setup(void **unused);
int netpeer_teardown(void **unused);

#endif
