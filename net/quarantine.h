/*
 * quarantine.h - whom to avoid for a while: DHCP servers and routers whose path led to a peer that failed verification. Pure.
 *
 * A peer is known by its address and by the MAC that it had when it was noted; either is enough to recognise it. The time grows with every further failure, and it is bounded: if only one server is left on the link,
 * it is used again, so a mistake costs time and never the network.
 */
#ifndef JOINBOOT_NET_QUARANTINE_H
#define JOINBOOT_NET_QUARANTINE_H

#include "firmware/base/ip.h"

enum {
    QUARANTINE_ENTRIES = 8,
    QUARANTINE_FIRST_MS = 2000,
    QUARANTINE_MAX_MS = 64000,
    QUARANTINE_FORGET_MS = 600000
};

struct quarantine {
    struct quarantine_entry {
        struct ip addr; /* family NONE: free */
        uint8_t mac[6];
        unsigned strikes;
        uint64_t until_ms;
    } entries[QUARANTINE_ENTRIES];
    struct quarantine_note {
        struct ip addr;
        uint8_t mac[6];
    } notes[QUARANTINE_ENTRIES]; /* who was seen last */
    unsigned next_note;
};

/* Remembers a peer that is listened to, so that it can be recognised later. */
void quarantine_note(struct quarantine *q, const struct ip *addr, const uint8_t mac[static 6]);
/* One more failure of this peer. */
void quarantine_strike(struct quarantine *q, const struct ip *addr, uint64_t now_ms);
/* True if what this peer says is to be ignored now. */
bool quarantine_holds(const struct quarantine *q, const struct ip *addr, const uint8_t mac[static 6],
                      uint64_t now_ms);

#endif
