/*
 * resolvers.c - the list of resolvers.h.
 */
#include "net/resolvers.h"

static void resolvers_remove(struct resolvers *r, unsigned i)
{
    r->count--;
    memmove(&r->list[i], &r->list[i + 1], (r->count - i) * sizeof(r->list[0]));
}

static void resolvers_insert(struct resolvers *r, enum resolvers_source source, const struct ip *from,
                             const struct ip *addr, uint64_t until_ms)
{
    unsigned at = r->count;
    if (r->count == RESOLVERS_MAX && source != RESOLVERS_STATIC)
        return;
    if (r->count == RESOLVERS_MAX)
        resolvers_remove(r, RESOLVERS_MAX - 1);
    for (at = 0; at < r->count && (source != RESOLVERS_STATIC || r->list[at].source == RESOLVERS_STATIC);
         at++)
        ;
    memmove(&r->list[at + 1], &r->list[at], (r->count - at) * sizeof(r->list[0]));
    r->list[at].addr = *addr;
    r->list[at].source = source;
    r->list[at].from = *from;
    r->list[at].until_ms = until_ms;
    r->count++;
}

void resolvers_set(struct resolvers *r, enum resolvers_source source, const struct ip *from,
                   const struct ip *addr, uint32_t lifetime_s, uint64_t now_ms)
{
    uint64_t until_ms = lifetime_s == UINT32_MAX ? UINT64_MAX : now_ms + (uint64_t)lifetime_s * 1000;
    if (ip_is_zero(addr) || ip_is_multicast(addr) || ip_is_loopback(addr))
        return;
    for (unsigned i = 0; i < r->count; i++) {
        if (!ip_eq(&r->list[i].addr, addr))
            continue;
        if (r->list[i].source != source)
            return;
        if (lifetime_s == 0)
            resolvers_remove(r, i);
        else
            r->list[i].until_ms = until_ms;
        return;
    }
    if (lifetime_s != 0)
        resolvers_insert(r, source, from, addr, until_ms);
}

void resolvers_drop(struct resolvers *r, enum resolvers_source source)
{
    for (unsigned i = 0; i < r->count;) {
        if (r->list[i].source == source)
            resolvers_remove(r, i);
        else
            i++;
    }
}

void resolvers_expire(struct resolvers *r, uint64_t now_ms)
{
    for (unsigned i = 0; i < r->count;) {
        if (r->list[i].until_ms <= now_ms)
            resolvers_remove(r, i);
        else
            i++;
    }
}
