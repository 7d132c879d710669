/*
 * test_ip.c - addresses, prefixes and host:port in text, and the kinds of address.
 */
#include "tests/unit/vector.h"

#include "firmware/base/ip.h"

static void addresses(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        const char *want; /* NULL: refused */
    } rows[] = {
        {ROW, "0.0.0.0", "0.0.0.0"},
        {ROW, "10.100.0.1", "10.100.0.1"},
        {ROW, "255.255.255.255", "255.255.255.255"},
        {ROW, "", NULL},
        {ROW, "1", NULL},
        {ROW, "1.2.3", NULL},
        {ROW, "1.2.3.4.5", NULL},
        {ROW, "1.2.3.", NULL},
        {ROW, ".1.2.3", NULL},
        {ROW, "1..2.3", NULL},
        {ROW, "1.2.3.256", NULL},
        {ROW, "01.2.3.4", NULL},
        {ROW, "1.2.3.00", NULL},
        {ROW, "1.2.3.4 ", NULL},
        {ROW, " 1.2.3.4", NULL},
        {ROW, "1.2.3.-4", NULL},
        {ROW, "0x1.2.3.4", NULL},
        {ROW, "::", "::"},
        {ROW, "::1", "::1"},
        {ROW, "1::", "1::"},
        {ROW, "fd00:1:2:3::3", "fd00:1:2:3::3"},
        {ROW, "2001:DB8::A", "2001:db8::a"},
        {ROW, "2001:0db8:0:0:0:0:0:1", "2001:db8::1"},
        {ROW, "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {ROW, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {ROW, "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {ROW, "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {ROW, "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {ROW, "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {ROW, "1:0:0:4:5:6:0:0", "1::4:5:6:0:0"},
        {ROW, "::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {ROW, "::FFFF:102:304", "::ffff:1.2.3.4"},
        {ROW, "64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {ROW, "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {ROW, "1:2:3:4:5:6:7:1.2.3.4", NULL},
        {ROW, "1.2.3.4::", NULL},
        {ROW, "1.2.3.4:5:6:7:8:9:a", NULL},
        {ROW, "::1.2.3.4:5", NULL},
        {ROW, "::1.2.3", NULL},
        {ROW, "1:2:3:4:5:6:7", NULL},
        {ROW, "1:2:3:4:5:6:7:8:9", NULL},
        {ROW, "1:2:3:4::5:6:7:8", NULL},
        {ROW, "1::2::3", NULL},
        {ROW, ":::", NULL},
        {ROW, "1:::2", NULL},
        {ROW, ":1", NULL},
        {ROW, "1:", NULL},
        {ROW, ":", NULL},
        {ROW, "::1:", NULL},
        {ROW, ":1::", NULL},
        {ROW, "12345::", NULL},
        {ROW, "00001::", NULL},
        {ROW, "g::", NULL},
        {ROW, "fe80::1%eth0", NULL},
        {ROW, "[::1]", NULL},
        {ROW, "::1/128", NULL},
        {ROW, "::1 ", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[IP_TEXT_MAX];
        struct ip ip = {.family = FAMILY_NONE};
        struct ip again;
        ROW_TRUE(&rows[i], (ip_parse(span_str(rows[i].text), &ip) == OK) == (rows[i].want != NULL));
        if (!rows[i].want) {
            ROW_TRUE(&rows[i], ip.family == FAMILY_NONE);
            continue;
        }
        ROW_TRUE(&rows[i], strcmp(ip_text(&ip, text), rows[i].want) == 0);
        ROW_TRUE(&rows[i], ip_parse(span_str(text), &again) == OK && ip_eq(&ip, &again));
    }
}

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(span_str(text), &ip), OK);
    return ip;
}

static void kinds(void **state)
{
    (void)state;
    enum { ZERO = 1, LOOPBACK = 2, LINK = 4, MULTICAST = 8, USABLE = 16, NONE = 0 };
    static const struct {
        int line;
        const char *text;
        unsigned kind;
    } rows[] = {
        {ROW, "0.0.0.0", ZERO},           {ROW, "0.0.0.1", USABLE},
        {ROW, "10.100.0.2", USABLE},      {ROW, "127.0.0.1", LOOPBACK},
        {ROW, "127.255.0.1", LOOPBACK},   {ROW, "128.0.0.1", USABLE},
        {ROW, "169.254.1.1", LINK},       {ROW, "169.253.1.1", USABLE},
        {ROW, "223.255.255.255", USABLE}, {ROW, "224.0.0.1", MULTICAST},
        {ROW, "239.1.1.1", MULTICAST},    {ROW, "240.0.0.1", USABLE},
        {ROW, "255.255.255.255", NONE},   {ROW, "::", ZERO},
        {ROW, "::1", LOOPBACK},           {ROW, "::2", USABLE},
        {ROW, "fd00::1", USABLE},         {ROW, "fe80::1", LINK},
        {ROW, "febf::1", LINK},           {ROW, "fec0::1", USABLE},
        {ROW, "ff02::1", MULTICAST},      {ROW, "fe00::1", USABLE},
        {ROW, "2001:db8::1", USABLE},     {ROW, "::ffff:10.0.0.1", NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ip ip = ip_of(rows[i].text);
        ROW_TRUE(&rows[i], ip_is_zero(&ip) == (rows[i].kind == ZERO));
        ROW_TRUE(&rows[i], ip_is_loopback(&ip) == (rows[i].kind == LOOPBACK));
        ROW_TRUE(&rows[i], ip_is_link_local(&ip) == (rows[i].kind == LINK));
        ROW_TRUE(&rows[i], ip_is_multicast(&ip) == (rows[i].kind == MULTICAST));
        ROW_TRUE(&rows[i], ip_is_usable(&ip) == (rows[i].kind == USABLE));
    }
    struct ip none = {.family = FAMILY_NONE};
    assert_false(ip_is_usable(&none));
    assert_true(ip_eq(&none, &none));
}

static void equality(void **state)
{
    (void)state;
    struct ip a = ip_of("10.0.0.1");
    struct ip b = a;
    memset(b.b + 4, 0xff, 12); /* bytes that an IPv4 address does not use */
    assert_true(ip_eq(&a, &b));
    b.b[3] ^= 1;
    assert_false(ip_eq(&a, &b));
    struct ip v6 = ip_of("::");
    struct ip v4 = ip_of("0.0.0.0");
    assert_false(ip_eq(&v6, &v4));
}

static void prefixes(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *prefix, *addr;
        int want; /* -1: the prefix is refused */
    } rows[] = {
        {ROW, "10.0.0.0/8", "10.255.0.1", 1},
        {ROW, "10.0.0.0/8", "11.0.0.1", 0},
        {ROW, "10.1.2.3/31", "10.1.2.2", 1},
        {ROW, "10.1.2.3/32", "10.1.2.2", 0},
        {ROW, "0.0.0.0/0", "1.2.3.4", 1},
        {ROW, "0.0.0.0/0", "::1", 0},
        {ROW, "2001:db8:42:1::/112", "2001:db8:42:1::ffff", 1},
        {ROW, "2001:db8:42:1::/112", "2001:db8:42:1::1:0", 0},
        {ROW, "fd00::/7", "fc00::1", 1},
        {ROW, "::/0", "ff02::1", 1},
        {ROW, "::1/128", "::1", 1},
        {ROW, "10.0.0.0/33", "::", -1},
        {ROW, "::/129", "::", -1},
        {ROW, "10.0.0.0/08", "::", -1},
        {ROW, "10.0.0.0/", "::", -1},
        {ROW, "10.0.0.0", "::", -1},
        {ROW, "/8", "::", -1},
        {ROW, "10.0.0.0/8/8", "::", -1},
        {ROW, "10.0.0.0/-1", "::", -1},
        {ROW, "10.0.0.0/8 ", "::", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ip_prefix p;
        struct ip a = ip_of(rows[i].addr);
        char text[IP_TEXT_MAX];
        ROW_TRUE(&rows[i], (ip_prefix_parse(span_str(rows[i].prefix), &p) == OK) == (rows[i].want >= 0));
        if (rows[i].want < 0)
            continue;
        ROW_TRUE(&rows[i], ip_in_prefix(&a, &p) == (rows[i].want == 1));
        ROW_TRUE(&rows[i], strcmp(ip_prefix_text(&p, text), rows[i].prefix) == 0);
    }
    struct ip_prefix longest;
    char text[IP_TEXT_MAX];
    assert_int_equal(ip_prefix_parse(SPAN_LIT("1111:2222:3333:4444:5555:6666:7777:8888/128"), &longest), OK);
    assert_string_equal(ip_prefix_text(&longest, text), "1111:2222:3333:4444:5555:6666:7777:8888/128");
}

static void hostports(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text, *host; /* host NULL: refused */
        enum family family;
        uint16_t port;
    } rows[] = {
        {ROW, "10.100.0.1:6443", "10.100.0.1", FAMILY_V4, 6443},
        {ROW, "[fd00:1:2:3::1]:6443", "fd00:1:2:3::1", FAMILY_V6, 6443},
        {ROW, "api.example.com:443", "api.example.com", FAMILY_NONE, 443},
        {ROW, "API:65535", "API", FAMILY_NONE, 65535},
        {ROW, "4api:1", "4api", FAMILY_NONE, 1},
        {ROW, "a.b4:1", "a.b4", FAMILY_NONE, 1},
        {ROW, "10.100.0.1", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.0.1:", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.0.1:0", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.0.1:65536", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.0.1:06443", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.0.1:6443x", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.0.256:6443", NULL, FAMILY_NONE, 0},
        {ROW, "10.100.1:6443", NULL, FAMILY_NONE, 0},
        {ROW, "1:6443", NULL, FAMILY_NONE, 0},
        {ROW, "fd00::1:6443", NULL, FAMILY_NONE, 0},
        {ROW, "[10.100.0.1]:6443", NULL, FAMILY_NONE, 0},
        {ROW, "[fd00::1]", NULL, FAMILY_NONE, 0},
        {ROW, "[fd00::1]6443", NULL, FAMILY_NONE, 0},
        {ROW, "[fd00::1:6443", NULL, FAMILY_NONE, 0},
        {ROW, "[]:6443", NULL, FAMILY_NONE, 0},
        {ROW, ":6443", NULL, FAMILY_NONE, 0},
        {ROW, "", NULL, FAMILY_NONE, 0},
        {ROW, "a_b:1", NULL, FAMILY_NONE, 0},
        {ROW, "a:1:2", NULL, FAMILY_NONE, 0},
        {ROW, "https://a:1", NULL, FAMILY_NONE, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span host = SPAN_LIT("kept");
        struct ip ip = {.family = FAMILY_V4};
        uint16_t port = 7;
        enum err e = ip_hostport_parse(span_str(rows[i].text), &host, &ip, &port);
        ROW_TRUE(&rows[i], (e == OK) == (rows[i].host != NULL));
        ROW_TRUE(&rows[i], span_is(host, e == OK ? rows[i].host : "kept"));
        ROW_TRUE(&rows[i], port == (e == OK ? rows[i].port : 7));
        ROW_TRUE(&rows[i], ip.family == (e == OK ? rows[i].family : FAMILY_V4));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(kinds),     cmocka_unit_test(equality),
        cmocka_unit_test(prefixes),  cmocka_unit_test(hostports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
