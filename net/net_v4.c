/*
 * net_v4.c - IPv4 of the NIC: DHCP by lwIP (RFC 2131) made quick, or a static address, with duplicates watched by dad.c.
 *
 * lwIP sends a DISCOVER only when the link is up, and then waits 2, 4, 8 ... seconds; an answer on a lit link comes within milliseconds, so
 * lost frames are asked for again after half a second to a second at first.
 */
#include "net/netstate.h"

#include "net/port.h"

#include "lwip/prot/dhcp.h"

static void net_v4_forget(struct net *n)
{
    if (n->v4.current.family != FAMILY_NONE)
        dad_forget(&n->dad, &n->v4.current);
    n->v4.current = (struct ip){.family = FAMILY_NONE};
}

/* Ends DHCP without a word on the wire, since the lease stays the machine's: lwIP releases only what it knows to be bound. */
static void net_v4_stop_dhcp(struct net *n)
{
    if (netif_dhcp_data(&n->nic.netif) != NULL && n->v4.dhcp.state != DHCP_STATE_OFF)
        n->v4.dhcp.state = DHCP_STATE_INIT;
    dhcp_release_and_stop(&n->nic.netif);
    ip4_addr_set_zero(&n->v4.www);
    port_dhcp_dns_clear();
    resolvers_drop(&n->resolvers, RESOLVERS_DHCP4);
}

static void net_v4_clear_addr(struct net *n)
{
    netif_set_addr(&n->nic.netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
}

static void net_v4_start_dhcp(struct net *n)
{
    n->v4.restart_ms = 0;
    if (netif_dhcp_data(&n->nic.netif) == NULL)
        dhcp_set_struct(&n->nic.netif, &n->v4.dhcp);
    (void)dhcp_start(&n->nic.netif);
}

void net_v4_up(struct net *n, uint64_t now_ms)
{
    if (n->v4.has_static)
        n->v4.current = n->v4.fixed.addr;
    if (n->v4.has_static && dad_watch(&n->dad, &n->v4.fixed.addr, now_ms) != OK)
        n->v4.current = (struct ip){.family = FAMILY_NONE};
    if (n->v4.automatic && !n->v4.has_static)
        net_v4_start_dhcp(n);
}

void net_v4_down(struct net *n)
{
    if (n->v4.automatic)
        net_v4_stop_dhcp(n);
    net_v4_clear_addr(n);
    net_v4_forget(n);
    n->v4.restart_ms = 0;
}

/* Half a second to a second for the first answers. After an unanswered REQUEST lwIP goes back to DISCOVER within seconds, not a minute. */
static void net_v4_hurry(struct net *n)
{
    struct dhcp *d = &n->v4.dhcp;
    unsigned most = 0;
    if (d->state == DHCP_STATE_SELECTING)
        most = d->tries <= 2 ? 2 : d->tries <= 4 ? 4 : 16;
    else if (d->state == DHCP_STATE_REQUESTING)
        most = 2;
    if (most != 0 && d->request_timeout > most)
        d->request_timeout = most;
}

static void net_v4_take_resolvers(struct net *n, uint64_t now_ms)
{
    struct ip list[PORT_DHCP_DNS_MAX];
    struct ip server;
    unsigned count = n->host_link ? 0 : port_dhcp_dns(list);
    port_from_lwip(&n->v4.dhcp.server_ip_addr, &server);
    resolvers_drop(&n->resolvers, RESOLVERS_DHCP4);
    for (unsigned i = 0; i < count; i++)
        resolvers_set(&n->resolvers, RESOLVERS_DHCP4, &server, &list[i], UINT32_MAX, now_ms);
}

/* DHCP has bound another address, or lost its own. */
static void net_v4_follow_dhcp(struct net *n, uint64_t now_ms)
{
    ip_addr_t now;
    struct ip addr;
    /* lwIP takes a router with each acknowledgement. A host link leads nowhere but to the BMC. */
    if (n->host_link)
        netif_set_gw(&n->nic.netif, IP4_ADDR_ANY4);
    ip_addr_copy_from_ip4(now, *netif_ip4_addr(&n->nic.netif));
    port_from_lwip(&now, &addr);
    bool none = ip_is_zero(&addr);
    if (none ? n->v4.current.family == FAMILY_NONE : ip_eq(&addr, &n->v4.current))
        return;
    net_v4_forget(n);
    if (none) {
        resolvers_drop(&n->resolvers, RESOLVERS_DHCP4);
        return;
    }
    if (dad_watch(&n->dad, &addr, now_ms) == OK)
        n->v4.current = addr;
    net_v4_take_resolvers(n, now_ms);
}

static void net_v4_follow_static(struct net *n)
{
    struct netif *netif = &n->nic.netif;
    enum dad_state state = dad_state(&n->dad, &n->v4.fixed.addr);
    bool usable = n->link && (state == DAD_OPTIMISTIC || state == DAD_DONE);
    bool set = !ip4_addr_isany_val(*netif_ip4_addr(netif));
    if (usable == set)
        return;
    if (!usable) {
        net_v4_clear_addr(n);
        return;
    }
    ip_addr_t addr;
    ip_addr_t gateway;
    ip4_addr_t mask;
    uint32_t bits = n->v4.fixed.len == 0 ? 0 : UINT32_MAX << (32 - n->v4.fixed.len);
    port_to_lwip(&n->v4.fixed.addr, &addr);
    port_to_lwip(&n->v4.gateway, &gateway);
    mask.addr = lwip_htonl(bits);
    netif_set_addr(netif, ip_2_ip4(&addr), &mask,
                   n->v4.gateway.family == FAMILY_V4 ? ip_2_ip4(&gateway) : IP4_ADDR_ANY4);
}

void net_v4_turn(struct net *n, uint64_t now_ms)
{
    if (n->v4.has_static) {
        net_v4_follow_static(n);
        return;
    }
    if (!n->v4.automatic || !n->link)
        return;
    if (n->v4.restart_ms != 0) {
        if (now_ms >= n->v4.restart_ms)
            net_v4_start_dhcp(n);
        return;
    }
    net_v4_hurry(n);
    net_v4_follow_dhcp(n, now_ms);
    if (n->v4.current.family != FAMILY_NONE && dad_state(&n->dad, &n->v4.current) == DAD_DUPLICATE) {
        /* Out of use at once; a new lease after the pause of RFC 2131 section 3.1 point 5. The entry stays, so that the state can be seen. */
        net_v4_stop_dhcp(n);
        net_v4_clear_addr(n);
        n->v4.restart_ms = now_ms + DAD_RETRY_MS;
    }
}

uint64_t net_v4_wake_ms(const struct net *n)
{
    return n->v4.restart_ms != 0 ? n->v4.restart_ms : UINT64_MAX;
}

void net_v4_reacquire(struct net *n, uint64_t now_ms)
{
    struct ip server;
    if (!n->v4.automatic || n->v4.has_static)
        return;
    port_from_lwip(&n->v4.dhcp.server_ip_addr, &server);
    if (!ip_is_zero(&server))
        quarantine_strike(&n->v4.avoid, &server, now_ms);
    net_v4_down(n);
    if (n->link)
        net_v4_up(n, now_ms);
}

enum err net_v4_static(struct net *n, const struct ip_prefix *addr, const struct ip *gateway, uint64_t now_ms)
{
    if (addr->len == 0 || addr->len > 32 || !ip_is_usable(&addr->addr))
        return ERR_ADDRESS_STATIC;
    if (gateway->family != FAMILY_NONE &&
        (gateway->family != FAMILY_V4 || !ip_in_prefix(gateway, addr) || ip_eq(gateway, &addr->addr)))
        return ERR_ADDRESS_STATIC;
    if (n->v4.has_static && ip_eq(&n->v4.fixed.addr, &addr->addr))
        return OK;
    net_v4_down(n);
    n->v4.has_static = true;
    n->v4.fixed = *addr;
    n->v4.gateway = *gateway;
    if (n->link)
        net_v4_up(n, now_ms);
    net_v4_follow_static(n);
    return OK;
}
