/*
 * netpeer_servers.c - the servers on the link of netpeer.h: DHCP, router, neighbor, DNS, DHCPv6, each answering a frame of the machine under test.
 */
#include "tests/unit/netpeer.h"

#include "tests/unit/frames.h"

static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static void option(struct buf *b, unsigned code, struct span data)
{
    buf_u8(b, (uint8_t)code);
    buf_u8(b, (uint8_t)data.n);
    buf_put(b, data);
}

static void dhcp_answer(const struct netpeer_server *s, struct span request, unsigned type)
{
    static const struct ip everybody = {.family = FAMILY_V4, .b = {255, 255, 255, 255}};
    uint8_t text[600], frame[700],
        seconds[4] = {(uint8_t)(s->lease_s >> 24), (uint8_t)(s->lease_s >> 16), (uint8_t)(s->lease_s >> 8),
                      (uint8_t)s->lease_s};
    struct buf b = BUF_OF(text), f = BUF_OF(frame);
    struct ip self = frames_ip(s->v4), lease = frames_ip(s->lease);
    buf_put(&b, SPAN_LIT("\2\1\6\0"));
    buf_put(&b, span_sub(request, 4, 12));
    buf_put(&b, span_of(lease.b, 4));
    while (b.n < 28)
        buf_u8(&b, 0);
    buf_put(&b, span_of(netpeer_mac, 6));
    while (b.n < 236)
        buf_u8(&b, 0);
    frames_u32(&b, 0x63825363);
    option(&b, 53, span_of((uint8_t[]){(uint8_t)type}, 1));
    option(&b, 54, span_of(self.b, 4));
    option(&b, 51, span_of(seconds, 4));
    option(&b, 1, SPAN_LIT("\377\377\377\0"));
    option(&b, 3, span_of(self.b, 4));
    if (s->dns4 != NULL) {
        struct ip dns = frames_ip(s->dns4);
        option(&b, 6, span_of(dns.b, 4));
    }
    buf_put(&b, s->more4);
    buf_u8(&b, 255);
    while (b.n < 300)
        buf_u8(&b, 0);
    frames_udp(&f, s->mac, broadcast, &self, &everybody, 67, 68, buf_span(&b));
    netpeer_inject(buf_span(&f));
}

static void on_dhcp(struct span request)
{
    struct ip chosen = {.family = FAMILY_V4};
    unsigned type = 0;
    for (size_t off = 240; off < request.n && request.p[off] != 255;
         off += request.p[off] == 0 ? 1 : 2u + request.p[off + 1]) {
        if (request.p[off] == 53)
            type = request.p[off + 2];
        if (request.p[off] == 54)
            memcpy(chosen.b, request.p + off + 2, 4);
        if (request.p[off] == 55 && request.p[off + 1] <= sizeof(netpeer.wanted4)) {
            netpeer.wanted4_count = request.p[off + 1];
            memcpy(netpeer.wanted4, request.p + off + 2, netpeer.wanted4_count);
        }
    }
    netpeer.discovers += type == 1;
    netpeer.requests += type == 3;
    netpeer.releases += type == 7;
    for (unsigned i = 0; i < netpeer.server_count; i++) {
        struct netpeer_server *s = &netpeer.servers[i];
        struct ip self = frames_ip(s->v4);
        if (s->lease == NULL)
            continue;
        if (type == 1)
            dhcp_answer(s, request, 2);
        else if (type == 3 && (ip_is_zero(&chosen) || ip_eq(&chosen, &self)))
            dhcp_answer(s, request, s->naks > 0 && s->naks-- > 0 ? 6 : 5);
    }
}

static void on_router_solicit(void)
{
    struct ip all = frames_ip("ff02::1");
    netpeer.solicits++;
    for (unsigned i = 0; i < netpeer.server_count; i++) {
        const struct netpeer_server *s = &netpeer.servers[i];
        uint8_t text[256], frame[400];
        struct buf m = BUF_OF(text), f = BUF_OF(frame);
        if (s->prefix == NULL)
            continue;
        struct ip ll = frames_ip(s->ll);
        frames_ra(&m, s->ra_flags, s->lifetime_s, s->mac);
        frames_ra_prefix(&m, s->prefix, 0xc0, 3600, 1800);
        if (s->rdnss != NULL)
            frames_ra_rdnss(&m, s->rdnss, s->rdnss_s);
        frames_icmp6(&f, s->mac, all_nodes_mac, &ll, &all, 255, buf_span(&m));
        netpeer_inject(buf_span(&f));
    }
}

/* The servers own every address with their prefix but the machine's own: whoever is asked for is at the first server that has it. */
static const struct netpeer_server *owner(const struct ip *addr)
{
    for (unsigned i = 0; i < netpeer.server_count; i++) {
        const struct netpeer_server *s = &netpeer.servers[i];
        const char *const own[] = {s->v4, s->ll, s->a, s->aaaa, s->rdnss, s->dns4};
        for (size_t k = 0; k < COUNT(own); k++) {
            struct ip ip = own[k] != NULL ? frames_ip(own[k]) : (struct ip){.family = FAMILY_NONE};
            if (own[k] != NULL && ip_eq(&ip, addr))
                return s;
        }
    }
    return NULL;
}

static void on_arp(struct span arp)
{
    struct ip sender = {.family = FAMILY_V4}, target = {.family = FAMILY_V4};
    uint8_t frame[100];
    struct buf f = BUF_OF(frame);
    memcpy(sender.b, arp.p + 14, 4);
    memcpy(target.b, arp.p + 24, 4);
    const struct netpeer_server *s = owner(&target);
    netpeer.probes4 += ip_is_zero(&sender);
    if (arp.p[7] != 1 || s == NULL || ip_eq(&sender, &target))
        return;
    frames_arp(&f, s->mac, netpeer_mac, 2, s->mac, &target, &sender);
    netpeer_inject(buf_span(&f));
}

static void on_neighbor_solicit(struct span ip, struct span icmp)
{
    struct ip src = {.family = FAMILY_V6}, target = {.family = FAMILY_V6};
    uint8_t text[64], frame[200];
    struct buf m = BUF_OF(text), f = BUF_OF(frame);
    memcpy(src.b, ip.p + 8, 16);
    memcpy(target.b, icmp.p + 8, 16);
    const struct netpeer_server *s = owner(&target);
    netpeer.probes6 += ip_is_zero(&src);
    if (s == NULL || ip_is_zero(&src))
        return;
    frames_na(&m, 0x60, &target, s->mac);
    frames_icmp6(&f, s->mac, netpeer_mac, &target, &src, 255, buf_span(&m));
    netpeer_inject(buf_span(&f));
}

static void on_dns(const struct ip *src, const struct ip *dst, unsigned port, struct span query)
{
    const struct netpeer_server *s = owner(dst);
    uint8_t text[600], frame[700];
    struct buf m = BUF_OF(text), f = BUF_OF(frame);
    if (netpeer.queries < COUNT(netpeer.query_ports)) {
        netpeer.query_ports[netpeer.queries] = (uint16_t)port;
        netpeer.query_ids[netpeer.queries] = (uint16_t)frames_get16(query, 0);
    }
    netpeer.queries++;
    if (s == NULL || s->deaf_dns)
        return;
    bool six = frames_get16(query, query.n - 4) == 28;
    const char *answer = six ? s->aaaa : s->a;
    buf_put(&m, span_sub(query, 0, 2));
    frames_u16(&m, 0x8180);
    frames_u16(&m, 1);
    frames_u16(&m, answer != NULL);
    frames_u32(&m, 0);
    buf_put(&m, span_sub(query, 12, query.n));
    if (answer != NULL) {
        struct ip ip = frames_ip(answer);
        frames_u16(&m, 0xc00c);
        frames_u16(&m, six ? 28 : 1);
        frames_u16(&m, 1);
        frames_u32(&m, 60);
        frames_u16(&m, six ? 16 : 4);
        buf_put(&m, span_of(ip.b, six ? 16 : 4));
    }
    frames_udp(&f, s->mac, netpeer_mac, dst, src, 53, port, buf_span(&m));
    netpeer_inject(buf_span(&f));
}

static void on_information_request(const struct ip *src, struct span request)
{
    netpeer.info_requests++;
    for (unsigned i = 0; i < netpeer.server_count; i++) {
        const struct netpeer_server *s = &netpeer.servers[i];
        uint8_t text[200], frame[300];
        struct buf m = BUF_OF(text), f = BUF_OF(frame);
        if (s->dns6_stateless == NULL)
            continue;
        struct ip ll = frames_ip(s->ll), dns = frames_ip(s->dns6_stateless);
        buf_u8(&m, 7);
        buf_put(&m, span_sub(request, 1, 3 + 4 + 10)); /* transaction and client identifier */
        frames_u32(&m, 0x0002000a);
        frames_u32(&m, 0x00030001);
        buf_put(&m, span_of(s->mac, 6));
        frames_u32(&m, 0x00170010);
        buf_put(&m, span_of(dns.b, 16));
        frames_udp(&f, s->mac, netpeer_mac, &ll, src, 547, 546, buf_span(&m));
        netpeer_inject(buf_span(&f));
    }
}

static void on_transport(unsigned protocol, const struct ip *src, const struct ip *dst, struct span p)
{
    if (protocol == 6 && (p.p[13] & 0x12) == 2 && netpeer.syns < COUNT(netpeer.syn_ports)) {
        netpeer.syn_ports[netpeer.syns] = (uint16_t)frames_get16(p, 0);
        netpeer.syn_isns[netpeer.syns++] = (uint32_t)frames_get16(p, 4) << 16 | frames_get16(p, 6);
    }
    if (protocol != 17)
        return;
    struct span payload = span_sub(p, 8, frames_get16(p, 4) - 8u);
    switch (frames_get16(p, 2)) {
    case 67:
        on_dhcp(payload);
        break;
    case 53:
        on_dns(src, dst, frames_get16(p, 0), payload);
        break;
    case 547:
        on_information_request(src, payload);
        break;
    default:
        break;
    }
}

void netpeer_serve(struct span f)
{
    struct ip src = {.family = FAMILY_V4}, dst = {.family = FAMILY_V4};
    struct span p = span_sub(f, 14, f.n);
    unsigned type = frames_get16(f, 12);
    if (type == 0x0806) {
        on_arp(p);
    } else if (type == 0x0800) {
        memcpy(src.b, p.p + 12, 4);
        memcpy(dst.b, p.p + 16, 4);
        on_transport(p.p[9], &src, &dst, span_sub(p, 20, p.n));
    } else if (type == 0x86dd) {
        struct span payload = span_sub(p, 40, frames_get16(p, 4));
        src.family = FAMILY_V6;
        dst.family = FAMILY_V6;
        memcpy(src.b, p.p + 8, 16);
        memcpy(dst.b, p.p + 24, 16);
        if (p.p[6] == 58 && payload.p[0] == 133)
            on_router_solicit();
        else if (p.p[6] == 58 && payload.p[0] == 135)
            on_neighbor_solicit(p, payload);
        else
            on_transport(p.p[6], &src, &dst, payload);
    }
}
