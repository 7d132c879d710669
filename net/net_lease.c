/*
 * net_lease.c - reads leases and lifetimes out of lwIP.
 */
#include "net/net_lease.h"

#include "net/netstate.h"
#include "net/port.h"

#include "lwip/prot/dhcp.h"

static void net_lease_v4(const struct net *n, struct net_lease *ret, uint64_t now_ms)
{
    const struct dhcp *d = &n->v4.dhcp;
    struct lease_grant *g = &ret->v4;
    uint64_t used_ms = (uint64_t)d->lease_used * 1000;
    ip_addr_t gateway;

    if (n->v4.has_static || n->v4.current.family == FAMILY_NONE)
        return;
    if (d->state != DHCP_STATE_BOUND && d->state != DHCP_STATE_RENEWING && d->state != DHCP_STATE_REBINDING)
        return;
    g->addr = n->v4.current;
    port_from_lwip(&d->server_ip_addr, &g->server);
    if (!ip4_addr_isany_val(*netif_ip4_gw(&n->nic.netif))) {
        ip_addr_copy_from_ip4(gateway, *netif_ip4_gw(&n->nic.netif));
        port_from_lwip(&gateway, &g->router);
    }
    g->lease_s = d->offered_t0_lease;
    g->t1_s = d->offered_t1_renew;
    g->t2_s = d->offered_t2_rebind;
    ret->v4_granted_ms = used_ms < now_ms ? now_ms - used_ms : 0;
}

static void net_lease_v6(const struct net *n, struct net_lease *ret, uint64_t now_ms)
{
    const struct netif *netif = &n->nic.netif;
    struct ip_prefix addr = {.len = 64};
    struct ip router;
    uint32_t router_s = 0;
    ip_addr_t lw;

    /* The first address is the link-local one. */
    for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isinvalid(netif_ip6_addr_state(netif, i)) || netif_ip6_addr_isstatic(netif, i))
            continue;
        ip_addr_copy_from_ip6(lw, *netif_ip6_addr(netif, i));
        port_from_lwip(&lw, &addr.addr);
        /* lwIP's infinite lifetime is UINT32_MAX, as everywhere. */
        slaac_add_addr(&ret->v6, &addr, netif_ip6_addr_valid_life(netif, i),
                       netif_ip6_addr_pref_life(netif, i), now_ms);
    }
    if (n->v6.automatic && net_v6_router(&router, &router_s))
        slaac_add_router(&ret->v6, &router, router_s, now_ms);
}

bool net_lease(struct net_lease *ret, uint64_t now_ms)
{
    const struct net *n = &net_state;

    *ret = (struct net_lease){.v4_granted_ms = 0};
    if (!n->running)
        return false;
    memcpy(ret->mac, n->nic.info.mac, 6);
    ret->resolvers = n->resolvers;
    net_lease_v4(n, ret, now_ms);
    net_lease_v6(n, ret, now_ms);
    return true;
}
