/*
 * dad.c - the watcher of dad.h.
 */
#include "net/dad.h"

void dad_init(struct dad *d, bool optimistic, unsigned window_ms)
{
    *d = (struct dad){.optimistic = optimistic, .window_ms = window_ms};
}

static struct dad_entry *dad_find(struct dad *d, const struct ip *addr)
{
    for (unsigned i = 0; i < DAD_ENTRIES; i++) {
        if (d->entries[i].addr.family != FAMILY_NONE && ip_eq(&d->entries[i].addr, addr))
            return &d->entries[i];
    }
    return NULL;
}

enum err dad_watch(struct dad *d, const struct ip *addr, uint64_t now_ms)
{
    if (dad_find(d, addr) != NULL)
        return OK;
    for (unsigned i = 0; i < DAD_ENTRIES; i++) {
        if (d->entries[i].addr.family != FAMILY_NONE)
            continue;
        d->entries[i] = (struct dad_entry){
            .addr = *addr, .state = d->optimistic ? DAD_OPTIMISTIC : DAD_TENTATIVE, .next_ms = now_ms};
        return OK;
    }
    return ERR_NOMEM;
}

void dad_forget(struct dad *d, const struct ip *addr)
{
    struct dad_entry *e = dad_find(d, addr);
    if (e != NULL)
        *e = (struct dad_entry){.addr = {.family = FAMILY_NONE}};
}

static bool dad_is_probing(const struct dad_entry *e)
{
    return e->state == DAD_TENTATIVE || e->state == DAD_OPTIMISTIC;
}

bool dad_claim(struct dad *d, const struct ndp_claim *claim, uint64_t now_ms)
{
    struct dad_entry *e = claim->kind == NDP_NONE ? NULL : dad_find(d, &claim->addr);
    /* A probe for an address that we have finished probing is answered by the stack: the other side gives way (RFC 4862 section 5.4.3). */
    if (e == NULL || (claim->kind == NDP_PROBE && !dad_is_probing(e)))
        return false;
    bool news = e->state != DAD_DUPLICATE;
    e->state = DAD_DUPLICATE;
    e->next_ms = now_ms + DAD_RETRY_MS;
    memcpy(e->mac, claim->mac, sizeof(e->mac));
    return news;
}

bool dad_step(struct dad *d, uint64_t now_ms, struct ip *ret_probe)
{
    for (unsigned i = 0; i < DAD_ENTRIES; i++) {
        struct dad_entry *e = &d->entries[i];
        if (e->addr.family == FAMILY_NONE || e->state == DAD_DONE || now_ms < e->next_ms)
            continue;
        if (e->state == DAD_DUPLICATE) {
            e->state = DAD_TENTATIVE;
            e->probes = 0;
        }
        if (e->probes == DAD_PROBES) {
            e->state = DAD_DONE;
            continue;
        }
        /* The window begins with the first probe; the others follow in its first two thirds, so that answers have time. */
        e->probes++;
        e->next_ms = now_ms + (d->window_ms + DAD_PROBES - 1) / DAD_PROBES;
        *ret_probe = e->addr;
        return true;
    }
    return false;
}

enum dad_state dad_state(const struct dad *d, const struct ip *addr)
{
    for (unsigned i = 0; i < DAD_ENTRIES; i++) {
        const struct dad_entry *e = &d->entries[i];
        if (e->addr.family != FAMILY_NONE && ip_eq(&e->addr, addr))
            return e->state;
    }
    return DAD_UNKNOWN;
}

uint64_t dad_wake_ms(const struct dad *d)
{
    uint64_t wake = UINT64_MAX;
    for (unsigned i = 0; i < DAD_ENTRIES; i++) {
        const struct dad_entry *e = &d->entries[i];
        if (e->addr.family != FAMILY_NONE && e->state != DAD_DONE && e->next_ms < wake)
            wake = e->next_ms;
    }
    return wake;
}
