/*
 * dns_lwip.c - datagrams over lwIP's UDP, of the resolver and to the log server, in static slots.
 *
 * lwIP hands a datagram over by a callback. It is read at once, and only what came from the slot's server and port: nothing is kept that an
 * attacker could fill.
 */
#include "net/dns_turn.h"

#include "net/port.h"

#include "lwip/etharp.h"
#include "lwip/nd6.h"
#include "lwip/udp.h"

enum {
    DNS_SLOTS = DNS_QUERIES_MAX * 2 + 1 /* the log server's */,
    DNS_BIND_TRIES = 8,
    DNS_MESSAGE_MAX = 1472
};

static struct dns_slot {
    struct udp_pcb *pcb; /* NULL: free */
    struct ip server;
    uint16_t port;
} slots[DNS_SLOTS];

static struct dns_slot *dns_slot(int id)
{
    return id >= 0 && id < DNS_SLOTS && slots[id].pcb != NULL ? &slots[id] : NULL;
}

static void dns_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr, u16_t port)
{
    struct dns_slot *s = arg;
    struct ip from;
    port_from_lwip(addr, &from);
    /* A frame lies in one pbuf. */
    if (s->pcb == pcb && port == s->port && ip_eq(&from, &s->server) && p->len == p->tot_len)
        dns_deliver((int)(s - slots), span_of(p->payload, p->len));
    pbuf_free(p);
}

static enum err dns_open(const struct ip *server, uint16_t port, int *ret_id)
{
    bool v6 = server->family == FAMILY_V6;
    int id = 0;
    while (id < DNS_SLOTS && slots[id].pcb != NULL)
        id++;
    if (id == DNS_SLOTS)
        return ERR_NOMEM;
    struct udp_pcb *pcb = udp_new_ip_type(v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    if (pcb == NULL)
        return ERR_NOMEM;
    /* As in tcp.c: a rogue on the management side may name a resolver that is on a BMC's link to its host. */
    udp_bind_netif(pcb, netif_default);
    err_t e = ERR_USE;
    for (unsigned i = 0; e == ERR_USE && i < DNS_BIND_TRIES; i++)
        e = udp_bind(pcb, v6 ? IP6_ADDR_ANY : IP4_ADDR_ANY, port_random_port());
    if (e != ERR_OK) {
        udp_remove(pcb);
        return ERR_IO;
    }
    slots[id] = (struct dns_slot){.pcb = pcb, .server = *server, .port = port};
    udp_recv(pcb, dns_received, &slots[id]);
    *ret_id = id;
    return OK;
}

static enum err dns_send_to(int id, struct span data)
{
    const struct dns_slot *s = dns_slot(id);
    ip_addr_t to;
    if (s == NULL)
        return ERR_STATE;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)data.n, PBUF_RAM);
    if (p == NULL)
        return ERR_NOMEM;
    port_to_lwip(&s->server, &to);
    err_t sent = pbuf_take(p, data.p, (u16_t)data.n);
    if (sent == ERR_OK)
        sent = udp_sendto(s->pcb, p, &to, s->port);
    pbuf_free(p);
    return sent == ERR_OK ? OK : ERR_IO;
}

static void dns_close_slot(int id)
{
    struct dns_slot *s = dns_slot(id);
    if (s == NULL)
        return;
    udp_remove(s->pcb);
    s->pcb = NULL;
}

static bool dns_reaches4(const ip4_addr_t *to)
{
    struct netif *n = netif_default;
    const ip4_addr_t *hop =
        ip4_addr_net_eq(to, netif_ip4_addr(n), netif_ip4_netmask(n)) ? to : netif_ip4_gw(n);
    const ip4_addr_t *found;
    struct eth_addr *mac;
    return etharp_find_addr(n, hop, &mac, &found) >= 0 ||
           etharp_query(n, hop, NULL) == ERR_ARG; /* nobody can be asked: a broadcast, no router */
}

static bool dns_reaches(int id)
{
    const struct dns_slot *s = dns_slot(id);
    const u8_t *mac = NULL;
    ip_addr_t to;
    if (s == NULL || netif_default == NULL)
        return false;
    if (ip_is_multicast(&s->server))
        return true;
    port_to_lwip(&s->server, &to);
    if (IP_IS_V4(&to))
        return dns_reaches4(ip_2_ip4(&to));
    /* Without a packet to queue lwIP answers that it has no memory; without a router it gives another error, which is the sender's. */
    return nd6_get_next_hop_addr_or_queue(netif_default, NULL, ip_2_ip6(&to), &mac) != ERR_MEM;
}

const struct datagrams dns_lwip = {
    .open = dns_open, .send = dns_send_to, .close = dns_close_slot, .reaches = dns_reaches};
