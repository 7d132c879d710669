/*
 * test_report.c - a report shares a turn of the loop (firmware/agent/loop.c) with a row that is quick, and leaves it to one that is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/agent/phases.h"

static struct agent agent;
static uint64_t clock_ms;
static unsigned cost_ms, notes, fed;

static uint64_t now_ms(void *ctx)
{
    (void)ctx;
    return clock_ms;
}

static void console(void *ctx, struct span text)
{
    (void)ctx;
    notes += span_find_str(text, " report note ") < text.n;
}

static void feed(void *ctx)
{
    (void)ctx;
    fed++;
}

static const struct board board = {.now_ms = now_ms, .console = console, .feed = feed};

static enum step slow_step(struct agent *a)
{
    clock_ms += cost_ms;
    return phases_wait(a, 10000);
}

static void nothing(struct agent *a)
{
    (void)a;
}

static uint64_t never(const struct agent *a)
{
    (void)a;
    return UINT64_MAX;
}

static const struct phase rows[PHASE_COUNT] = {[PHASE_COMMIT] = {.name = "commit", .step = slow_step}};
static const struct phase_table table = {
    .rows = rows, .release = nothing, .drop = nothing, .turn = nothing, .wake_ms = never};

/* A report that waits in a row beside which it may run. Without a network its attempt ends with a note at once. */
static void prepare(unsigned cost)
{
    clock_ms = 5000;
    cost_ms = cost;
    notes = fed = 0;
    memset(&agent, 0, sizeof(agent));
    agent_init(&agent, &table, &board, NULL);
    memcpy(agent.site.report_url, "https://ops.example/", sizeof("https://ops.example/"));
    agent.net_up = true;
    agent.families = FAMILIES_BOTH;
    agent.carrier_ms = clock_ms;
    agent.at.row = PHASE_COMMIT;
    agent.report.pending = true;
}

static void test_beside_a_quick_row(void **unused)
{
    uint64_t wake_ms;

    (void)unused;
    prepare(LIMIT_TURN_MS / 2 - 1);
    wake_ms = agent_turn(&agent);
    assert_true(wake_ms > clock_ms);
    assert_int_equal(notes, 1);
    assert_int_equal(fed, 1);
}

static void test_behind_a_slow_row(void **unused)
{
    uint64_t wake_ms;

    (void)unused;
    prepare(LIMIT_TURN_MS / 2);
    wake_ms = agent_turn(&agent);
    assert_int_equal(wake_ms, clock_ms); /* the next turn is now */
    assert_int_equal(notes, 0);
    cost_ms = 0;
    wake_ms = agent_turn(&agent);
    assert_true(wake_ms > clock_ms);
    assert_int_equal(notes, 1);
    assert_int_equal(agent.longest_turn_ms, LIMIT_TURN_MS / 2);
    assert_int_equal(fed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside_a_quick_row),
                                       cmocka_unit_test(test_behind_a_slow_row)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
