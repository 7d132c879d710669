/*
 * state.c - see state.h.
 */
#include "firmware/agent/state.h"

enum {
    VERSION_1 = 1,
    VERSION_2 = 2,
    VERSION_3 = 3,
    FLAG_ACCEPTED = 1,
    FLAG_JOINED = 2,
    FLAG_WIPING = 4,
    FLAG_KUBEADM = 8,
    FLAG_MEMBER = 16,
    FLAGS_ALL = FLAG_ACCEPTED | FLAG_JOINED | FLAG_WIPING | FLAG_KUBEADM | FLAG_MEMBER,
    HEAD = 84,
    /* four texts; two families of addresses, gateway and DNS servers; node-ip and healthz */
    NODE_MAX =
        4 * (2 + STATE_TEXT) + 2 * (3 + 18 * NODEJOIN_ADDRS_MAX + 17 * (1 + NODEJOIN_DNS_MAX)) + 3 * 17 + 8,
    SIZE_MAX_BODY = HEAD + NODE_MAX
};

static void put_u64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void put_u16(struct buf *b, unsigned v)
{
    buf_u8(b, (uint8_t)(v >> 8));
    buf_u8(b, (uint8_t)v);
}

static void put_text(struct buf *b, const char *text)
{
    put_u16(b, (unsigned)strlen(text));
    buf_str(b, text);
}

static void put_ip(struct buf *b, const struct ip *ip)
{
    buf_u8(b, (uint8_t)ip->family);
    buf_put(b, span_of(ip->b, sizeof(ip->b)));
}

static void put_network(struct buf *b, const struct nodejoin_network *n)
{
    buf_u8(b, n->given);
    buf_u8(b, (uint8_t)n->addr_count);
    for (unsigned i = 0; i < n->addr_count; i++) {
        put_ip(b, &n->addrs[i].addr);
        buf_u8(b, (uint8_t)n->addrs[i].len);
    }
    put_ip(b, &n->gateway);
    buf_u8(b, (uint8_t)n->dns_count);
    for (unsigned i = 0; i < n->dns_count; i++)
        put_ip(b, &n->dns[i]);
}

static void put_node(struct buf *b, const struct state_node *n)
{
    put_text(b, n->host);
    put_text(b, n->node);
    put_text(b, n->cri);
    put_text(b, n->ca);
    buf_u8(b, (uint8_t)n->families);
    put_network(b, &n->v4);
    put_network(b, &n->v6);
    buf_u8(b, (uint8_t)n->node_ip_count);
    for (unsigned i = 0; i < n->node_ip_count; i++)
        put_ip(b, &n->node_ips[i]);
    put_u16(b, n->healthz_port);
    buf_u8(b, n->fail_swap_on);
    put_ip(b, &n->healthz);
    buf_u8(b, (uint8_t)n->ignored);
}

/* A reader that latches: after the first byte that is not there or not possible, everything is zero and `bad` is set. */
struct reader {
    struct span rest;
    bool bad;
};

static unsigned get_u8(struct reader *r, unsigned max)
{
    unsigned v = r->rest.n > 0 ? r->rest.p[0] : max + 1;

    r->bad = r->bad || v > max;
    r->rest = span_sub(r->rest, 1, r->rest.n);
    return r->bad ? 0 : v;
}

static unsigned get_u16(struct reader *r)
{
    unsigned high = get_u8(r, 0xff);

    return high << 8 | get_u8(r, 0xff);
}

static void get_text(struct reader *r, char *ret, size_t cap)
{
    unsigned n = get_u16(r);

    if (r->bad || n > r->rest.n || span_to_cstr(span_sub(r->rest, 0, n), ret, cap) != OK)
        r->bad = true;
    else
        r->rest = span_sub(r->rest, n, r->rest.n);
}

static void get_ip(struct reader *r, struct ip *ret)
{
    unsigned family = get_u8(r, FAMILY_V6);

    r->bad = r->bad || r->rest.n < sizeof(ret->b) ||
             (family != FAMILY_NONE && family != FAMILY_V4 && family != FAMILY_V6);
    if (r->bad)
        return;
    ret->family = (enum family)family;
    memcpy(ret->b, r->rest.p, sizeof(ret->b));
    r->rest = span_sub(r->rest, sizeof(ret->b), r->rest.n);
}

static void get_network(struct reader *r, struct nodejoin_network *ret)
{
    ret->given = get_u8(r, 1) != 0;
    ret->addr_count = get_u8(r, NODEJOIN_ADDRS_MAX);
    for (unsigned i = 0; i < ret->addr_count; i++) {
        get_ip(r, &ret->addrs[i].addr);
        ret->addrs[i].len = (uint8_t)get_u8(r, 128);
    }
    get_ip(r, &ret->gateway);
    ret->dns_count = get_u8(r, NODEJOIN_DNS_MAX);
    for (unsigned i = 0; i < ret->dns_count; i++)
        get_ip(r, &ret->dns[i]);
}

static void get_node(struct reader *r, unsigned version, struct state_node *ret)
{
    get_text(r, ret->host, sizeof(ret->host));
    get_text(r, ret->node, sizeof(ret->node));
    get_text(r, ret->cri, sizeof(ret->cri));
    get_text(r, ret->ca, sizeof(ret->ca));
    ret->families = get_u8(r, FAMILIES_BOTH);
    get_network(r, &ret->v4);
    get_network(r, &ret->v6);
    ret->node_ip_count = get_u8(r, COUNT(ret->node_ips));
    for (unsigned i = 0; i < ret->node_ip_count; i++)
        get_ip(r, &ret->node_ips[i]);
    ret->healthz_port = (uint16_t)get_u16(r);
    ret->fail_swap_on = get_u8(r, 1) != 0;
    if (version < VERSION_3)
        return;
    get_ip(r, &ret->healthz);
    ret->ignored = get_u8(r, UINT8_MAX);
}

/* A record of another form must not read as "never provisioned": that would bring the sequence back to 0. */
static enum err decode(struct span body, struct state *ret)
{
    struct state s = {0};
    const uint8_t *p = body.p;
    struct reader r;

    if (body.n < HEAD || p[0] < VERSION_1 || p[0] > VERSION_3 || (p[1] & ~FLAGS_ALL) != 0)
        return ERR_STORE_LOST;
    s.accepted = (p[1] & FLAG_ACCEPTED) != 0;
    s.joined = (p[1] & FLAG_JOINED) != 0;
    s.wiping = (p[1] & FLAG_WIPING) != 0;
    s.kubeadm = (p[1] & FLAG_KUBEADM) != 0;
    s.member = (p[1] & FLAG_MEMBER) != 0;
    s.attempts = p[2];
    s.sequence = get_u64(p + 4);
    s.issued_s = (int64_t)get_u64(p + 12);
    memcpy(s.digest, p + 20, HASH_SIZE);
    memcpy(s.seed, p + 52, RNG_SEED_SIZE);
    r.rest = span_sub(body, HEAD, body.n);
    r.bad = false;
    if (p[0] > VERSION_1)
        get_node(&r, p[0], &s.node);
    if (r.bad || r.rest.n != 0)
        return ERR_STORE_LOST;
    *ret = s;
    wipe(s.seed, sizeof(s.seed));
    return OK;
}

enum err state_load(const struct storage *st, struct state *ret)
{
    uint8_t body[SIZE_MAX_BODY];
    size_t n = 0;
    uint64_t seq;
    enum err e = st ? reclog_read(st, body, sizeof(body), &n, &seq) : ERR_STORE_EMPTY;

    if (e == ERR_STORE_EMPTY) {
        memset(ret, 0, sizeof(*ret));
        return OK;
    }
    if (e == OK)
        e = decode(span_of(body, n), ret);
    wipe(body, sizeof(body));
    return e == ERR_LIMIT ? ERR_STORE_LOST : e;
}

enum err state_save(const struct storage *st, const struct state *s, struct reclog_job *job)
{
    uint8_t body[SIZE_MAX_BODY] = {VERSION_3};
    struct buf b = BUF_OF(body);
    enum err e;

    if (!st)
        return OK;
    body[1] = (uint8_t)((s->accepted ? FLAG_ACCEPTED : 0) | (s->joined ? FLAG_JOINED : 0) |
                        (s->wiping ? FLAG_WIPING : 0) | (s->kubeadm ? FLAG_KUBEADM : 0) |
                        (s->member ? FLAG_MEMBER : 0));
    body[2] = (uint8_t)s->attempts;
    put_u64(body + 4, s->sequence);
    put_u64(body + 12, (uint64_t)s->issued_s);
    memcpy(body + 20, s->digest, HASH_SIZE);
    memcpy(body + 52, s->seed, RNG_SEED_SIZE);
    b.n = HEAD;
    put_node(&b, &s->node);
    e = b.overflow ? ERR_STORE_FULL : reclog_write(st, buf_span(&b), job);
    wipe(body, sizeof(body));
    return e;
}
