/*
 * net_dhcp6.c - sends the messages of dhcp6.h from the link-local address and takes the resolvers of the answer.
 */
#include "net/netstate.h"

#include "net/dhcp6.h"
#include "net/port.h"

#include "lwip/udp.h"

enum { NET_DHCP6_FIRST_MS = 500, NET_DHCP6_SHIFT_MAX = 7 };

static void net_dhcp6_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr,
                               u16_t port)
{
    struct net *n = arg;
    struct net_dhcp6 *d = &n->dhcp6;
    struct dhcp6_reply reply;
    struct ip from;
    /* A frame lies in one pbuf. */
    bool good = d->waiting && p->len == p->tot_len &&
                dhcp6_read_reply(span_of(p->payload, p->len), d->xid, n->nic.info.mac, &reply);
    pbuf_free(p);
    (void)pcb;
    (void)port;
    port_from_lwip(addr, &from);
    if (!good)
        return;
    d->waiting = false;
    d->tries = 0;
    d->next_ms = port_now_ms() + (uint64_t)reply.refresh_s * 1000;
    resolvers_drop(&n->resolvers, RESOLVERS_DHCP6);
    for (unsigned i = 0; i < reply.dns_count; i++)
        resolvers_set(&n->resolvers, RESOLVERS_DHCP6, &from, &reply.dns[i], UINT32_MAX, port_now_ms());
}

static bool net_dhcp6_open(struct net *n)
{
    struct net_dhcp6 *d = &n->dhcp6;
    if (d->pcb != NULL)
        return true;
    d->pcb = udp_new_ip_type(IPADDR_TYPE_V6);
    if (d->pcb == NULL)
        return false;
    if (udp_bind(d->pcb, IP6_ADDR_ANY, DHCP6_CLIENT_PORT) != ERR_OK) {
        net_dhcp6_down(n);
        return false;
    }
    udp_recv(d->pcb, net_dhcp6_received, n);
    return true;
}

static void net_dhcp6_send(struct net *n, uint64_t now_ms)
{
    static const struct ip servers = {.family = FAMILY_V6, .b = {0xff, 2, [13] = 1, [15] = 2}};
    struct net_dhcp6 *d = &n->dhcp6;
    uint8_t text[DHCP6_MESSAGE_MAX];
    struct buf b = BUF_OF(text);
    ip_addr_t to;
    if (!d->waiting) {
        d->xid = port_random() & 0xffffff;
        d->first_ms = now_ms;
        d->waiting = true;
    }
    dhcp6_put_request(&b, d->xid, n->nic.info.mac, (unsigned)((now_ms - d->first_ms) / 10));
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)b.n, PBUF_RAM);
    if (p == NULL)
        return;
    port_to_lwip(&servers, &to);
    if (pbuf_take(p, b.p, (u16_t)b.n) == ERR_OK)
        (void)udp_sendto_if(d->pcb, p, &to, DHCP6_SERVER_PORT, &n->nic.netif);
    pbuf_free(p);
}

void net_dhcp6_turn(struct net *n, uint64_t now_ms)
{
    struct net_dhcp6 *d = &n->dhcp6;
    bool local = ip6_addr_isvalid(netif_ip6_addr_state(&n->nic.netif, 0)) != 0;
    if (!n->v6.other_config || !local || now_ms < d->next_ms || !net_dhcp6_open(n))
        return;
    net_dhcp6_send(n, now_ms);
    d->next_ms = now_ms + ((uint64_t)NET_DHCP6_FIRST_MS << d->tries);
    if (d->tries < NET_DHCP6_SHIFT_MAX)
        d->tries++;
}

uint64_t net_dhcp6_wake_ms(const struct net *n)
{
    return n->v6.other_config && n->link ? n->dhcp6.next_ms : UINT64_MAX;
}

void net_dhcp6_down(struct net *n)
{
    if (n->dhcp6.pcb != NULL)
        udp_remove(n->dhcp6.pcb);
    n->dhcp6 = (struct net_dhcp6){.waiting = false};
    resolvers_drop(&n->resolvers, RESOLVERS_DHCP6);
}
