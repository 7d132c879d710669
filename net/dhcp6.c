/*
 * dhcp6.c - the messages of dhcp6.h: type, 24 bits of transaction, then options of (code 16, length 16, data).
 */
#include "net/dhcp6.h"

enum {
    TYPE_REPLY = 7,
    TYPE_INFORMATION_REQUEST = 11,
    OPTION_CLIENTID = 1,
    OPTION_SERVERID = 2,
    OPTION_ORO = 6,
    OPTION_ELAPSED = 8,
    OPTION_STATUS = 13,
    OPTION_DNS = 23,
    OPTION_REFRESH = 32,
    DUID_SIZE = 10,
    REFRESH_DEFAULT_S = 86400,
    REFRESH_MIN_S = 600
};

static void dhcp6_put_u16(struct buf *b, unsigned v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

/* DUID-LL of Ethernet (RFC 8415 section 11.4). */
static void dhcp6_put_duid(struct buf *b, const uint8_t mac[static 6])
{
    dhcp6_put_u16(b, 3);
    dhcp6_put_u16(b, 1);
    buf_put(b, span_of(mac, 6));
}

void dhcp6_put_request(struct buf *ret, uint32_t xid, const uint8_t mac[static 6], unsigned elapsed_cs)
{
    buf_u8(ret, TYPE_INFORMATION_REQUEST);
    buf_u8(ret, (uint8_t)(xid >> 16));
    dhcp6_put_u16(ret, xid & 0xffff);
    dhcp6_put_u16(ret, OPTION_CLIENTID);
    dhcp6_put_u16(ret, DUID_SIZE);
    dhcp6_put_duid(ret, mac);
    dhcp6_put_u16(ret, OPTION_ORO);
    dhcp6_put_u16(ret, 4);
    dhcp6_put_u16(ret, OPTION_DNS);
    dhcp6_put_u16(ret, OPTION_REFRESH);
    dhcp6_put_u16(ret, OPTION_ELAPSED);
    dhcp6_put_u16(ret, 2);
    dhcp6_put_u16(ret, elapsed_cs < 0xffff ? elapsed_cs : 0xffff);
}

static unsigned dhcp6_u16(struct span s, size_t off)
{
    return (unsigned)s.p[off] << 8 | s.p[off + 1];
}

/* What the options said, beside the reply's own values. */
struct seen {
    bool server, client, refused;
};

static void dhcp6_option(unsigned code, struct span data, const uint8_t mac[static 6], struct seen *seen,
                         struct dhcp6_reply *ret)
{
    uint8_t duid[DUID_SIZE];
    struct buf b = BUF_OF(duid);
    dhcp6_put_duid(&b, mac);
    if (code == OPTION_SERVERID)
        seen->server = data.n > 0;
    else if (code == OPTION_CLIENTID)
        seen->client = span_eq(data, buf_span(&b));
    else if (code == OPTION_STATUS && data.n >= 2 && dhcp6_u16(data, 0) != 0)
        seen->refused = true;
    else if (code == OPTION_REFRESH && data.n == 4)
        ret->refresh_s = (uint32_t)dhcp6_u16(data, 0) << 16 | dhcp6_u16(data, 2);
    if (code != OPTION_DNS)
        return;
    for (size_t off = 0; data.n - off >= 16 && ret->dns_count < DHCP6_DNS_MAX; off += 16) {
        struct ip *ip = &ret->dns[ret->dns_count++];
        *ip = (struct ip){.family = FAMILY_V6};
        memcpy(ip->b, data.p + off, 16);
    }
}

bool dhcp6_read_reply(struct span msg, uint32_t xid, const uint8_t mac[static 6], struct dhcp6_reply *ret)
{
    struct dhcp6_reply reply = {.refresh_s = REFRESH_DEFAULT_S};
    struct seen seen = {.server = false};
    if (msg.n < 4 || msg.p[0] != TYPE_REPLY)
        return false;
    if (((uint32_t)msg.p[1] << 16 | dhcp6_u16(msg, 2)) != (xid & 0xffffff))
        return false;
    for (size_t off = 4; off < msg.n;) {
        if (msg.n - off < 4 || dhcp6_u16(msg, off + 2) > msg.n - off - 4)
            return false;
        struct span data = span_sub(msg, off + 4, dhcp6_u16(msg, off + 2));
        dhcp6_option(dhcp6_u16(msg, off), data, mac, &seen, &reply);
        off += 4 + data.n;
    }
    /* Without our own identifier it may be meant for somebody else (RFC 8415 section 16.10). */
    if (!seen.server || !seen.client || seen.refused)
        return false;
    if (reply.refresh_s < REFRESH_MIN_S)
        reply.refresh_s = REFRESH_MIN_S;
    *ret = reply;
    return true;
}
