/*
 * hostaddrs_status.c - what a node may be known by, out of the picture of hostaddrs.h.
 *
 * Never a temporary address (RFC 8981: it is replaced), a deprecated one (RFC 4862 section 5.5.4: it is going), a secondary, link-local or
 * duplicate one. IPv6 addresses are put in an order that is the same at every boot: permanent before learned, then by their bytes.
 */
#include <linux/if_addr.h>

#include "boards/linux/hostaddrs.h"

static const struct hostaddrs_route *route_of(const struct hostaddrs *h, enum family family, unsigned index)
{
    const struct hostaddrs_route *best = NULL;

    for (unsigned i = 0; i < h->route_count; i++) {
        const struct hostaddrs_route *r = &h->routes[i];
        if (r->family == family && (index == 0 || r->index == index) && (!best || r->metric < best->metric))
            best = r;
    }
    return best;
}

unsigned hostaddrs_default_link(const struct hostaddrs *h)
{
    const struct hostaddrs_route *best = NULL;

    for (unsigned i = 0; i < h->route_count; i++) {
        const struct hostaddrs_route *r = &h->routes[i];
        if (r->family == FAMILY_V4 && route_of(h, FAMILY_V6, r->index) && (!best || r->metric < best->metric))
            best = r;
    }
    best = best ? best : route_of(h, FAMILY_V4, 0);
    best = best ? best : route_of(h, FAMILY_V6, 0);
    return best ? best->index : 0;
}

static bool usable(const struct hostaddrs_addr *a)
{
    bool unproven = (a->flags & IFA_F_TENTATIVE) && !(a->flags & IFA_F_OPTIMISTIC);

    return !unproven && !(a->flags & IFA_F_DADFAILED) && a->valid_s > 0;
}

bool hostaddrs_has(const struct hostaddrs *h, const struct ip *addr)
{
    for (unsigned i = 0; i < h->addr_count; i++) {
        if (ip_eq(&h->addrs[i].prefix.addr, addr) && usable(&h->addrs[i]))
            return true;
    }
    return false;
}

static void show(const struct hostaddrs_addr *a, struct net_addr *ret)
{
    *ret = (struct net_addr){
        .state = usable(a)                      ? NET_ADDR_PREFERRED
                 : (a->flags & IFA_F_DADFAILED) ? NET_ADDR_DUPLICATE
                                                : NET_ADDR_TENTATIVE,
        .prefix = a->prefix,
        .is_static = (a->flags & IFA_F_PERMANENT) != 0,
        .valid_s = a->valid_s,
    };
}

/* May stand for the node. IFA_F_SECONDARY has the number of IFA_F_TEMPORARY. */
static bool candidate(const struct hostaddrs_addr *a, enum family family, unsigned index)
{
    return a->index == index && a->prefix.addr.family == family && a->global &&
           ip_is_usable(&a->prefix.addr) && a->preferred > 0 &&
           !(a->flags & (IFA_F_TEMPORARY | IFA_F_DEPRECATED));
}

/* The order of IPv6 addresses; a failed one comes last. */
static bool before(const struct net_addr *a, const struct net_addr *b)
{
    if ((a->state == NET_ADDR_DUPLICATE) != (b->state == NET_ADDR_DUPLICATE))
        return b->state == NET_ADDR_DUPLICATE;
    if (a->is_static != b->is_static)
        return a->is_static;
    return memcmp(a->prefix.addr.b, b->prefix.addr.b, 16) < 0;
}

static void insert(struct net_addr list[static NET_ADDR6_MAX], unsigned *count, const struct net_addr *a)
{
    unsigned at = *count;

    while (at > 0 && before(a, &list[at - 1]))
        at--;
    if (at == NET_ADDR6_MAX)
        return;
    if (*count < NET_ADDR6_MAX)
        (*count)++;
    for (unsigned i = *count - 1; i > at; i--)
        list[i] = list[i - 1];
    list[at] = *a;
}

/* The link whose addresses stand for a family. */
static unsigned link_of(const struct hostaddrs *h, enum family family, unsigned index)
{
    const struct hostaddrs_route *r = h->pinned || route_of(h, family, index) ? NULL : route_of(h, family, 0);

    return r ? r->index : index;
}

static void status_v4(const struct hostaddrs *h, unsigned index, struct net_status *ret)
{
    const struct hostaddrs_route *r = route_of(h, FAMILY_V4, index);

    for (unsigned i = 0; i < h->addr_count; i++) {
        const struct hostaddrs_addr *a = &h->addrs[i];
        bool preferred = r && r->source.family == FAMILY_V4 && ip_eq(&r->source, &a->prefix.addr);
        if (candidate(a, FAMILY_V4, index) && (ret->v4.state == NET_ADDR_NONE || preferred))
            show(a, &ret->v4);
    }
    if (r)
        ret->router4 = r->via;
}

static void status_v6(const struct hostaddrs *h, unsigned index, struct net_status *ret)
{
    const struct hostaddrs_route *r = route_of(h, FAMILY_V6, index);
    unsigned count = 0;
    struct net_addr shown;

    for (unsigned i = 0; i < h->addr_count; i++) {
        const struct hostaddrs_addr *a = &h->addrs[i];
        if (a->index == index && ip_is_link_local(&a->prefix.addr) && a->prefix.addr.family == FAMILY_V6)
            show(a, &ret->link_local);
        if (!candidate(a, FAMILY_V6, index))
            continue;
        show(a, &shown);
        insert(ret->v6, &count, &shown);
    }
    if (r) {
        ret->router6 = r->via;
        ret->router6_s = UINT32_MAX;
    }
}

void hostaddrs_status(const struct hostaddrs *h, unsigned index, struct net_status *ret)
{
    status_v4(h, link_of(h, FAMILY_V4, index), ret);
    status_v6(h, link_of(h, FAMILY_V6, index), ret);
    ret->dns_count = h->dns_count;
    memcpy(ret->dns, h->dns, sizeof(ret->dns));
}
