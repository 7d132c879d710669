/*
 * frames.c - the frames of frames.h.
 */
#include "tests/unit/frames.h"

enum { MIN_FRAME = 60, ETH = 14 };

struct ip frames_ip(const char *text)
{
    struct ip ip = {.family = FAMILY_NONE};
    if (ip_parse(span_str(text), &ip) != OK)
        __builtin_trap();
    return ip;
}

void frames_u16(struct buf *ret, unsigned v)
{
    buf_u8(ret, (uint8_t)(v >> 8));
    buf_u8(ret, (uint8_t)v);
}

void frames_u32(struct buf *ret, uint32_t v)
{
    frames_u16(ret, v >> 16);
    frames_u16(ret, v & 0xffff);
}

unsigned frames_get16(struct span s, size_t off)
{
    return (unsigned)s.p[off] << 8 | s.p[off + 1];
}

static void zeros(struct buf *ret, size_t n)
{
    while (n-- > 0)
        buf_u8(ret, 0);
}

static void eth(struct buf *ret, const uint8_t *src, const uint8_t *dst, unsigned type)
{
    buf_put(ret, span_of(dst, 6));
    buf_put(ret, span_of(src, 6));
    frames_u16(ret, type);
}

static void pad(struct buf *ret, size_t start)
{
    if (ret->n - start < MIN_FRAME)
        zeros(ret, MIN_FRAME - (ret->n - start));
}

static uint32_t sum16(uint32_t sum, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        sum += i % 2 == 0 ? (uint32_t)s.p[i] << 8 : s.p[i];
    return sum;
}

static unsigned fold(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    unsigned v = ~sum & 0xffff;
    return v == 0 ? 0xffff : v;
}

static void set16(struct buf *b, size_t off, unsigned v)
{
    b->p[off] = (uint8_t)(v >> 8);
    b->p[off + 1] = (uint8_t)v;
}

void frames_arp(struct buf *ret, const uint8_t *src, const uint8_t *dst, unsigned op,
                const uint8_t *sender_mac, const struct ip *sender, const struct ip *target)
{
    size_t start = ret->n;
    eth(ret, src, dst, 0x0806);
    buf_put(ret, span_of((uint8_t[]){0, 1, 8, 0, 6, 4}, 6));
    frames_u16(ret, op);
    buf_put(ret, span_of(sender_mac, 6));
    buf_put(ret, span_of(sender->b, 4));
    zeros(ret, 6);
    buf_put(ret, span_of(target->b, 4));
    pad(ret, start);
}

/* An IPv6 header and the payload; returns where the payload starts. */
static size_t ipv6(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                   const struct ip *to, unsigned next, unsigned hops, struct span payload)
{
    eth(ret, src, dst, 0x86dd);
    frames_u32(ret, 0x60000000);
    frames_u16(ret, (unsigned)payload.n);
    buf_u8(ret, (uint8_t)next);
    buf_u8(ret, (uint8_t)hops);
    buf_put(ret, span_of(from->b, 16));
    buf_put(ret, span_of(to->b, 16));
    size_t at = ret->n;
    buf_put(ret, payload);
    return at;
}

void frames_ipv4(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                 const struct ip *to, unsigned protocol, struct span payload)
{
    size_t start = ret->n;
    eth(ret, src, dst, 0x0800);
    size_t header = ret->n;
    frames_u16(ret, 0x4500);
    frames_u16(ret, (unsigned)(20 + payload.n));
    frames_u32(ret, 0x00014000);
    buf_u8(ret, 64);
    buf_u8(ret, (uint8_t)protocol);
    frames_u16(ret, 0);
    buf_put(ret, span_of(from->b, 4));
    buf_put(ret, span_of(to->b, 4));
    set16(ret, header + 10, fold(sum16(0, span_of(ret->p + header, 20))));
    buf_put(ret, payload);
    pad(ret, start);
}

void frames_icmp6(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                  const struct ip *to, unsigned hops, struct span message)
{
    size_t start = ret->n;
    size_t at = ipv6(ret, src, dst, from, to, 58, hops, message);
    uint32_t sum = sum16((uint32_t)message.n + 58, span_of(from->b, 16));
    sum = sum16(sum16(sum, span_of(to->b, 16)), message);
    set16(ret, at + 2, fold(sum));
    pad(ret, start);
}

void frames_udp(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                const struct ip *to, unsigned from_port, unsigned to_port, struct span payload)
{
    uint8_t text[1600];
    struct buf u = BUF_OF(text);
    size_t start = ret->n;
    size_t size = from->family == FAMILY_V6 ? 16 : 4;
    frames_u16(&u, from_port);
    frames_u16(&u, to_port);
    frames_u16(&u, (unsigned)(8 + payload.n));
    frames_u16(&u, 0);
    buf_put(&u, payload);
    uint32_t sum = sum16((uint32_t)u.n + 17, span_of(from->b, size));
    sum = sum16(sum16(sum, span_of(to->b, size)), buf_span(&u));
    set16(&u, 6, fold(sum));
    if (from->family == FAMILY_V6)
        (void)ipv6(ret, src, dst, from, to, 17, 64, buf_span(&u));
    else
        frames_ipv4(ret, src, dst, from, to, 17, buf_span(&u));
    pad(ret, start);
}

void frames_tcp(struct buf *ret, const uint8_t *src, const uint8_t *dst, const struct ip *from,
                const struct ip *to, struct span segment)
{
    uint8_t text[1600];
    struct buf t = BUF_OF(text);
    size_t start = ret->n;
    size_t size = from->family == FAMILY_V6 ? 16 : 4;
    buf_put(&t, segment);
    uint32_t sum = sum16((uint32_t)t.n + 6, span_of(from->b, size));
    sum = sum16(sum16(sum, span_of(to->b, size)), buf_span(&t));
    set16(&t, 16, fold(sum));
    if (from->family == FAMILY_V6)
        (void)ipv6(ret, src, dst, from, to, 6, 64, buf_span(&t));
    else
        frames_ipv4(ret, src, dst, from, to, 6, buf_span(&t));
    pad(ret, start);
}

void frames_ra(struct buf *ret, unsigned flags, unsigned lifetime_s, const uint8_t *source_mac)
{
    frames_u32(ret, 134u << 24);
    buf_u8(ret, 64);
    buf_u8(ret, (uint8_t)flags);
    frames_u16(ret, lifetime_s);
    zeros(ret, 8);
    if (source_mac != NULL) {
        frames_u16(ret, 0x0101);
        buf_put(ret, span_of(source_mac, 6));
    }
}

void frames_ra_prefix(struct buf *ret, const char *prefix, unsigned flags, uint32_t valid_s,
                      uint32_t preferred_s)
{
    struct ip ip = frames_ip(prefix);
    frames_u16(ret, 0x0304);
    buf_u8(ret, 64);
    buf_u8(ret, (uint8_t)flags);
    frames_u32(ret, valid_s);
    frames_u32(ret, preferred_s);
    zeros(ret, 4);
    buf_put(ret, span_of(ip.b, 16));
}

void frames_ra_rdnss(struct buf *ret, const char *server, uint32_t lifetime_s)
{
    struct ip ip = frames_ip(server);
    frames_u32(ret, 0x19030000);
    frames_u32(ret, lifetime_s);
    buf_put(ret, span_of(ip.b, 16));
}

void frames_na(struct buf *ret, unsigned flags, const struct ip *target, const uint8_t *mac)
{
    frames_u32(ret, 136u << 24);
    frames_u32(ret, flags << 24);
    buf_put(ret, span_of(target->b, 16));
    if (mac != NULL) {
        frames_u16(ret, 0x0201);
        buf_put(ret, span_of(mac, 6));
    }
}

void frames_ns(struct buf *ret, const struct ip *target, const uint8_t *source_mac)
{
    frames_u32(ret, 135u << 24);
    frames_u32(ret, 0);
    buf_put(ret, span_of(target->b, 16));
    if (source_mac != NULL) {
        frames_u16(ret, 0x0101);
        buf_put(ret, span_of(source_mac, 6));
    }
}

/* Reads 32 bits in the file's byte order. */
static uint32_t pcap32(struct span s, size_t off, bool swapped)
{
    uint32_t v = (uint32_t)s.p[off] | (uint32_t)s.p[off + 1] << 8 | (uint32_t)s.p[off + 2] << 16 |
                 (uint32_t)s.p[off + 3] << 24;
    return swapped ? __builtin_bswap32(v) : v;
}

unsigned frames_pcap(struct span file, void (*each)(void *ctx, struct span frame), void *ctx)
{
    unsigned n = 0;
    if (file.n < 24)
        return 0;
    uint32_t magic = pcap32(file, 0, false);
    bool swapped = magic == 0xd4c3b2a1u || magic == 0x4d3cb2a1u;
    if (!swapped && magic != 0xa1b2c3d4u && magic != 0xa1b23c4du)
        return 0;
    if ((pcap32(file, 20, swapped) & 0xffff) != 1)
        return 0;
    for (size_t off = 24; file.n - off >= 16;) {
        size_t size = pcap32(file, off + 8, swapped);
        off += 16;
        if (size > file.n - off)
            break;
        each(ctx, span_sub(file, off, size));
        off += size;
        n++;
    }
    return n;
}

struct span frames_dhcp_request(struct span frame)
{
    bool is = frame.n >= 42 + 240 && frames_get16(frame, 12) == 0x0800 && frame.p[23] == 17 &&
              frames_get16(frame, 36) == 67;

    return is ? span_sub(frame, 42, frame.n) : span_of(NULL, 0);
}

void frames_dhcp_reply(struct buf *ret, const uint8_t *src, struct span request, unsigned type,
                       const char *lease, const char *server)
{
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
    static const uint8_t options[] = {54, 3, 6}; /* server, router, resolver */
    struct ip everybody = frames_ip("255.255.255.255"), self = frames_ip(server), given = frames_ip(lease);
    uint8_t text[300];
    struct buf b = BUF_OF(text);

    buf_put(&b, SPAN_LIT("\2\1\6\0"));
    buf_put(&b,
            span_sub(request, 4, 12)); /* the transaction's number, seconds and flags, the client's address */
    buf_put(&b, span_of(given.b, 4));
    while (b.n < 28)
        buf_u8(&b, 0);
    buf_put(&b, span_sub(request, 28, 6));
    while (b.n < 236)
        buf_u8(&b, 0);
    frames_u32(&b, 0x63825363);
    buf_put(&b,
            span_of((uint8_t[]){53, 1, (uint8_t)type, 51, 4, 0, 0, 0x0e, 0x10, 1, 4, 255, 255, 255, 0}, 15));
    for (unsigned i = 0; i < COUNT(options); i++) {
        buf_u8(&b, options[i]);
        buf_u8(&b, 4);
        buf_put(&b, span_of(self.b, 4));
    }
    buf_u8(&b, 255);
    while (b.n < sizeof(text))
        buf_u8(&b, 0);
    frames_udp(ret, src, broadcast, &self, &everybody, 67, 68, buf_span(&b));
}
