/*
 * test_dad.c - duplicate address detection under each policy, in both families, and the list of resolvers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/dad.h"
#include "net/resolvers.h"
#include "tests/unit/frames.h"

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other[6] = {2, 0, 0, 0, 0, 9};

static struct ndp_claim claim(const struct ip *addr, enum ndp_kind kind)
{
    struct ndp_claim c = {.kind = kind, .addr = *addr};
    memcpy(c.mac, other, 6);
    return c;
}

/* Runs time forward in steps of 1 ms; counts probes. */
static unsigned run(struct dad *d, uint64_t from_ms, uint64_t to_ms)
{
    unsigned probes = 0;
    for (uint64_t now = from_ms; now < to_ms; now++) {
        struct ip addr;
        while (dad_step(d, now, &addr))
            probes++;
    }
    return probes;
}

static void test_policies(void **unused)
{
    static const struct {
        bool optimistic;
        unsigned window_ms;
        enum dad_state first;
    } rows[] = {
        {true, DAD_FULL_MS, DAD_OPTIMISTIC},
        {false, DAD_FULL_MS, DAD_TENTATIVE},
        {false, DAD_SHORT_MS, DAD_TENTATIVE},
    };
    struct ip addr = frames_ip("fd00::1");
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dad d;
        unsigned w = rows[i].window_ms;
        dad_init(&d, rows[i].optimistic, w);
        assert_int_equal(dad_state(&d, &addr), DAD_UNKNOWN);
        assert_int_equal(dad_watch(&d, &addr, 100), OK);
        assert_int_equal(dad_wake_ms(&d), 100);
        assert_int_equal(run(&d, 100, 101), 1);
        assert_int_equal(run(&d, 101, 100 + w - w / 50), DAD_PROBES - 1);
        assert_int_equal(dad_state(&d, &addr), rows[i].first);
        assert_int_equal(run(&d, 100 + w - w / 50, 100 + w + 4), 0);
        assert_int_equal(dad_state(&d, &addr), DAD_DONE);
        assert_true(dad_wake_ms(&d) == UINT64_MAX);
    }
}

static void test_duplicates(void **unused)
{
    static const char *const addrs[] = {"fd00::1", "10.0.0.1"};
    static const uint64_t times[] = {1, 500, 800, 999, 5000, 3600000};
    (void)unused;
    for (size_t i = 0; i < COUNT(addrs); i++) {
        for (size_t t = 0; t < COUNT(times); t++) {
            struct dad d;
            struct ip addr = frames_ip(addrs[i]);
            struct ndp_claim use = claim(&addr, NDP_USE);
            dad_init(&d, true, DAD_FULL_MS);
            assert_int_equal(dad_watch(&d, &addr, 0), OK);
            (void)run(&d, 0, times[t] < 5000 ? times[t] : 5000);
            assert_true(dad_claim(&d, &use, times[t]));
            assert_false(dad_claim(&d, &use, times[t])); /* no longer news */
            assert_int_equal(dad_state(&d, &addr), DAD_DUPLICATE);
            assert_memory_equal(d.entries[0].mac, other, 6);
            /* Probed anew after the pause, not used meanwhile, and good again if the other machine is gone. */
            assert_int_equal(run(&d, times[t], times[t] + DAD_RETRY_MS), 0);
            assert_true(run(&d, times[t] + DAD_RETRY_MS, times[t] + DAD_RETRY_MS + 10) > 0);
            assert_int_equal(dad_state(&d, &addr), DAD_TENTATIVE);
            (void)run(&d, times[t] + DAD_RETRY_MS, times[t] + DAD_RETRY_MS + 2 * DAD_FULL_MS);
            assert_int_equal(dad_state(&d, &addr), DAD_DONE);
        }
    }
}

static void test_probes_of_others(void **unused)
{
    struct ip addr = frames_ip("fd00::1");
    struct ndp_claim probe = claim(&addr, NDP_PROBE);
    struct dad d;
    (void)unused;
    dad_init(&d, true, DAD_FULL_MS);
    assert_int_equal(dad_watch(&d, &addr, 0), OK);
    (void)run(&d, 0, 10);
    assert_true(dad_claim(&d, &probe, 10)); /* both at once: neither may have it */
    dad_init(&d, true, DAD_FULL_MS);
    assert_int_equal(dad_watch(&d, &addr, 0), OK);
    (void)run(&d, 0, 2000);
    assert_false(dad_claim(&d, &probe, 2000)); /* ours: the other gives way */
    assert_int_equal(dad_state(&d, &addr), DAD_DONE);
    struct ip foreign = frames_ip("fd00::2");
    probe = claim(&foreign, NDP_USE);
    assert_false(dad_claim(&d, &probe, 2000));
}

static void test_entries(void **unused)
{
    struct dad d;
    (void)unused;
    dad_init(&d, true, DAD_FULL_MS);
    for (unsigned i = 0; i < DAD_ENTRIES + 1; i++) {
        struct ip addr = {.family = FAMILY_V4, .b = {10, 0, 0, (uint8_t)(i + 1)}};
        assert_int_equal(dad_watch(&d, &addr, 0), i < DAD_ENTRIES ? OK : ERR_NOMEM);
        assert_int_equal(dad_watch(&d, &addr, 0), i < DAD_ENTRIES ? OK : ERR_NOMEM);
    }
    struct ip first = {.family = FAMILY_V4, .b = {10, 0, 0, 1}};
    dad_forget(&d, &first);
    dad_forget(&d, &first);
    assert_int_equal(dad_state(&d, &first), DAD_UNKNOWN);
    assert_int_equal(dad_watch(&d, &first, 0), OK);
}

/* What the frames say. */
static void test_claims(void **unused)
{
    struct ip a = frames_ip("10.0.0.2"), b = frames_ip("10.0.0.1"), zero = frames_ip("0.0.0.0"),
              none = frames_ip("::"), ll = frames_ip("fe80::9"), mine = frames_ip("fe80::1"),
              group = frames_ip("ff02::1:ff00:1"), all = frames_ip("ff02::1");
    uint8_t text[256], inner[128];
    struct ndp_claim c;
    (void)unused;
    struct {
        const struct ip *from;
        bool ns;
        const struct ip *target;
        enum ndp_kind kind;
        const struct ip *addr;
    } rows[] = {
        {&none, true, &mine, NDP_PROBE, &mine},
        {&ll, true, &mine, NDP_USE, &ll},
        {&ll, false, &mine, NDP_USE, &mine},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf f = BUF_OF(text), m = BUF_OF(inner);
        if (rows[i].ns)
            frames_ns(&m, rows[i].target, NULL);
        else
            frames_na(&m, 0x20, rows[i].target, other);
        frames_icmp6(&f, other, us, rows[i].from, rows[i].ns ? &group : &all, 255, buf_span(&m));
        ndp_read_claim(buf_span(&f), &c);
        assert_int_equal(c.kind, rows[i].kind);
        assert_true(ip_eq(&c.addr, rows[i].addr));
        assert_memory_equal(c.mac, other, 6);
    }
    struct buf f = BUF_OF(text);
    frames_arp(&f, other, us, 1, other, &a, &b);
    ndp_read_claim(buf_span(&f), &c);
    assert_true(c.kind == NDP_USE && ip_eq(&c.addr, &a));
    f = BUF_OF(text);
    frames_arp(&f, other, us, 1, other, &zero, &b);
    ndp_read_claim(buf_span(&f), &c);
    assert_true(c.kind == NDP_PROBE && ip_eq(&c.addr, &b));
}

/* Our own probes, compared byte by byte with frames made another way. */
static void test_probe_frames(void **unused)
{
    struct ip v6 = frames_ip("fd00::12:3456"), v4 = frames_ip("10.0.0.7"), zero = frames_ip("0.0.0.0"),
              none = frames_ip("::"), group = frames_ip("ff02::1:ff12:3456"), routers = frames_ip("ff02::2"),
              ll = frames_ip("fe80::1");
    static const uint8_t group_mac[6] = {0x33, 0x33, 0xff, 0x12, 0x34, 0x56},
                         routers_mac[6] = {0x33, 0x33, 0, 0, 0, 2};
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
    uint8_t ours[128], expect[128], inner[64];
    struct buf a, e, m;
    (void)unused;
    a = BUF_OF(ours), e = BUF_OF(expect), m = BUF_OF(inner);
    ndp_put_probe(&a, us, &v6);
    frames_ns(&m, &v6, NULL);
    frames_icmp6(&e, us, group_mac, &none, &group, 255, buf_span(&m));
    assert_true(span_eq(buf_span(&a), buf_span(&e)));
    a = BUF_OF(ours), e = BUF_OF(expect);
    ndp_put_probe(&a, us, &v4);
    frames_arp(&e, us, broadcast, 1, us, &zero, &v4);
    assert_true(span_eq(buf_span(&a), buf_span(&e)));
    for (unsigned with = 0; with < 2; with++) {
        a = BUF_OF(ours), e = BUF_OF(expect), m = BUF_OF(inner);
        ndp_put_router_solicit(&a, us, with ? &ll : NULL);
        frames_u32(&m, 133u << 24);
        frames_u32(&m, 0);
        if (with) {
            frames_u16(&m, 0x0101);
            buf_put(&m, span_of(us, 6));
        }
        frames_icmp6(&e, us, routers_mac, with ? &ll : &none, &routers, 255, buf_span(&m));
        assert_true(a.n <= NDP_FRAME_MAX && span_eq(span_sub(buf_span(&e), 0, a.n), buf_span(&a)));
    }
}

static void test_resolvers(void **unused)
{
    struct resolvers r = {.count = 0};
    struct ip from = frames_ip("fe80::2"), a = frames_ip("fd00::53"), b = frames_ip("10.0.0.53"),
              c = frames_ip("fd00::54"), lo = frames_ip("::1");
    (void)unused;
    resolvers_set(&r, RESOLVERS_RA, &from, &a, 10, 1000);
    resolvers_set(&r, RESOLVERS_RA, &from, &a, 20, 1000); /* renewed, not doubled */
    resolvers_set(&r, RESOLVERS_RA, &from, &lo, 20, 1000);
    resolvers_set(&r, RESOLVERS_DHCP4, &from, &b, UINT32_MAX, 1000);
    resolvers_set(&r, RESOLVERS_STATIC, &from, &c, UINT32_MAX, 1000);
    assert_int_equal(r.count, 3);
    assert_true(ip_eq(&r.list[0].addr, &c)); /* static first */
    assert_true(ip_eq(&r.list[1].addr, &a));
    resolvers_expire(&r, 20999);
    assert_int_equal(r.count, 3);
    resolvers_expire(&r, 21000);
    assert_int_equal(r.count, 2);
    resolvers_set(&r, RESOLVERS_RA, &from, &a, 20, 1000);
    resolvers_set(&r, RESOLVERS_DHCP4, &from, &a, 0, 1000); /* another source cannot take it back */
    assert_int_equal(r.count, 3);
    resolvers_set(&r, RESOLVERS_RA, &from, &a, 0, 1000);
    assert_int_equal(r.count, 2);
    resolvers_drop(&r, RESOLVERS_DHCP4);
    assert_int_equal(r.count, 1);
    for (uint8_t i = 1; i < 20; i++) {
        struct ip many = {.family = FAMILY_V4, .b = {10, 1, 0, i}};
        resolvers_set(&r, RESOLVERS_RA, &from, &many, 20, 1000);
    }
    assert_int_equal(r.count, RESOLVERS_MAX);
    struct ip late = frames_ip("10.2.0.1");
    resolvers_set(&r, RESOLVERS_STATIC, &from, &late, UINT32_MAX, 1000);
    assert_int_equal(r.count, RESOLVERS_MAX);
    assert_true(ip_eq(&r.list[1].addr, &late)); /* a flood does not keep the operator's own out */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),         cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_probes_of_others), cmocka_unit_test(test_entries),
        cmocka_unit_test(test_claims),           cmocka_unit_test(test_probe_frames),
        cmocka_unit_test(test_resolvers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
