/*
 * race.c - the pacing of race.h. Lanes are slots for running attempts; an address is tried once.
 *
 * Invariant: at most one lane per address, and a lane that is not running has lane_addr -1. After RACE_WON only the winner's lane is running.
 */
#include "net/race.h"

void race_init(struct race *r)
{
    *r = (struct race){.winner = -1, .last_family = FAMILY_NONE};
    for (unsigned i = 0; i < RACE_PARALLEL; i++)
        r->lane_addr[i] = -1;
}

void race_add(struct race *r, const struct ip *addr)
{
    for (unsigned i = 0; i < r->count; i++) {
        if (ip_eq(&r->addrs[i], addr))
            return;
    }
    if (r->count < RACE_ADDRS_MAX)
        r->addrs[r->count++] = *addr;
}

void race_complete(struct race *r)
{
    r->complete = true;
}

/* The next address to try: of the family that was not tried last, if there is one (RFC 8305 section 4). */
static int race_pick(const struct race *r)
{
    enum family want = r->last_family == FAMILY_V6 ? FAMILY_V4 : FAMILY_V6;
    int other = -1;
    for (unsigned i = 0; i < r->count; i++) {
        if (r->tried[i])
            continue;
        if (r->addrs[i].family == want)
            return (int)i;
        if (other < 0)
            other = (int)i;
    }
    return other;
}

static int race_free_lane(const struct race *r)
{
    for (int i = 0; i < RACE_PARALLEL; i++) {
        if (r->lane_addr[i] < 0)
            return i;
    }
    return -1;
}

static bool race_is_running(const struct race *r)
{
    for (unsigned i = 0; i < RACE_PARALLEL; i++) {
        if (r->lane_addr[i] >= 0)
            return true;
    }
    return false;
}

static void race_keep_fault(struct race *r, const struct fault *f)
{
    if (r->fault.code == OK)
        r->fault = *f;
}

static void race_stop_lane(struct race *r, const struct race_ops *ops, unsigned lane)
{
    if (r->lane_addr[lane] < 0)
        return;
    r->lane_addr[lane] = -1;
    ops->stop(ops->ctx, lane);
}

static void race_fail_slow(struct race *r, const struct race_ops *ops, unsigned lane, uint64_t after_ms)
{
    struct fault f = {0};
    char text[IP_TEXT_MAX];
    (void)fault_set(&f, ERR_CONNECT, "no verified connection after %u ms", (unsigned)after_ms);
    fault_peer(&f, "%s", ip_text(&r->addrs[r->lane_addr[lane]], text));
    race_keep_fault(r, &f);
    race_stop_lane(r, ops, lane);
}

/* Steps all lanes. True if one has won. A lane that fails lets the next attempt start at once. */
static bool race_step_lanes(struct race *r, const struct race_ops *ops, uint64_t now_ms)
{
    for (unsigned i = 0; i < RACE_PARALLEL; i++) {
        struct fault f = {0};
        enum race_step step = RACE_WAIT;
        if (r->lane_addr[i] < 0)
            continue;
        step = ops->step(ops->ctx, i, now_ms, &f);
        if (step == RACE_WON) {
            r->winner = (int)i;
            return true;
        }
        if (step == RACE_LOST) {
            race_keep_fault(r, &f);
            race_stop_lane(r, ops, i);
            r->next_ms = now_ms;
        } else if (now_ms - r->lane_started_ms[i] >= RACE_ATTEMPT_MS) {
            race_fail_slow(r, ops, i, RACE_ATTEMPT_MS);
            r->next_ms = now_ms;
        }
    }
    return false;
}

/* All lanes are busy and an address waits: the oldest attempt gives way once it is slower than any usual path. */
static void race_make_room(struct race *r, const struct race_ops *ops, uint64_t now_ms)
{
    unsigned oldest = 0;
    if (race_pick(r) < 0 || race_free_lane(r) >= 0)
        return;
    for (unsigned i = 1; i < RACE_PARALLEL; i++) {
        if (r->lane_started_ms[i] < r->lane_started_ms[oldest])
            oldest = i;
    }
    if (now_ms - r->lane_started_ms[oldest] >= RACE_CROWDED_MS)
        race_fail_slow(r, ops, oldest, RACE_CROWDED_MS);
}

static void race_start_next(struct race *r, const struct race_ops *ops, uint64_t now_ms)
{
    for (;;) {
        int lane = race_free_lane(r);
        int addr = race_pick(r);
        if (lane < 0 || addr < 0 || (race_is_running(r) && now_ms < r->next_ms))
            return;
        r->tried[addr] = true;
        r->last_family = r->addrs[addr].family;
        enum err e = ops->start(ops->ctx, (unsigned)lane, &r->addrs[addr], now_ms);
        if (e == OK) {
            r->lane_addr[lane] = addr;
            r->lane_started_ms[lane] = now_ms;
            r->next_ms = now_ms + RACE_DELAY_MS;
            continue;
        }
        struct fault f = {0};
        char text[IP_TEXT_MAX];
        (void)fault_set(&f, e, "the attempt could not start");
        fault_peer(&f, "%s", ip_text(&r->addrs[addr], text));
        race_keep_fault(r, &f);
    }
}

enum race_step race_turn(struct race *r, const struct race_ops *ops, uint64_t now_ms)
{
    if (r->winner >= 0)
        return RACE_WON;
    if (race_step_lanes(r, ops, now_ms)) {
        for (unsigned i = 0; i < RACE_PARALLEL; i++) {
            if ((int)i != r->winner)
                race_stop_lane(r, ops, i);
        }
        return RACE_WON;
    }
    race_make_room(r, ops, now_ms);
    race_start_next(r, ops, now_ms);
    if (race_is_running(r) || !r->complete)
        return RACE_WAIT;
    if (r->fault.code == OK)
        (void)fault_set(&r->fault, ERR_CONNECT, "there is no address to connect to");
    return RACE_LOST;
}

void race_stop(struct race *r, const struct race_ops *ops)
{
    for (unsigned i = 0; i < RACE_PARALLEL; i++)
        race_stop_lane(r, ops, i);
    r->winner = -1;
}

uint64_t race_wake_ms(const struct race *r)
{
    bool waiting = race_pick(r) >= 0;
    uint64_t wake = UINT64_MAX;
    if (r->winner >= 0)
        return wake;
    if (waiting && race_free_lane(r) >= 0)
        wake = race_is_running(r) ? r->next_ms : 0;
    for (unsigned i = 0; i < RACE_PARALLEL; i++) {
        uint64_t end =
            r->lane_started_ms[i] + (waiting && race_free_lane(r) < 0 ? RACE_CROWDED_MS : RACE_ATTEMPT_MS);
        if (r->lane_addr[i] >= 0 && end < wake)
            wake = end;
    }
    return wake;
}
