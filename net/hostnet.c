/*
 * hostnet.c - the interface of hostnet.h. The server on it is hostnet_http.c.
 *
 * lwIP sees of this link TCP segments only (hostlink.h), and finds no neighbor by itself: whatever it sends goes to the MAC that last spoke TCP, as
 * the link has two ends. So neither its ARP nor its neighbor tables have an entry of this link.
 */
#include "net/hostnet.h"

#include "net/guard.h"
#include "net/hostlink.h"
#include "net/hostnet_http.h"
#include "net/port.h"

#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"

enum { HOSTNET_CARRIER_MS = 100 };

/* A received packet in memory of this link's own: the host cannot take the buffers that the management network needs. */
struct hostnet_packet {
    struct pbuf_custom custom;
    bool used;
    _Alignas(8) uint8_t bytes[BOARD_FRAME_MAX];
};

static struct hostnet {
    bool running;
    const struct board *board;
    unsigned index;
    uint8_t peer[6];
    uint64_t carrier_ms, advertise_ms; /* when the next is due */
    struct hostnet_status status;
    struct hostlink link;
    struct netif netif;
    struct hostnet_packet packets[HOSTNET_FRAMES];
    _Alignas(8) uint8_t rx[BOARD_FRAME_MAX + 2];
    _Alignas(8) uint8_t tx[BOARD_FRAME_MAX + 2];
} hostnet;

static err_t hostnet_output(struct netif *netif, struct pbuf *p, unsigned type)
{
    struct hostnet *n = netif->state;

    if (p->tot_len > BOARD_FRAME_MAX - GUARD_ETH)
        return ERR_BUF;
    memcpy(n->tx, n->peer, 6);
    memcpy(n->tx + 6, n->link.mac, 6);
    n->tx[12] = (uint8_t)(type >> 8);
    n->tx[13] = (uint8_t)type;
    size_t size = GUARD_ETH + (size_t)pbuf_copy_partial(p, n->tx + GUARD_ETH, p->tot_len, 0);
    /* An answer to a forged source on the management network would be routed here. */
    if (!hostlink_is_said(&n->link, span_of(n->tx, size)))
        return ERR_RTE;
    (void)n->board->nic_send(n->board->ctx, n->index, span_of(n->tx, size));
    return ERR_OK;
}

static err_t hostnet_output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    (void)to;
    return hostnet_output(netif, p, 0x0800);
}

static err_t hostnet_output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to)
{
    (void)to;
    return hostnet_output(netif, p, 0x86dd);
}

static err_t hostnet_init(struct netif *netif)
{
    netif->name[0] = 'h';
    netif->name[1] = 'l';
    netif->output = hostnet_output4;
    netif->output_ip6 = hostnet_output6;
    netif->mtu = netif->mtu6 = 1500;
    return ERR_OK;
}

static void hostnet_add_address6(struct netif *netif, s8_t i, const struct ip *ip)
{
    ip6_addr_t addr;

    memset(&addr, 0, sizeof(addr));
    memcpy(addr.addr, ip->b, 16);
    ip6_addr_assign_zone(&addr, IP6_UNICAST, netif);
    netif_ip6_addr_set(netif, i, &addr);
    netif_ip6_addr_set_state(netif, i, IP6_ADDR_PREFERRED);
}

/* Both IPv6 addresses, of which the second follows the card's MAC. */
static void hostnet_add_addresses6(struct hostnet *n)
{
    hostnet_add_address6(&n->netif, 0, &n->link.link_local);
    hostnet_add_address6(&n->netif, 1, &n->link.ula);
}

static enum err hostnet_add(struct hostnet *n)
{
    ip4_addr_t addr, mask, none;

    memcpy(&addr.addr, n->link.v4.server.b, 4);
    mask.addr = PP_HTONL(UINT32_MAX << (32 - 30));
    ip4_addr_set_zero(&none);
    if (netif_add(&n->netif, &addr, &mask, &none, n, hostnet_init, ip_input) == NULL)
        return ERR_NOMEM;
    hostnet_add_addresses6(n);
    netif_set_up(&n->netif);
    netif_set_link_up(&n->netif);
    enum err e = hostnet_http_listen(&n->netif);
    if (e != OK)
        netif_remove(&n->netif);
    return e;
}

enum err hostnet_start(const struct board *board, unsigned nic, uint64_t now_ms)
{
    struct hostnet *n = &hostnet;
    struct board_nic info;

    if (n->running)
        return ERR_STATE;
    port_time(now_ms);
    port_stack();
    *n = (struct hostnet){.board = board, .index = nic};
    enum err e = board->nic_open(board->ctx, nic);
    if (e == OK)
        e = board->nic_info(board->ctx, nic, &info);
    if (e == OK)
        e = hostlink_init(&n->link, info.mac);
    if (e == OK)
        e = hostnet_add(n);
    n->running = e == OK;
    if (e != OK)
        board->nic_close(board->ctx, nic);
    return e;
}

static void hostnet_free(struct pbuf *p)
{
    struct hostnet_packet *packet = (struct hostnet_packet *)(void *)p; /* custom is its first member */

    packet->used = false;
}

/* Hands a frame's packet to lwIP, or drops it when all of the host's buffers are in use. */
static void hostnet_deliver(struct hostnet *n, struct span frame)
{
    unsigned i = 0;

    while (i < HOSTNET_FRAMES && n->packets[i].used)
        i++;
    if (i == HOSTNET_FRAMES) {
        n->status.frames_dropped++;
        return;
    }
    struct hostnet_packet *k = &n->packets[i];
    struct span packet = span_sub(frame, GUARD_ETH, frame.n);
    memcpy(k->bytes, packet.p, packet.n);
    k->custom.custom_free_function = hostnet_free;
    struct pbuf *p =
        pbuf_alloced_custom(PBUF_RAW, (u16_t)packet.n, PBUF_REF, &k->custom, k->bytes, sizeof(k->bytes));
    if (p == NULL)
        return;
    k->used = true;
    memcpy(n->peer, frame.p + 6, 6);
    if (n->netif.input(p, &n->netif) != ERR_OK)
        pbuf_free(p);
}

static void hostnet_take(struct hostnet *n, struct span frame)
{
    uint8_t answer[HOSTLINK_FRAME_MAX];
    struct buf b = BUF_OF(answer);
    uint16_t port;

    switch (hostlink_frame(&n->link, frame, &b)) {
    case HOSTLINK_ANSWER:
        (void)n->board->nic_send(n->board->ctx, n->index, buf_span(&b));
        break;
    case HOSTLINK_TCP:
        /* A connection too many takes none of lwIP's, nor an answer. */
        if (!hostlink_is_syn(frame, &port) || hostnet_http_has_room(port))
            hostnet_deliver(n, frame);
        else
            n->status.frames_dropped++;
        break;
    default:
        n->status.frames_dropped++;
        break;
    }
}

static bool hostnet_receive(struct hostnet *n)
{
    unsigned count = 0;

    while (count < HOSTNET_PER_TURN) {
        size_t size = n->board->nic_recv(n->board->ctx, n->index, n->rx, BOARD_FRAME_MAX);
        if (size == 0)
            break;
        count++;
        n->status.frames_in++;
        if (size < GUARD_FRAME_MIN)
            memset(n->rx + size, 0, GUARD_FRAME_MIN - size);
        hostnet_take(n, span_of(n->rx, size < GUARD_FRAME_MIN ? GUARD_FRAME_MIN : size));
    }
    return count > 0;
}

static void hostnet_follow_carrier(struct hostnet *n, uint64_t now_ms)
{
    struct board_nic info = {.carrier = false};

    if (now_ms < n->carrier_ms)
        return;
    n->carrier_ms = now_ms + HOSTNET_CARRIER_MS;
    /* A card that has gone has no carrier; one that came in its place is opened, and may have another MAC. */
    if (n->board->nic_info(n->board->ctx, n->index, &info) != OK || !info.carrier)
        (void)n->board->nic_open(n->board->ctx, n->index);
    if (info.carrier == n->status.carrier)
        return;
    n->status.carrier = info.carrier;
    n->advertise_ms = now_ms;
    if (!info.carrier)
        hostnet_http_end();
    else if (hostlink_init(&n->link, info.mac) == OK)
        hostnet_add_addresses6(n);
}

static void hostnet_advertise(struct hostnet *n, uint64_t now_ms)
{
    uint8_t frame[HOSTLINK_FRAME_MAX];
    struct buf b = BUF_OF(frame);

    if (!n->status.carrier || now_ms < n->advertise_ms)
        return;
    n->advertise_ms = now_ms + HOSTLINK_RA_MS;
    hostlink_advertise(&n->link, &b);
    (void)n->board->nic_send(n->board->ctx, n->index, buf_span(&b));
}

bool hostnet_poll(uint64_t now_ms)
{
    struct hostnet *n = &hostnet;

    if (!n->running)
        return false;
    port_time(now_ms);
    hostnet_follow_carrier(n, now_ms);
    hostnet_advertise(n, now_ms);
    bool any = hostnet_receive(n);
    sys_check_timeouts();
    n->status.served += hostnet_http_turn(now_ms);
    return any;
}

uint64_t hostnet_wake_ms(uint64_t now_ms)
{
    const struct hostnet *n = &hostnet;
    uint64_t wake = n->carrier_ms;

    if (!n->running)
        return UINT64_MAX;
    port_time(now_ms);
    if (n->status.carrier && n->advertise_ms < wake)
        wake = n->advertise_ms;
    uint64_t timers = now_ms + sys_timeouts_sleeptime();
    wake = timers < wake ? timers : wake;
    return wake > now_ms ? wake : now_ms;
}

bool hostnet_is_meant(struct span frame)
{
    return hostnet.running && hostlink_is_for(&hostnet.link, frame);
}

void hostnet_status(struct hostnet_status *ret)
{
    *ret = hostnet.status;
}
