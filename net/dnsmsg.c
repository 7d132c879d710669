/*
 * dnsmsg.c - the codec of dnsmsg.h.
 *
 * Header: ID, flags (QR 0x8000, TC 0x0200, RD 0x0100, RCODE in the low four bits), then the counts of question, answer, authority, additional.
 */
#include "net/dnsmsg.h"

enum {
    DNS_HEADER = 12,
    DNS_NAME_MAX = 255,
    DNS_LABEL_MAX = 63,
    DNS_JUMPS_MAX = 32,
    DNS_RECORDS_MAX = 64,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_AAAA = 28,
    CLASS_IN = 1,
    FLAG_QR = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_TC = 0x0200,
    FLAG_RD = 0x0100,
    RCODE_MASK = 0x000f,
    RCODE_NXDOMAIN = 3
};

/* A name in text: labels in lower case joined by dots. */
struct dns_name {
    uint8_t text[DNS_NAME_MAX];
    size_t n;
};

static unsigned dnsmsg_u16(struct span s, size_t off)
{
    return (unsigned)s.p[off] << 8 | s.p[off + 1];
}

static uint8_t dnsmsg_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static void dnsmsg_put_u16(struct buf *b, unsigned v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static unsigned dnsmsg_type(enum family family)
{
    return family == FAMILY_V6 ? TYPE_AAAA : TYPE_A;
}

enum err dnsmsg_put_query(struct buf *ret, uint16_t id, struct span host, enum family family)
{
    if (host.n == 0 || host.n > DNS_NAME_MAX - 2)
        return ERR_DNS;
    dnsmsg_put_u16(ret, id);
    dnsmsg_put_u16(ret, FLAG_RD);
    dnsmsg_put_u16(ret, 1);
    dnsmsg_put_u16(ret, 0);
    dnsmsg_put_u16(ret, 0);
    dnsmsg_put_u16(ret, 0);
    for (struct span rest = host; rest.n > 0;) {
        struct span label = span_cut(&rest, '.');
        if (label.n == 0 || label.n > DNS_LABEL_MAX)
            return ERR_DNS;
        buf_u8(ret, (uint8_t)label.n);
        buf_put(ret, label);
    }
    buf_u8(ret, 0);
    dnsmsg_put_u16(ret, dnsmsg_type(family));
    dnsmsg_put_u16(ret, CLASS_IN);
    return ret->overflow ? ERR_LIMIT : OK;
}

static bool dnsmsg_name_label(struct dns_name *name, struct span label)
{
    size_t dot = name->n > 0 ? 1 : 0;
    if (label.n + dot > DNS_NAME_MAX - name->n) /* a label is at most 63 bytes: no sum here can overflow */
        return false;
    if (name->n > 0)
        name->text[name->n++] = '.';
    for (size_t i = 0; i < label.n; i++) {
        if (label.p[i] == '.')
            return false; /* a dot inside a label would make two names look alike */
        name->text[name->n++] = dnsmsg_lower(label.p[i]);
    }
    return true;
}

/* Reads a name at *off (RFC 1035 section 4.1.4) and moves *off behind it. Pointers lead strictly backwards, so there are no loops. */
static bool dnsmsg_name(struct span msg, size_t *off, struct dns_name *ret)
{
    size_t at = *off;
    size_t lowest = *off;
    unsigned jumps = 0;
    ret->n = 0;
    for (;;) {
        if (at >= msg.n)
            return false;
        uint8_t c = msg.p[at];
        if (c == 0)
            break;
        if ((c & 0xc0) == 0xc0) {
            if (msg.n - at < 2)
                return false;
            size_t target = dnsmsg_u16(msg, at) & 0x3fff;
            if (target >= lowest || ++jumps > DNS_JUMPS_MAX)
                return false;
            if (jumps == 1)
                *off = at + 2;
            at = target;
            lowest = target;
            continue;
        }
        if (c > DNS_LABEL_MAX || c > msg.n - at - 1 || !dnsmsg_name_label(ret, span_sub(msg, at + 1, c)))
            return false;
        at += 1u + c;
    }
    if (jumps == 0)
        *off = at + 1;
    return true;
}

static bool dnsmsg_same(const struct dns_name *a, struct span b)
{
    if (a->n != b.n)
        return false;
    for (size_t i = 0; i < b.n; i++) {
        if (a->text[i] != dnsmsg_lower(b.p[i]))
            return false;
    }
    return true;
}

struct dns_record {
    struct dns_name name;
    unsigned type;
    unsigned class;
    size_t data; /* offset */
    size_t n;
};

static bool dnsmsg_record(struct span msg, size_t *off, struct dns_record *ret)
{
    if (!dnsmsg_name(msg, off, &ret->name) || msg.n - *off < 10)
        return false;
    ret->type = dnsmsg_u16(msg, *off);
    ret->class = dnsmsg_u16(msg, *off + 2);
    ret->n = dnsmsg_u16(msg, *off + 8);
    ret->data = *off + 10;
    if (ret->n > msg.n - ret->data)
        return false;
    *off = ret->data + ret->n;
    return true;
}

/* Finds the canonical name of `name` among the answers. False if a CNAME cannot be read. */
static bool dnsmsg_canonical(struct span msg, size_t answers, unsigned count, struct dns_name *name)
{
    for (unsigned hops = 0; hops < DNSMSG_CNAMES_MAX; hops++) {
        bool moved = false;
        size_t off = answers;
        for (unsigned i = 0; i < count && !moved; i++) {
            struct dns_record r;
            if (!dnsmsg_record(msg, &off, &r))
                return false;
            if (r.type != TYPE_CNAME || r.class != CLASS_IN ||
                !dnsmsg_same(&r.name, span_of(name->text, name->n)))
                continue;
            size_t data = r.data;
            if (!dnsmsg_name(msg, &data, name) || data != off)
                return false;
            moved = true;
        }
        if (!moved)
            return true;
    }
    return false;
}

static bool dnsmsg_addresses(struct span msg, size_t answers, unsigned count, const struct dns_name *name,
                             enum family family, struct dnsmsg_answer *ret)
{
    size_t size = family == FAMILY_V6 ? 16 : 4;
    size_t off = answers;
    for (unsigned i = 0; i < count; i++) {
        struct dns_record r;
        if (!dnsmsg_record(msg, &off, &r))
            return false;
        if (r.type != dnsmsg_type(family) || r.class != CLASS_IN || r.n != size ||
            !dnsmsg_same(&r.name, span_of(name->text, name->n)))
            continue;
        struct ip addr = {.family = family};
        memcpy(addr.b, msg.p + r.data, size);
        /* A name must not lead to this machine itself or to everybody. */
        if (ip_is_usable(&addr) && ret->count < DNSMSG_ADDRS_MAX)
            ret->addrs[ret->count++] = addr;
    }
    return true;
}

void dnsmsg_read(struct span msg, uint16_t id, struct span host, enum family family,
                 struct dnsmsg_answer *ret)
{
    struct dns_name name;
    struct dnsmsg_answer answer = {.kind = DNSMSG_IGNORE};
    size_t off = DNS_HEADER;
    *ret = answer;
    if (msg.n < DNS_HEADER || dnsmsg_u16(msg, 0) != id)
        return;
    unsigned flags = dnsmsg_u16(msg, 2);
    unsigned count = dnsmsg_u16(msg, 6);
    if ((flags & FLAG_QR) == 0 || (flags & FLAG_OPCODE) != 0 || dnsmsg_u16(msg, 4) != 1)
        return;
    if (!dnsmsg_name(msg, &off, &name) || !dnsmsg_same(&name, host) || msg.n - off < 4)
        return;
    if (dnsmsg_u16(msg, off) != dnsmsg_type(family) || dnsmsg_u16(msg, off + 2) != CLASS_IN)
        return;
    off += 4;
    unsigned rcode = flags & RCODE_MASK;
    if ((flags & FLAG_TC) != 0 || (rcode != 0 && rcode != RCODE_NXDOMAIN) || count > DNS_RECORDS_MAX) {
        ret->kind = DNSMSG_REFUSED;
        return;
    }
    if (rcode == RCODE_NXDOMAIN) {
        ret->kind = DNSMSG_EMPTY;
        return;
    }
    if (!dnsmsg_canonical(msg, off, count, &name) ||
        !dnsmsg_addresses(msg, off, count, &name, family, &answer)) {
        ret->kind = DNSMSG_REFUSED;
        return;
    }
    answer.kind = answer.count > 0 ? DNSMSG_ADDRESSES : DNSMSG_EMPTY;
    *ret = answer;
}
