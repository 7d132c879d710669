/*
 * ip.c - addresses and prefixes: kinds, text to value (RFC 4291 section 2.2), value to text (RFC 5952).
 */
#include "firmware/base/ip.h"
#include "firmware/base/text.h"

static size_t size_of(const struct ip *a)
{
    return a->family == FAMILY_V4 ? 4 : a->family == FAMILY_V6 ? 16 : 0;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->b, b->b, size_of(a)) == 0;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

bool ip_is_zero(const struct ip *a)
{
    return all_zero(a->b, size_of(a));
}

bool ip_is_loopback(const struct ip *a)
{
    if (a->family == FAMILY_V4)
        return a->b[0] == 127;
    return a->family == FAMILY_V6 && all_zero(a->b, 15) && a->b[15] == 1;
}

bool ip_is_link_local(const struct ip *a)
{
    if (a->family == FAMILY_V4)
        return a->b[0] == 169 && a->b[1] == 254;
    return a->family == FAMILY_V6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ip_is_multicast(const struct ip *a)
{
    if (a->family == FAMILY_V4)
        return (a->b[0] & 0xf0) == 0xe0;
    return a->family == FAMILY_V6 && a->b[0] == 0xff;
}

static bool is_broadcast(const struct ip *a)
{
    static const uint8_t ones[4] = {255, 255, 255, 255};
    return a->family == FAMILY_V4 && memcmp(a->b, ones, 4) == 0;
}

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2: an IPv4 address in disguise, never one of an interface. */
static bool is_mapped(const struct ip *a)
{
    return a->family == FAMILY_V6 && all_zero(a->b, 10) && a->b[10] == 0xff && a->b[11] == 0xff;
}

bool ip_is_usable(const struct ip *a)
{
    return a->family != FAMILY_NONE && !ip_is_zero(a) && !ip_is_loopback(a) && !ip_is_link_local(a) &&
           !ip_is_multicast(a) && !is_broadcast(a) && !is_mapped(a);
}

bool ip_in_prefix(const struct ip *a, const struct ip_prefix *p)
{
    if (a->family == FAMILY_NONE || a->family != p->addr.family || p->len > size_of(a) * 8)
        return false;
    size_t whole = p->len / 8;
    if (memcmp(a->b, p->addr.b, whole) != 0)
        return false;
    if (p->len % 8 == 0)
        return true;
    unsigned mask = 0xffu << (8 - p->len % 8) & 0xffu;
    return ((unsigned)(a->b[whole] ^ p->addr.b[whole]) & mask) == 0;
}

static enum err parse_v4(struct span text, uint8_t ret[static 4])
{
    uint8_t octets[4];
    if (text.n == 0 || text.n > 15)
        return ERR_INPUT;
    for (unsigned i = 0; i < 4; i++) {
        if ((span_find(text, '.') < text.n) != (i < 3))
            return ERR_INPUT;
        uint64_t v;
        if (text_u64(span_cut(&text, '.'), 255, &v) != OK)
            return ERR_INPUT;
        octets[i] = (uint8_t)v;
    }
    memcpy(ret, octets, 4);
    return OK;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One group of one to four hex digits. */
static enum err parse_group(struct span s, uint8_t ret[static 2])
{
    unsigned v = 0;
    if (s.n == 0 || s.n > 4)
        return ERR_INPUT;
    for (size_t i = 0; i < s.n; i++) {
        int d = hex_digit(s.p[i]);
        if (d < 0)
            return ERR_INPUT;
        v = v << 4 | (unsigned)d;
    }
    ret[0] = (uint8_t)(v >> 8);
    ret[1] = (uint8_t)v;
    return OK;
}

/* Groups between colons, the last of which may be an IPv4 address if `tail`. *ret_n bytes are written. */
static enum err parse_groups(struct span s, bool tail, uint8_t ret[static 16], size_t *ret_n)
{
    size_t n = 0;
    while (s.n > 0) {
        bool last = span_find(s, ':') == s.n;
        struct span group = span_cut(&s, ':');
        if (!last && s.n == 0)
            return ERR_INPUT; /* a colon with nothing behind it */
        if (last && tail && span_find(group, '.') < group.n) {
            if (n > 12 || parse_v4(group, ret + n) != OK)
                return ERR_INPUT;
            n += 4;
        } else {
            if (n > 14 || parse_group(group, ret + n) != OK)
                return ERR_INPUT;
            n += 2;
        }
    }
    *ret_n = n;
    return OK;
}

static enum err parse_v6(struct span text, uint8_t ret[static 16])
{
    uint8_t head[16];
    uint8_t tail[16];
    size_t head_n;
    size_t tail_n = 0;
    size_t gap = span_find_str(text, "::");
    if (parse_groups(span_sub(text, 0, gap), gap == text.n, head, &head_n) != OK)
        return ERR_INPUT;
    if (gap == text.n) {
        if (head_n != 16)
            return ERR_INPUT;
        memcpy(ret, head, 16);
        return OK;
    }
    if (parse_groups(span_sub(text, gap + 2, text.n), true, tail, &tail_n) != OK || head_n + tail_n > 14)
        return ERR_INPUT;
    memset(ret, 0, 16);
    memcpy(ret, head, head_n);
    memcpy(ret + 16 - tail_n, tail, tail_n);
    return OK;
}

enum err ip_parse(struct span text, struct ip *ret)
{
    struct ip ip = {.family = FAMILY_V4};
    if (span_find(text, ':') < text.n)
        ip.family = FAMILY_V6;
    enum err e = ip.family == FAMILY_V4 ? parse_v4(text, ip.b) : parse_v6(text, ip.b);
    if (e == OK)
        *ret = ip;
    return e;
}

enum err ip_prefix_parse(struct span text, struct ip_prefix *ret)
{
    struct ip addr;
    uint64_t len;
    if (ip_parse(span_cut(&text, '/'), &addr) != OK ||
        text_u64(text, addr.family == FAMILY_V4 ? 32 : 128, &len) != OK)
        return ERR_INPUT;
    *ret = (struct ip_prefix){.addr = addr, .len = (uint8_t)len};
    return OK;
}

/* True if a resolver could take the name for a number: its last label begins with a digit and holds nothing but digits. */
static bool ends_in_number(struct span host)
{
    size_t i = host.n;
    while (i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9')
        i--;
    return i < host.n && (i == 0 || host.p[i - 1] == '.');
}

enum err ip_hostport_parse(struct span text, struct span *ret_host, struct ip *ret_ip, uint16_t *ret_port)
{
    struct span host;
    struct ip ip = {.family = FAMILY_NONE};
    uint64_t port;
    if (span_starts(text, "[")) {
        text = span_sub(text, 1, text.n);
        host = span_cut(&text, ']');
        if (!span_starts(text, ":") || ip_parse(host, &ip) != OK || ip.family != FAMILY_V6)
            return ERR_INPUT;
        text = span_sub(text, 1, text.n);
    } else {
        host = span_cut(&text, ':');
        if (ip_parse(host, &ip) != OK && (!text_is_hostname(host) || ends_in_number(host)))
            return ERR_INPUT;
    }
    if (text_u64(text, 65535, &port) != OK || port == 0)
        return ERR_INPUT;
    *ret_host = host;
    *ret_ip = ip;
    *ret_port = (uint16_t)port;
    return OK;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2). *ret_n is 0 if there is none. */
static void longest_gap(const uint8_t b[static 16], unsigned *ret_start, unsigned *ret_n)
{
    unsigned start = 0;
    unsigned best = 0;
    for (unsigned i = 0; i < 8;) {
        unsigned n = 0;
        while (i + n < 8 && all_zero(b + 2 * (i + n), 2))
            n++;
        if (n > best && n >= 2) {
            best = n;
            start = i;
        }
        i += n ? n : 1;
    }
    *ret_start = start;
    *ret_n = best;
}

static void put_v6(struct buf *b, const uint8_t v[static 16])
{
    unsigned start;
    unsigned n;
    longest_gap(v, &start, &n);
    for (unsigned i = 0; i < 8;) {
        if (n > 0 && i == start) {
            buf_str(b, "::");
            i += n;
            continue;
        }
        if (i > 0 && !(n > 0 && i == start + n))
            buf_str(b, ":");
        buf_fmt(b, "%x", (unsigned)v[2 * i] << 8 | v[2 * i + 1]);
        i++;
    }
}

static void put(struct buf *b, const struct ip *a)
{
    if (is_mapped(a))
        buf_fmt(b, "::ffff:%u.%u.%u.%u", a->b[12], a->b[13], a->b[14], a->b[15]);
    else if (a->family == FAMILY_V6)
        put_v6(b, a->b);
    else if (a->family == FAMILY_V4)
        buf_fmt(b, "%u.%u.%u.%u", a->b[0], a->b[1], a->b[2], a->b[3]);
}

const char *ip_text(const struct ip *a, char ret_text[static IP_TEXT_MAX])
{
    struct buf b = {.p = (uint8_t *)ret_text, .cap = IP_TEXT_MAX};
    put(&b, a);
    ret_text[b.n] = 0;
    return ret_text;
}

const char *ip_prefix_text(const struct ip_prefix *p, char ret_text[static IP_TEXT_MAX])
{
    struct buf b = {.p = (uint8_t *)ret_text, .cap = IP_TEXT_MAX};
    put(&b, &p->addr);
    buf_fmt(&b, "/%u", p->len);
    ret_text[b.n] = 0;
    return ret_text;
}
