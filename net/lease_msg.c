/*
 * lease_msg.c - see lease_msg.h. The format stands in lease.c.
 */
#include "net/lease_msg.h"

enum {
    OP_REQUEST = 1,
    OP_REPLY = 2,
    HTYPE_ETHERNET = 1,
    AT_XID = 4,
    AT_YIADDR = 16,
    AT_CHADDR = 28,
    AT_COOKIE = 236,
    AT_OPTIONS = 240,
    FLAG_BROADCAST = 0x8000,
    OPTION_PAD = 0,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_WANTED = 50,
    OPTION_LEASE = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_CLIENT_ID = 61,
    OPTION_END = 255
};

static const uint8_t cookie[4] = {0x63, 0x82, 0x53, 0x63};

static void msg_zeros(struct buf *b, size_t n)
{
    while (n-- > 0)
        buf_u8(b, 0);
}

static void msg_u16(struct buf *b, unsigned v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static void msg_option(struct buf *b, unsigned code, struct span data)
{
    buf_u8(b, (uint8_t)code);
    buf_u8(b, (uint8_t)data.n);
    buf_put(b, data);
}

void lease_msg_put(struct buf *ret, const struct lease_msg *m)
{
    /* Mask, router, resolvers, lease time, T1, T2. */
    static const uint8_t parameters[] = {1, OPTION_ROUTER, OPTION_DNS, OPTION_LEASE, OPTION_T1, OPTION_T2};
    uint8_t type = (uint8_t)m->type, id[7] = {HTYPE_ETHERNET};
    size_t start = ret->n;

    buf_u8(ret, OP_REQUEST);
    buf_u8(ret, HTYPE_ETHERNET);
    buf_u8(ret, 6);
    buf_u8(ret, 0);
    msg_u16(ret, m->xid >> 16);
    msg_u16(ret, m->xid & 0xffff);
    msg_u16(ret, 0);
    msg_u16(ret, m->ciaddr ? 0 : FLAG_BROADCAST);
    if (m->ciaddr)
        buf_put(ret, span_of(m->ciaddr->b, 4));
    else
        msg_zeros(ret, 4);
    msg_zeros(ret, 12);
    buf_put(ret, span_of(m->mac, 6));
    msg_zeros(ret, AT_COOKIE - AT_CHADDR - 6);
    buf_put(ret, span_of(cookie, sizeof(cookie)));
    msg_option(ret, OPTION_TYPE, span_of(&type, 1));
    if (m->wanted)
        msg_option(ret, OPTION_WANTED, span_of(m->wanted->b, 4));
    if (m->server)
        msg_option(ret, OPTION_SERVER, span_of(m->server->b, 4));
    /* As lwIP's hook writes it (dhcp4_client.c): to a server another identifier is another client (RFC 2131 section 4.2). */
    memcpy(id + 1, m->mac, 6);
    msg_option(ret, OPTION_CLIENT_ID, span_of(id, sizeof(id)));
    msg_option(ret, OPTION_PARAMETERS, span_of(parameters, sizeof(parameters)));
    buf_u8(ret, OPTION_END);
    /* Relays and old servers expect no less (RFC 1542 section 2.1). */
    msg_zeros(ret, LEASE_MESSAGE_MAX - (ret->n - start));
}

static uint32_t msg_number(struct span data)
{
    return (uint32_t)data.p[0] << 24 | (uint32_t)data.p[1] << 16 | (uint32_t)data.p[2] << 8 | data.p[3];
}

static struct ip msg_ip(const uint8_t *p)
{
    struct ip ip = {.family = FAMILY_V4};

    memcpy(ip.b, p, 4);
    return ip;
}

/* One option. False if its length is not its kind's, or a required one is there twice. */
static bool msg_take(unsigned code, struct span data, unsigned *type, struct lease_grant *ret)
{
    switch (code) {
    case OPTION_TYPE:
        if (data.n != 1 || *type != 0)
            return false;
        *type = data.p[0];
        return true;
    case OPTION_SERVER:
        if (data.n != 4 || ret->server.family != FAMILY_NONE)
            return false;
        ret->server = msg_ip(data.p);
        return true;
    case OPTION_LEASE:
    case OPTION_T1:
    case OPTION_T2:
        if (data.n != 4)
            return false;
        *(code == OPTION_LEASE ? &ret->lease_s
          : code == OPTION_T1  ? &ret->t1_s
                               : &ret->t2_s) = msg_number(data);
        return true;
    case OPTION_ROUTER:
    case OPTION_DNS:
        if (data.n == 0 || data.n % 4 != 0)
            return false;
        if (code == OPTION_ROUTER)
            ret->router = msg_ip(data.p);
        for (size_t i = 0; code == OPTION_DNS && i < data.n && ret->dns_count < LEASE_DNS_MAX; i += 4)
            ret->dns[ret->dns_count++] = msg_ip(data.p + i);
        return true;
    default:
        return true;
    }
}

static bool msg_options(struct span m, unsigned *type, struct lease_grant *ret)
{
    for (size_t off = AT_OPTIONS; off < m.n;) {
        if (m.p[off] == OPTION_END)
            return true;
        if (m.p[off] == OPTION_PAD) {
            off++;
            continue;
        }
        if (m.n - off < 2 || m.p[off + 1] > m.n - off - 2)
            return false;
        if (!msg_take(m.p[off], span_sub(m, off + 2, m.p[off + 1]), type, ret))
            return false;
        off += 2u + m.p[off + 1];
    }
    return false; /* cut off: the end is missing */
}

bool lease_msg_read(struct span m, uint32_t xid, const uint8_t mac[static 6], enum lease_type *ret_type,
                    struct lease_grant *ret)
{
    struct lease_grant g = {.lease_s = 0};
    unsigned type = 0;

    if (m.n < LEASE_MESSAGE_MIN || m.p[0] != OP_REPLY || m.p[1] != HTYPE_ETHERNET || m.p[2] != 6)
        return false;
    if (msg_number(span_sub(m, AT_XID, 4)) != xid || memcmp(m.p + AT_CHADDR, mac, 6) != 0)
        return false;
    if (memcmp(m.p + AT_COOKIE, cookie, sizeof(cookie)) != 0 || !msg_options(m, &type, &g))
        return false;
    if (g.server.family == FAMILY_NONE || ip_is_zero(&g.server))
        return false;
    if (type != LEASE_OFFER && type != LEASE_ACK && type != LEASE_NAK)
        return false;
    g.addr = msg_ip(m.p + AT_YIADDR);
    *ret_type = (enum lease_type)type;
    *ret = g;
    return true;
}
