/*
 * slaac.h - follows router advertisements for addresses that the machine has already: their lifetimes, and the routers' (RFC 4861 section 6.3.4,
 * RFC 4862 section 5.5.3). Pure: takes the time and the ICMPv6 message, gives events.
 *
 * Only the lifetimes of known addresses move; a prefix that is new makes no address, since the node is known by those that it has.
 */
#ifndef JOINBOOT_NET_SLAAC_H
#define JOINBOOT_NET_SLAAC_H

#include "net/ndp.h"

enum { SLAAC_ADDRS_MAX = 4, SLAAC_ROUTERS_MAX = 4, SLAAC_PREFIXES_MAX = 8, SLAAC_TWO_HOURS_MS = 7200000 };

struct slaac_prefix {
    struct ip_prefix prefix;
    bool autonomous; /* the A flag */
    uint32_t valid_s, preferred_s;
};

/* A router advertisement (RFC 4861 section 4.2, RFC 8106 section 5.1). */
struct slaac_ra {
    uint16_t lifetime_s; /* as a default router; 0: none */
    struct slaac_prefix prefixes[SLAAC_PREFIXES_MAX];
    unsigned prefix_count;
    struct ndp_rdnss rdnss[NDP_RDNSS_MAX];
    unsigned rdnss_count;
};

enum slaac_event {
    SLAAC_NOTHING,
    SLAAC_LIFETIME,   /* an address has new lifetimes */
    SLAAC_EXPIRED,    /* an address must not be used any more */
    SLAAC_BACK,       /* an expired address is valid again */
    SLAAC_ROUTER_LOST /* there is no default router left */
};

struct slaac_addr {
    struct ip_prefix prefix;         /* the address with its prefix length */
    uint64_t valid_ms, preferred_ms; /* ends; UINT64_MAX: never */
    bool changed, lost;
};

struct slaac {
    struct slaac_addr addrs[SLAAC_ADDRS_MAX];
    unsigned addr_count;
    struct {
        struct ip addr;
        uint64_t until_ms;
    } routers[SLAAC_ROUTERS_MAX];
    unsigned router_count;
    bool had_router;
};

/* What the machine has from advertisements so far. UINT32_MAX: for ever. A full list takes no more. */
void slaac_add_addr(struct slaac *s, const struct ip_prefix *addr, uint32_t valid_s, uint32_t preferred_s,
                    uint64_t now_ms);
void slaac_add_router(struct slaac *s, const struct ip *router, uint32_t lifetime_s, uint64_t now_ms);

/* Reads an ICMPv6 message whose checksum and hop limit (255) were checked. False: no advertisement, or one that RFC 4861 section 6.1.2 refuses. */
bool slaac_read(struct span icmp, struct slaac_ra *ret);

/* Takes what a router said. A router that is not link-local is not listened to. */
void slaac_advertised(struct slaac *s, const struct ip *from, const struct slaac_ra *ra, uint64_t now_ms);

/* The next event that is due now; to be called until SLAAC_NOTHING. *ret_index: which address. */
enum slaac_event slaac_turn(struct slaac *s, uint64_t now_ms, unsigned *ret_index);
uint64_t slaac_wake_ms(const struct slaac *s);

/* Seconds until `end_ms`, at least 0; UINT32_MAX for UINT64_MAX. */
uint32_t slaac_left_s(uint64_t end_ms, uint64_t now_ms);

/* Seconds for which this router stays one, 0: it is none (any more). */
uint32_t slaac_router_s(const struct slaac *s, const struct ip *router, uint64_t now_ms);

#endif
