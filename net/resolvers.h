/*
 * resolvers.h - the list of DNS servers from all sources, each with its lifetime (RFC 8106 section 5.3.1). Pure.
 *
 * Order: static first, then by arrival. A source can give up its servers, and take back one by a lifetime of zero.
 */
#ifndef JOINBOOT_NET_RESOLVERS_H
#define JOINBOOT_NET_RESOLVERS_H

#include "firmware/base/ip.h"

enum { RESOLVERS_MAX = 8 };

enum resolvers_source { RESOLVERS_STATIC, RESOLVERS_DHCP4, RESOLVERS_RA, RESOLVERS_DHCP6 };

struct resolvers {
    struct {
        struct ip addr;
        enum resolvers_source source;
        struct ip from;    /* the router or server that said it */
        uint64_t until_ms; /* UINT64_MAX: for ever */
    } list[RESOLVERS_MAX];
    unsigned count;
};

/* Adds or renews a server; lifetime_s 0 removes it, UINT32_MAX is for ever. A full list keeps the ones that it has. */
void resolvers_set(struct resolvers *r, enum resolvers_source source, const struct ip *from,
                   const struct ip *addr, uint32_t lifetime_s, uint64_t now_ms);
/* Forgets the servers of a source. */
void resolvers_drop(struct resolvers *r, enum resolvers_source source);
/* Forgets the servers whose time is over. */
void resolvers_expire(struct resolvers *r, uint64_t now_ms);

#endif
