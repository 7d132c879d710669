/*
 * test_linux_netlink.c - rtnetlink messages byte by byte, as `ip` sends them for the same addresses and routes (little-endian machines), and as
 * the kernel takes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boards/linux/netlink.h"
#include "firmware/base/text.h"

static void check(const struct netlink_msg *m, const char *hex)
{
    char text[2 * NETLINK_MESSAGE + 1];
    struct buf b = BUF_OF(text);

    text_hex_put(&b, span_of(m->bytes, m->n));
    buf_u8(&b, 0);
    assert_false(m->overflow || b.overflow);
    assert_string_equal(text, hex);
}

static struct ip_prefix prefix(const char *text)
{
    struct ip_prefix p;

    assert_int_equal(ip_prefix_parse(span_str(text), &p), OK);
    return p;
}

static struct host_route route(const char *dst, const char *via)
{
    struct host_route r = {0};

    assert_int_equal(ip_parse(span_str(via), &r.via), OK);
    r.family = r.via.family;
    if (dst)
        r.dst = prefix(dst);
    return r;
}

static void test_addr4(void **state)
{
    struct netlink_msg m;
    struct ip_prefix p = prefix("10.100.0.2/24");

    (void)state;
    netlink_addr_add(&m, 3, &p, 3600);
    check(&m, "44000000"
              "1400"
              "0505"
              "01000000"
              "00000000" /* length, RTM_NEWADDR, request ack create replace, sequence, port */
              "02"
              "18"
              "00"
              "00"
              "03000000" /* AF_INET, /24, flags, universe, link 3 */
              "08000200"
              "0a640002"
              "08000100"
              "0a640002" /* IFA_LOCAL, IFA_ADDRESS */
              "08000400"
              "0a6400ff" /* IFA_BROADCAST */
              "14000600"
              "100e0000"
              "100e0000"
              "0000000000000000"); /* IFA_CACHEINFO: preferred, valid */
}

static void test_addr6(void **state)
{
    struct netlink_msg m;
    struct ip_prefix p = prefix("fd00:1:2:3::3/64");

    (void)state;
    netlink_addr_add(&m, 2, &p, UINT32_MAX);
    check(&m, "5c000000"
              "1400"
              "0505"
              "01000000"
              "00000000"
              "0a"
              "40"
              "00"
              "00"
              "02000000"
              "14000200"
              "fd000001000200030000000000000003"
              "14000100"
              "fd000001000200030000000000000003"
              "14000600"
              "ffffffff"
              "ffffffff"
              "0000000000000000"
              "08000800"
              "02000000"); /* IFA_FLAGS: IFA_F_NODAD */
    netlink_addr_del(&m, 2, &p);
    check(&m, "40000000"
              "1500"
              "0500"
              "01000000"
              "00000000"
              "0a"
              "40"
              "00"
              "00"
              "02000000"
              "14000200"
              "fd000001000200030000000000000003"
              "14000100"
              "fd000001000200030000000000000003");
}

static void test_route(void **state)
{
    struct netlink_msg m;
    struct host_route r = route(NULL, "10.100.0.254");

    (void)state;
    netlink_route_add(&m, 3, &r, false, 0);
    check(&m, "2c000000"
              "1800"
              "0505"
              "01000000"
              "00000000"
              "02"
              "00"
              "00"
              "00"
              "fe"
              "04"
              "00"
              "01"
              "00000000" /* main table, static, universe, unicast */
              "08000500"
              "0a6400fe"
              "08000400"
              "03000000"); /* RTA_GATEWAY, RTA_OIF */
    r = route("2001:db8::/32", "fe80::1");
    netlink_route_add(&m, 3, &r, true, 2048);
    check(&m, "54000000"
              "1800"
              "0505"
              "01000000"
              "00000000"
              "0a"
              "20"
              "00"
              "00"
              "fe"
              "04"
              "00"
              "01"
              "04000000" /* RTNH_F_ONLINK */
              "14000100"
              "20010db8000000000000000000000000"
              "14000500"
              "fe800000000000000000000000000001"
              "08000400"
              "03000000"
              "08000600"
              "00080000");
}

/* Broadcast addresses of odd lengths, and none for point-to-point prefixes (RFC 3021). */
static void test_broadcast(void **state)
{
    static const struct {
        const char *prefix;
        uint8_t last[4];
    } rows[] = {{"10.1.2.3/8", {10, 255, 255, 255}},
                {"172.16.5.9/20", {172, 16, 15, 255}},
                {"192.0.2.5/30", {192, 0, 2, 7}},
                {"10.0.0.1/0", {255, 255, 255, 255}}};
    struct netlink_msg m;
    struct ip_prefix p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        p = prefix(rows[i].prefix);
        netlink_addr_add(&m, 1, &p, 1);
        assert_memory_equal(m.bytes + 44, rows[i].last, 4);
    }
    p = prefix("192.0.2.5/31");
    netlink_addr_add(&m, 1, &p, 1);
    assert_int_equal(m.bytes[42], 6); /* IFA_CACHEINFO follows at once */
}

/* New lifetimes: preferred before valid, and no IFA_F_NODAD, so that an address that had gone is probed. */
static void test_lifetime(void **state)
{
    struct netlink_msg m;
    struct ip_prefix p = prefix("fd00:1:2:3::3/64");

    (void)state;
    netlink_addr_lifetime(&m, 2, &p, 120, 60);
    check(&m, "5c000000"
              "1400"
              "0505"
              "01000000"
              "00000000"
              "0a"
              "40"
              "00"
              "00"
              "02000000"
              "14000200"
              "fd000001000200030000000000000003"
              "14000100"
              "fd000001000200030000000000000003"
              "14000600"
              "3c000000"
              "78000000"
              "0000000000000000" /* IFA_CACHEINFO: preferred, valid */
              "08000800"
              "00000000"); /* IFA_FLAGS */
}

/* An IPv6 route that the kernel drops by itself; IPv4 has no such thing. */
static void test_route_expires(void **state)
{
    struct netlink_msg m, plain;
    struct host_route r = route(NULL, "fe80::1");

    (void)state;
    netlink_route_add(&plain, 2, &r, false, 2048);
    r.expires_s = 1800;
    netlink_route_add(&m, 2, &r, false, 2048);
    assert_int_equal(m.n, plain.n + 8);
    assert_memory_equal(m.bytes + plain.n, "\x08\x00\x17\x00\x08\x07\x00\x00", 8); /* RTA_EXPIRES */
    r = route(NULL, "10.100.0.1");
    netlink_route_add(&plain, 2, &r, false, 0);
    r.expires_s = 1800;
    netlink_route_add(&m, 2, &r, false, 0);
    assert_int_equal(m.n, plain.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addr4), cmocka_unit_test(test_lifetime), cmocka_unit_test(test_route_expires),
        cmocka_unit_test(test_addr6), cmocka_unit_test(test_route),    cmocka_unit_test(test_broadcast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
