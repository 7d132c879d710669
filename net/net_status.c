/*
 * net_status.c - what net.h shows of the network, read out of lwIP and the DAD watcher, and the questions that the agent asks of it.
 */
#include "net/netstate.h"

#include "net/kernel.h"
#include "net/port.h"

static enum net_addr_state net_state_of(const struct net *n, const struct ip *addr)
{
    static const enum net_addr_state states[] = {
        [DAD_UNKNOWN] = NET_ADDR_NONE,          [DAD_TENTATIVE] = NET_ADDR_TENTATIVE,
        [DAD_OPTIMISTIC] = NET_ADDR_OPTIMISTIC, [DAD_DONE] = NET_ADDR_PREFERRED,
        [DAD_DUPLICATE] = NET_ADDR_DUPLICATE,
    };
    return states[dad_state(&n->dad, addr)];
}

static void net_status_v4(const struct net *n, struct net_status *s)
{
    const struct netif *netif = &n->nic.netif;
    const struct dhcp *d = &n->v4.dhcp;
    ip_addr_t addr;
    if (n->v4.current.family == FAMILY_NONE)
        return;
    s->v4.state = net_state_of(n, &n->v4.current);
    s->v4.prefix.addr = n->v4.current;
    s->v4.is_static = n->v4.has_static;
    s->v4.valid_s = UINT32_MAX;
    if (n->v4.has_static) {
        s->v4.prefix.len = n->v4.fixed.len;
        s->router4 = n->v4.gateway;
        return;
    }
    for (uint32_t mask = lwip_ntohl(netif_ip4_netmask(netif)->addr); mask & 0x80000000u; mask <<= 1)
        s->v4.prefix.len++;
    if (!ip4_addr_isany_val(*netif_ip4_gw(netif))) {
        ip_addr_copy_from_ip4(addr, *netif_ip4_gw(netif));
        port_from_lwip(&addr, &s->router4);
    }
    port_from_lwip(&d->server_ip_addr, &s->dhcp4_server);
    if (d->offered_t0_lease != UINT32_MAX)
        s->v4.valid_s = d->offered_t0_lease > d->lease_used ? d->offered_t0_lease - d->lease_used : 0;
}

static void net_status_addr6(const struct net *n, int i, struct net_addr *ret)
{
    const struct netif *netif = &n->nic.netif;
    ip_addr_t addr;
    ip_addr_copy_from_ip6(addr, *netif_ip6_addr(netif, i));
    port_from_lwip(&addr, &ret->prefix.addr);
    ret->prefix.len = 64;
    ret->state = net_state_of(n, &ret->prefix.addr);
    ret->is_static = netif_ip6_addr_isstatic(netif, i);
    ret->valid_s = ret->is_static || ip6_addr_life_isinfinite(netif_ip6_addr_valid_life(netif, i))
                       ? UINT32_MAX
                       : netif_ip6_addr_valid_life(netif, i);
    ret->deprecated = netif_ip6_addr_state(netif, i) == IP6_ADDR_DEPRECATED;
    for (unsigned f = 0; f < n->v6.fixed_count; f++) {
        if (ip_eq(&n->v6.fixed[f], &ret->prefix.addr))
            ret->prefix.len = n->v6.fixed_len[f];
    }
}

static void net_status_v6(const struct net *n, struct net_status *s)
{
    unsigned count = 0;
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isinvalid(netif_ip6_addr_state(&n->nic.netif, i)))
            continue;
        if (i == 0)
            net_status_addr6(n, i, &s->link_local);
        else if (count < NET_ADDR6_MAX)
            net_status_addr6(n, i, &s->v6[count++]);
    }
    if (n->v6.gateway.family == FAMILY_V6) {
        s->router6 = n->v6.gateway;
        s->router6_s = UINT32_MAX;
    } else {
        (void)net_v6_router(&s->router6, &s->router6_s);
    }
    s->mtu6 = n->v6.mtu;
}

void net_status(struct net_status *ret)
{
    const struct net *n = &net_state;
    if (kernel_used()) {
        kernel_status(ret);
        return;
    }
    *ret = (struct net_status){.carrier = n->link};
    if (!n->running)
        return;
    net_status_v4(n, ret);
    net_status_v6(n, ret);
    for (unsigned i = 0; i < n->resolvers.count && ret->dns_count < NET_DNS_MAX; i++)
        ret->dns[ret->dns_count++] = n->resolvers.list[i].addr;
    ret->duplicate = n->duplicate;
    ret->duplicate_addr = n->duplicate_addr;
    memcpy(ret->duplicate_mac, n->duplicate_mac, 6);
    ret->frames_in = n->nic.frames_in;
    ret->frames_out = n->nic.frames_out;
    ret->frames_dropped = n->nic.frames_dropped;
}

static bool net_is_usable(const struct net_addr *a)
{
    return a->state == NET_ADDR_OPTIMISTIC || a->state == NET_ADDR_PREFERRED;
}

bool net_family_ready(const struct net_status *s, enum family family, bool need_router)
{
    if (family == FAMILY_V4)
        return net_is_usable(&s->v4) && (!need_router || s->router4.family == FAMILY_V4);
    bool usable = false;
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++)
        usable = usable || net_is_usable(&s->v6[i]);
    return usable && (!need_router || s->router6.family == FAMILY_V6);
}

bool net_bmc(struct ip *ret)
{
    const struct netif *netif = &net_state.nic.netif;
    const ip4_addr_t *www = &net_state.v4.www, *own = netif_ip4_addr(netif);
    ip_addr_t addr;
    /* What is not on the link is not the BMC, and there is no way to it; no address at all is on no link. */
    if (ip4_addr_isany(own) || !ip4_addr_net_eq(www, own, netif_ip4_netmask(netif)))
        return false;
    ip_addr_copy_from_ip4(addr, *www);
    port_from_lwip(&addr, ret);
    return true;
}

bool net_dad_done(const struct net_status *s)
{
    bool busy = s->v4.state == NET_ADDR_OPTIMISTIC || s->v4.state == NET_ADDR_TENTATIVE;
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++)
        busy = busy || s->v6[i].state == NET_ADDR_OPTIMISTIC || s->v6[i].state == NET_ADDR_TENTATIVE;
    return !busy;
}
