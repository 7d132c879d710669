/*
 * test_hostlink.c - a BMC's link to its host (net/hostlink.c, net/dhcp4_server.c): what it answers, the one thing that it lets pass, and that
 * nothing which could change a route, a resolver, a neighbor or an address gets any further.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/hostlink.h"
#include "net/lease_msg.h"
#include "net/ndp.h"
#include "tests/unit/frames.h"
#include "tests/unit/testcrypto.h"

static const uint8_t bmc_mac[6] = {2, 0, 0, 0, 0, 2}, host_mac[6] = {2, 0, 0, 0, 0x0c, 1};
static const uint8_t all_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                     nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static struct hostlink link;

static uint8_t frame_mem[1600], answer_mem[HOSTLINK_FRAME_MAX];
static struct buf frame, answer;

static int setup(void **unused)
{
    (void)unused;
    frame = BUF_OF(frame_mem);
    answer = BUF_OF(answer_mem);
    return 0;
}

static int group(void **unused)
{
    (void)unused;
    testcrypto_start(160 * 1024);
    return hostlink_init(&link, bmc_mac) == OK ? 0 : -1;
}

static enum hostlink_verdict judged(void)
{
    answer.n = 0;
    while (frame.n < 60)
        buf_u8(&frame, 0);
    return hostlink_frame(&link, buf_span(&frame), &answer);
}

/* A TCP segment with these flags, to this port. */
static void tcp(const char *from, const char *to, unsigned port, unsigned flags)
{
    struct ip src = frames_ip(from), dst = frames_ip(to);
    uint8_t mem[20];
    struct buf b = BUF_OF(mem);

    frames_u16(&b, 40000);
    frames_u16(&b, port);
    frames_u32(&b, 1);
    frames_u32(&b, 0);
    frames_u16(&b, 0x5000 | flags);
    frames_u16(&b, 1000);
    frames_u32(&b, 0);
    frame.n = 0;
    frames_tcp(&frame, host_mac, bmc_mac, &src, &dst, buf_span(&b));
}

static const char *ula(unsigned last)
{
    static char text[IP_TEXT_MAX];
    struct ip ip = link.ula;

    ip.b[15] = (uint8_t)last;
    return ip_text(&ip, text);
}

static void test_tcp_to_its_port_only(void **unused)
{
    uint16_t port;

    (void)unused;
    tcp("169.254.106.2", "169.254.106.1", 80, 2);
    assert_int_equal(judged(), HOSTLINK_TCP);
    assert_true(hostlink_is_syn(buf_span(&frame), &port));
    tcp("fe80::c01", "fe80::6a62:1", 80, 0x12);
    assert_int_equal(judged(), HOSTLINK_TCP);
    assert_false(hostlink_is_syn(buf_span(&frame), &port));
    char to[IP_TEXT_MAX];
    (void)ip_text(&link.ula, to);
    tcp(ula(7), to, 80, 2);
    assert_int_equal(judged(), HOSTLINK_TCP);

    static const struct {
        const char *from, *to;
        unsigned port;
    } others[] = {
        {"169.254.106.2", "169.254.106.1", 443}, {"169.254.106.3", "169.254.106.1", 80},
        {"10.0.0.1", "169.254.106.1", 80},       {"169.254.106.2", "10.0.0.50", 80},
        {"169.254.106.1", "169.254.106.1", 80},  {"fe80::c01", "fe80::6a62:1", 22},
        {"2001:db8::1", "fe80::6a62:1", 80},     {"fd00:1::80", "fe80::6a62:1", 80},
        {"fe80::c01", "fd00:1::ff:fe00:1", 80},  {"fe80::6a62:1", "fe80::6a62:1", 80},
        {"fe80::c01", "fe80::ff:fe00:2", 80},
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        tcp(others[i].from, others[i].to, others[i].port, 2);
        if (judged() != HOSTLINK_DROP)
            fail_msg("%s to %s port %u", others[i].from, others[i].to, others[i].port);
    }
    /* For another machine's MAC, or from a group's. */
    tcp("169.254.106.2", "169.254.106.1", 80, 2);
    frame_mem[5] ^= 4;
    assert_int_equal(judged(), HOSTLINK_DROP);
    frame_mem[5] ^= 4;
    frame_mem[6] |= 1;
    assert_int_equal(judged(), HOSTLINK_DROP);
}

static void test_arp(void **unused)
{
    struct ip host = frames_ip("169.254.106.2"), bmc = frames_ip("169.254.106.1"),
              none = {.family = FAMILY_V4};
    struct ip other = frames_ip("10.0.0.50");

    (void)unused;
    frames_arp(&frame, host_mac, all_mac, 1, host_mac, &host, &bmc);
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_memory_equal(answer_mem, host_mac, 6);
    assert_memory_equal(answer_mem + 22, bmc_mac, 6);
    assert_memory_equal(answer_mem + 28, bmc.b, 4);
    frame.n = 0;
    frames_arp(&frame, host_mac, all_mac, 1, host_mac, &none, &bmc);
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    frame.n = 0;
    frames_arp(&frame, host_mac, all_mac, 1, host_mac, &host, &other);
    assert_int_equal(judged(), HOSTLINK_DROP);
    frame.n = 0;
    frames_arp(&frame, host_mac, bmc_mac, 2, host_mac, &host, &bmc);
    assert_int_equal(judged(), HOSTLINK_DROP);
    frame.n = 0;
    frames_arp(&frame, host_mac, all_mac, 1, host_mac, &other, &bmc);
    assert_int_equal(judged(), HOSTLINK_DROP);
}

static void ns(const char *from, const struct ip *target)
{
    uint8_t mem[64];
    struct buf b = BUF_OF(mem);
    struct ip src = frames_ip(from);

    frames_ns(&b, target, ip_is_zero(&src) ? NULL : host_mac);
    frame.n = 0;
    frames_icmp6(&frame, host_mac, nodes_mac, &src, target, 255, buf_span(&b));
    /* A solicitation goes to the group of its target. */
    struct ip group_addr = frames_ip("ff02::1:ff62:1");
    frame.n = 0;
    frames_icmp6(&frame, host_mac, nodes_mac, &src, &group_addr, 255, buf_span(&b));
}

static void test_neighbors(void **unused)
{
    struct ndp_claim claim;
    struct ip other = frames_ip("fd00:1::ff:fe00:1");

    (void)unused;
    ns("fe80::c01", &link.link_local);
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    ndp_read_claim(buf_span(&answer), &claim);
    assert_int_equal(claim.kind, NDP_USE);
    assert_true(ip_eq(&claim.addr, &link.link_local));
    assert_memory_equal(answer_mem, host_mac, 6);
    ns("::", &link.ula); /* duplicate address detection */
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_memory_equal(answer_mem, nodes_mac, 6);
    ns("fe80::c01", &other); /* the BMC's address on the other link is none here */
    assert_int_equal(judged(), HOSTLINK_DROP);
    ns("fd00:1::2", &link.link_local); /* nobody of the other link is here */
    assert_int_equal(judged(), HOSTLINK_DROP);
    ns("fe80::c01", &link.link_local);
    frame_mem[14 + 40 + 3] ^= 1; /* its checksum */
    assert_int_equal(judged(), HOSTLINK_DROP);
}

static void test_advertises_no_router(void **unused)
{
    static const uint8_t rs[8] = {133};
    struct ip src = frames_ip("fe80::c01"), all = frames_ip("ff02::2");
    struct hostlink again;
    struct ndp_ra ra;

    (void)unused;
    frames_icmp6(&frame, host_mac, nodes_mac, &src, &all, 255, span_of(rs, sizeof(rs)));
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_true(ndp_read_ra(buf_span(&answer), &ra));
    assert_int_equal(ra.lifetime_s, 0);
    assert_int_equal(ra.rdnss_count, 0);
    assert_false(ra.managed || ra.other);
    assert_true(ip_eq(&ra.router, &link.link_local));
    /* The prefix: /64, on link and autonomous, a ULA, the same one for this MAC always. */
    const uint8_t *prefix = answer_mem + 14 + 40 + 16 + 8;
    assert_int_equal(prefix[0], 3);
    assert_int_equal(prefix[2], 64);
    assert_int_equal(prefix[3], 0xc0);
    assert_int_equal(prefix[16], 0xfd);
    assert_memory_equal(prefix + 16, link.ula.b, 8);
    assert_int_equal(hostlink_init(&again, bmc_mac), OK);
    assert_memory_equal(&again, &link, sizeof(link));
    assert_int_equal(hostlink_init(&again, host_mac), OK);
    assert_memory_not_equal(again.ula.b, link.ula.b, 8);
    frame.n = 0;
    frames_icmp6(&frame, host_mac, nodes_mac, &src, &all, 64, span_of(rs, sizeof(rs)));
    assert_int_equal(judged(), HOSTLINK_DROP);
}

/* What the host could steer with. */
static void test_steering_is_dropped(void **unused)
{
    struct ip src = frames_ip("fe80::c01"), all = frames_ip("ff02::1"), host = frames_ip("169.254.106.2");
    struct ip bmc = frames_ip("169.254.106.1"), router = frames_ip("fe80::2");
    uint8_t mem[600];
    struct buf b = BUF_OF(mem);
    static const uint8_t redirect6[40] = {137}, redirect4[28] = {5}, echo[8] = {8};

    (void)unused;
    frames_ra(&b, 0, 1800, host_mac);
    frames_ra_prefix(&b, "2001:db8:66::", 0xc0, 3600, 3600);
    frames_ra_rdnss(&b, "2001:db8:66::53", 3600);
    frames_icmp6(&frame, host_mac, nodes_mac, &src, &all, 255, buf_span(&b));
    assert_int_equal(judged(), HOSTLINK_DROP);
    b.n = frame.n = 0;
    frames_na(&b, 0x20, &router, host_mac);
    frames_icmp6(&frame, host_mac, nodes_mac, &src, &all, 255, buf_span(&b));
    assert_int_equal(judged(), HOSTLINK_DROP);
    frame.n = 0;
    frames_icmp6(&frame, host_mac, bmc_mac, &src, &link.link_local, 255,
                 span_of(redirect6, sizeof(redirect6)));
    assert_int_equal(judged(), HOSTLINK_DROP);
    frame.n = 0;
    frames_ipv4(&frame, host_mac, bmc_mac, &host, &bmc, 1, span_of(redirect4, sizeof(redirect4)));
    assert_int_equal(judged(), HOSTLINK_DROP);
    frame.n = 0;
    frames_ipv4(&frame, host_mac, bmc_mac, &host, &bmc, 1, span_of(echo, sizeof(echo)));
    assert_int_equal(judged(), HOSTLINK_DROP);
    static const unsigned ports[][2] = {{67, 68}, {53, 40000}, {547, 546}, {68, 68}, {67, 67}};
    for (size_t i = 0; i < COUNT(ports); i++) {
        frame.n = 0;
        memset(mem, 0, sizeof(mem));
        frames_udp(&frame, host_mac, bmc_mac, &host, &bmc, ports[i][0], ports[i][1], span_of(mem, 300));
        assert_int_equal(judged(), HOSTLINK_DROP);
    }
}

/* A message of a client, as the agent itself and as every other client sends it. */
static void dhcp(enum lease_type type, const struct ip *wanted, const struct ip *server,
                 const struct ip *ciaddr)
{
    struct lease_msg m = {.type = type,
                          .xid = 0x12345678,
                          .mac = host_mac,
                          .ciaddr = ciaddr,
                          .wanted = wanted,
                          .server = server};
    struct ip from = {.family = FAMILY_V4}, to = frames_ip("255.255.255.255");
    uint8_t mem[400];
    struct buf b = BUF_OF(mem);

    lease_msg_put(&b, &m);
    frame.n = 0;
    frames_udp(&frame, host_mac, all_mac, ciaddr ? ciaddr : &from, &to, 68, 67, buf_span(&b));
}

static bool granted(enum lease_type *ret, struct lease_grant *ret_grant)
{
    struct span a = span_sub(buf_span(&answer), 14 + 20 + 8, answer.n);

    return lease_msg_read(a, 0x12345678, host_mac, ret, ret_grant);
}

/* The data of the answer's only option of this code; none, or more than one: no bytes. */
static struct span option(unsigned code)
{
    struct span a = span_sub(buf_span(&answer), 14 + 20 + 8 + 240, answer.n), data = {.n = 0};
    unsigned found = 0;

    for (size_t off = 0; off < a.n && a.p[off] != 255; off += 2u + a.p[off + 1]) {
        if (a.p[off] == code && ++found == 1)
            data = span_sub(a, off + 2, a.p[off + 1]);
    }
    return found == 1 ? data : (struct span){.n = 0};
}

/* Offer and acknowledgement name the BMC as the web server to ask, and nobody as a router or a resolver. */
static void test_dhcp_names_the_bmc(void **unused)
{
    struct ip host = frames_ip("169.254.106.2"), other = frames_ip("10.0.0.9");

    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        dhcp(i ? LEASE_REQUEST : LEASE_DISCOVER, i ? &host : NULL, NULL, NULL);
        assert_int_equal(judged(), HOSTLINK_ANSWER);
        assert_int_equal(option(72).n, 4);
        assert_memory_equal(option(72).p, link.v4.server.b, 4);
        assert_int_equal(option(3).n + option(6).n, 0);
    }
    dhcp(LEASE_REQUEST, &other, NULL, NULL);
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_int_equal(option(53).n, 1);
    assert_int_equal(option(72).n, 0);
}

static void test_dhcp(void **unused)
{
    struct ip host = frames_ip("169.254.106.2"), bmc = frames_ip("169.254.106.1"),
              other = frames_ip("10.0.0.9");
    enum lease_type type;
    struct lease_grant g;

    (void)unused;
    dhcp(LEASE_DISCOVER, NULL, NULL, NULL);
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_true(granted(&type, &g));
    assert_int_equal(type, LEASE_OFFER);
    assert_true(ip_eq(&g.addr, &host) && ip_eq(&g.server, &bmc));
    assert_int_equal(g.router.family, FAMILY_NONE);
    assert_int_equal(g.dns_count, 0);
    assert_int_equal(g.lease_s, DHCP4_SERVER_LEASE_S);
    dhcp(LEASE_REQUEST, &host, &bmc, NULL);
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_true(granted(&type, &g) && type == LEASE_ACK);
    dhcp(LEASE_REQUEST, NULL, NULL, &host); /* renewal */
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_true(granted(&type, &g) && type == LEASE_ACK);
    dhcp(LEASE_REQUEST, &other, NULL, NULL); /* an address of another network, after a reboot */
    assert_int_equal(judged(), HOSTLINK_ANSWER);
    assert_true(granted(&type, &g) && type == LEASE_NAK);
    dhcp(LEASE_REQUEST, &host, &other, NULL); /* it has chosen another server */
    assert_int_equal(judged(), HOSTLINK_DROP);
    dhcp((enum lease_type)4, &host, &bmc, NULL); /* DECLINE */
    assert_int_equal(judged(), HOSTLINK_DROP);
    dhcp(LEASE_DISCOVER, NULL, NULL, NULL);
    frame_mem[14 + 20 + 8 + 28] ^= 2; /* chaddr of somebody else */
    assert_int_equal(judged(), HOSTLINK_DROP);
}

/* Every byte of an answered message, cut off and changed: the verdict may change, nothing else happens (ASan). */
static void test_cut_and_changed(void **unused)
{
    uint8_t whole[1600];
    size_t n;

    (void)unused;
    dhcp(LEASE_DISCOVER, NULL, NULL, NULL);
    n = frame.n;
    memcpy(whole, frame_mem, n);
    for (size_t i = 0; i < n; i++) {
        memcpy(frame_mem, whole, n);
        frame.n = i;
        (void)judged();
        memcpy(frame_mem, whole, n);
        frame.n = n;
        frame_mem[i] ^= 0xff;
        (void)judged();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_tcp_to_its_port_only, setup),
        cmocka_unit_test_setup(test_arp, setup),
        cmocka_unit_test_setup(test_neighbors, setup),
        cmocka_unit_test_setup(test_advertises_no_router, setup),
        cmocka_unit_test_setup(test_steering_is_dropped, setup),
        cmocka_unit_test_setup(test_dhcp, setup),
        cmocka_unit_test_setup(test_dhcp_names_the_bmc, setup),
        cmocka_unit_test_setup(test_cut_and_changed, setup),
    };

    return cmocka_run_group_tests_name("hostlink", tests, group, NULL);
}
