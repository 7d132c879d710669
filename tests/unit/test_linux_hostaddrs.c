/*
 * test_linux_hostaddrs.c - which addresses of a running system a node may be known by, from rtnetlink messages as the kernel sends them; and the
 * kernel of this machine as a witness.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "boards/linux/clock.h"
#include "boards/linux/hostaddrs.h"

enum { ETH0 = 2, ETH1 = 3, FOREVER = -1 };

static uint8_t bytes[16 * 1024];
static struct buf dump;
static struct hostaddrs h;
static struct net_status status;

static void put(const void *p, size_t n)
{
    static const uint8_t zero[4];

    buf_put(&dump, span_of(p, n));
    buf_put(&dump, span_of(zero, (4 - n % 4) % 4));
    assert_false(dump.overflow);
}

static void attr(uint16_t type, const void *p, size_t n)
{
    struct rtattr a = {.rta_len = (uint16_t)(sizeof(a) + n), .rta_type = type};

    put(&a, sizeof(a));
    put(p, n);
}

static void attr_u32(uint16_t type, uint32_t v)
{
    attr(type, &v, sizeof(v));
}

static size_t begin(uint16_t type)
{
    struct nlmsghdr m = {.nlmsg_type = type};
    size_t at = dump.n;

    put(&m, sizeof(m));
    return at;
}

static void end(size_t at)
{
    uint32_t n = (uint32_t)(dump.n - at);

    memcpy(bytes + at, &n, sizeof(n));
}

static struct ip ip(const char *text)
{
    struct ip a;

    assert_int_equal(ip_parse(span_str(text), &a), OK);
    return a;
}

static size_t size_of(const struct ip *a)
{
    return a->family == FAMILY_V4 ? 4 : 16;
}

static void address(unsigned link, const char *text, uint32_t flags, int preferred)
{
    struct ip_prefix p;
    struct ifa_cacheinfo life = {.ifa_prefered = (uint32_t)preferred, .ifa_valid = UINT32_MAX};
    size_t at = begin(RTM_NEWADDR);

    assert_int_equal(ip_prefix_parse(span_str(text), &p), OK);
    struct ifaddrmsg head = {.ifa_family = p.addr.family == FAMILY_V4 ? AF_INET : AF_INET6,
                             .ifa_prefixlen = p.len,
                             .ifa_scope = ip_is_link_local(&p.addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
                             .ifa_index = link};
    put(&head, sizeof(head));
    attr(IFA_ADDRESS, p.addr.b, size_of(&p.addr));
    if (p.addr.family == FAMILY_V4)
        attr(IFA_LOCAL, p.addr.b, 4);
    attr(IFA_CACHEINFO, &life, sizeof(life));
    attr_u32(IFA_FLAGS, flags);
    end(at);
}

static void route(unsigned link, const char *via, const char *source, uint32_t metric, uint8_t table)
{
    struct ip gateway = ip(via), prefer;
    struct rtmsg head = {.rtm_family = gateway.family == FAMILY_V4 ? AF_INET : AF_INET6,
                         .rtm_table = table,
                         .rtm_type = RTN_UNICAST};
    size_t at = begin(RTM_NEWROUTE);

    put(&head, sizeof(head));
    attr_u32(RTA_TABLE, table);
    attr(RTA_GATEWAY, gateway.b, size_of(&gateway));
    attr_u32(RTA_OIF, link);
    attr_u32(RTA_PRIORITY, metric);
    if (source) {
        prefer = ip(source);
        attr(RTA_PREFSRC, prefer.b, size_of(&prefer));
    }
    end(at);
}

static int fresh(void **state)
{
    (void)state;
    dump = BUF_OF(bytes);
    h = (struct hostaddrs){.fd = -1};
    status = (struct net_status){0};
    return 0;
}

static void look(unsigned link)
{
    assert_false(hostaddrs_take(&h, buf_span(&dump)));
    status = (struct net_status){0};
    hostaddrs_status(&h, link, &status);
}

static void assert_v6(unsigned i, const char *text)
{
    char got[IP_TEXT_MAX];

    assert_string_equal(ip_prefix_text(&status.v6[i].prefix, got), text);
}

static void test_both_families(void **state)
{
    char text[IP_TEXT_MAX];

    (void)state;
    address(1, "127.0.0.1/8", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "10.100.0.2/24", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "fd00:1:2:3::3/64", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "fe80::1/64", IFA_F_PERMANENT, FOREVER);
    route(ETH0, "10.100.0.1", NULL, 100, RT_TABLE_MAIN);
    route(ETH0, "fe80::ff", NULL, 1024, RT_TABLE_MAIN);
    look(ETH0);
    assert_int_equal(hostaddrs_default_link(&h), ETH0);
    assert_string_equal(ip_prefix_text(&status.v4.prefix, text), "10.100.0.2/24");
    assert_int_equal(status.v4.state, NET_ADDR_PREFERRED);
    assert_true(status.v4.is_static);
    assert_string_equal(ip_text(&status.router4, text), "10.100.0.1");
    assert_string_equal(ip_text(&status.router6, text), "fe80::ff");
    assert_v6(0, "fd00:1:2:3::3/64");
    assert_int_equal(status.v6[1].state, NET_ADDR_NONE);
    assert_string_equal(ip_text(&status.link_local.prefix.addr, text), "fe80::1");
    assert_true(net_family_ready(&status, FAMILY_V4, true));
    assert_true(net_family_ready(&status, FAMILY_V6, true));
    assert_true(net_dad_done(&status));
}

/* What may not stand for a node; none of these makes the family ready. */
static void test_never_these(void **state)
{
    static const struct {
        const char *text;
        uint32_t flags;
        int preferred;
    } never[] = {
        {"2001:db8::1/64", IFA_F_TEMPORARY, 600},
        {"2001:db8::2/64", IFA_F_DEPRECATED, 0},
        {"2001:db8::3/64", 0, 0},
        {"2001:db8::4/64", IFA_F_TENTATIVE, FOREVER},
        {"2001:db8::5/64", IFA_F_DADFAILED | IFA_F_TENTATIVE, FOREVER},
        {"fe80::6/64", IFA_F_PERMANENT, FOREVER},
        {"10.0.0.7/24", IFA_F_SECONDARY, FOREVER},
        {"169.254.0.8/16", IFA_F_PERMANENT, FOREVER},
        {"127.0.0.9/8", IFA_F_PERMANENT, FOREVER},
    };

    for (unsigned i = 0; i < COUNT(never); i++) {
        (void)fresh(state);
        address(ETH0, never[i].text, never[i].flags, never[i].preferred);
        look(ETH0);
        if (net_family_ready(&status, FAMILY_V4, false) || net_family_ready(&status, FAMILY_V6, false))
            fail_msg("%s counts", never[i].text);
    }
    /* Not proven yet: shown as such, so that the agent waits. */
    (void)fresh(state);
    address(ETH0, "2001:db8::4/64", IFA_F_TENTATIVE, FOREVER);
    look(ETH0);
    assert_int_equal(status.v6[0].state, NET_ADDR_TENTATIVE);
    assert_false(net_dad_done(&status));
}

static void test_same_order_at_every_boot(void **state)
{
    (void)state;
    address(ETH0, "2001:db8::9/64", 0, 600);
    address(ETH0, "2001:db8::dead/64", IFA_F_DADFAILED | IFA_F_PERMANENT, FOREVER);
    address(ETH0, "2001:db8::5/64", 0, 600);
    address(ETH0, "fd00::7/64", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "2001:db8::1/128", 0, 600);
    look(ETH0);
    assert_v6(0, "fd00::7/64");
    assert_v6(1, "2001:db8::1/128");
    assert_v6(2, "2001:db8::5/64");
    assert_v6(3, "2001:db8::9/64");
}

static void test_default_link(void **state)
{
    (void)state;
    route(ETH0, "192.0.2.1", NULL, 50, RT_TABLE_MAIN);
    assert_false(hostaddrs_take(&h, buf_span(&dump)));
    assert_int_equal(hostaddrs_default_link(&h), ETH0);
    /* One that has both families is better than one with a better metric. */
    route(ETH1, "198.51.100.1", NULL, 100, RT_TABLE_MAIN);
    route(ETH1, "fe80::1", NULL, 1024, RT_TABLE_MAIN);
    h.route_count = 0;
    assert_false(hostaddrs_take(&h, buf_span(&dump)));
    assert_int_equal(hostaddrs_default_link(&h), ETH1);
    (void)fresh(state);
    route(ETH0, "192.0.2.1", NULL, 50, 52); /* a VPN's table */
    assert_false(hostaddrs_take(&h, buf_span(&dump)));
    assert_int_equal(hostaddrs_default_link(&h), 0);
}

/* IPv6 comes in over another link: its addresses are taken, unless the operator has named the link. */
static void test_a_link_for_each_family(void **state)
{
    (void)state;
    address(ETH0, "192.0.2.2/24", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "2001:db8:a::2/64", IFA_F_PERMANENT, FOREVER);
    address(ETH1, "2001:db8:b::2/64", IFA_F_PERMANENT, FOREVER);
    route(ETH0, "192.0.2.1", NULL, 0, RT_TABLE_MAIN);
    route(ETH1, "fe80::1", NULL, 0, RT_TABLE_MAIN);
    look(ETH0);
    assert_int_equal(hostaddrs_default_link(&h), ETH0);
    assert_v6(0, "2001:db8:b::2/64");
    assert_true(net_family_ready(&status, FAMILY_V6, true));
    h.pinned = true;
    status = (struct net_status){0};
    hostaddrs_status(&h, ETH0, &status);
    assert_v6(0, "2001:db8:a::2/64");
    assert_false(net_family_ready(&status, FAMILY_V6, true));
}

static void test_preferred_source(void **state)
{
    char text[IP_TEXT_MAX];

    (void)state;
    address(ETH0, "192.0.2.2/24", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "198.51.100.2/24", IFA_F_PERMANENT, FOREVER);
    look(ETH0);
    assert_string_equal(ip_prefix_text(&status.v4.prefix, text), "192.0.2.2/24");
    (void)fresh(state);
    address(ETH0, "192.0.2.2/24", IFA_F_PERMANENT, FOREVER);
    address(ETH0, "198.51.100.2/24", IFA_F_PERMANENT, FOREVER);
    route(ETH0, "198.51.100.1", "198.51.100.2", 0, RT_TABLE_MAIN);
    look(ETH0);
    assert_string_equal(ip_prefix_text(&status.v4.prefix, text), "198.51.100.2/24");
}

static void test_route_over_several_hops(void **state)
{
    struct ip gateway = ip("192.0.2.1");
    struct rtmsg head = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST};
    struct rtnexthop hop = {.rtnh_len = sizeof(hop) + 8, .rtnh_ifindex = ETH1};
    struct rtattr via = {.rta_len = 8, .rta_type = RTA_GATEWAY};
    uint8_t hops[2 * (sizeof(hop) + 8)];
    size_t at = begin(RTM_NEWROUTE);
    char text[IP_TEXT_MAX];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *p = hops + i * (sizeof(hop) + 8);
        memcpy(p, &hop, sizeof(hop));
        memcpy(p + sizeof(hop), &via, sizeof(via));
        memcpy(p + sizeof(hop) + sizeof(via), gateway.b, 4);
        hop.rtnh_ifindex = ETH0;
        gateway = ip("192.0.2.9");
    }
    put(&head, sizeof(head));
    attr(RTA_MULTIPATH, hops, sizeof(hops));
    end(at);
    look(ETH1);
    assert_int_equal(hostaddrs_default_link(&h), ETH1);
    assert_string_equal(ip_text(&status.router4, text), "192.0.2.1");
}

static void test_has(void **state)
{
    struct ip service = ip("192.0.2.53"), tentative = ip("2001:db8::4"), other = ip("192.0.2.54");

    (void)state;
    address(1, "192.0.2.53/32", IFA_F_PERMANENT, FOREVER); /* on loopback, as routed hosts have it */
    address(ETH0, "2001:db8::4/64", IFA_F_TENTATIVE, FOREVER);
    look(ETH0);
    assert_true(hostaddrs_has(&h, &service));
    assert_false(hostaddrs_has(&h, &tentative));
    assert_false(hostaddrs_has(&h, &other));
}

/* Cut anywhere, or with any length: nothing outside is read (ASan looks on), and no more is taken than there is room for. */
static void test_damaged(void **state)
{
    static uint8_t exact[sizeof(bytes)];
    size_t n;

    (void)state;
    for (unsigned i = 0; i < HOSTADDRS_MAX + 5; i++)
        address(ETH0, "192.0.2.2/24", IFA_F_PERMANENT, FOREVER);
    look(ETH0);
    assert_int_equal(h.addr_count, HOSTADDRS_MAX);
    (void)fresh(state);
    address(ETH0, "fd00::7/64", IFA_F_PERMANENT, FOREVER);
    route(ETH0, "192.0.2.1", "192.0.2.2", 50, RT_TABLE_MAIN);
    n = dump.n;
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *end_of = exact + sizeof(exact) - cut;
        memcpy(end_of, bytes, cut);
        (void)hostaddrs_take(&h, span_of(end_of, cut));
    }
    for (size_t at = 0; at < n; at++) {
        for (unsigned v = 0; v < 256; v += 51) {
            uint8_t *copy = exact + sizeof(exact) - n;
            memcpy(copy, bytes, n);
            copy[at] = (uint8_t)v;
            h.addr_count = h.route_count = 0;
            (void)hostaddrs_take(&h, span_of(copy, n));
            hostaddrs_status(&h, ETH0, &status);
        }
    }
}

static void test_resolv_conf(void **state)
{
    static const char *const wanted[] = {"127.0.0.53", "2001:db8::53", "fe80::1", "192.0.2.1"};
    char text[IP_TEXT_MAX];

    (void)state;
    hostaddrs_take_resolv(
        &h,
        SPAN_LIT("# nameserver 192.0.2.9\nsearch example.test\n nameserver\t127.0.0.53\r\n"
                 "nameserver 2001:db8::53   # office\nnameserver bad\nnameserver\nnameservers 192.0.2.8\n"
                 "nameserver 0.0.0.0\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\nnameserver 192.0.2.2"));
    assert_int_equal(h.dns_count, NET_DNS_MAX);
    for (unsigned i = 0; i < NET_DNS_MAX; i++)
        assert_string_equal(ip_text(&h.dns[i], text), wanted[i]);
}

/* The machine that this runs on has at least its loopback address. */
static void test_this_kernel(void **state)
{
    struct ip own = ip("127.0.0.1");

    (void)state;
    hostaddrs_open(&h);
    assert_true(h.fd >= 0);
    hostaddrs_look(&h, clock_now_ms());
    assert_true(hostaddrs_has(&h, &own));
    hostaddrs_close(&h);
    assert_int_equal(h.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_both_families, fresh),
        cmocka_unit_test_setup(test_never_these, fresh),
        cmocka_unit_test_setup(test_same_order_at_every_boot, fresh),
        cmocka_unit_test_setup(test_default_link, fresh),
        cmocka_unit_test_setup(test_a_link_for_each_family, fresh),
        cmocka_unit_test_setup(test_preferred_source, fresh),
        cmocka_unit_test_setup(test_route_over_several_hops, fresh),
        cmocka_unit_test_setup(test_has, fresh),
        cmocka_unit_test_setup(test_damaged, fresh),
        cmocka_unit_test_setup(test_resolv_conf, fresh),
        cmocka_unit_test_setup(test_this_kernel, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
