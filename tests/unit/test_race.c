/*
 * test_race.c - Happy Eyeballs' pacing over simulated attempts: each address has a time after which it wins, loses, or never ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/race.h"

enum { NEVER = 1000000, FOREVER_MS = 200000 };

/* An address of the table: when it becomes known, how long its attempt takes, and how that ends. */
struct attempt {
    const char *addr;
    unsigned known_ms, takes_ms;
    bool wins, no_start;
};

struct sim {
    const struct attempt *table;
    unsigned count;
    int lane_attempt[RACE_PARALLEL];
    uint64_t lane_end[RACE_PARALLEL];
    unsigned order[RACE_ADDRS_MAX];
    uint64_t started[RACE_ADDRS_MAX];
    unsigned starts;
    unsigned running, most;
};

static struct ip parse(const char *text)
{
    struct ip ip = {.family = FAMILY_NONE};
    assert_int_equal(ip_parse(span_str(text), &ip), OK);
    return ip;
}

static enum err sim_start(void *ctx, unsigned lane, const struct ip *addr, uint64_t now_ms)
{
    struct sim *s = ctx;
    for (unsigned i = 0; i < s->count; i++) {
        struct ip ip = parse(s->table[i].addr);
        if (!ip_eq(&ip, addr))
            continue;
        s->order[s->starts] = i;
        s->started[s->starts++] = now_ms;
        if (s->table[i].no_start)
            return ERR_NOMEM;
        assert_int_equal(s->lane_attempt[lane], -1);
        s->lane_attempt[lane] = (int)i;
        s->lane_end[lane] = now_ms + s->table[i].takes_ms;
        if (++s->running > s->most)
            s->most = s->running;
        return OK;
    }
    fail();
    return ERR_STATE;
}

static enum race_step sim_step(void *ctx, unsigned lane, uint64_t now_ms, struct fault *f)
{
    struct sim *s = ctx;
    assert_true(s->lane_attempt[lane] >= 0);
    const struct attempt *a = &s->table[s->lane_attempt[lane]];
    if (now_ms < s->lane_end[lane])
        return RACE_WAIT;
    if (a->wins)
        return RACE_WON;
    (void)fault_set(f, ERR_TLS_ROOT, "lost");
    fault_peer(f, "%s", a->addr);
    return RACE_LOST;
}

static void sim_stop(void *ctx, unsigned lane)
{
    struct sim *s = ctx;
    assert_true(s->lane_attempt[lane] >= 0);
    s->lane_attempt[lane] = -1;
    s->running--;
}

struct outcome {
    enum race_step step;
    uint64_t end_ms;
    const char *winner;
};

static struct sim sim;
static struct race race;

/* Runs in fake time, woken only when race_wake_ms says so, an attempt ends, or an address becomes known. */
static struct outcome run(const struct attempt *table, unsigned count)
{
    struct race_ops ops = {.ctx = &sim, .start = sim_start, .step = sim_step, .stop = sim_stop};
    struct outcome o = {.step = RACE_WAIT};
    bool known[RACE_ADDRS_MAX] = {false};
    sim = (struct sim){.table = table, .count = count};
    for (unsigned i = 0; i < RACE_PARALLEL; i++)
        sim.lane_attempt[i] = -1;
    race_init(&race);
    for (uint64_t now = 0; now < FOREVER_MS && o.step == RACE_WAIT;) {
        bool all = true;
        for (unsigned i = 0; i < count; i++) {
            if (!known[i] && table[i].known_ms <= now) {
                struct ip ip = parse(table[i].addr);
                known[i] = true;
                race_add(&race, &ip);
                race_add(&race, &ip); /* twice changes nothing */
            }
            all = all && known[i];
        }
        if (all)
            race_complete(&race);
        o.step = race_turn(&race, &ops, now);
        o.end_ms = now;
        uint64_t next = race_wake_ms(&race);
        for (unsigned i = 0; i < RACE_PARALLEL; i++) {
            if (sim.lane_attempt[i] >= 0 && sim.lane_end[i] < next)
                next = sim.lane_end[i];
        }
        for (unsigned i = 0; i < count; i++) {
            if (!known[i] && table[i].known_ms < next)
                next = table[i].known_ms;
        }
        now = next > now ? next : now + 1;
    }
    assert_int_not_equal(o.step, RACE_WAIT);
    if (o.step == RACE_WON) {
        assert_int_equal(sim.running, 1); /* the losers were stopped */
        o.winner = table[sim.lane_attempt[race.winner]].addr;
    } else {
        assert_int_equal(sim.running, 0);
    }
    race_stop(&race, &ops);
    race_stop(&race, &ops);
    assert_int_equal(sim.running, 0);
    assert_true(sim.most <= RACE_PARALLEL);
    return o;
}

#define RUN(table) run(table, COUNT(table))

static void test_ipv6_first(void **unused)
{
    static const struct attempt t[] = {{"10.0.0.1", 0, 10, true, false}, {"fd00::1", 0, 20, true, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "fd00::1");
    assert_int_equal(o.end_ms, 20);
    assert_int_equal(sim.starts, 1);
}

static void test_slow_ipv6_is_overtaken(void **unused)
{
    static const struct attempt t[] = {{"fd00::1", 0, NEVER, false, false}, {"10.0.0.1", 0, 30, true, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "10.0.0.1");
    assert_int_equal(o.end_ms, RACE_DELAY_MS + 30);
}

static void test_failure_starts_next_at_once(void **unused)
{
    static const struct attempt t[] = {{"fd00::1", 0, 5, false, false}, {"10.0.0.1", 0, 30, true, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "10.0.0.1");
    assert_int_equal(o.end_ms, 35);
}

static void test_failure_beside_a_running_one(void **unused)
{
    static const struct attempt t[] = {{"fd00::1", 0, NEVER, false, false},
                                       {"10.0.0.1", 0, 10, false, false},
                                       {"fd00::2", 0, 10, true, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "fd00::2");
    assert_int_equal(o.end_ms, RACE_DELAY_MS + 20);
}

static void test_first_verified_wins(void **unused)
{
    /* The rogue answers quickly and fails verification; the honest one is slower and wins. */
    static const struct attempt t[] = {{"fd00::bad", 0, 1, false, false},
                                       {"10.0.0.66", 0, 1, false, false},
                                       {"fd00::1", 0, 400, true, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "fd00::1");
    assert_int_equal(o.end_ms, 402);
}

static void test_alternates(void **unused)
{
    static const struct attempt t[] = {
        {"fd00::1", 0, 1, false, false},  {"fd00::2", 0, 1, false, false},  {"fd00::3", 0, 1, false, false},
        {"10.0.0.1", 0, 1, false, false}, {"10.0.0.2", 0, 1, false, false},
    };
    static const unsigned order[] = {0, 3, 1, 4, 2};
    (void)unused;
    struct outcome o = RUN(t);
    assert_int_equal(o.step, RACE_LOST);
    assert_int_equal(sim.starts, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(sim.order[i], order[i]);
    assert_int_equal(race.fault.code, ERR_TLS_ROOT);
    assert_string_equal(race.fault.peer, "fd00::1"); /* the first that failed */
}

static void test_late_family_joins(void **unused)
{
    static const struct attempt t[] = {{"10.0.0.1", 0, NEVER, false, false},
                                       {"fd00::1", 600, 10, true, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "fd00::1");
    assert_int_equal(o.end_ms, 610);
}

static void test_not_lost_before_complete(void **unused)
{
    static const struct attempt t[] = {{"10.0.0.1", 0, 1, false, false}, {"fd00::1", 5000, 1, false, false}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_int_equal(o.step, RACE_LOST);
    assert_int_equal(o.end_ms, 5001);
}

static void test_black_holes(void **unused)
{
    static const struct attempt t[] = {
        {"fd00::1", 0, NEVER, false, false},
        {"10.0.0.1", 0, NEVER, false, false},
        {"fd00::2", 0, NEVER, false, false},
        {"10.0.0.2", 0, 20, true, false},
    };
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "10.0.0.2");
    assert_int_equal(o.end_ms, RACE_CROWDED_MS + RACE_DELAY_MS + 20);
    static const struct attempt all[] = {{"fd00::1", 0, NEVER, false, false},
                                         {"10.0.0.1", 0, NEVER, false, false}};
    o = RUN(all);
    assert_int_equal(o.step, RACE_LOST);
    assert_int_equal(o.end_ms, RACE_DELAY_MS + RACE_ATTEMPT_MS);
    assert_int_equal(race.fault.code, ERR_CONNECT);
}

static void test_cannot_start(void **unused)
{
    static const struct attempt t[] = {{"fd00::1", 0, 0, false, true}, {"10.0.0.1", 0, 5, true, false}};
    static const struct attempt none[] = {{"fd00::1", 0, 0, false, true}};
    (void)unused;
    struct outcome o = RUN(t);
    assert_string_equal(o.winner, "10.0.0.1");
    assert_int_equal(o.end_ms, 5);
    o = RUN(none);
    assert_int_equal(o.step, RACE_LOST);
    assert_int_equal(race.fault.code, ERR_NOMEM);
}

static void test_no_address(void **unused)
{
    struct outcome o = run(NULL, 0);
    (void)unused;
    assert_int_equal(o.step, RACE_LOST);
    assert_int_equal(race.fault.code, ERR_CONNECT);
}

static void test_too_many_addresses(void **unused)
{
    (void)unused;
    race_init(&race);
    for (unsigned i = 0; i < 100; i++) {
        struct ip ip = {.family = FAMILY_V4, .b = {10, 0, 0, (uint8_t)i}};
        race_add(&race, &ip);
    }
    assert_int_equal(race.count, RACE_ADDRS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv6_first),
        cmocka_unit_test(test_slow_ipv6_is_overtaken),
        cmocka_unit_test(test_failure_starts_next_at_once),
        cmocka_unit_test(test_failure_beside_a_running_one),
        cmocka_unit_test(test_first_verified_wins),
        cmocka_unit_test(test_alternates),
        cmocka_unit_test(test_late_family_joins),
        cmocka_unit_test(test_not_lost_before_complete),
        cmocka_unit_test(test_black_holes),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_no_address),
        cmocka_unit_test(test_too_many_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
