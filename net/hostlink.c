/*
 * hostlink.c - the verdicts of hostlink.h. guard_frame() has looked at every frame's lengths before a field of it is read here, but for router
 * solicitations, which it drops, since they are for routers.
 */
#include "net/hostlink.h"

#include "firmware/crypto/hash.h"
#include "net/guard.h"
#include "net/hostlink_put.h"

enum {
    ETH_IPV4 = 0x0800,
    ETH_ARP = 0x0806,
    ETH_IPV6 = 0x86dd,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ICMP6 = 58,
    ICMP6_RS = 133,
    ICMP6_NS = 135,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    UDP_HEADER = 8,
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    TCP_SYN = 2,
    TCP_ACK = 16
};

static unsigned hostlink_u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

struct ip hostlink_address(void)
{
    return (struct ip){.family = FAMILY_V6, .b = {0xfe, 0x80, [12] = 0x6a, [13] = 0x62, [15] = 1}};
}

enum err hostlink_init(struct hostlink *h, const uint8_t mac[static 6])
{
    static const char label[] = "joinboot host link";
    uint8_t text[sizeof(label) + 6], digest[HASH_SIZE];

    memcpy(text, label, sizeof(label));
    memcpy(text + sizeof(label), mac, 6);
    if (hash_sha256(span_of(text, sizeof(text)), digest) != OK)
        return ERR_NOMEM;
    *h = (struct hostlink){
        .link_local = hostlink_address(),
        .ula = {.family = FAMILY_V6, .b = {0xfd, [15] = 1}},
        .v4 = {.server = {.family = FAMILY_V4, .b = {169, 254, 106, 1}},
               .host = {.addr = {.family = FAMILY_V4, .b = {169, 254, 106, 2}}, .len = 30}},
    };
    memcpy(h->mac, mac, 6);
    memcpy(h->ula.b + 1, digest, 5);
    return OK;
}

static bool hostlink_is(const struct ip *ip, const uint8_t *p)
{
    return memcmp(ip->b, p, ip->family == FAMILY_V6 ? 16 : 4) == 0;
}

/* An IPv6 address that a host may have here: link-local, or in the prefix, and not the BMC's own. */
static bool hostlink_is_host6(const struct hostlink *h, const uint8_t *p)
{
    bool local = p[0] == 0xfe && (p[1] & 0xc0) == 0x80;

    return (local || memcmp(p, h->ula.b, 8) == 0) && !hostlink_is(&h->link_local, p) &&
           !hostlink_is(&h->ula, p);
}

static bool hostlink_is_own6(const struct hostlink *h, const uint8_t *p)
{
    return hostlink_is(&h->link_local, p) || hostlink_is(&h->ula, p);
}

static enum hostlink_verdict hostlink_answered(const struct buf *ret)
{
    return ret->overflow || ret->n == 0 ? HOSTLINK_DROP : HOSTLINK_ANSWER;
}

/* RFC 826. A probe (RFC 5227) for the BMC's address is answered as well: that address is taken. */
static enum hostlink_verdict hostlink_arp(const struct hostlink *h, struct span p, struct buf *ret)
{
    static const uint8_t none[4] = {0};
    bool host = hostlink_is(&h->v4.host.addr, p.p + 14) || memcmp(p.p + 14, none, 4) == 0;

    if (hostlink_u16(p.p + 6) != 1 || !host || !hostlink_is(&h->v4.server, p.p + 24))
        return HOSTLINK_DROP;
    hostlink_put_arp(ret, h, p.p + 8, p.p + 14);
    return hostlink_answered(ret);
}

static enum hostlink_verdict hostlink_dhcp(const struct hostlink *h, struct span frame, struct span udp,
                                           struct buf *ret)
{
    uint8_t message[DHCP4_SERVER_MESSAGE];
    struct buf b = BUF_OF(message);
    struct span request = span_sub(udp, UDP_HEADER, hostlink_u16(udp.p + 4) - UDP_HEADER);

    if (hostlink_u16(udp.p) != DHCP_CLIENT_PORT || hostlink_u16(udp.p + 2) != DHCP_SERVER_PORT ||
        !dhcp4_server_answer(&h->v4, request, frame.p + 6, &b))
        return HOSTLINK_DROP;
    hostlink_put_dhcp(ret, h, frame.p + 6, buf_span(&b));
    return hostlink_answered(ret);
}

static enum hostlink_verdict hostlink_v4(const struct hostlink *h, struct span frame, struct span p,
                                         struct buf *ret)
{
    static const uint8_t all[4] = {255, 255, 255, 255};
    bool own = hostlink_is(&h->v4.server, p.p + 16);
    struct span payload = span_sub(p, IPV4_HEADER, hostlink_u16(p.p + 2) - IPV4_HEADER);

    if (p.p[9] == PROTO_UDP && (own || memcmp(p.p + 16, all, 4) == 0))
        return hostlink_dhcp(h, frame, payload, ret);
    if (p.p[9] == PROTO_TCP && own && hostlink_is(&h->v4.host.addr, p.p + 12) &&
        hostlink_u16(payload.p + 2) == HOSTLINK_PORT)
        return HOSTLINK_TCP;
    return HOSTLINK_DROP;
}

/* RFC 4861 section 7.2.4; to a probe (RFC 4862 section 5.4) all nodes are told. */
static enum hostlink_verdict hostlink_ns(const struct hostlink *h, struct span frame, struct span p,
                                         struct span icmp, struct buf *ret)
{
    static const uint8_t none[16] = {0};
    bool probe = memcmp(p.p + 8, none, 16) == 0;

    if (!hostlink_is_own6(h, icmp.p + 8) || (!probe && !hostlink_is_host6(h, p.p + 8)))
        return HOSTLINK_DROP;
    hostlink_put_na(ret, h, icmp.p + 8, frame.p + 6, probe ? NULL : p.p + 8);
    return hostlink_answered(ret);
}

/* RFC 4861 section 6.1.1. The answer goes to all nodes, so there is nothing in it to be looked at but its form. */
static bool hostlink_is_rs(struct span frame)
{
    struct span p = span_sub(frame, GUARD_ETH, frame.n);

    if (p.n < IPV6_HEADER + 8 || hostlink_u16(frame.p + 12) != ETH_IPV6 || p.p[0] >> 4 != 6 ||
        p.p[6] != PROTO_ICMP6)
        return false;
    struct span icmp = span_sub(p, IPV6_HEADER, hostlink_u16(p.p + 4));

    return icmp.n >= 8 && icmp.p[0] == ICMP6_RS && icmp.p[1] == 0 && p.p[7] == 255 &&
           hostlink_sum6(p, icmp) == 0;
}

static enum hostlink_verdict hostlink_v6(const struct hostlink *h, struct span frame, struct span p,
                                         struct buf *ret)
{
    struct span payload = span_sub(p, IPV6_HEADER, hostlink_u16(p.p + 4));

    if (p.p[6] == PROTO_ICMP6 && payload.p[0] == ICMP6_NS && hostlink_sum6(p, payload) == 0)
        return hostlink_ns(h, frame, p, payload, ret);
    if (p.p[6] == PROTO_TCP && hostlink_is_own6(h, p.p + 24) && hostlink_is_host6(h, p.p + 8) &&
        hostlink_u16(payload.p + 2) == HOSTLINK_PORT)
        return HOSTLINK_TCP;
    return HOSTLINK_DROP;
}

enum hostlink_verdict hostlink_frame(const struct hostlink *h, struct span frame, struct buf *ret)
{
    bool group = frame.n >= GUARD_FRAME_MIN && (frame.p[0] & 1) != 0;

    if (frame.n < GUARD_FRAME_MIN || (frame.p[6] & 1) != 0 || (!group && memcmp(frame.p, h->mac, 6) != 0))
        return HOSTLINK_DROP;
    if (hostlink_is_rs(frame)) {
        hostlink_advertise(h, ret);
        return hostlink_answered(ret);
    }
    if (!guard_frame(frame))
        return HOSTLINK_DROP;
    struct span p = span_sub(frame, GUARD_ETH, frame.n);
    switch (hostlink_u16(frame.p + 12)) {
    case ETH_ARP:
        return hostlink_arp(h, p, ret);
    case ETH_IPV4:
        return hostlink_v4(h, frame, p, ret);
    default:
        return hostlink_v6(h, frame, p, ret);
    }
}

bool hostlink_is_for(const struct hostlink *h, struct span frame)
{
    const uint8_t *p = frame.p + GUARD_ETH;

    switch (hostlink_u16(frame.p + 12)) {
    case ETH_IPV4:
        return hostlink_is(&h->v4.server, p + 16);
    case ETH_IPV6:
        return hostlink_is_own6(h, p + 24);
    default:
        return false;
    }
}

bool hostlink_is_said(const struct hostlink *h, struct span frame)
{
    const uint8_t *p = frame.p + GUARD_ETH;

    if (hostlink_u16(frame.p + 12) == ETH_IPV4)
        return p[9] == PROTO_TCP && hostlink_is(&h->v4.server, p + 12);
    return p[6] == PROTO_TCP && hostlink_is_own6(h, p + 8);
}

bool hostlink_is_syn(struct span frame, uint16_t *ret_port)
{
    size_t ip = hostlink_u16(frame.p + 12) == ETH_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    const uint8_t *tcp = frame.p + GUARD_ETH + ip;

    *ret_port = (uint16_t)hostlink_u16(tcp);
    return (tcp[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}
