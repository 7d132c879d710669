/*
 * timekeeper.h - what time it is, and how far that can be believed (DESIGN.md section 5).
 *
 * Invariant: the time never runs below the floor = max(build time, last accepted issuedAt). Quality only rises, except that a hint which made
 * a verification fail is dropped once. Hints are never stored.
 */
#ifndef JOINBOOT_AGENT_TIMEKEEPER_H
#define JOINBOOT_AGENT_TIMEKEEPER_H

#include "firmware/crypto/x509.h"

struct timekeeper {
    int64_t floor_s;
    uint64_t floor_ms; /* when the floor became known */
    int64_t base_s;    /* the time at base_ms */
    uint64_t base_ms;
    enum time_quality quality;
    bool hint_dropped;
};

/* Starts at the floor. */
void timekeeper_init(struct timekeeper *t, int64_t floor_s, uint64_t now_ms);
/* Raises the floor; the time follows. */
void timekeeper_raise(struct timekeeper *t, int64_t floor_s, uint64_t now_ms);
/* A clock that may be wrong; taken if it is not below the floor. True if it was taken. */
bool timekeeper_hint(struct timekeeper *t, int64_t unix_s, uint64_t now_ms);
/* Drops a hint and returns to the floor; true if there was one to drop. */
bool timekeeper_drop_hint(struct timekeeper *t, uint64_t now_ms);
/* A time from a peer that was verified, and whose certificates are good at that time; taken if it is not below the floor. */
bool timekeeper_trust(struct timekeeper *t, int64_t unix_s, uint64_t now_ms);
/* Seconds since 1970. */
int64_t timekeeper_now(const struct timekeeper *t, uint64_t now_ms);
/* A time that has certainly come: without what is only a hint. */
int64_t timekeeper_least(const struct timekeeper *t, uint64_t now_ms);

#endif
