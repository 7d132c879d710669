/*
 * test_agent_parts.c - the pure parts of the agent: backoff, time, stored state, journal lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "firmware/agent/backoff.h"
#include "firmware/agent/journal.h"
#include "firmware/agent/state.h"
#include "firmware/base/reclog.h"
#include "firmware/agent/timekeeper.h"

static void test_backoff(void **unused)
{
    static const struct {
        unsigned failures;
        uint32_t low, high;
    } rows[] = {{0, 250, 500},     {1, 250, 500},     {2, 500, 1000},         {3, 1000, 2000},
                {7, 15000, 30000}, {8, 15000, 30000}, {1000000, 15000, 30000}};

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(backoff_ms(rows[i].failures, 0), rows[i].low);
        for (uint32_t r = 0; r < 40000; r += 37) {
            assert_true(backoff_ms(rows[i].failures, r) >= rows[i].low);
            assert_true(backoff_ms(rows[i].failures, r) <= rows[i].high);
        }
        assert_int_equal(backoff_ms(rows[i].failures, rows[i].high - rows[i].low), rows[i].high);
    }
}

static void test_time_never_below_floor(void **unused)
{
    static const int64_t lies[] = {0, -1, 1, 999999999, INT64_MIN};
    struct timekeeper t;

    (void)unused;
    timekeeper_init(&t, 1000000000, 5000);
    for (size_t i = 0; i < COUNT(lies); i++) {
        assert_false(timekeeper_hint(&t, lies[i], 6000));
        assert_false(timekeeper_trust(&t, lies[i], 6000));
        assert_true(timekeeper_now(&t, 6000) >= 1000000000);
    }
    assert_int_equal(t.quality, TIME_FLOOR);
    assert_int_equal(timekeeper_now(&t, 7999), 1000000002);
    timekeeper_raise(&t, 999, 7999);
    assert_int_equal(timekeeper_now(&t, 7999), 1000000002);
    timekeeper_raise(&t, 2000000000, 8000);
    assert_int_equal(timekeeper_now(&t, 8000), 2000000000);
}

static void test_hint_is_dropped_once(void **unused)
{
    struct timekeeper t;

    (void)unused;
    timekeeper_init(&t, 1000, 0);
    assert_false(timekeeper_drop_hint(&t, 0));
    assert_true(timekeeper_hint(&t, 5000, 0));
    assert_int_equal(t.quality, TIME_HINT);
    assert_int_equal(timekeeper_now(&t, 2000), 5002);
    assert_true(timekeeper_drop_hint(&t, 2000));
    assert_int_equal(t.quality, TIME_FLOOR);
    assert_int_equal(timekeeper_now(&t, 2000), 1000);
    assert_false(timekeeper_hint(&t, 5000, 3000));
    assert_true(timekeeper_trust(&t, 1500, 3000));
    assert_int_equal(t.quality, TIME_TRUSTED);
    assert_false(timekeeper_hint(&t, 9000, 3000));
    assert_int_equal(timekeeper_now(&t, 4000), 1501);
}

static void test_least_leaves_a_hint_out(void **unused)
{
    struct timekeeper t;

    (void)unused;
    timekeeper_init(&t, 1000, 0);
    assert_int_equal(timekeeper_least(&t, 1000), 1001);
    assert_true(timekeeper_hint(&t, 5000, 1000));
    assert_int_equal(timekeeper_least(&t, 3000), 1003);
    timekeeper_raise(&t, 2000, 4000);
    assert_int_equal(timekeeper_least(&t, 6000), 2002);
    assert_int_equal(timekeeper_now(&t, 6000), 5005);
    assert_true(timekeeper_trust(&t, 9000, 6000));
    assert_int_equal(timekeeper_least(&t, 7000), 9001);
}

/* Storage in memory with the record log's geometry. */
static uint8_t image[3 * 4096];

static enum err mem_read(void *ctx, uint32_t off, void *ret, uint32_t n)
{
    (void)ctx;
    memcpy(ret, image + off, n);
    return OK;
}

static enum err mem_prog(void *ctx, uint32_t off, const void *p, uint32_t n)
{
    (void)ctx;
    memcpy(image + off, p, n);
    return OK;
}

static enum err mem_erase(void *ctx, uint32_t off, uint32_t n)
{
    (void)ctx;
    memset(image + off, 0xff, n);
    return OK;
}

static enum err mem_sync(void *ctx)
{
    (void)ctx;
    return OK;
}

static const struct storage memory = {.prog_size = 1,
                                      .erase_size = 4096,
                                      .size = sizeof(image),
                                      .read = mem_read,
                                      .prog = mem_prog,
                                      .erase = mem_erase,
                                      .sync = mem_sync};

static enum err save(const struct storage *st, const struct state *s)
{
    struct reclog_job job = {.step = 0};

    return state_save(st, s, &job);
}

static enum err write_record(struct span body)
{
    struct reclog_job job = {.step = 0};

    return reclog_write(&memory, body, &job);
}

static enum err is_used(void *ctx, bool *ret)
{
    (void)ctx;
    *ret = true;
    return OK;
}

/* Stored and read back: ERR_STATE if something is not as it was. */
static enum err round_of(const struct state *s)
{
    struct state got = {0};
    enum err e = save(&memory, s);

    if (e == OK)
        e = state_load(&memory, &got);
    return e == OK && memcmp(&got.node, &s->node, sizeof(got.node)) != 0 ? ERR_STATE : e;
}

static void test_state_round_trip(void **unused)
{
    struct state s = {.accepted = true, .joined = true, .sequence = UINT64_MAX - 1, .issued_s = 1795409451},
                 got;

    (void)unused;
    memset(image, 0xff, sizeof(image));
    memset(s.digest, 0xa5, sizeof(s.digest));
    memset(s.seed, 0x5a, sizeof(s.seed));
    assert_int_equal(state_load(&memory, &got), OK);
    assert_false(got.accepted);
    assert_int_equal(save(&memory, &s), OK);
    assert_int_equal(state_load(&memory, &got), OK);
    assert_true(got.accepted && got.joined);
    assert_int_equal(got.sequence, s.sequence);
    assert_int_equal(got.issued_s, s.issued_s);
    assert_memory_equal(got.digest, s.digest, sizeof(s.digest));
    assert_memory_equal(got.seed, s.seed, sizeof(s.seed));
}

/* The board remembers that there was a record: an erased storage is not a new machine. */
static void test_state_lost(void **unused)
{
    struct storage st = memory;
    struct state got = {.sequence = 99};

    (void)unused;
    memset(image, 0xff, sizeof(image));
    st.is_used = is_used;
    assert_int_equal(state_load(&st, &got), ERR_STORE_LOST);
    assert_int_equal(got.sequence, 99);
    got = (struct state){.accepted = true, .sequence = 1};
    assert_int_equal(save(&st, &got), ERR_STORE_LOST);
    assert_int_equal(state_load(&memory, &got), OK); /* nothing was written */
    assert_false(got.accepted);
}

/* What a second boot needs, with every list full and every list empty. */
static void test_state_of_a_node(void **unused)
{
    static struct state s, got;

    (void)unused;
    memset(&s, 0, sizeof(s));
    memset(image, 0xff, sizeof(image));
    s.joined = s.wiping = s.kubeadm = s.member = true;
    s.attempts = 255;
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(save(&memory, &s), OK);
        assert_int_equal(state_load(&memory, &got), OK);
        assert_true(got.joined && got.wiping && got.kubeadm && got.member && !got.accepted &&
                    got.attempts == 255);
        assert_memory_equal(&got.node, &s.node, sizeof(s.node));
        memset(s.node.host, 'h', sizeof(s.node.host) - 1);
        memset(s.node.node, 'n', sizeof(s.node.node) - 1);
        memset(s.node.cri, 'c', sizeof(s.node.cri) - 1);
        memset(s.node.ca, '/', sizeof(s.node.ca) - 1);
        s.node.families = FAMILIES_BOTH;
        s.node.healthz_port = 65535;
        s.node.ignored = 7;
        assert_int_equal(ip_parse(SPAN_LIT("fd00::8"), &s.node.healthz), OK);
        s.node.fail_swap_on = s.node.v4.given = s.node.v6.given = true;
        s.node.v4.addr_count = s.node.v6.addr_count = NODEJOIN_ADDRS_MAX;
        s.node.v4.dns_count = s.node.v6.dns_count = NODEJOIN_DNS_MAX;
        s.node.node_ip_count = 2;
        assert_int_equal(ip_parse(SPAN_LIT("10.9.8.7"), &s.node.node_ips[0]), OK);
        assert_int_equal(ip_parse(SPAN_LIT("fd00::7"), &s.node.node_ips[1]), OK);
        for (unsigned i = 0; i < NODEJOIN_ADDRS_MAX; i++)
            assert_int_equal(ip_prefix_parse(SPAN_LIT("fd00::7/128"), &s.node.v6.addrs[i]), OK);
    }
    assert_int_equal(round_of(&s), OK);
}

/* A record of version 1 is read: the machine is not resumed, but its sequence stays. */
static void test_state_of_version_1(void **unused)
{
    uint8_t body[84] = {1, 3};
    struct state got = {0};

    (void)unused;
    memset(image, 0xff, sizeof(image));
    body[11] = 9;
    assert_int_equal(write_record(span_of(body, sizeof(body))), OK);
    assert_int_equal(state_load(&memory, &got), OK);
    assert_true(got.accepted && got.joined && got.sequence == 9 && !got.node.node[0]);
    body[1] = 128; /* a flag of some later version */
    assert_int_equal(write_record(span_of(body, sizeof(body))), OK);
    assert_int_equal(state_load(&memory, &got), ERR_STORE_LOST);
    body[1] = 3;
    body[0] = 2; /* without what version 2 goes on with */
    assert_int_equal(write_record(span_of(body, sizeof(body))), OK);
    assert_int_equal(state_load(&memory, &got), ERR_STORE_LOST);
}

/* A record of version 2 is a node's that lets no check be left out. */
static void test_state_of_version_2(void **unused)
{
    static struct state s = {
        .joined = true, .sequence = 9, .node = {.node = "n", .healthz_port = 1, .ignored = 7}};
    struct state got;
    uint8_t body[1024];
    uint64_t seq;
    size_t n = 0;

    (void)unused;
    memset(image, 0xff, sizeof(image));
    assert_int_equal(save(&memory, &s), OK);
    assert_int_equal(reclog_read(&memory, body, sizeof(body), &n, &seq), OK);
    body[0] = 2;
    assert_int_equal(write_record(span_of(body, n - 18)), OK);
    assert_int_equal(state_load(&memory, &got), OK);
    assert_true(got.joined && got.sequence == 9 && got.node.healthz_port == 1 && got.node.ignored == 0);
    assert_string_equal(got.node.node, "n");
    body[0] = 3;
    assert_int_equal(write_record(span_of(body, n - 1)), OK);
    assert_int_equal(state_load(&memory, &got), ERR_STORE_LOST);
}

/* SECURITY P10: whatever byte is damaged, the state is the stored one or lost; never an empty one. */
static void test_state_damage_is_lost(void **unused)
{
    struct state s = {.accepted = true, .sequence = 77}, got;

    (void)unused;
    memset(image, 0xff, sizeof(image));
    assert_int_equal(save(&memory, &s), OK);
    for (size_t i = 0; i < sizeof(image); i++) {
        enum err e;

        image[i] ^= 0x10;
        e = state_load(&memory, &got);
        assert_true((e == OK && got.accepted && got.sequence == 77) || e == ERR_STORE_LOST);
        image[i] ^= 0x10;
    }
}

static void test_state_without_storage(void **unused)
{
    struct state s = {.sequence = 1}, got = {.sequence = 9};

    (void)unused;
    assert_int_equal(save(NULL, &s), OK);
    assert_int_equal(state_load(NULL, &got), OK);
    assert_int_equal(got.sequence, 0);
}

static char console[4096];
static size_t console_n;

static void console_put(void *ctx, struct span text)
{
    (void)ctx;
    assert_true(console_n + text.n < sizeof(console));
    memcpy(console + console_n, text.p, text.n);
    console_n += text.n;
    console[console_n] = 0;
}

static const struct board board = {.console = console_put};

static void test_journal_line(void **unused)
{
    struct journal j;

    (void)unused;
    journal_init(&j, &board);
    console_n = 0;
    journal_begin(&j, 61007, "fetch", "done");
    journal_num(&j, "ms", 84);
    journal_text(&j, "url", "https://a/b?c=d");
    journal_text(&j, "text", "two words \"q\" \\ \n\x7f");
    journal_text(&j, "empty", "");
    journal_end(&j);
    assert_string_equal(
        console,
        "joinboot[61.007] fetch done ms=84 url=\"https://a/b?c=d\" text=\"two words \\\"q\\\" \\\\ \\x0a\\x7f\" empty=\"\"\n");
}

static void test_journal_long_line_is_cut(void **unused)
{
    struct journal j;
    char text[2000];

    (void)unused;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    journal_init(&j, &board);
    console_n = 0;
    journal_begin(&j, 0, "fetch", "note");
    journal_text(&j, "text", text);
    journal_end(&j);
    assert_true(console_n <= LIMIT_JOURNAL_LINE);
    assert_string_equal(console + console_n - 4, "...\n");
}

static void test_journal_fault(void **unused)
{
    struct journal j;
    struct fault f = {0};

    (void)unused;
    journal_init(&j, &board);
    console_n = 0;
    assert_int_equal(fault_at(&f, ERR_CONFIG_FIELD, 7, 3, "nodeRegistration.name", "unknown field"),
                     ERR_CONFIG_FIELD);
    journal_fault(&j, 1000, "parse", &f, 2, 700);
    assert_non_null(strstr(
        console,
        "joinboot[1.000] parse error code=config.field attempt=2 retry_ms=700 text=\"unknown field\" line=7 column=3 "
        "path=nodeRegistration.name\n"));
    assert_non_null(strstr(console, "joinboot[1.000] parse explain what="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_time_never_below_floor),
        cmocka_unit_test(test_hint_is_dropped_once),
        cmocka_unit_test(test_least_leaves_a_hint_out),
        cmocka_unit_test(test_state_round_trip),
        cmocka_unit_test(test_state_lost),
        cmocka_unit_test(test_state_of_a_node),
        cmocka_unit_test(test_state_of_version_1),
        cmocka_unit_test(test_state_of_version_2),
        cmocka_unit_test(test_state_damage_is_lost),
        cmocka_unit_test(test_state_without_storage),
        cmocka_unit_test(test_journal_line),
        cmocka_unit_test(test_journal_long_line_is_cut),
        cmocka_unit_test(test_journal_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
