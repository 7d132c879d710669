/*
 * net.c - the life of the network of net.h: start, frames, timers, end. The families are net_v4.c and net_v6.c.
 *
 * A turn: carrier, then frames (bounded), each looked at by us before lwIP gets it, then lwIP's timers, then ours. Addresses change state only
 * inside a turn, so the status between two turns is stable.
 */
#include "net/netstate.h"

#include "net/dns_turn.h"
#include "net/hostnet.h"
#include "net/kernel.h"
#include "net/port.h"

#include "lwip/timeouts.h"

enum { NET_FRAMES_PER_TURN = 64, NET_NAK_MS = 1000 };

struct net net_state;

static void net_dad_init(struct net *n)
{
    dad_init(&n->dad, n->policy == NET_DAD_OPTIMISTIC,
             n->policy == NET_DAD_SHORT ? DAD_SHORT_MS : DAD_FULL_MS);
}

static void net_link_changed(struct net *n, uint64_t now_ms)
{
    n->link = n->nic.info.carrier;
    if (n->link) {
        netif_set_link_up(&n->nic.netif);
        net_v6_up(n, now_ms);
        net_v4_up(n, now_ms);
        return;
    }
    /* Another network may be behind the next carrier: nothing of this one is carried over. */
    net_v4_down(n);
    net_v6_down(n);
    netif_set_link_down(&n->nic.netif);
    netif_set_down(&n->nic.netif);
    netif_set_up(&n->nic.netif);
    net_dad_init(n);
}

/* Probes that are due, of both families. */
static void net_probe(struct net *n, uint64_t now_ms)
{
    struct ip addr;
    while (n->link && dad_step(&n->dad, now_ms, &addr)) {
        uint8_t frame[NDP_FRAME_MAX];
        struct buf b = BUF_OF(frame);
        ndp_put_probe(&b, n->nic.info.mac, &addr);
        nic_send(&n->nic, buf_span(&b));
    }
}

static void net_follow(struct net *n, uint64_t now_ms)
{
    resolvers_expire(&n->resolvers, now_ms);
    net_v6_turn(n, now_ms);
    net_v4_turn(n, now_ms);
    net_probe(n, now_ms);
    /* A probe that has just ended lets its address be used in the same turn. */
    net_v6_turn(n, now_ms);
    net_v4_turn(n, now_ms);
}

enum err net_start(const struct board *board, unsigned nic, const struct net_options *options,
                   uint64_t now_ms)
{
    struct net *n = &net_state;
    if (kernel_used())
        return kernel_start(nic, now_ms);
    if (n->running)
        return ERR_STATE;
    port_time(now_ms);
    port_stack();
    *n = (struct net){.policy = options->dad, .host_link = options->host_link};
    enum err e = nic_open(&n->nic, board, nic);
    if (e != OK)
        return e;
    n->running = true;
    n->v4.automatic = (options->families & FAMILIES_V4) != 0;
    n->v6.automatic = (options->families & FAMILIES_V6) != 0;
    n->v6.wanted = n->v6.automatic;
    port_dhcp_dns_clear();
    port_set_gateway6(NULL);
    net_dad_init(n);
    if (nic_carrier(&n->nic, now_ms))
        net_link_changed(n, now_ms);
    net_follow(n, now_ms);
    return OK;
}

void net_stop(void)
{
    struct net *n = &net_state;
    if (kernel_used())
        kernel_stop();
    if (!n->running)
        return;
    n->nic.mute = true;
    dns_stop_all();
    net_v4_down(n);
    net_v6_down(n);
    nic_close(&n->nic);
    n->running = false;
}

/* True if this DHCP server or router is in quarantine; otherwise it is remembered. */
static bool net_is_held(struct quarantine *q, const struct ip *addr, const uint8_t mac[static 6],
                        uint64_t now_ms)
{
    if (quarantine_holds(q, addr, mac, now_ms))
        return true;
    quarantine_note(q, addr, mac);
    return false;
}

/* lwIP answers a DHCPNAK at once with a DISCOVER: with a server that always says no, that would go on as fast as the link can. */
static bool net_is_nak_storm(struct net *n, struct span frame, uint64_t now_ms)
{
    if (!ndp_is_nak(frame))
        return false;
    if (now_ms < n->v4.nak_ms)
        return true;
    n->v4.nak_ms = now_ms + NET_NAK_MS;
    return false;
}

/* True if the frame comes from a DHCP server or router that is in quarantine, or is one NAK too many. */
static bool net_is_avoided(struct net *n, struct span frame, uint64_t now_ms)
{
    struct ndp_ra ra;
    struct ip server;
    uint8_t mac[6];
    if (ndp_read_ra(frame, &ra))
        return net_is_held(&n->v6.avoid, &ra.router, ra.mac, now_ms);
    return (ndp_read_dhcp4(frame, &server, mac) && net_is_held(&n->v4.avoid, &server, mac, now_ms)) ||
           net_is_nak_storm(n, frame, now_ms);
}

/* What a frame tells us, before lwIP acts on it. */
static void net_observe(struct net *n, struct span frame, uint64_t now_ms)
{
    struct ndp_claim claim;
    struct ndp_ra ra;
    ndp_read_claim(frame, &claim);
    bool ours = memcmp(claim.mac, n->nic.info.mac, 6) == 0; /* a switch that reflects our own probe */
    if (claim.kind != NDP_NONE && !ours && dad_claim(&n->dad, &claim, now_ms) && !n->duplicate) {
        n->duplicate = true;
        n->duplicate_addr = claim.addr;
        memcpy(n->duplicate_mac, claim.mac, 6);
    }
    if (ndp_read_ra(frame, &ra))
        net_v6_advertised(n, &ra, now_ms);
}

bool net_poll(uint64_t now_ms)
{
    struct net *n = &net_state;
    unsigned budget = NET_FRAMES_PER_TURN;
    struct span frame;
    if (kernel_used())
        return kernel_poll(now_ms);
    port_time(now_ms);
    if (!n->running)
        return false;
    if (nic_carrier(&n->nic, now_ms))
        net_link_changed(n, now_ms);
    while (nic_next(&n->nic, &budget, &frame)) {
        if (hostnet_is_meant(frame) || net_is_avoided(n, frame, now_ms))
            continue;
        net_observe(n, frame, now_ms);
        nic_deliver(&n->nic, frame);
    }
    sys_check_timeouts();
    net_follow(n, now_ms);
    dns_turn(now_ms);
    return budget < NET_FRAMES_PER_TURN;
}

static uint64_t net_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t net_wake_ms(uint64_t now_ms)
{
    const struct net *n = &net_state;
    if (kernel_used())
        return kernel_wake_ms(now_ms);
    if (!n->running)
        return UINT64_MAX;
    port_time(now_ms);
    uint64_t wake = now_ms + sys_timeouts_sleeptime();
    wake = net_earlier(wake, n->nic.carrier_next_ms);
    wake = net_earlier(wake, dad_wake_ms(&n->dad));
    wake = net_earlier(wake, net_v4_wake_ms(n));
    wake = net_earlier(wake, net_v6_wake_ms(n));
    wake = net_earlier(wake, dns_wake_ms());
    return wake > now_ms ? wake : now_ms;
}

enum err net_static_addr(const struct ip_prefix *addr, const struct ip *gateway)
{
    struct net *n = &net_state;
    static const struct ip none = {.family = FAMILY_NONE};
    if (kernel_used())
        return kernel_static_addr(addr);
    if (!n->running)
        return ERR_STATE;
    gateway = gateway == NULL ? &none : gateway;
    if (addr->addr.family == FAMILY_V6)
        return net_v6_static(n, addr, gateway, port_now_ms());
    return net_v4_static(n, addr, gateway, port_now_ms());
}

enum err net_static_dns(const struct ip *server)
{
    static const struct ip none = {.family = FAMILY_NONE};
    struct net *n = &net_state;
    if (kernel_used())
        return OK; /* the system's own resolvers are used */
    if (!n->running)
        return ERR_STATE;
    if (server->family == FAMILY_NONE || ip_is_zero(server) || ip_is_multicast(server) ||
        ip_is_loopback(server))
        return ERR_ADDRESS_STATIC;
    resolvers_set(&n->resolvers, RESOLVERS_STATIC, &none, server, UINT32_MAX, port_now_ms());
    return OK;
}

void net_reacquire(enum family family, uint64_t now_ms)
{
    struct net *n = &net_state;
    port_time(now_ms);
    if (!n->running)
        return;
    if (family == FAMILY_V4)
        net_v4_reacquire(n, now_ms);
    else
        net_v6_reacquire(n, now_ms);
    net_follow(n, now_ms);
}

unsigned net_nic(void)
{
    return net_state.nic.index;
}

const struct transport *net_transport(void)
{
    return kernel_used() ? kernel_used()->streams : &transport_lwip;
}
