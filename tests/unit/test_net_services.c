/*
 * test_net_services.c - what the network of net.h does beyond addresses, against a scripted link (netpeer.h): resolving, static addresses, rogues,
 * floods, ports and sequence numbers.
 */
#include "tests/unit/testcrypto.h"

#include "net/conn.h"
#include "net/dns.h"
#include "tests/unit/frames.h"
#include "tests/unit/netpeer.h"

static const char slaac[] = "fd00:1::ff:fe00:1"; /* from 02:00:00:00:00:01 */

static void check_dns(enum dns_answer a, enum dns_answer aaaa, unsigned count)
{
    unsigned query = 0;
    struct dns_result r;
    assert_int_equal(dns_start(SPAN_LIT("config.lab"), netpeer.now_ms, &query), OK);
    for (unsigned i = 0; i < 20000; i++) {
        dns_result(query, &r);
        if (r.a != DNS_PENDING && r.aaaa != DNS_PENDING)
            break;
        (void)netpeer_run(1, NULL);
    }
    dns_cancel(query);
    dns_cancel(query);
    assert_int_equal(r.a, a);
    assert_int_equal(r.aaaa, aaaa);
    assert_int_equal(r.count, count);
    dns_result(query, &r);
    assert_int_equal(r.a, DNS_FAILED); /* the handle is no longer good */
}

static void test_dns(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    uint64_t before = netpeer.now_ms;
    check_dns(DNS_FOUND, DNS_FOUND, 2);
    assert_true(netpeer.now_ms - before <= 2);
    assert_int_equal(netpeer.queries, 2);
    netpeer.servers[0].a = NULL;
    check_dns(DNS_NONE, DNS_FOUND, 1);
    netpeer.servers[0].aaaa = NULL;
    check_dns(DNS_NONE, DNS_NONE, 0);
    netpeer.servers[0].deaf_dns = true;
    netpeer.queries = 0;
    check_dns(DNS_FAILED, DNS_FAILED, 0);
    assert_int_equal(netpeer.queries, 12);
    for (unsigned i = 0; i < 12; i++) {
        assert_true(netpeer.query_ports[i] >= 49152);
        for (unsigned k = 0; k < i; k++) /* 28 bits of randomness never repeat in twelve messages */
            assert_false(netpeer.query_ports[i] == netpeer.query_ports[k] &&
                         netpeer.query_ids[i] == netpeer.query_ids[k]);
    }
    unsigned literal = 0;
    struct dns_result r;
    assert_int_equal(dns_start(SPAN_LIT("fd00::7"), netpeer.now_ms, &literal), OK);
    dns_result(literal, &r);
    assert_true(r.aaaa == DNS_FOUND && r.a == DNS_NONE && netpeer_is(&r.addrs[0], "fd00::7"));
    dns_cancel(literal);
}

static void test_dns_slots(void **unused)
{
    unsigned query[DNS_QUERIES_MAX + 1];
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_int_equal(dns_start(SPAN_LIT("config.lab"), netpeer.now_ms, &query[0]),
                     ERR_DNS); /* no server yet */
    assert_true(netpeer_run(5, netpeer_both_ready));
    netpeer.servers[0].deaf_dns = true;
    for (unsigned i = 0; i <= DNS_QUERIES_MAX; i++)
        assert_int_equal(dns_start(SPAN_LIT("config.lab"), netpeer.now_ms, &query[i]),
                         i < DNS_QUERIES_MAX ? OK : ERR_NOMEM);
    for (unsigned i = 0; i < DNS_QUERIES_MAX; i++)
        dns_cancel(query[i]);
    netpeer.servers[0].deaf_dns = false;
    check_dns(DNS_FOUND, DNS_FOUND, 2);
}

static void test_stateless_dhcp6(void **unused)
{
    (void)unused;
    netpeer.servers[0].rdnss = NULL;
    netpeer.servers[0].dns4 = NULL;
    netpeer.servers[0].dns6_stateless = "fd00:1::53";
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    (void)netpeer_run(2000, NULL);
    assert_int_equal(netpeer.info_requests, 0); /* the router did not say so */
    net_stop();
    netpeer.servers[0].ra_flags = 0x40;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    (void)netpeer_run(5, NULL);
    struct net_status s = netpeer_status();
    assert_int_equal(netpeer.info_requests, 1);
    assert_int_equal(s.dns_count, 1);
    assert_true(netpeer_is(&s.dns[0], "fd00:1::53"));
}

static void test_static(void **unused)
{
    struct ip_prefix a4, a6, bad;
    struct ip gateway = frames_ip("10.0.0.1"), far = frames_ip("10.9.0.1"), router = frames_ip("fe80::2"),
              dns = frames_ip("10.0.0.1");
    (void)unused;
    assert_int_equal(ip_prefix_parse(SPAN_LIT("10.0.0.60/24"), &a4), OK);
    assert_int_equal(ip_prefix_parse(SPAN_LIT("fd00:1::60/64"), &a6), OK);
    assert_int_equal(ip_prefix_parse(SPAN_LIT("224.0.0.1/24"), &bad), OK);
    assert_int_equal(net_static_addr(&a4, NULL), ERR_STATE);
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(1200, netpeer_dad_done));
    assert_int_equal(net_static_addr(&bad, NULL), ERR_ADDRESS_STATIC);
    assert_int_equal(net_static_addr(&a4, &far), ERR_ADDRESS_STATIC);
    assert_int_equal(net_static_addr(&a4, &gateway), OK);
    assert_int_equal(net_static_addr(&a4, &gateway), OK); /* the same again changes nothing */
    assert_int_equal(net_static_addr(&a6, &router), OK);
    assert_int_equal(net_static_dns(&dns), OK);
    assert_true(netpeer_run(5, netpeer_both_ready));
    struct net_status s = netpeer_status();
    assert_true(s.v4.is_static && netpeer_is(&s.v4.prefix.addr, "10.0.0.60") && s.v4.prefix.len == 24 &&
                netpeer_is(&s.router4, "10.0.0.1"));
    assert_true(netpeer_has_addr6(&s, "fd00:1::60") && netpeer_has_addr6(&s, slaac));
    assert_false(net_dad_done(&s));
    assert_true(netpeer_run(1100, netpeer_dad_done));
    assert_int_equal(netpeer.releases, 0);
    check_dns(DNS_FOUND, DNS_FOUND, 2);
    /* A duplicate of the static address takes it out of use. */
    netpeer_claim4("10.0.0.60");
    assert_true(netpeer_run(5, netpeer_is_duplicate));
    s = netpeer_status();
    assert_false(netpeer_v4_ready(&s));
}

static void test_static_without_servers(void **unused)
{
    struct ip_prefix a4, a6;
    struct ip gateway = frames_ip("10.0.0.1"), router = frames_ip("fe80::2");
    (void)unused;
    netpeer.servers[0].lease = NULL;
    netpeer.servers[0].prefix = NULL;
    assert_int_equal(ip_prefix_parse(SPAN_LIT("10.0.0.60/24"), &a4), OK);
    assert_int_equal(ip_prefix_parse(SPAN_LIT("fd00:1::60/64"), &a6), OK);
    netpeer_start(NET_DAD_RFC4862, 0);
    assert_int_equal(net_static_addr(&a4, &gateway), OK);
    assert_int_equal(net_static_addr(&a6, &router), OK);
    assert_false(netpeer_run(990, netpeer_v4_ready));
    assert_true(netpeer_run(1030, netpeer_dad_done));
    assert_int_equal(netpeer.discovers + netpeer.solicits, 0);
}

/* A rogue that answers first is left behind after it led to a peer that failed verification. */
static void test_rogue_is_left(void **unused)
{
    (void)unused;
    netpeer.servers[1] = netpeer.servers[0];
    netpeer.servers[0] = (struct netpeer_server){
        .mac = {2, 0, 0, 0, 0, 0x66},
        .v4 = "10.0.0.66",
        .ll = "fe80::66",
        .lease = "10.0.0.99",
        .lease_s = 3600,
        .dns4 = "10.0.0.66",
        .prefix = "fd00:66::",
        .rdnss = "fe80::66",
        .lifetime_s = 1800,
        .rdnss_s = 600,
        .a = "10.0.0.66",
        .aaaa = "fd00:66::66",
    };
    netpeer.server_count = 2;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    struct net_status s = netpeer_status();
    assert_true(netpeer_is(&s.dhcp4_server, "10.0.0.66") && netpeer_is(&s.router6, "fe80::66"));
    net_reacquire(FAMILY_V4, netpeer.now_ms);
    net_reacquire(FAMILY_V6, netpeer.now_ms);
    s = netpeer_status();
    assert_false(net_family_ready(&s, FAMILY_V4, false) || net_family_ready(&s, FAMILY_V6, false));
    assert_true(netpeer_run(5, netpeer_both_ready));
    s = netpeer_status();
    assert_true(netpeer_is(&s.dhcp4_server, "10.0.0.1") && netpeer_is(&s.router6, "fe80::2"));
    assert_false(netpeer_has_addr6(&s, "fd00:66::ff:fe00:1"));
    for (unsigned i = 0; i < s.dns_count; i++)
        assert_false(netpeer_is(&s.dns[i], "10.0.0.66") || netpeer_is(&s.dns[i], "fe80::66"));
    /* If the rogue is all there is, it is used again: avoiding somebody never costs the network for good. */
    netpeer.servers[1].lease = NULL;
    netpeer.servers[1].prefix = NULL;
    net_reacquire(FAMILY_V4, netpeer.now_ms);
    net_reacquire(FAMILY_V6, netpeer.now_ms);
    assert_true(netpeer_run(5000, netpeer_both_ready));
}

static void test_ports_and_sequence_numbers(void **unused)
{
    struct ip server = frames_ip("10.0.0.80");
    unsigned increasing = 0;
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    for (unsigned i = 0; i < 8; i++) {
        int id = -1;
        bool pending = false;
        assert_int_equal(transport_lwip.open(&server, 443, &id), OK);
        (void)netpeer_run(1, NULL);
        assert_int_equal(transport_lwip.ready(id, &pending), ERR_STATE);
        assert_true(pending);
        transport_lwip.close(id);
        transport_lwip.close(id);
    }
    assert_int_equal(netpeer.syns, 8);
    for (unsigned i = 1; i < 8; i++) {
        assert_true(netpeer.syn_ports[i] >= 49152);
        assert_int_not_equal(netpeer.syn_ports[i], netpeer.syn_ports[i - 1] + 1);
        increasing += netpeer.syn_isns[i] - netpeer.syn_isns[i - 1] < 1u << 24;
    }
    assert_true(increasing < 4); /* other ports, other sequence number spaces */
    int ids[5];
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(transport_lwip.open(&server, 443, &ids[i]), i < 4 ? OK : ERR_NOMEM);
    for (unsigned i = 0; i < 4; i++)
        transport_lwip.close(ids[i]);
}

static uint32_t noise_state;

static uint8_t noise(void)
{
    noise_state = noise_state * 1664525u + 1013904223u;
    return (uint8_t)(noise_state >> 24);
}

/* Hostile frames, well-formed enough to pass the guard more often than not: advertisements, claims, DHCP, DNS and TCP from random senders. */
static void flood_frame(void)
{
    uint8_t text[300], frame[500], mac[6] = {2, noise(), noise(), noise(), noise(), noise()};
    struct buf m = BUF_OF(text), f = BUF_OF(frame);
    struct ip ll = frames_ip("fe80::"), v4 = frames_ip("10.0.0.0"), me6 = frames_ip(slaac),
              me4 = frames_ip("10.0.0.50"), all = frames_ip("ff02::1");
    ll.b[14] = noise();
    ll.b[15] = (uint8_t)(noise() | 1);
    v4.b[3] = (uint8_t)(100 + noise() % 100);
    switch (noise() % 6) {
    case 0:
        frames_ra(&m, noise(), noise(), mac);
        frames_ra_prefix(&m, noise() & 1 ? "fd00:dead::" : "fd00:beef::", noise(), noise(), noise());
        frames_ra_rdnss(&m, "fd00:dead::53", noise());
        frames_icmp6(&f, mac, netpeer_mac, &ll, &all, 255, buf_span(&m));
        break;
    case 1:
        frames_ns(&m, &me6, mac);
        frames_icmp6(&f, mac, netpeer_mac, &ll, &me6, 255, buf_span(&m));
        break;
    case 2:
        frames_na(&m, 0x60, &ll, mac);
        frames_icmp6(&f, mac, netpeer_mac, &ll, &me6, 255, buf_span(&m));
        break;
    case 3:
        frames_arp(&f, mac, netpeer_mac, noise() % 2 + 1, mac, &v4, &me4);
        break;
    case 4:
        for (unsigned i = 0; i < 250; i++)
            buf_u8(&m, noise());
        frames_udp(&f, mac, netpeer_mac, &v4, &me4, noise() & 1 ? 53 : 67,
                   noise() & 1 ? 68 : 49152u + noise(), buf_span(&m));
        break;
    default:
        for (unsigned i = 0; i < 40; i++)
            buf_u8(&m, noise());
        frames_ipv4(&f, mac, netpeer_mac, &v4, &me4, noise() & 1 ? 6 : 1, buf_span(&m));
        break;
    }
    if (noise() % 4 == 0)
        f.p[noise() % f.n] = noise();
    netpeer_inject(buf_span(&f));
}

/* A flood does no lasting harm: once the agent starts both families anew, they and the resolver work within ten seconds. */
static void test_flood(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned ms = 0; ms < 500; ms++) {
            for (unsigned i = 0; i < 8; i++)
                flood_frame();
            (void)netpeer_run(0, NULL);
            netpeer.now_ms++;
        }
    }
    net_reacquire(FAMILY_V4, netpeer.now_ms);
    net_reacquire(FAMILY_V6, netpeer.now_ms);
    assert_true(netpeer_run(10000, netpeer_both_ready));
    struct net_status s = netpeer_status();
    assert_true(netpeer_is(&s.router4, "10.0.0.1"));
    assert_true(netpeer_is(&s.router6, "fe80::2"));
    check_dns(DNS_FOUND, DNS_FOUND, 2);
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, netpeer_setup, netpeer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_TEST(test_dns),
        NET_TEST(test_dns_slots),
        NET_TEST(test_stateless_dhcp6),
        NET_TEST(test_static),
        NET_TEST(test_static_without_servers),
        NET_TEST(test_rogue_is_left),
        NET_TEST(test_ports_and_sequence_numbers),
        NET_TEST(test_flood),
    };
    testcrypto_start(1 << 17);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
