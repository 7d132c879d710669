/*
 * hostlink_put.c - see hostlink_put.h. Also hostlink_advertise().
 */
#include "net/hostlink_put.h"

enum {
    ETH_HEADER = 14,
    IPV6_HEADER = 40,
    IPV4_HEADER = 20,
    PROTO_ICMP6 = 58,
    PROTO_UDP = 17,
    ICMP6_RA = 134,
    ICMP6_NA = 136,
    FRAME_MIN = 60
};

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static void put_u16(struct buf *b, unsigned v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static void put_u32(struct buf *b, uint32_t v)
{
    put_u16(b, v >> 16);
    put_u16(b, v & 0xffff);
}

static void put_bytes(struct buf *b, const uint8_t *p, size_t n)
{
    buf_put(b, span_of(p, n));
}

static void put_eth(struct buf *b, const struct hostlink *h, const uint8_t *to, unsigned type)
{
    put_bytes(b, to, 6);
    put_bytes(b, h->mac, 6);
    put_u16(b, type);
}

static void pad(struct buf *b)
{
    while (b->n < FRAME_MIN && !b->overflow)
        buf_u8(b, 0);
}

static uint32_t sum(uint32_t s, struct span data)
{
    for (size_t i = 0; i < data.n; i++)
        s += i % 2 == 0 ? (uint32_t)data.p[i] << 8 : data.p[i];
    return s;
}

static uint16_t folded(uint32_t s)
{
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

uint16_t hostlink_sum6(struct span packet, struct span payload)
{
    return folded(sum(sum((uint32_t)payload.n + packet.p[6], span_sub(packet, 8, 32)), payload));
}

static void put_at(struct buf *b, size_t off, uint16_t v)
{
    b->p[off] = (uint8_t)(v >> 8);
    b->p[off + 1] = (uint8_t)v;
}

void hostlink_put_arp(struct buf *ret, const struct hostlink *h, const uint8_t mac[static 6],
                      const uint8_t addr[static 4])
{
    static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 2};

    put_eth(ret, h, mac, 0x0806);
    put_bytes(ret, head, sizeof(head));
    put_bytes(ret, h->mac, 6);
    put_bytes(ret, h->v4.server.b, 4);
    put_bytes(ret, mac, 6);
    put_bytes(ret, addr, 4);
    pad(ret);
}

/* Ethernet and IPv6 headers of an ICMPv6 message of n bytes with the hop limit of Neighbor Discovery. */
static void put_head6(struct buf *b, const struct hostlink *h, const uint8_t *mac, const uint8_t *src,
                      const uint8_t *dst, unsigned n)
{
    put_eth(b, h, mac, 0x86dd);
    put_u32(b, UINT32_C(0x60000000));
    put_u16(b, n);
    buf_u8(b, PROTO_ICMP6);
    buf_u8(b, 255);
    put_bytes(b, src, 16);
    put_bytes(b, dst, 16);
}

static void finish6(struct buf *b)
{
    struct span packet = span_sub(buf_span(b), ETH_HEADER, b->n);

    if (!b->overflow)
        put_at(b, ETH_HEADER + IPV6_HEADER + 2,
               hostlink_sum6(packet, span_sub(packet, IPV6_HEADER, packet.n)));
}

static void put_link_address(struct buf *b, const struct hostlink *h, unsigned option)
{
    buf_u8(b, (uint8_t)option);
    buf_u8(b, 1);
    put_bytes(b, h->mac, 6);
}

/* RFC 4861 section 4.4: override, and solicited if it answers somebody. */
void hostlink_put_na(struct buf *ret, const struct hostlink *h, const uint8_t target[static 16],
                     const uint8_t mac[static 6], const uint8_t *to)
{
    put_head6(ret, h, to ? mac : all_nodes_mac, target, to ? to : all_nodes, 32);
    put_u16(ret, ICMP6_NA << 8);
    put_u16(ret, 0);
    put_u32(ret, to ? UINT32_C(0x60000000) : UINT32_C(0x20000000));
    put_bytes(ret, target, 16);
    put_link_address(ret, h, 2);
    finish6(ret);
}

/* RFC 4861 sections 4.2 and 4.6: router lifetime 0 says that this is no way to anywhere. */
void hostlink_advertise(const struct hostlink *h, struct buf *ret)
{
    static const uint8_t zeros[8] = {0};

    put_head6(ret, h, all_nodes_mac, h->link_local.b, all_nodes, 16 + 8 + 32);
    put_u16(ret, ICMP6_RA << 8);
    put_u16(ret, 0);
    put_u32(ret, UINT32_C(0x40000000)); /* hop limit 64, no flags, lifetime 0 */
    put_bytes(ret, zeros, 8);
    put_link_address(ret, h, 1);
    buf_u8(ret, 3);
    buf_u8(ret, 4);
    buf_u8(ret, 64);
    buf_u8(ret, 0xc0); /* on link, for autonomous configuration */
    put_u32(ret, HOSTLINK_PREFIX_S);
    put_u32(ret, HOSTLINK_PREFIX_S);
    put_u32(ret, 0);
    put_bytes(ret, h->ula.b, 8);
    put_bytes(ret, zeros, 8);
    finish6(ret);
}

/* RFC 768 allows a UDP checksum of zero over IPv4: the frame check of a link of two ends is enough. */
void hostlink_put_dhcp(struct buf *ret, const struct hostlink *h, const uint8_t mac[static 6],
                       struct span message)
{
    static const uint8_t all[4] = {255, 255, 255, 255};
    size_t n = IPV4_HEADER + 8 + message.n;

    put_eth(ret, h, mac, 0x0800);
    put_u16(ret, 0x4500);
    put_u16(ret, (unsigned)n);
    put_u32(ret, 0);
    buf_u8(ret, 64);
    buf_u8(ret, PROTO_UDP);
    put_u16(ret, 0);
    put_bytes(ret, h->v4.server.b, 4);
    put_bytes(ret, all, 4);
    put_u16(ret, 67);
    put_u16(ret, 68);
    put_u16(ret, (unsigned)(8 + message.n));
    put_u16(ret, 0);
    buf_put(ret, message);
    if (!ret->overflow)
        put_at(ret, ETH_HEADER + 10, folded(sum(0, span_sub(buf_span(ret), ETH_HEADER, IPV4_HEADER))));
}
