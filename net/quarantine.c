/*
 * quarantine.c - the list of quarantine.h. When it is full, the entry that ended first gives way.
 */
#include "net/quarantine.h"

void quarantine_note(struct quarantine *q, const struct ip *addr, const uint8_t mac[static 6])
{
    unsigned at = q->next_note % QUARANTINE_ENTRIES;
    for (unsigned i = 0; i < QUARANTINE_ENTRIES; i++) {
        if (q->notes[i].addr.family != FAMILY_NONE && ip_eq(&q->notes[i].addr, addr))
            at = i;
    }
    if (at == q->next_note % QUARANTINE_ENTRIES)
        q->next_note++;
    q->notes[at].addr = *addr;
    memcpy(q->notes[at].mac, mac, 6);
}

static bool quarantine_match(const struct quarantine_entry *e, const struct ip *addr,
                             const uint8_t mac[static 6])
{
    bool has_mac = (e->mac[0] & 1) == 0; /* a group's address stands for "not known" */
    return e->addr.family != FAMILY_NONE &&
           (ip_eq(&e->addr, addr) || (has_mac && memcmp(e->mac, mac, 6) == 0));
}

/* The entry of a peer, or the one that gives way to it. */
static struct quarantine_entry *quarantine_entry(struct quarantine *q, const struct ip *addr,
                                                 const uint8_t mac[static 6])
{
    struct quarantine_entry *oldest = &q->entries[0];
    for (unsigned i = 0; i < QUARANTINE_ENTRIES; i++) {
        if (quarantine_match(&q->entries[i], addr, mac))
            return &q->entries[i];
        if (q->entries[i].until_ms < oldest->until_ms)
            oldest = &q->entries[i];
    }
    oldest->strikes = 0;
    return oldest;
}

void quarantine_strike(struct quarantine *q, const struct ip *addr, uint64_t now_ms)
{
    uint8_t mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}; /* not known */
    for (unsigned i = 0; i < QUARANTINE_ENTRIES; i++) {
        if (q->notes[i].addr.family != FAMILY_NONE && ip_eq(&q->notes[i].addr, addr))
            memcpy(mac, q->notes[i].mac, 6);
    }
    struct quarantine_entry *e = quarantine_entry(q, addr, mac);
    if (now_ms > e->until_ms && now_ms - e->until_ms >= QUARANTINE_FORGET_MS)
        e->strikes = 0;
    e->addr = *addr;
    memcpy(e->mac, mac, 6);
    uint64_t time_ms = e->strikes < 16 ? (uint64_t)QUARANTINE_FIRST_MS << e->strikes : QUARANTINE_MAX_MS;
    e->until_ms = now_ms + (time_ms < QUARANTINE_MAX_MS ? time_ms : QUARANTINE_MAX_MS);
    e->strikes++;
}

bool quarantine_holds(const struct quarantine *q, const struct ip *addr, const uint8_t mac[static 6],
                      uint64_t now_ms)
{
    for (unsigned i = 0; i < QUARANTINE_ENTRIES; i++) {
        if (quarantine_match(&q->entries[i], addr, mac) && now_ms < q->entries[i].until_ms)
            return true;
    }
    return false;
}
