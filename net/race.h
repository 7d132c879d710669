/*
 * race.h - Happy Eyeballs (RFC 8305): orders addresses of both families and paces attempts, one started every 250 ms or at once when one fails.
 *
 * Pure pacing over a table of operations: what an attempt is (TLS connect, or connect and prove to be the cluster) is the caller's, so the race
 * is won by the first attempt that is *verified*, not by the first that connects. At most RACE_PARALLEL attempts run at once; an attempt ends
 * after RACE_ATTEMPT_MS, or after RACE_CROWDED_MS if another address waits for its lane.
 */
#ifndef JOINBOOT_NET_RACE_H
#define JOINBOOT_NET_RACE_H

#include "firmware/base/fault.h"
#include "firmware/base/ip.h"

enum {
    RACE_ADDRS_MAX = 8,
    RACE_PARALLEL = 2,
    RACE_DELAY_MS = 250,
    RACE_ATTEMPT_MS = 10000,
    RACE_CROWDED_MS = 2500
};

enum race_step { RACE_WAIT, RACE_WON, RACE_LOST };

/* `lane` (0..RACE_PARALLEL-1) tells the caller which of its attempt structs to use. */
struct race_ops {
    void *ctx;
    enum err (*start)(void *ctx, unsigned lane, const struct ip *addr, uint64_t now_ms);
    enum race_step (*step)(void *ctx, unsigned lane, uint64_t now_ms, struct fault *f);
    void (*stop)(void *ctx, unsigned lane);
};

struct race {
    struct ip addrs[RACE_ADDRS_MAX];
    bool tried[RACE_ADDRS_MAX];
    unsigned count;
    bool complete;                /* no more addresses will be added */
    int lane_addr[RACE_PARALLEL]; /* index into addrs, -1: free */
    uint64_t lane_started_ms[RACE_PARALLEL];
    uint64_t next_ms; /* when the next attempt may start */
    enum family last_family;
    int winner;         /* lane, -1: none yet */
    struct fault fault; /* of the first attempt that failed */
};

void race_init(struct race *r);
/* Adds an address unless it is there already; order of attempts alternates families beginning with IPv6. */
void race_add(struct race *r, const struct ip *addr);
/* No more will come: when all have failed the race is lost. */
void race_complete(struct race *r);
/* One turn. RACE_WON: r->winner is the lane, all other lanes were stopped. RACE_LOST: r->fault. */
enum race_step race_turn(struct race *r, const struct race_ops *ops, uint64_t now_ms);
void race_stop(struct race *r, const struct race_ops *ops);
/* When race_turn wants to be called at the latest (UINT64_MAX: only by events). */
uint64_t race_wake_ms(const struct race *r);

#endif
