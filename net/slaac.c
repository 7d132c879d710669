/*
 * slaac.c - see slaac.h.
 */
#include "net/slaac.h"

enum {
    ICMP6_RA = 134,
    RA_HEADER = 16,
    OPTION_PREFIX = 3,
    OPTION_RDNSS = 25,
    PREFIX_SIZE = 32,
    FLAG_AUTONOMOUS = 0x40,
    INTERFACE_ID_BITS = 64
};

static uint64_t slaac_end(uint32_t lifetime_s, uint64_t now_ms)
{
    return lifetime_s == UINT32_MAX ? UINT64_MAX : now_ms + (uint64_t)lifetime_s * 1000;
}

uint32_t slaac_left_s(uint64_t end_ms, uint64_t now_ms)
{
    if (end_ms == UINT64_MAX)
        return UINT32_MAX;
    return end_ms > now_ms ? (uint32_t)((end_ms - now_ms) / 1000) : 0;
}

void slaac_add_addr(struct slaac *s, const struct ip_prefix *addr, uint32_t valid_s, uint32_t preferred_s,
                    uint64_t now_ms)
{
    if (s->addr_count == SLAAC_ADDRS_MAX)
        return;
    s->addrs[s->addr_count++] = (struct slaac_addr){.prefix = *addr,
                                                    .valid_ms = slaac_end(valid_s, now_ms),
                                                    .preferred_ms = slaac_end(preferred_s, now_ms),
                                                    .changed = true};
}

static void slaac_drop_router(struct slaac *s, unsigned i)
{
    s->routers[i] = s->routers[--s->router_count];
}

void slaac_add_router(struct slaac *s, const struct ip *router, uint32_t lifetime_s, uint64_t now_ms)
{
    unsigned i = 0;

    while (i < s->router_count && !ip_eq(&s->routers[i].addr, router))
        i++;
    if (lifetime_s == 0) {
        if (i < s->router_count)
            slaac_drop_router(s, i);
        return;
    }
    if (i == SLAAC_ROUTERS_MAX)
        return;
    s->routers[i].addr = *router;
    s->routers[i].until_ms = slaac_end(lifetime_s, now_ms);
    s->router_count += i == s->router_count;
    s->had_router = true;
}

uint32_t slaac_router_s(const struct slaac *s, const struct ip *router, uint64_t now_ms)
{
    for (unsigned i = 0; i < s->router_count; i++) {
        if (ip_eq(&s->routers[i].addr, router))
            return slaac_left_s(s->routers[i].until_ms, now_ms);
    }
    return 0;
}

static unsigned slaac_u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t slaac_u32(const uint8_t *p)
{
    return (uint32_t)slaac_u16(p) << 16 | slaac_u16(p + 2);
}

static struct ip slaac_ip(const uint8_t *p)
{
    struct ip ip = {.family = FAMILY_V6};

    memcpy(ip.b, p, 16);
    return ip;
}

/* False if the option's length is not its kind's. More of a kind than there is room for are left out. */
static bool slaac_option(struct span o, struct slaac_ra *ret)
{
    if (o.p[0] == OPTION_PREFIX) {
        if (o.n != PREFIX_SIZE || o.p[2] > 128)
            return false;
        if (ret->prefix_count == SLAAC_PREFIXES_MAX)
            return true;
        ret->prefixes[ret->prefix_count++] =
            (struct slaac_prefix){.prefix = {.addr = slaac_ip(o.p + 16), .len = o.p[2]},
                                  .autonomous = (o.p[3] & FLAG_AUTONOMOUS) != 0,
                                  .valid_s = slaac_u32(o.p + 4),
                                  .preferred_s = slaac_u32(o.p + 8)};
    } else if (o.p[0] == OPTION_RDNSS) {
        if (o.n < 24 || (o.n - 8) % 16 != 0)
            return false;
        for (size_t off = 8; off < o.n && ret->rdnss_count < NDP_RDNSS_MAX; off += 16)
            ret->rdnss[ret->rdnss_count++] =
                (struct ndp_rdnss){.addr = slaac_ip(o.p + off), .lifetime_s = slaac_u32(o.p + 4)};
    }
    return true;
}

bool slaac_read(struct span icmp, struct slaac_ra *ret)
{
    struct slaac_ra ra = {.prefix_count = 0};

    if (icmp.n < RA_HEADER || icmp.p[0] != ICMP6_RA || icmp.p[1] != 0)
        return false;
    ra.lifetime_s = (uint16_t)slaac_u16(icmp.p + 6);
    for (size_t off = RA_HEADER; off < icmp.n;) {
        size_t n = icmp.n - off < 2 ? 0 : (size_t)icmp.p[off + 1] * 8;
        if (n == 0 || n > icmp.n - off || !slaac_option(span_sub(icmp, off, n), &ra))
            return false;
        off += n;
    }
    *ret = ra;
    return true;
}

/* RFC 4862 section 5.5.3 e: a remaining lifetime is never cut below two hours by an advertisement, which nothing authenticates. */
static void slaac_prolong(struct slaac_addr *a, const struct slaac_prefix *p, uint64_t now_ms)
{
    uint64_t said_ms = slaac_end(p->valid_s, now_ms);
    uint64_t two_hours_ms = now_ms + SLAAC_TWO_HOURS_MS;
    uint64_t left_until_ms = a->lost ? now_ms : a->valid_ms;

    if (said_ms > two_hours_ms || said_ms > left_until_ms)
        a->valid_ms = said_ms;
    else if (left_until_ms > two_hours_ms)
        a->valid_ms = two_hours_ms;
    a->preferred_ms = slaac_end(p->preferred_s, now_ms);
    a->changed = true;
}

void slaac_advertised(struct slaac *s, const struct ip *from, const struct slaac_ra *ra, uint64_t now_ms)
{
    if (from->family != FAMILY_V6 || !ip_is_link_local(from))
        return;
    slaac_add_router(s, from, ra->lifetime_s, now_ms);
    for (unsigned i = 0; i < ra->prefix_count; i++) {
        const struct slaac_prefix *p = &ra->prefixes[i];
        if (!p->autonomous || p->prefix.len != INTERFACE_ID_BITS || ip_is_link_local(&p->prefix.addr) ||
            p->preferred_s > p->valid_s)
            continue;
        for (unsigned k = 0; k < s->addr_count; k++) {
            if (ip_in_prefix(&s->addrs[k].prefix.addr, &p->prefix))
                slaac_prolong(&s->addrs[k], p, now_ms);
        }
    }
}

static enum slaac_event slaac_turn_addr(struct slaac_addr *a, uint64_t now_ms)
{
    bool valid = a->valid_ms > now_ms, changed = a->changed;

    if (!valid && !a->lost) {
        a->lost = true;
        a->changed = false;
        return SLAAC_EXPIRED;
    }
    a->changed = false;
    if (valid && a->lost) {
        a->lost = false;
        return SLAAC_BACK;
    }
    return valid && changed ? SLAAC_LIFETIME : SLAAC_NOTHING;
}

enum slaac_event slaac_turn(struct slaac *s, uint64_t now_ms, unsigned *ret_index)
{
    for (unsigned i = 0; i < s->addr_count; i++) {
        enum slaac_event e = slaac_turn_addr(&s->addrs[i], now_ms);
        if (e != SLAAC_NOTHING) {
            *ret_index = i;
            return e;
        }
    }
    for (unsigned i = 0; i < s->router_count;) {
        if (s->routers[i].until_ms <= now_ms)
            slaac_drop_router(s, i);
        else
            i++;
    }
    if (!s->had_router || s->router_count > 0)
        return SLAAC_NOTHING;
    s->had_router = false;
    return SLAAC_ROUTER_LOST;
}

uint64_t slaac_wake_ms(const struct slaac *s)
{
    uint64_t wake = UINT64_MAX;

    for (unsigned i = 0; i < s->addr_count; i++) {
        if (!s->addrs[i].lost && s->addrs[i].valid_ms < wake)
            wake = s->addrs[i].valid_ms;
    }
    for (unsigned i = 0; i < s->router_count; i++) {
        if (s->routers[i].until_ms < wake)
            wake = s->routers[i].until_ms;
    }
    return wake;
}
