/*
 * guard.c - the checks of guard.h. Every length is compared with what is left, never added to an offset first.
 */
#include "net/guard.h"

enum {
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_IPV6 = 0x86dd,
    PROTO_HOPOPTS = 0,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ICMP6 = 58,
    ICMP_REDIRECT = 5,
    ICMP6_TOO_BIG = 2,
    ICMP6_RS = 133,
    ICMP6_RA = 134,
    ICMP6_NS = 135,
    ICMP6_NA = 136,
    ICMP6_REDIRECT = 137,
    IPV6_HEADER = 40,
    IPV6_MTU_MIN = 1280
};

static unsigned guard_u16(struct span s, size_t off)
{
    return (unsigned)s.p[off] << 8 | s.p[off + 1];
}

static uint32_t guard_u32(struct span s, size_t off)
{
    return (uint32_t)guard_u16(s, off) << 16 | guard_u16(s, off + 2);
}

static bool guard_is_zero(struct span s)
{
    uint8_t any = 0;
    for (size_t i = 0; i < s.n; i++)
        any |= s.p[i];
    return any == 0;
}

/* RFC 826 for Ethernet and IPv4. A sender that claims to be a group is nobody. */
static bool guard_arp(struct span p)
{
    static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
    if (p.n < 28 || memcmp(p.p, head, sizeof(head)) != 0)
        return false;
    unsigned op = guard_u16(p, 6);
    bool group_mac = (p.p[8] & 1) != 0;
    bool group_ip = p.p[14] >= 224;
    return (op == 1 || op == 2) && !group_mac && !group_ip;
}

/* Options are a list of single bytes 0 and 1, and of (kind, length, data) whose length covers at least itself (RFC 9293 section 3.1). */
static bool guard_tcp(struct span p)
{
    if (p.n < 20)
        return false;
    size_t header = (size_t)(p.p[12] >> 4) * 4;
    if (header < 20 || header > p.n)
        return false;
    for (size_t i = 20; i < header;) {
        if (p.p[i] == 0)
            return true;
        if (p.p[i] == 1) {
            i++;
            continue;
        }
        if (header - i < 2 || p.p[i + 1] < 2 || p.p[i + 1] > header - i)
            return false;
        i += p.p[i + 1];
    }
    return true;
}

static bool guard_udp(struct span p)
{
    return p.n >= 8 && guard_u16(p, 4) >= 8 && guard_u16(p, 4) <= p.n;
}

static bool guard_icmp(struct span p)
{
    return p.n >= 8 && p.p[0] != ICMP_REDIRECT;
}

/* Without options (source routes among them) and without fragments: no peer of this agent needs either. */
static bool guard_ipv4(struct span p)
{
    if (p.n < 20 || p.p[0] != 0x45)
        return false;
    size_t total = guard_u16(p, 2);
    bool fragment = (guard_u16(p, 6) & 0x3fff) != 0;
    if (total < 20 || total > p.n || fragment || p.p[12] >= 224)
        return false;
    struct span payload = span_sub(p, 20, total - 20);
    switch (p.p[9]) {
    case PROTO_ICMP:
        return guard_icmp(payload);
    case PROTO_TCP:
        return guard_tcp(payload);
    case PROTO_UDP:
        return guard_udp(payload);
    default:
        return false;
    }
}

/* One ND option of exactly `o.n` bytes. Link-layer addresses are Ethernet's; other known options have one size each. */
static bool guard_nd_option(struct span o)
{
    switch (o.p[0]) {
    case 1: /* source and target link-layer address */
    case 2:
        return o.n == 8 && (o.p[2] & 1) == 0;
    case 3: /* prefix information */
        return o.n == 32 && o.p[2] <= 128;
    case 5: /* MTU */
        return o.n == 8;
    case 25: /* RDNSS: 8 bytes and whole addresses */
        return o.n >= 24 && (o.n - 8) % 16 == 0;
    default:
        return true;
    }
}

/* Options behind the fixed part (RFC 4861 section 4.6): a length of zero would never end, one too large would read on. */
static bool guard_nd_options(struct span p, size_t fixed, bool *ret_has_source)
{
    if (p.n < fixed)
        return false;
    for (size_t i = fixed; i < p.n;) {
        size_t n = p.n - i < 2 ? 0 : (size_t)p.p[i + 1] * 8;
        if (n == 0 || n > p.n - i || !guard_nd_option(span_sub(p, i, n)))
            return false;
        *ret_has_source = *ret_has_source || p.p[i] == 1;
        i += n;
    }
    return true;
}

static bool guard_nd(struct span ip, struct span p)
{
    struct span src = span_sub(ip, 8, 16);
    struct span dst = span_sub(ip, 24, 16);
    bool unspecified = guard_is_zero(src);
    bool multicast = dst.p[0] == 0xff;
    bool has_source = false;
    /* A hop limit of 255 proves that no router forwarded it (RFC 4861 section 3.1). */
    if (ip.p[7] != 255 || p.p[1] != 0)
        return false;
    switch (p.p[0]) {
    case ICMP6_RA: {
        bool link_local = src.p[0] == 0xfe && (src.p[1] & 0xc0) == 0x80;
        return link_local && guard_nd_options(p, 16, &has_source);
    }
    case ICMP6_NS:
        if (!guard_nd_options(p, 24, &has_source) || p.p[8] == 0xff)
            return false;
        /* A probe goes to the solicited-node group and has no source option (RFC 4861 section 7.1.1). */
        return !unspecified || (multicast && !has_source);
    case ICMP6_NA:
        if (!guard_nd_options(p, 24, &has_source) || p.p[8] == 0xff)
            return false;
        return !unspecified && !(multicast && (p.p[4] & 0x40) != 0);
    default:
        return false; /* router solicitations are for routers; redirects steer traffic without proof */
    }
}

static bool guard_icmp6(struct span ip, struct span p)
{
    if (p.n < 8)
        return false;
    if (p.p[0] >= ICMP6_RS && p.p[0] <= ICMP6_REDIRECT)
        return guard_nd(ip, p);
    if (p.p[0] == ICMP6_TOO_BIG)
        return p.n >= 8 + IPV6_HEADER && guard_u32(p, 4) >= IPV6_MTU_MIN;
    return true;
}

/* Hop-by-hop options are needed for MLD queries only (RFC 2710 section 3): one header, then ICMPv6. */
static bool guard_hop_by_hop(struct span *payload)
{
    struct span p = *payload;
    if (p.n < 8 || p.p[0] != PROTO_ICMP6)
        return false;
    size_t n = ((size_t)p.p[1] + 1) * 8;
    if (n > p.n)
        return false;
    for (size_t i = 2; i < n;) {
        if (p.p[i] == 0) {
            i++;
            continue;
        }
        if (n - i < 2 || p.p[i + 1] > n - i - 2)
            return false;
        i += 2u + p.p[i + 1];
    }
    *payload = span_sub(p, n, p.n);
    return payload->n > 0 && payload->p[0] >= 130 && payload->p[0] <= 132;
}

static bool guard_ipv6(struct span p)
{
    if (p.n < IPV6_HEADER || p.p[0] >> 4 != 6 || p.p[8] == 0xff)
        return false;
    size_t n = guard_u16(p, 4);
    if (n > p.n - IPV6_HEADER)
        return false;
    struct span payload = span_sub(p, IPV6_HEADER, n);
    switch (p.p[6]) {
    case PROTO_TCP:
        return guard_tcp(payload);
    case PROTO_UDP:
        return guard_udp(payload) && guard_u16(payload, 6) != 0;
    case PROTO_HOPOPTS:
        return guard_hop_by_hop(&payload) && guard_icmp6(p, payload);
    case PROTO_ICMP6:
        return guard_icmp6(p, payload);
    default:
        return false; /* fragments, routing and destination headers: nothing here needs them */
    }
}

bool guard_frame(struct span frame)
{
    if (frame.n < GUARD_FRAME_MIN || (frame.p[6] & 1) != 0)
        return false;
    struct span payload = span_sub(frame, GUARD_ETH, frame.n);
    switch (guard_u16(frame, 12)) {
    case ETH_ARP:
        return guard_arp(payload);
    case ETH_IPV4:
        return guard_ipv4(payload);
    case ETH_IPV6:
        return guard_ipv6(payload);
    default:
        return false;
    }
}
