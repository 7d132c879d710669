/*
 * test_net_bmc.c - the link to a BMC as the host's stack uses it, against a scripted link (netpeer.h): what is asked of DHCP there, which address of
 * the BMC is believed, and that router and resolvers are not.
 */
#include "tests/unit/testcrypto.h"

#include "net/net.h"
#include "tests/unit/netpeer.h"

static const uint8_t named[] = {72, 4, 10, 0, 0, 80};

static bool has_address(const struct net_status *s)
{
    return net_family_ready(s, FAMILY_V4, false);
}

/* The link comes up with a server that sends these options besides its own; true if it names a BMC. */
static bool names(struct span options, struct ip *ret)
{
    const struct net_options o = {.dad = NET_DAD_OPTIMISTIC, .families = FAMILIES_BOTH, .host_link = true};
    struct ip early;

    netpeer_reset();
    netpeer.servers[0].more4 = options;
    assert_int_equal(net_start(&netpeer_board, 0, &o, netpeer.now_ms), OK);
    assert_false(net_bmc(&early));
    assert_true(netpeer_run(5, has_address));
    bool found = net_bmc(ret);
    if (!found)
        net_stop();
    return found;
}

static void test_takes_the_address_that_dhcp_names(void **unused)
{
    struct ip bmc;

    (void)unused;
    assert_true(names(span_of(named, sizeof(named)), &bmc));
    assert_true(netpeer_is(&bmc, "10.0.0.80"));
    assert_int_equal(netpeer.wanted4_count, 2);
    assert_int_equal(netpeer.wanted4[0], 1);
    assert_int_equal(netpeer.wanted4[1], 72);
    /* Behind another carrier there is another BMC, or none. */
    netpeer.carrier = false;
    netpeer.servers[0].more4 = (struct span){.n = 0};
    (void)netpeer_run(1000, NULL);
    assert_false(net_bmc(&bmc));
    netpeer.carrier = true;
    assert_true(netpeer_run(5000, has_address));
    assert_false(net_bmc(&bmc));
}

static void test_prefers_the_first_of_several(void **unused)
{
    static const uint8_t two[] = {72, 8, 10, 0, 0, 81, 10, 0, 0, 82};
    struct ip bmc;

    (void)unused;
    assert_true(names(span_of(two, sizeof(two)), &bmc));
    assert_true(netpeer_is(&bmc, "10.0.0.81"));
}

static void test_believes_no_other(void **unused)
{
    static const uint8_t elsewhere[] = {72, 4, 10, 0, 1, 80}, zero[] = {72, 4, 0, 0, 0, 0},
                         brief[] = {72, 3, 10, 0, 0}, other[] = {73, 4, 10, 0, 0, 80};
    struct ip bmc;

    (void)unused;
    assert_false(names((struct span){.n = 0}, &bmc));
    assert_false(names(span_of(elsewhere, sizeof(elsewhere)), &bmc));
    assert_false(names(span_of(zero, sizeof(zero)), &bmc));
    assert_false(names(span_of(brief, sizeof(brief)), &bmc));
    assert_false(names(span_of(other, sizeof(other)), &bmc));
}

/* The server gives both, also with each renewal. */
static void test_takes_neither_router_nor_resolver(void **unused)
{
    const struct net_options o = {.dad = NET_DAD_OPTIMISTIC, .families = FAMILIES_V4, .host_link = true};

    (void)unused;
    netpeer.servers[0].lease_s = 60;
    assert_int_equal(net_start(&netpeer_board, 0, &o, netpeer.now_ms), OK);
    assert_true(netpeer_run(5, has_address));
    for (unsigned i = 0; i < 3; i++) {
        struct net_status s = netpeer_status();
        assert_int_equal(s.router4.family, FAMILY_NONE);
        assert_int_equal(s.dns_count, 0);
        (void)netpeer_run(30000, NULL);
    }
    assert_true(netpeer.requests > 2);
}

static void test_other_networks_are_as_ever(void **unused)
{
    (void)unused;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_V4);
    assert_true(netpeer_run(5, netpeer_v4_ready));
    assert_int_equal(netpeer_status().dns_count, 1);
    assert_int_equal(netpeer.wanted4_count, 4);
    for (unsigned i = 0; i < netpeer.wanted4_count; i++)
        assert_int_not_equal(netpeer.wanted4[i], 72);
}

static int group(void **unused)
{
    (void)unused;
    testcrypto_start(160 * 1024);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_takes_the_address_that_dhcp_names, netpeer_setup,
                                        netpeer_teardown),
        cmocka_unit_test_setup_teardown(test_prefers_the_first_of_several, netpeer_setup, netpeer_teardown),
        cmocka_unit_test_setup_teardown(test_believes_no_other, netpeer_setup, netpeer_teardown),
        cmocka_unit_test_setup_teardown(test_takes_neither_router_nor_resolver, netpeer_setup,
                                        netpeer_teardown),
        cmocka_unit_test_setup_teardown(test_other_networks_are_as_ever, netpeer_setup, netpeer_teardown),
    };

    return cmocka_run_group_tests_name("net_bmc", tests, group, NULL);
}
