/*
 * hostaddrs.h - addresses, default routes and name servers that a running system has: rtnetlink(7) dumps of the kernel, and /etc/resolv.conf.
 *
 * The picture is taken anew when the kernel tells of a change, and otherwise at most every HOSTADDRS_MS. Nothing is ever set.
 */
#ifndef JOINBOOT_BOARDS_LINUX_HOSTADDRS_H
#define JOINBOOT_BOARDS_LINUX_HOSTADDRS_H

#include "boards/linux/nic.h"
#include "net/net.h"

enum { HOSTADDRS_MAX = 64, HOSTADDRS_ROUTES = 16, HOSTADDRS_MS = 2000 };

struct hostaddrs_addr {
    unsigned index; /* of the link */
    struct ip_prefix prefix;
    uint32_t flags;              /* IFA_F_* */
    uint32_t valid_s, preferred; /* seconds; UINT32_MAX: for ever */
    bool global;                 /* of the scope of the whole network */
};

/* A default route of the main table. */
struct hostaddrs_route {
    unsigned index;
    enum family family;
    struct ip via;    /* the family's zero address: none, the link itself */
    struct ip source; /* the address that the system prefers on it; family NONE: none */
    uint32_t metric;
};

struct hostaddrs {
    int fd;      /* told of changes; -1: none */
    bool pinned; /* the operator named the link: no other one's addresses are looked at */
    bool known;
    uint64_t read_ms;
    struct hostaddrs_addr addrs[HOSTADDRS_MAX];
    unsigned addr_count;
    struct hostaddrs_route routes[HOSTADDRS_ROUTES];
    unsigned route_count;
    struct ip dns[NET_DNS_MAX];
    unsigned dns_count;
};

void hostaddrs_open(struct hostaddrs *h);
void hostaddrs_close(struct hostaddrs *h);

/* Takes the picture anew if it is old or something changed. */
void hostaddrs_look(struct hostaddrs *h, uint64_t now_ms);

/* The link of the default route: one that has both families before one that has IPv4, before one that has IPv6; then by metric. 0: none. */
unsigned hostaddrs_default_link(const struct hostaddrs *h);

/* What net/kernel.h shows of this link; carrier is left alone. */
void hostaddrs_status(const struct hostaddrs *h, unsigned index, struct net_status *ret);

/* Some link has this address, and it may be used: neither tentative nor a duplicate. */
bool hostaddrs_has(const struct hostaddrs *h, const struct ip *addr);

/* Messages of a dump, any number of whole ones. What is damaged or not understood is left out. True: it was the dump's last part. */
bool hostaddrs_take(struct hostaddrs *h, struct span messages);

/* The text of resolv.conf(5): the first NET_DNS_MAX `nameserver` lines that can be used on this link. */
void hostaddrs_take_resolv(struct hostaddrs *h, struct span text);

#endif
