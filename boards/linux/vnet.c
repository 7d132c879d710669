/*
 * vnet.c - see vnet.h.
 */
#include "boards/linux/vnet.h"

enum {
    ETH_HEADER = 14,
    IP4_MIN = 20,
    IP6_HEADER = 40,
    TCP_MIN = 20,
    UDP_HEADER = 8,
    PROTO_TCP = 6,
    PROTO_UDP = 17
};
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* One's complement sum of RFC 1071, not yet folded. At most 64 KB enter, so 32 bits hold it. */
static uint32_t sum(uint32_t acc, const uint8_t *p, size_t n)
{
    for (; n > 1; p += 2, n -= 2)
        acc += get16(p);
    return n ? acc + (uint32_t)(p[0] << 8) : acc;
}

static uint16_t finish(uint32_t acc)
{
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)~acc;
}

/* Offset of the transport header behind Ethernet and IP, 0 if this is not the plain TCP or UDP that segmentation is for. */
static size_t transport(const uint8_t *f, size_t n, bool v6, uint8_t proto)
{
    if (v6) {
        bool good = n >= ETH_HEADER + IP6_HEADER && get16(f + 12) == 0x86dd && f[ETH_HEADER + 6] == proto;
        return good ? ETH_HEADER + IP6_HEADER : 0;
    }
    if (n < ETH_HEADER + IP4_MIN || get16(f + 12) != 0x0800 || f[ETH_HEADER + 9] != proto)
        return 0;
    size_t len = (size_t)(f[ETH_HEADER] & 15) * 4;
    return len >= IP4_MIN && n - ETH_HEADER >= len ? ETH_HEADER + len : 0;
}

static enum err take_super(struct vnet *v, const struct vnet_hdr *h, const uint8_t *f, size_t n)
{
    uint8_t type = h->gso_type & (uint8_t)~VNET_GSO_ECN;
    bool udp = type == VNET_GSO_UDP_L4;
    bool v6 = type == VNET_GSO_TCPV6 || (udp && n > ETH_HEADER && f[ETH_HEADER] >> 4 == 6);
    if (!udp && type != VNET_GSO_TCPV4 && type != VNET_GSO_TCPV6)
        return ERR_INPUT;
    size_t l4 = transport(f, n, v6, udp ? PROTO_UDP : PROTO_TCP);
    if (l4 == 0 || h->gso_size == 0 || n - l4 < (udp ? (size_t)UDP_HEADER : (size_t)TCP_MIN))
        return ERR_INPUT;
    size_t head = udp ? UDP_HEADER : (size_t)(f[l4 + 12] >> 4) * 4;
    if ((!udp && head < TCP_MIN) || n - l4 <= head)
        return ERR_INPUT;
    *v = (struct vnet){
        .frame = f,
        .n = n,
        .l3 = ETH_HEADER,
        .l4 = l4,
        .payload = l4 + head,
        .off = l4 + head,
        .gso_size = h->gso_size,
        .v6 = v6,
        .udp = udp,
        .waiting = true,
    };
    return OK;
}

/* Without what stands behind the IP packet: padding, or the FCS that some cards leave there (ftgmac100), which would make a full frame too long. */
static size_t without_trailer(const uint8_t *f, size_t n)
{
    size_t end = n;

    if (n >= ETH_HEADER + IP6_HEADER && get16(f + 12) == 0x86dd && get16(f + ETH_HEADER + 4) != 0)
        end = ETH_HEADER + IP6_HEADER + (size_t)get16(f + ETH_HEADER + 4);
    else if (n >= ETH_HEADER + IP4_MIN && get16(f + 12) == 0x0800 && get16(f + ETH_HEADER + 2) >= IP4_MIN)
        end = ETH_HEADER + (size_t)get16(f + ETH_HEADER + 2);
    return end < n ? end : n;
}

enum err vnet_take(struct vnet *v, const struct vnet_hdr *h, uint8_t *frame, size_t n)
{
    if (n < ETH_HEADER)
        return ERR_INPUT;
    if ((h->gso_type & ~VNET_GSO_ECN) != VNET_GSO_NONE)
        return take_super(v, h, frame, n);
    if (h->flags & VNET_NEEDS_CSUM) {
        size_t start = h->csum_start, field = (size_t)h->csum_start + h->csum_offset;
        /* The header comes from the sender's side of a virtual link: never write outside the frame. */
        if (start >= n || n < 2 || field > n - 2)
            return ERR_INPUT;
        uint16_t c = finish(sum(0, frame + start, n - start));
        /* 0 means "no checksum" in UDP, and both are equal in one's complement. */
        put16(frame + field, c ? c : 0xffff);
    }
    *v = (struct vnet){.frame = frame, .n = without_trailer(frame, n), .waiting = true};
    return OK;
}

static uint32_t pseudo(const struct vnet *v, const uint8_t *f, size_t l4_len)
{
    uint32_t acc = (uint32_t)l4_len + (v->udp ? PROTO_UDP : PROTO_TCP);
    return v->v6 ? sum(acc, f + v->l3 + 8, 32) : sum(acc, f + v->l3 + 12, 8);
}

/* Mends the copied headers of the segment that carries payload [v->off, v->off + len). */
static void mend(const struct vnet *v, uint8_t *f, size_t len)
{
    size_t l4_len = v->payload - v->l4 + len, done = v->off - v->payload;
    uint8_t *ip = f + v->l3, *l4 = f + v->l4;
    if (v->v6) {
        put16(ip + 4, l4_len);
    } else {
        put16(ip + 2, v->l4 - v->l3 + l4_len);
        put16(ip + 4, get16(ip + 4) + done / v->gso_size);
        put16(ip + 10, 0);
        put16(ip + 10, finish(sum(0, ip, v->l4 - v->l3)));
    }
    uint8_t *field = l4 + (v->udp ? 6 : 16);
    if (v->udp) {
        put16(l4 + 4, l4_len);
    } else {
        put32(l4 + 4, get32(l4 + 4) + (uint32_t)done);
        if (v->off + len < v->n)
            l4[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
        if (done > 0)
            l4[13] &= (uint8_t)~TCP_CWR;
    }
    put16(field, 0);
    uint16_t c = finish(sum(pseudo(v, f, l4_len), l4, l4_len));
    put16(field, c || !v->udp ? c : 0xffff); /* 0 means "no checksum" in UDP */
}

static size_t padded(uint8_t *ret, size_t n, size_t cap)
{
    if (n >= VNET_FRAME_MIN || cap < VNET_FRAME_MIN)
        return n;
    memset(ret + n, 0, VNET_FRAME_MIN - n);
    return VNET_FRAME_MIN;
}

size_t vnet_next(struct vnet *v, uint8_t *ret, size_t cap)
{
    if (!v->waiting)
        return 0;
    if (v->gso_size == 0) {
        v->waiting = false;
        if (v->n > cap)
            return 0;
        memcpy(ret, v->frame, v->n);
        return padded(ret, v->n, cap);
    }
    size_t len = v->n - v->off < v->gso_size ? v->n - v->off : v->gso_size;
    if (len == 0 || len > cap || v->payload > cap - len) {
        v->waiting = false;
        return 0;
    }
    memcpy(ret, v->frame, v->payload);
    memcpy(ret + v->payload, v->frame + v->off, len);
    mend(v, ret, len);
    v->off += len;
    v->waiting = v->off < v->n;
    return padded(ret, v->payload + len, cap);
}
