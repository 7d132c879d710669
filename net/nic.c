/*
 * nic.c - the driver side of nic.h: one netif over the board's four NIC operations.
 */
#include "net/nic.h"

#include "net/guard.h"

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/pbuf.h"
#include "netif/ethernet.h"

static err_t nic_output(struct netif *netif, struct pbuf *p)
{
    struct nic *n = netif->state;
    if (p->tot_len > BOARD_FRAME_MAX)
        return ERR_BUF;
    uint16_t size = pbuf_copy_partial(p, n->tx, p->tot_len, 0);
    nic_send(n, span_of(n->tx, size));
    return ERR_OK;
}

static err_t nic_init(struct netif *netif)
{
    struct nic *n = netif->state;
    netif->name[0] = 'j';
    netif->name[1] = 'b';
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = nic_output;
    netif->mtu = n->info.mtu != 0 && n->info.mtu < 1500 ? n->info.mtu : 1500;
    netif->mtu6 = netif->mtu;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, n->info.mac, 6);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
    return ERR_OK;
}

enum err nic_open(struct nic *n, const struct board *board, unsigned index)
{
    *n = (struct nic){.board = board, .index = index};
    if (index >= board->nic_count(board->ctx))
        return ERR_LINK_NONE;
    enum err e = board->nic_open(board->ctx, index);
    if (e != OK)
        return e;
    e = board->nic_info(board->ctx, index, &n->info);
    if (e == OK && netif_add(&n->netif, NULL, NULL, NULL, n, nic_init, ethernet_input) == NULL)
        e = ERR_NOMEM;
    if (e != OK) {
        board->nic_close(board->ctx, index);
        return e;
    }
    n->info.carrier = false; /* the first poll finds a change if there is one */
    netif_set_default(&n->netif);
    netif_set_up(&n->netif);
    return OK;
}

void nic_close(struct nic *n)
{
    netif_set_link_down(&n->netif);
    netif_set_down(&n->netif);
    netif_remove(&n->netif);
    n->board->nic_close(n->board->ctx, n->index);
}

bool nic_carrier(struct nic *n, uint64_t now_ms)
{
    struct board_nic info = {.carrier = false}; /* as that of a card that has gone */
    if (now_ms < n->carrier_next_ms)
        return false;
    n->carrier_next_ms = now_ms + NIC_CARRIER_MS;
    (void)n->board->nic_info(n->board->ctx, n->index, &info);
    if (info.carrier == n->info.carrier)
        return false;
    n->info.carrier = info.carrier;
    return true;
}

bool nic_next(struct nic *n, unsigned *budget, struct span *ret_frame)
{
    while (*budget > 0) {
        size_t size = n->board->nic_recv(n->board->ctx, n->index, n->rx, BOARD_FRAME_MAX);
        if (size == 0)
            return false;
        (*budget)--;
        /* lwIP reads headers before it compares their lengths: behind a short frame there must be zeros, not another frame's rest. */
        if (size < GUARD_FRAME_MIN)
            memset(n->rx + size, 0, GUARD_FRAME_MIN - size);
        bool tiny = size < GUARD_ETH;
        size = size < GUARD_FRAME_MIN ? GUARD_FRAME_MIN : size;
        if (!tiny && guard_frame(span_of(n->rx, size))) {
            n->frames_in++;
            *ret_frame = span_of(n->rx, size);
            return true;
        }
        n->frames_dropped++;
    }
    return false;
}

void nic_deliver(struct nic *n, struct span frame)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)frame.n, PBUF_POOL);
    if (p == NULL) {
        n->frames_dropped++;
        return;
    }
    if (pbuf_take(p, frame.p, (u16_t)frame.n) != ERR_OK || n->netif.input(p, &n->netif) != ERR_OK)
        pbuf_free(p);
}

void nic_send(struct nic *n, struct span frame)
{
    if (n->mute)
        return;
    if (n->board->nic_send(n->board->ctx, n->index, frame) == OK)
        n->frames_out++;
}
