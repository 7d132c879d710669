/*
 * test_net.c - lwIP and the modules around it against a scripted link (netpeer.h), in fake time: both families, DAD policies, duplicates, lifetimes,
 * carrier.
 */
#include "tests/unit/testcrypto.h"

#include "net/net.h"
#include "tests/unit/frames.h"
#include "tests/unit/netpeer.h"

static const char slaac[] = "fd00:1::ff:fe00:1"; /* from 02:00:00:00:00:01 */

static void test_both_families_at_once(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    struct net_status s = netpeer_status();
    assert_true(netpeer_is(&s.v4.prefix.addr, "10.0.0.50") && s.v4.prefix.len == 24);
    assert_true(netpeer_is(&s.router4, "10.0.0.1") && netpeer_is(&s.dhcp4_server, "10.0.0.1"));
    assert_true(netpeer_has_addr6(&s, slaac) && netpeer_is(&s.router6, "fe80::2"));
    assert_int_equal(s.v4.state, NET_ADDR_OPTIMISTIC);
    assert_int_equal(s.dns_count, 2);
    assert_int_equal(s.v4.valid_s, 3600);
    assert_int_equal(s.router6_s, 1800);
    assert_false(net_dad_done(&s));
    /* The whole probe: a second from the last address on. */
    assert_false(netpeer_run(990, netpeer_dad_done));
    assert_true(netpeer_run(30, netpeer_dad_done));
    assert_int_equal(netpeer.probes4, 3);
    assert_int_equal(netpeer.probes6, 6); /* link-local and SLAAC */
    assert_int_equal(netpeer.discovers, 1);
    assert_int_equal(netpeer.solicits, 1);
    assert_false(netpeer_status().duplicate);
}

/* No wake time tells of what a frame changed, so a caller that sleeps must know of it. */
static void test_poll_says_that_frames_came(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    assert_false(net_poll(netpeer.now_ms));
    netpeer_claim6("fd00:1::99");
    assert_true(net_poll(netpeer.now_ms));
    assert_false(net_poll(netpeer.now_ms));
}

static void test_policies(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_RFC4862, FAMILIES_BOTH);
    assert_false(netpeer_run(990, netpeer_v6_ready));
    assert_int_equal(netpeer_status().v4.state, NET_ADDR_TENTATIVE);
    assert_true(netpeer_run(1030, netpeer_both_ready));
    net_stop();
    netpeer_reset();
    netpeer_start(NET_DAD_SHORT, FAMILIES_BOTH);
    assert_false(netpeer_run(190, netpeer_v6_ready));
    assert_true(netpeer_run(230, netpeer_both_ready));
}

static void test_duplicate_after_800_ms(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    assert_false(netpeer_run(800, netpeer_is_duplicate));
    netpeer_claim6(slaac);
    assert_true(netpeer_run(1, netpeer_is_duplicate));
    struct net_status s = netpeer_status();
    assert_true(netpeer_is(&s.duplicate_addr, slaac));
    assert_memory_equal(s.duplicate_mac, netpeer_other, 6);
    assert_int_equal(s.v6[0].state, NET_ADDR_DUPLICATE);
    assert_false(net_family_ready(&s, FAMILY_V6, false));
    assert_true(net_family_ready(&s, FAMILY_V4, true));
    /* The other machine leaves: the address is probed anew, and used only after the whole probe. */
    assert_false(netpeer_run(10000, netpeer_v6_ready));
    assert_true(netpeer_run(2000, netpeer_v6_ready));
}

static void test_late_duplicate4(void **unused)
{
    uint8_t frame[100];
    struct buf f = BUF_OF(frame);
    struct ip mine = frames_ip("10.0.0.50"), peer = frames_ip("10.0.0.1");
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(1100, netpeer_dad_done));
    frames_arp(&f, netpeer_mac, netpeer_mac, 1, netpeer_mac, &mine, &peer); /* our own frame, reflected */
    netpeer_inject(buf_span(&f));
    assert_false(netpeer_run(5, netpeer_is_duplicate));
    netpeer_claim4("10.0.0.50");
    assert_true(netpeer_run(5, netpeer_is_duplicate));
    struct net_status s = netpeer_status();
    assert_memory_equal(s.duplicate_mac, netpeer_other, 6);
    assert_false(netpeer_v4_ready(&s));
    assert_int_equal(netpeer.releases, 0);
    assert_false(netpeer_run(9000, netpeer_v4_ready));
    assert_true(netpeer_run(2500, netpeer_v4_ready)); /* RFC 2131: a new lease after ten seconds */
}

static void test_lifetimes(void **unused)
{
    (void)unused;
    netpeer.servers[0].lifetime_s = 5;
    netpeer.servers[0].rdnss_s = 3;
    netpeer.servers[0].dns4 = NULL;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    assert_int_equal(netpeer_status().dns_count, 1);
    netpeer.servers[0].prefix = NULL;
    (void)netpeer_run(3010, NULL);
    assert_int_equal(netpeer_status().dns_count, 0);
    struct net_status s = netpeer_status();
    assert_true(netpeer_v6_ready(&s));
    (void)netpeer_run(3000, NULL);
    s = netpeer_status();
    assert_false(netpeer_v6_ready(&s)); /* the address is there, the router is gone */
    assert_true(net_family_ready(&s, FAMILY_V6, false));
    netpeer.servers[0].prefix = "fd00:1::"; /* solicitations go on for as long as there is no router */
    netpeer.servers[0].lifetime_s = 1800;
    assert_true(netpeer_run(70000, netpeer_v6_ready));
}

static void test_redirect_is_dropped(void **unused)
{
    uint8_t text[64], frame[200];
    struct buf m = BUF_OF(text), f = BUF_OF(frame);
    struct ip router = frames_ip("fe80::2"), us = frames_ip(slaac), evil = frames_ip("fe80::9"),
              dst = frames_ip("fd00:9::9");
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    uint64_t dropped = netpeer_status().frames_dropped, in = netpeer_status().frames_in;
    frames_u32(&m, 137u << 24);
    frames_u32(&m, 0);
    buf_put(&m, span_of(evil.b, 16));
    buf_put(&m, span_of(dst.b, 16));
    frames_icmp6(&f, netpeer.servers[0].mac, netpeer_mac, &router, &us, 255, buf_span(&m));
    netpeer_inject(buf_span(&f));
    (void)netpeer_run(1, NULL);
    assert_int_equal(netpeer_status().frames_dropped, dropped + 1);
    assert_int_equal(netpeer_status().frames_in, in);
}

static void test_carrier(void **unused)
{
    (void)unused;
    netpeer.carrier = false;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_false(netpeer_run(3000, netpeer_both_ready));
    assert_int_equal(netpeer.discovers + netpeer.solicits, 0);
    netpeer.carrier = true;
    assert_true(netpeer_run(105, netpeer_both_ready)); /* the carrier is asked for every 100 ms */
    netpeer.carrier = false;
    (void)netpeer_run(110, NULL);
    struct net_status s = netpeer_status();
    assert_false(s.carrier);
    assert_false(net_family_ready(&s, FAMILY_V4, false) || net_family_ready(&s, FAMILY_V6, false));
    assert_int_equal(s.dns_count, 0);
    /* Another network behind the next carrier. */
    netpeer.servers[0].lease = "10.0.0.77";
    netpeer.servers[0].prefix = "fd00:2::";
    netpeer.carrier = true;
    assert_true(netpeer_run(105, netpeer_both_ready));
    s = netpeer_status();
    assert_true(netpeer_is(&s.v4.prefix.addr, "10.0.0.77") && netpeer_has_addr6(&s, "fd00:2::ff:fe00:1") &&
                !netpeer_has_addr6(&s, slaac));
}

static void test_lost_answers(void **unused)
{
    const char *prefix = netpeer.servers[0].prefix, *lease = netpeer.servers[0].lease;
    (void)unused;
    netpeer.servers[0].prefix = NULL;
    netpeer.servers[0].lease = NULL;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    (void)netpeer_run(100, NULL);
    netpeer.servers[0].prefix = prefix;
    netpeer.servers[0].lease = lease;
    assert_true(netpeer_run(1000, netpeer_both_ready)); /* asked again within a second */
}

static void test_silent_end(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    uint64_t sent = netpeer_status().frames_out;
    net_stop();
    assert_int_equal(netpeer_status().frames_out, 0);
    assert_true(net_wake_ms(netpeer.now_ms) == UINT64_MAX);
    assert_int_equal(netpeer.releases, 0); /* the lease goes over to the kernel */
    assert_true(sent > 0);
}

static void test_one_family(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_V4);
    assert_true(netpeer_run(5, netpeer_v4_ready));
    assert_false(netpeer_run(100, netpeer_v6_ready));
    assert_int_equal(netpeer.solicits, 0);
    net_stop();
    netpeer_reset();
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_V6);
    assert_true(netpeer_run(5, netpeer_v6_ready));
    assert_false(netpeer_run(100, netpeer_v4_ready));
    assert_int_equal(netpeer.discovers, 0);
}

/* A short lease is renewed for as long as the server is there, and ends when it is not. */
static void test_lease(void **unused)
{
    (void)unused;
    netpeer.servers[0].lease_s = 8;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_V4);
    assert_true(netpeer_run(5, netpeer_v4_ready));
    for (unsigned i = 0; i < 60; i++) {
        (void)netpeer_run(1000, NULL);
        struct net_status s = netpeer_status();
        assert_true(netpeer_v4_ready(&s) && s.v4.valid_s > 0 && s.v4.valid_s <= 8);
    }
    assert_int_equal(netpeer.discovers, 1);
    assert_true(netpeer.requests >= 8);
    netpeer.servers[0].lease = NULL;
    (void)netpeer_run(10000, NULL);
    struct net_status s = netpeer_status();
    assert_int_equal(s.v4.state, NET_ADDR_NONE);
    assert_int_equal(s.dns_count, 0);
    netpeer.servers[0].lease = "10.0.0.51";
    assert_true(netpeer_run(9000, netpeer_v4_ready));
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, netpeer_setup, netpeer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_TEST(test_both_families_at_once),
        NET_TEST(test_poll_says_that_frames_came),
        NET_TEST(test_policies),
        NET_TEST(test_duplicate_after_800_ms),
        NET_TEST(test_late_duplicate4),
        NET_TEST(test_lifetimes),
        NET_TEST(test_lease),
        NET_TEST(test_redirect_is_dropped),
        NET_TEST(test_carrier),
        NET_TEST(test_lost_answers),
        NET_TEST(test_silent_end),
        NET_TEST(test_one_family),
    };
    testcrypto_start(1 << 17);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
