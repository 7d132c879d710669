/*
 * net_v6.c - IPv6 of the NIC: router solicitations, addresses by SLAAC (RFC 4862, done by lwIP) or static, under the DAD policy.
 *
 * lwIP makes every new address TENTATIVE. Here it is put under watch by dad.c and made PREFERRED at once (optimistic, RFC 4429) or when its
 * probe has ended; a duplicate is taken out of use.
 */
#include "net/netstate.h"

#include "net/port.h"

#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"

enum { NET_SOLICIT_MS = 250, NET_SOLICIT_MAX_MS = 60000 };

static bool net_v6_addr(struct net *n, int i, struct ip *ret)
{
    ip_addr_t addr;
    if (ip6_addr_isinvalid(netif_ip6_addr_state(&n->nic.netif, i)))
        return false;
    ip_addr_copy_from_ip6(addr, *netif_ip6_addr(&n->nic.netif, i));
    port_from_lwip(&addr, ret);
    return true;
}

static enum err net_v6_add_fixed(struct net *n, const struct ip *addr)
{
    ip_addr_t lw;
    s8_t index = -1;
    port_to_lwip(addr, &lw);
    if (netif_add_ip6_address(&n->nic.netif, ip_2_ip6(&lw), &index) != ERR_OK || index < 0)
        return ERR_ADDRESS_STATIC;
    /* An address that SLAAC had formed already becomes static. */
    netif_ip6_addr_set_valid_life(&n->nic.netif, index, IP6_ADDR_LIFE_STATIC);
    return OK;
}

void net_v6_up(struct net *n, uint64_t now_ms)
{
    if (!n->v6.wanted)
        return;
    netif_set_ip6_autoconfig_enabled(&n->nic.netif, n->v6.automatic ? 1 : 0);
    netif_create_ip6_linklocal_address(&n->nic.netif, 1);
    for (unsigned i = 0; i < n->v6.fixed_count; i++)
        (void)net_v6_add_fixed(n, &n->v6.fixed[i]);
    n->v6.solicits = 0;
    n->v6.solicit_ms = now_ms;
}

void net_v6_down(struct net *n)
{
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        struct ip addr;
        if (!net_v6_addr(n, i, &addr))
            continue;
        dad_forget(&n->dad, &addr);
        netif_ip6_addr_set_state(&n->nic.netif, (s8_t)i, IP6_ADDR_INVALID);
    }
    nd6_cleanup_netif(&n->nic.netif);
    n->nic.netif.mtu6 = n->nic.netif.mtu;
    n->v6.mtu = 0;
    n->v6.other_config = false;
    resolvers_drop(&n->resolvers, RESOLVERS_RA);
    net_dhcp6_down(n);
}

/* What lwIP should hold for an address in this DAD state. */
static uint8_t net_v6_lwip_state(const struct net *n, int i, enum dad_state state)
{
    const struct netif *netif = &n->nic.netif;
    bool expired = !netif_ip6_addr_isstatic(netif, i) && netif_ip6_addr_pref_life(netif, i) == 0;
    switch (state) {
    case DAD_OPTIMISTIC:
    case DAD_DONE:
        return expired ? IP6_ADDR_DEPRECATED : IP6_ADDR_PREFERRED;
    case DAD_DUPLICATE:
        return IP6_ADDR_DUPLICATED;
    default:
        return IP6_ADDR_TENTATIVE;
    }
}

static void net_v6_follow(struct net *n, int i, uint64_t now_ms)
{
    struct ip addr;
    uint8_t have = netif_ip6_addr_state(&n->nic.netif, i);
    if (!net_v6_addr(n, i, &addr))
        return;
    if (dad_watch(&n->dad, &addr, now_ms) != OK)
        return;
    uint8_t want = net_v6_lwip_state(n, i, dad_state(&n->dad, &addr));
    bool same = want == IP6_ADDR_TENTATIVE ? ip6_addr_istentative(have) != 0 : have == want;
    if (!same)
        netif_ip6_addr_set_state(&n->nic.netif, (s8_t)i, want);
}

/* Entries of addresses that have expired in lwIP are given back. */
static void net_v6_sweep(struct net *n)
{
    for (unsigned e = 0; e < DAD_ENTRIES; e++) {
        struct ip watched = n->dad.entries[e].addr;
        bool held = watched.family != FAMILY_V6;
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES && !held; i++) {
            struct ip addr;
            held = net_v6_addr(n, i, &addr) && ip_eq(&addr, &watched);
        }
        if (!held)
            dad_forget(&n->dad, &watched);
    }
}

bool net_v6_router(struct ip *ret, uint32_t *ret_s)
{
    for (int i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
        const struct nd6_router_list_entry *r = &default_router_list[i];
        ip_addr_t addr;
        if (r->neighbor_entry == NULL || r->invalidation_timer == 0)
            continue;
        ip_addr_copy_from_ip6(addr, r->neighbor_entry->next_hop_address);
        port_from_lwip(&addr, ret);
        *ret_s = r->invalidation_timer;
        return true;
    }
    return false;
}

/* RFC 7559: solicitations go on for as long as there is no router, ever more slowly; the first ones quickly, since the machine waits. */
static void net_v6_solicit(struct net *n, uint64_t now_ms)
{
    struct ip addr;
    uint32_t seconds = 0;
    uint8_t frame[NDP_FRAME_MAX];
    struct buf b = BUF_OF(frame);
    if (now_ms < n->v6.solicit_ms)
        return;
    unsigned shift = n->v6.solicits < 8 ? n->v6.solicits : 8;
    uint64_t pause = (uint64_t)NET_SOLICIT_MS << shift;
    n->v6.solicit_ms = now_ms + (pause < NET_SOLICIT_MAX_MS ? pause : NET_SOLICIT_MAX_MS);
    if (net_v6_router(&addr, &seconds))
        return;
    n->v6.solicits++;
    /* From the link-local address only once it is unique: an optimistic one must not announce its MAC (RFC 4429 section 3.2). */
    bool done = net_v6_addr(n, 0, &addr) && dad_state(&n->dad, &addr) == DAD_DONE;
    ndp_put_router_solicit(&b, n->nic.info.mac, done ? &addr : NULL);
    nic_send(&n->nic, buf_span(&b));
}

void net_v6_turn(struct net *n, uint64_t now_ms)
{
    if (!n->v6.wanted || !n->link)
        return;
    net_v6_sweep(n);
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        net_v6_follow(n, i, now_ms);
    if (!n->v6.automatic)
        return;
    net_v6_solicit(n, now_ms);
    net_dhcp6_turn(n, now_ms);
}

uint64_t net_v6_wake_ms(const struct net *n)
{
    uint64_t dhcp_ms = net_dhcp6_wake_ms(n);
    if (!n->v6.automatic || !n->link)
        return UINT64_MAX;
    return n->v6.solicit_ms < dhcp_ms ? n->v6.solicit_ms : dhcp_ms;
}

void net_v6_advertised(struct net *n, const struct ndp_ra *ra, uint64_t now_ms)
{
    if (!n->v6.automatic)
        return;
    if (ra->mtu >= 1280 && ra->mtu <= n->nic.netif.mtu)
        n->v6.mtu = ra->mtu;
    n->v6.other_config = ra->other || ra->managed;
    for (unsigned i = 0; i < ra->rdnss_count; i++)
        resolvers_set(&n->resolvers, RESOLVERS_RA, &ra->router, &ra->rdnss[i].addr, ra->rdnss[i].lifetime_s,
                      now_ms);
}

void net_v6_reacquire(struct net *n, uint64_t now_ms)
{
    struct ip router = {.family = FAMILY_NONE};
    uint32_t seconds = 0;
    if (!n->v6.automatic)
        return;
    if (net_v6_router(&router, &seconds))
        quarantine_strike(&n->v6.avoid, &router, now_ms);
    /* A router may give resolvers without being a default router; the one that is asked first is as much part of the path. */
    unsigned i = 0;
    while (i < n->resolvers.count && n->resolvers.list[i].source != RESOLVERS_RA)
        i++;
    if (i < n->resolvers.count && !ip_eq(&n->resolvers.list[i].from, &router))
        quarantine_strike(&n->v6.avoid, &n->resolvers.list[i].from, now_ms);
    net_v6_down(n);
    if (n->link)
        net_v6_up(n, now_ms);
}

enum err net_v6_static(struct net *n, const struct ip_prefix *addr, const struct ip *gateway, uint64_t now_ms)
{
    if (addr->len == 0 || addr->len > 128 || !ip_is_usable(&addr->addr))
        return ERR_ADDRESS_STATIC;
    if (gateway->family != FAMILY_NONE &&
        (gateway->family != FAMILY_V6 || ip_is_multicast(gateway) || ip_eq(gateway, &addr->addr)))
        return ERR_ADDRESS_STATIC;
    for (unsigned i = 0; i < n->v6.fixed_count; i++) {
        if (ip_eq(&n->v6.fixed[i], &addr->addr))
            return OK;
    }
    if (n->v6.fixed_count == NET_ADDR6_MAX)
        return ERR_ADDRESS_STATIC;
    bool first = !n->v6.wanted;
    n->v6.wanted = true;
    n->v6.fixed[n->v6.fixed_count] = addr->addr;
    n->v6.fixed_len[n->v6.fixed_count] = addr->len;
    if (n->link && !first && net_v6_add_fixed(n, &addr->addr) != OK)
        return ERR_ADDRESS_STATIC;
    n->v6.fixed_count++;
    if (n->link && first)
        net_v6_up(n, now_ms);
    if (gateway->family == FAMILY_V6) {
        n->v6.gateway = *gateway;
        port_set_gateway6(gateway);
    }
    net_v6_turn(n, now_ms);
    return OK;
}
