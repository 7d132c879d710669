/*
 * ndp.c - the frames of ndp.h.
 */
#include "net/ndp.h"

enum {
    ETH_HEADER = 14,
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_IPV6 = 0x86dd,
    IPV6_HEADER = 40,
    PROTO_UDP = 17,
    PROTO_ICMP6 = 58,
    DHCP_OPTIONS = 20 + 8 + 236 + 4,
    ICMP6_RS = 133,
    ICMP6_RA = 134,
    ICMP6_NS = 135,
    ICMP6_NA = 136,
    OPTION_SOURCE = 1,
    OPTION_MTU = 5,
    OPTION_RDNSS = 25
};

static unsigned ndp_u16(struct span s, size_t off)
{
    return (unsigned)s.p[off] << 8 | s.p[off + 1];
}

static uint32_t ndp_u32(struct span s, size_t off)
{
    return (uint32_t)ndp_u16(s, off) << 16 | ndp_u16(s, off + 2);
}

static struct ip ndp_ip(struct span s, size_t off, enum family family)
{
    struct ip ip = {.family = family};
    memcpy(ip.b, s.p + off, family == FAMILY_V6 ? 16 : 4);
    return ip;
}

/* The ICMPv6 message of an IPv6 frame without extension headers; empty if it is none. */
static struct span ndp_icmp6(struct span frame, struct span *ret_ip)
{
    if (frame.n < ETH_HEADER + IPV6_HEADER + 8 || ndp_u16(frame, 12) != ETH_IPV6)
        return (struct span){0};
    struct span ip = span_sub(frame, ETH_HEADER, frame.n);
    if (ip.p[6] != PROTO_ICMP6)
        return (struct span){0};
    *ret_ip = ip;
    return span_sub(ip, IPV6_HEADER, ndp_u16(ip, 4));
}

static void ndp_read_arp(struct span frame, struct ndp_claim *ret)
{
    struct span arp = span_sub(frame, ETH_HEADER, frame.n);
    if (arp.n < 28)
        return;
    struct ip sender = ndp_ip(arp, 14, FAMILY_V4);
    bool probe = ip_is_zero(&sender);
    *ret = (struct ndp_claim){.kind = probe ? NDP_PROBE : NDP_USE,
                              .addr = probe ? ndp_ip(arp, 24, FAMILY_V4) : sender};
    memcpy(ret->mac, arp.p + 8, 6);
}

void ndp_read_claim(struct span frame, struct ndp_claim *ret)
{
    struct span ip = {0};
    *ret = (struct ndp_claim){.kind = NDP_NONE};
    if (frame.n >= ETH_HEADER && ndp_u16(frame, 12) == ETH_ARP) {
        ndp_read_arp(frame, ret);
        return;
    }
    struct span icmp = ndp_icmp6(frame, &ip);
    if (icmp.n < 24 || (icmp.p[0] != ICMP6_NS && icmp.p[0] != ICMP6_NA))
        return;
    struct ip src = ndp_ip(ip, 8, FAMILY_V6);
    if (icmp.p[0] == ICMP6_NS && !ip_is_zero(&src)) {
        /* Who solicits with an address as its source uses that address. */
        *ret = (struct ndp_claim){.kind = NDP_USE, .addr = src};
    } else {
        *ret = (struct ndp_claim){.kind = icmp.p[0] == ICMP6_NA ? NDP_USE : NDP_PROBE,
                                  .addr = ndp_ip(icmp, 8, FAMILY_V6)};
    }
    memcpy(ret->mac, frame.p + 6, 6);
}

static void ndp_read_rdnss(struct span option, struct ndp_ra *ret)
{
    for (size_t off = 8; option.n - off >= 16 && ret->rdnss_count < NDP_RDNSS_MAX; off += 16)
        ret->rdnss[ret->rdnss_count++] =
            (struct ndp_rdnss){.addr = ndp_ip(option, off, FAMILY_V6), .lifetime_s = ndp_u32(option, 4)};
}

bool ndp_read_ra(struct span frame, struct ndp_ra *ret)
{
    struct span ip = {0};
    struct span icmp = ndp_icmp6(frame, &ip);
    if (icmp.n < 16 || icmp.p[0] != ICMP6_RA)
        return false;
    *ret = (struct ndp_ra){.router = ndp_ip(ip, 8, FAMILY_V6), .lifetime_s = (uint16_t)ndp_u16(icmp, 6)};
    ret->managed = (icmp.p[5] & 0x80) != 0;
    ret->other = (icmp.p[5] & 0x40) != 0;
    memcpy(ret->mac, frame.p + 6, 6);
    for (size_t off = 16; icmp.n - off >= 8;) {
        size_t n = (size_t)icmp.p[off + 1] * 8;
        struct span option = span_sub(icmp, off, n);
        if (n == 0 || option.n != n)
            break;
        if (option.p[0] == OPTION_MTU)
            ret->mtu = ndp_u32(option, 4);
        else if (option.p[0] == OPTION_RDNSS && n >= 24)
            ndp_read_rdnss(option, ret);
        off += n;
    }
    return true;
}

/* True if the frame goes from a DHCPv4 server's port to a client's; *ret is the packet. */
static bool ndp_dhcp4(struct span frame, struct span *ret)
{
    if (frame.n < ETH_HEADER + DHCP_OPTIONS || ndp_u16(frame, 12) != ETH_IPV4 ||
        frame.p[ETH_HEADER + 9] != PROTO_UDP)
        return false;
    *ret = span_sub(frame, ETH_HEADER, frame.n);
    return ndp_u16(*ret, 20) == 67 && ndp_u16(*ret, 22) == 68;
}

/* The value of the last option with this code; empty if there is none. */
static struct span ndp_dhcp4_option(struct span ip, unsigned code)
{
    struct span found = {.n = 0};
    for (size_t off = DHCP_OPTIONS; ip.n - off >= 2 && ip.p[off] != 255;) {
        size_t n = ip.p[off] == 0 ? 1 : 2u + ip.p[off + 1];
        if (n > ip.n - off)
            break;
        if (ip.p[off] == code && n > 2)
            found = span_sub(ip, off + 2, n - 2);
        off += n;
    }
    return found;
}

/* The server identifier (RFC 2132 section 9.7) tells lwIP whom to ask, so it names the server here too; the sender's address if it is missing. */
bool ndp_read_dhcp4(struct span frame, struct ip *ret, uint8_t ret_mac[static 6])
{
    struct span ip;
    if (!ndp_dhcp4(frame, &ip))
        return false;
    struct span id = ndp_dhcp4_option(ip, 54);
    *ret = id.n == 4 ? ndp_ip(id, 0, FAMILY_V4) : ndp_ip(ip, 12, FAMILY_V4);
    memcpy(ret_mac, frame.p + 6, 6);
    return true;
}

bool ndp_is_nak(struct span frame)
{
    struct span ip;
    if (!ndp_dhcp4(frame, &ip))
        return false;
    struct span type = ndp_dhcp4_option(ip, 53);
    return type.n == 1 && type.p[0] == 6;
}

static uint32_t ndp_sum(uint32_t sum, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        sum += i % 2 == 0 ? (uint32_t)s.p[i] << 8 : s.p[i];
    return sum;
}

/* Fills in the checksum over pseudo header and message (RFC 4443 section 2.3). */
static void ndp_finish6(struct buf *b, size_t start)
{
    struct span frame = span_sub(buf_span(b), start, b->n);
    if (b->overflow || frame.n < ETH_HEADER + IPV6_HEADER + 8)
        return;
    struct span addrs = span_sub(frame, ETH_HEADER + 8, 32);
    struct span icmp = span_sub(frame, ETH_HEADER + IPV6_HEADER, frame.n);
    uint32_t sum = ndp_sum((uint32_t)icmp.n + PROTO_ICMP6, addrs);
    sum = ndp_sum(sum, icmp);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    uint8_t *at = b->p + start + ETH_HEADER + IPV6_HEADER + 2;
    at[0] = (uint8_t)(~sum >> 8);
    at[1] = (uint8_t)~sum;
}

static void ndp_put_u16(struct buf *b, unsigned v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static void ndp_put_zeros(struct buf *b, unsigned n)
{
    while (n-- > 0)
        buf_u8(b, 0);
}

static void ndp_put_ipv6(struct buf *b, const uint8_t mac[static 6], const uint8_t dst[static 16],
                         const struct ip *src, unsigned length)
{
    buf_u8(b, 0x33);
    buf_u8(b, 0x33);
    buf_put(b, span_of(dst + 12, 4));
    buf_put(b, span_of(mac, 6));
    ndp_put_u16(b, ETH_IPV6);
    buf_u8(b, 0x60);
    ndp_put_zeros(b, 3);
    ndp_put_u16(b, length);
    buf_u8(b, PROTO_ICMP6);
    buf_u8(b, 255);
    if (src != NULL)
        buf_put(b, span_of(src->b, 16));
    else
        ndp_put_zeros(b, 16);
    buf_put(b, span_of(dst, 16));
}

void ndp_put_router_solicit(struct buf *ret, const uint8_t mac[static 6], const struct ip *src)
{
    static const uint8_t all_routers[16] = {0xff, 2, [15] = 2};
    size_t start = ret->n;
    ndp_put_ipv6(ret, mac, all_routers, src, src != NULL ? 16 : 8);
    buf_u8(ret, ICMP6_RS);
    ndp_put_zeros(ret, 7);
    if (src != NULL) {
        buf_u8(ret, OPTION_SOURCE);
        buf_u8(ret, 1);
        buf_put(ret, span_of(mac, 6));
    }
    ndp_finish6(ret, start);
}

static void ndp_put_probe6(struct buf *ret, const uint8_t mac[static 6], const struct ip *addr)
{
    uint8_t group[16] = {0xff, 2, [11] = 1, [12] = 0xff};
    size_t start = ret->n;
    memcpy(group + 13, addr->b + 13, 3);
    ndp_put_ipv6(ret, mac, group, NULL, 24);
    buf_u8(ret, ICMP6_NS);
    ndp_put_zeros(ret, 7);
    buf_put(ret, span_of(addr->b, 16));
    ndp_finish6(ret, start);
}

/* RFC 5227 section 2.1.1: a request for the address from nobody. */
static void ndp_put_probe4(struct buf *ret, const uint8_t mac[static 6], const struct ip *addr)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1};
    buf_put(ret, span_of(broadcast, 6));
    buf_put(ret, span_of(mac, 6));
    ndp_put_u16(ret, ETH_ARP);
    buf_put(ret, span_of(request, sizeof(request)));
    buf_put(ret, span_of(mac, 6));
    ndp_put_zeros(ret, 10);
    buf_put(ret, span_of(addr->b, 4));
    ndp_put_zeros(ret, 18);
}

void ndp_put_probe(struct buf *ret, const uint8_t mac[static 6], const struct ip *addr)
{
    if (addr->family == FAMILY_V6)
        ndp_put_probe6(ret, mac, addr);
    else
        ndp_put_probe4(ret, mac, addr);
}
