/*
 * test_slaac.c - following router advertisements: lifetimes, the two-hour rule, routers that come and go, malformed options.
 */
#include "tests/unit/vector.h"

#include <stdlib.h>

#include "net/slaac.h"
#include "tests/unit/frames.h"

enum { AUTONOMOUS = 0xc0, HOUR = 3600 };

static struct slaac slaac;
static uint8_t mem[512];
static struct buf ra;

static void begin(uint32_t valid_s, uint32_t preferred_s)
{
    struct ip_prefix addr = {.addr = frames_ip("2001:db8:1::50"), .len = 64};
    unsigned index;

    slaac = (struct slaac){.addr_count = 0};
    slaac_add_addr(&slaac, &addr, valid_s, preferred_s, 0);
    assert_int_equal(slaac_turn(&slaac, 0, &index), SLAAC_LIFETIME);
    assert_int_equal(slaac_turn(&slaac, 0, &index), SLAAC_NOTHING);
}

static void open_ra(unsigned lifetime_s)
{
    ra = BUF_OF(mem);
    frames_ra(&ra, 0, lifetime_s, NULL);
}

/* Exactly as long as the message, so that ASan sees a read past its end. */
static bool reads(struct slaac_ra *ret)
{
    uint8_t *copy = malloc(ra.n);
    bool good;

    assert_true(ra.n > 0 && copy != NULL);
    memcpy(copy, ra.p, ra.n);
    good = slaac_read(span_of(copy, ra.n), ret);
    free(copy);
    return good;
}

static void hear(uint64_t s, const char *from)
{
    struct ip router = frames_ip(from);
    struct slaac_ra got;

    assert_true(reads(&got));
    slaac_advertised(&slaac, &router, &got, s * 1000);
}

static enum slaac_event turn(uint64_t s)
{
    unsigned index = 99;
    enum slaac_event e = slaac_turn(&slaac, s * 1000, &index);

    if (e != SLAAC_NOTHING && e != SLAAC_ROUTER_LOST)
        assert_int_equal(index, 0);
    return e;
}

static void test_two_hour_rule(void **unused)
{
    static const struct {
        int line;
        uint32_t left_s, said_s, expect_s;
    } rows[] = {
        {ROW, 10 * HOUR, 24 * HOUR, 24 * HOUR}, /* longer than what is left */
        {ROW, 10 * HOUR, 3 * HOUR, 3 * HOUR},   /* shorter, but over two hours */
        {ROW, 10 * HOUR, HOUR, 2 * HOUR},       /* cut to two hours */
        {ROW, 10 * HOUR, 0, 2 * HOUR},
        {ROW, 2 * HOUR, HOUR, 2 * HOUR}, /* two hours or less are left: not cut */
        {ROW, HOUR, HOUR / 2, HOUR},
        {ROW, HOUR, 0, HOUR},
        {ROW, HOUR, HOUR + 1, HOUR + 1}, /* longer than what is left, although below two hours */
        {ROW, HOUR, 2 * HOUR + 1, 2 * HOUR + 1},
        {ROW, UINT32_MAX, 0, 2 * HOUR},
        {ROW, HOUR, UINT32_MAX, UINT32_MAX},
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(rows[i].left_s, 0);
        open_ra(1800);
        frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, rows[i].said_s, 0);
        hear(0, "fe80::1");
        ROW_TRUE(&rows[i], slaac_left_s(slaac.addrs[0].valid_ms, 0) == rows[i].expect_s);
        ROW_TRUE(&rows[i], turn(0) == SLAAC_LIFETIME);
    }
}

static void test_preferred_follows(void **unused)
{
    (void)unused;
    begin(10 * HOUR, 5 * HOUR);
    open_ra(1800);
    frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, 4 * HOUR, 0);
    hear(10, "fe80::1");
    assert_int_equal(slaac_left_s(slaac.addrs[0].preferred_ms, 10000), 0);
    open_ra(1800);
    frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, 4 * HOUR, 100);
    hear(10, "fe80::1");
    assert_int_equal(slaac_left_s(slaac.addrs[0].preferred_ms, 10000), 100);
}

static void test_what_is_not_ours(void **unused)
{
    static const struct {
        int line;
        const char *prefix, *from;
        unsigned flags;
        uint32_t valid_s, preferred_s;
    } rows[] = {
        {ROW, "2001:db8:2::", "fe80::1", AUTONOMOUS, 9 * HOUR, 0},       /* another prefix */
        {ROW, "2001:db8:1::", "fe80::1", 0x80, 9 * HOUR, 0},             /* not for addresses */
        {ROW, "2001:db8:1::", "2001:db8:1::1", AUTONOMOUS, 9 * HOUR, 0}, /* not link-local */
        {ROW, "2001:db8:1::", "fe80::1", AUTONOMOUS, 9, 10},             /* preferred longer than valid */
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(HOUR, 100);
        open_ra(1800);
        frames_ra_prefix(&ra, rows[i].prefix, rows[i].flags, rows[i].valid_s, rows[i].preferred_s);
        hear(0, rows[i].from);
        ROW_TRUE(&rows[i], turn(0) == SLAAC_NOTHING);
        ROW_TRUE(&rows[i], slaac.addrs[0].valid_ms == HOUR * 1000 && slaac.addr_count == 1);
        ROW_TRUE(&rows[i], slaac.router_count == (rows[i].from[0] == 'f'));
    }
    /* A prefix of another length than 64 bits makes no address of Ethernet. */
    begin(HOUR, 100);
    open_ra(1800);
    frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, 9 * HOUR, 0);
    ra.p[ra.n - 30] = 48;
    hear(0, "fe80::1");
    assert_int_equal(turn(0), SLAAC_NOTHING);
}

static void test_expires_and_comes_back(void **unused)
{
    (void)unused;
    begin(100, 50);
    assert_int_equal(slaac_wake_ms(&slaac), 100000);
    assert_int_equal(turn(99), SLAAC_NOTHING);
    assert_int_equal(turn(100), SLAAC_EXPIRED);
    assert_int_equal(turn(100), SLAAC_NOTHING);
    assert_true(slaac_wake_ms(&slaac) == UINT64_MAX);
    open_ra(1800);
    frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, 0, 0);
    hear(150, "fe80::1");
    assert_int_equal(turn(150), SLAAC_NOTHING);
    open_ra(1800);
    frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, 60, 30);
    hear(200, "fe80::1");
    assert_int_equal(turn(200), SLAAC_BACK);
    assert_int_equal(turn(200), SLAAC_NOTHING);
    assert_int_equal(slaac_left_s(slaac.addrs[0].valid_ms, 200000), 60);
}

static void test_for_ever(void **unused)
{
    (void)unused;
    begin(UINT32_MAX, UINT32_MAX);
    assert_true(slaac_wake_ms(&slaac) == UINT64_MAX);
    assert_int_equal(turn(UINT32_MAX), SLAAC_NOTHING);
    assert_true(slaac_left_s(slaac.addrs[0].valid_ms, 7) == UINT32_MAX);
}

static void test_routers(void **unused)
{
    struct ip one = frames_ip("fe80::1"), two = frames_ip("fe80::2");

    (void)unused;
    begin(UINT32_MAX, UINT32_MAX);
    assert_int_equal(turn(0), SLAAC_NOTHING);
    slaac_add_router(&slaac, &one, 30, 0);
    open_ra(60);
    hear(10, "fe80::2");
    assert_int_equal(slaac_router_s(&slaac, &one, 10000), 20);
    assert_int_equal(slaac_router_s(&slaac, &two, 10000), 60);
    assert_int_equal(slaac_wake_ms(&slaac), 30000);
    assert_int_equal(turn(30), SLAAC_NOTHING);
    assert_int_equal(slaac_router_s(&slaac, &one, 30000), 0);
    /* It says itself that it is none any more. */
    open_ra(0);
    hear(40, "fe80::2");
    assert_int_equal(turn(40), SLAAC_ROUTER_LOST);
    assert_int_equal(turn(40), SLAAC_NOTHING);
    open_ra(60);
    hear(50, "fe80::1");
    assert_int_equal(turn(50), SLAAC_NOTHING);
    assert_int_equal(turn(110), SLAAC_ROUTER_LOST);
}

/* More routers than there is room for: the known ones stay, and are not counted twice. */
static void test_many_routers(void **unused)
{
    struct ip ip = frames_ip("fe80::1");

    (void)unused;
    begin(UINT32_MAX, UINT32_MAX);
    for (unsigned i = 0; i < 100; i++) {
        ip.b[15] = (uint8_t)i;
        slaac_add_router(&slaac, &ip, 60, 0);
        slaac_add_router(&slaac, &ip, 60, 0);
    }
    assert_int_equal(slaac.router_count, SLAAC_ROUTERS_MAX);
    assert_int_equal(slaac_router_s(&slaac, &ip, 0), 0);
    ip.b[15] = 0;
    assert_int_equal(slaac_router_s(&slaac, &ip, 0), 60);
}

static void test_reads_resolvers(void **unused)
{
    struct slaac_ra got;

    (void)unused;
    open_ra(1800);
    frames_ra_rdnss(&ra, "2001:db8::53", 77);
    assert_true(reads(&got));
    assert_int_equal(got.rdnss_count, 1);
    assert_int_equal(got.rdnss[0].lifetime_s, 77);
    assert_true(got.lifetime_s == 1800 && got.prefix_count == 0);
}

static void test_malformed(void **unused)
{
    static const struct {
        int line;
        const char *options;
        size_t n;
        bool good;
    } rows[] = {
        {ROW, "", 0, true},
        {ROW, "\x0e\x01\x00\x00\x00\x00\x00\x00", 8, true},  /* an unknown option */
        {ROW, "\x0e\x00\x00\x00\x00\x00\x00\x00", 8, false}, /* of no length: would never end */
        {ROW, "\x0e\x02\x00\x00\x00\x00\x00\x00", 8, false}, /* longer than the message */
        {ROW, "\x0e", 1, false},
        {ROW, "\x03\x01\x40\xc0\x00\x00\x00\x00", 8, false}, /* a prefix of 8 bytes */
        {ROW, "\x19\x01\x00\x00\x00\x00\x00\x00", 8, false}, /* resolvers without one */
        {ROW, "\x19\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16,
         false}, /* half of one */
    };
    struct slaac_ra got;

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        open_ra(1800);
        buf_put(&ra, span_of(rows[i].options, rows[i].n));
        ROW_TRUE(&rows[i], reads(&got) == rows[i].good);
    }
    open_ra(1800);
    ra.p[0] = 133;
    assert_false(reads(&got));
    open_ra(1800);
    ra.p[1] = 1;
    assert_false(reads(&got));
    open_ra(1800);
    ra.n--;
    assert_false(reads(&got));
    /* A prefix length beyond an address. */
    open_ra(1800);
    frames_ra_prefix(&ra, "2001:db8:1::", AUTONOMOUS, 60, 30);
    assert_true(reads(&got));
    ra.p[ra.n - 30] = 129;
    assert_false(reads(&got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_hour_rule),    cmocka_unit_test(test_preferred_follows),
        cmocka_unit_test(test_what_is_not_ours), cmocka_unit_test(test_expires_and_comes_back),
        cmocka_unit_test(test_for_ever),         cmocka_unit_test(test_routers),
        cmocka_unit_test(test_many_routers),     cmocka_unit_test(test_reads_resolvers),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
