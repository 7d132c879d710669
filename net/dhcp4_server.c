/*
 * dhcp4_server.c - see dhcp4_server.h. There is nothing to remember: whoever asks on the link to the host is the host, and gets the one address.
 */
#include "net/dhcp4_server.h"

enum {
    AT_HLEN = 2,
    AT_XID = 4,
    AT_FLAGS = 10,
    AT_CIADDR = 12,
    AT_GIADDR = 24,
    AT_CHADDR = 28,
    AT_COOKIE = 236,
    AT_OPTIONS = 240,
    OPTION_MASK = 1,
    OPTION_WANTED = 50,
    OPTION_LEASE = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WWW = 72,
    DISCOVER = 1,
    OFFER = 2,
    REQUEST = 3,
    ACK = 5,
    NAK = 6
};

struct request {
    unsigned type;
    struct span wanted, server; /* 4 bytes, or none */
};

/* False if an option reaches beyond the message, has not its kind's length, or stands there twice. */
static bool dhcp4_server_options(struct span m, struct request *ret)
{
    for (size_t off = AT_OPTIONS; off < m.n && m.p[off] != 255;) {
        if (m.p[off] == 0) {
            off++;
            continue;
        }
        if (m.n - off < 2 || m.p[off + 1] > m.n - off - 2)
            return false;
        struct span data = span_sub(m, off + 2, m.p[off + 1]);
        unsigned code = m.p[off];
        off += 2 + data.n;
        if (code == OPTION_TYPE) {
            if (data.n != 1 || ret->type != 0)
                return false;
            ret->type = data.p[0];
        } else if (code == OPTION_WANTED || code == OPTION_SERVER) {
            struct span *to = code == OPTION_WANTED ? &ret->wanted : &ret->server;
            if (data.n != 4 || to->n != 0)
                return false;
            *to = data;
        }
    }
    return ret->type != 0;
}

static bool dhcp4_server_reads(struct span m, const uint8_t mac[static 6], struct request *ret)
{
    static const uint8_t head[3] = {1, 1, 6}, cookie[4] = {0x63, 0x82, 0x53, 0x63}, none[4] = {0};

    return m.n > AT_OPTIONS && memcmp(m.p, head, sizeof(head)) == 0 &&
           memcmp(m.p + AT_COOKIE, cookie, sizeof(cookie)) == 0 && memcmp(m.p + AT_CHADDR, mac, 6) == 0 &&
           memcmp(m.p + AT_GIADDR, none, sizeof(none)) == 0 && dhcp4_server_options(m, ret);
}

static void dhcp4_server_option(struct buf *b, unsigned code, const void *p, size_t n)
{
    buf_u8(b, (uint8_t)code);
    buf_u8(b, (uint8_t)n);
    buf_put(b, span_of(p, n));
}

static void dhcp4_server_zeros(struct buf *b, size_t n)
{
    while (n-- > 0)
        buf_u8(b, 0);
}

static void dhcp4_server_put(const struct dhcp4_server *s, struct span m, unsigned type, struct buf *ret)
{
    static const uint8_t head[4] = {2, 1, 6, 0},
                         lease[4] = {0, 0, DHCP4_SERVER_LEASE_S >> 8, DHCP4_SERVER_LEASE_S & 0xff};
    uint32_t mask = s->host.len ? UINT32_MAX << (32 - s->host.len) : 0;
    const uint8_t mask_bytes[4] = {(uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8),
                                   (uint8_t)mask};
    const uint8_t kind = (uint8_t)type;
    size_t start = ret->n;

    buf_put(ret, span_of(head, sizeof(head)));
    buf_put(ret, span_sub(m, AT_XID, 4));
    dhcp4_server_zeros(ret, 2);
    buf_put(ret, span_sub(m, AT_FLAGS, 2));
    dhcp4_server_zeros(ret, 4);
    if (type == NAK)
        dhcp4_server_zeros(ret, 4);
    else
        buf_put(ret, span_of(s->host.addr.b, 4));
    dhcp4_server_zeros(ret, 8);
    buf_put(ret, span_sub(m, AT_CHADDR, 16));
    dhcp4_server_zeros(ret, AT_COOKIE - AT_CHADDR - 16);
    buf_put(ret, span_sub(m, AT_COOKIE, 4));
    dhcp4_server_option(ret, OPTION_TYPE, &kind, 1);
    dhcp4_server_option(ret, OPTION_SERVER, s->server.b, 4);
    if (type != NAK) {
        dhcp4_server_option(ret, OPTION_LEASE, lease, sizeof(lease));
        dhcp4_server_option(ret, OPTION_MASK, mask_bytes, sizeof(mask_bytes));
        dhcp4_server_option(ret, OPTION_WWW, s->server.b, 4);
    }
    buf_u8(ret, 255);
    /* As short a message as BOOTP had (RFC 1542 section 2.1). */
    dhcp4_server_zeros(ret, DHCP4_SERVER_MESSAGE - (ret->n - start));
}

/* RFC 2131 section 4.3.2: which address the client is after, depends on where it stands. */
static bool dhcp4_server_is_ours(const struct dhcp4_server *s, struct span m, const struct request *r)
{
    const uint8_t *wanted = r->wanted.n ? r->wanted.p : m.p + AT_CIADDR;

    return memcmp(wanted, s->host.addr.b, 4) == 0;
}

bool dhcp4_server_answer(const struct dhcp4_server *s, struct span request, const uint8_t mac[static 6],
                         struct buf *ret)
{
    struct request r = {.type = 0};

    if (!dhcp4_server_reads(request, mac, &r))
        return false;
    if (r.server.n && memcmp(r.server.p, s->server.b, 4) != 0)
        return false;
    if (r.type != DISCOVER && r.type != REQUEST)
        return false;
    dhcp4_server_put(s, request,
                     r.type == DISCOVER                     ? OFFER
                     : dhcp4_server_is_ours(s, request, &r) ? ACK
                                                            : NAK,
                     ret);
    return !ret->overflow;
}
