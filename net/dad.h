/*
 * dad.h - duplicate address detection in both families (RFC 4862 section 5.4, RFC 4429, RFC 5227), and the watch for late duplicates
 * for as long as an address is used. Pure: told what frames claim, it says when to probe and what state an address has.
 *
 * States of a watched address: probing (tentative, or optimistic if the policy allows use meanwhile) -> done; a claim by another MAC makes it
 * duplicate at any time. A duplicate is probed anew after DAD_RETRY_MS, never optimistically, so that a mended conflict ends by itself.
 */
#ifndef JOINBOOT_NET_DAD_H
#define JOINBOOT_NET_DAD_H

#include "net/ndp.h"

enum { DAD_ENTRIES = 8, DAD_PROBES = 3, DAD_FULL_MS = 1000, DAD_SHORT_MS = 200, DAD_RETRY_MS = 10000 };

enum dad_state { DAD_UNKNOWN = 0, DAD_TENTATIVE, DAD_OPTIMISTIC, DAD_DONE, DAD_DUPLICATE };

struct dad_entry {
    struct ip addr; /* family NONE: the entry is free */
    enum dad_state state;
    unsigned probes;  /* sent so far */
    uint64_t next_ms; /* of the next probe, the end of probing, or the retry */
    uint8_t mac[6];   /* of the other machine */
};

struct dad {
    struct dad_entry entries[DAD_ENTRIES];
    bool optimistic;
    unsigned window_ms;
};

/* window_ms: how long an address is probed; optimistic: whether it may be used meanwhile. */
void dad_init(struct dad *d, bool optimistic, unsigned window_ms);
/* Begins to watch an address; one that is watched already stays as it is. ERR_NOMEM if there is no entry. */
enum err dad_watch(struct dad *d, const struct ip *addr, uint64_t now_ms) MUST_USE;
void dad_forget(struct dad *d, const struct ip *addr);
/* Takes a claim by another machine. True if a watched address has just become a duplicate. */
bool dad_claim(struct dad *d, const struct ndp_claim *claim, uint64_t now_ms);
/* One step of one entry: true with the address if a probe must be sent now. To be called until it is false. */
bool dad_step(struct dad *d, uint64_t now_ms, struct ip *ret_probe);
enum dad_state dad_state(const struct dad *d, const struct ip *addr);
/* When dad_step wants to be called (UINT64_MAX: never). */
uint64_t dad_wake_ms(const struct dad *d);

#endif
