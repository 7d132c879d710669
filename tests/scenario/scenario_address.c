/*
 * scenario_address.c - from power-on to addresses on boards/sim: both families, one family, a family that is missing, leases, routers.
 */
#include "tests/scenario/scenario.h"

static void test_both_families_in_order(void **unused)
{
    (void)unused;
    scenario_boot();
    scenario_expect(" identify done", 0);
    scenario_expect(" resume done", 0);
    scenario_expect(" link done", 0);
    scenario_expect(" address done", 5);
    assert_true(
        sim_says(&machine, " ipv4=10.0.0.50/24 router4=10.0.0.1 ipv6=" SCENARIO_SLAAC "/64 router6=fe80::2"));
    scenario_expect(" clock done", 0);
    scenario_expect(" locate done", 0);
    assert_true(sim_says(&machine, " url=https://config.lab/n1.jws"));
    assert_int_equal(netpeer.discovers, 1);
    assert_int_equal(netpeer.solicits, 1);
    assert_int_equal(scenario_count(" error "), 0);
}

static void test_only_declared_families(void **unused)
{
    (void)unused;
    scenario_site("families = ipv4\n");
    netpeer.servers[0].prefix = NULL;
    scenario_boot();
    scenario_expect(" address done", 5);
    assert_true(sim_says(&machine, " ipv4=10.0.0.50/24") && !sim_says(&machine, " ipv6="));
    assert_int_equal(netpeer.solicits, 0);
    scenario_site("families = ipv6\n");
    netpeer.servers[0].prefix = "fd00:1::";
    netpeer.servers[0].lease = NULL;
    netpeer.discovers = 0;
    scenario_boot();
    scenario_expect(" address done", 5);
    assert_true(sim_says(&machine, " ipv6=" SCENARIO_SLAAC "/64") && !sim_says(&machine, " ipv4="));
    assert_int_equal(netpeer.discovers, 0);
}

/* Named after families-wait, asked for again for ever, and gone as soon as there is a router. */
static void test_missing_family_recovers(void **unused)
{
    (void)unused;
    netpeer.servers[0].prefix = NULL;
    scenario_boot();
    scenario_expect(" address wait missing=ipv6", 3100);
    scenario_never(" error ", 26800);
    scenario_expect(" address error code=address.family-missing attempt=1", 300);
    assert_true(sim_says(&machine, "ipv6 missing after 30000 ms"));
    scenario_expect(" address error code=address.family-missing attempt=2", 32000);
    netpeer.servers[0].prefix = "fd00:1::";
    scenario_expect(" address done", 5000);
    assert_true(sim_says(&machine, " attempts=3 ") && sim_says(&machine, " ipv6=" SCENARIO_SLAAC "/64"));
}

static void test_missing_ipv4_recovers(void **unused)
{
    const char *lease = netpeer.servers[0].lease;

    (void)unused;
    scenario_site("families-wait = 10\n");
    netpeer.servers[0].lease = NULL;
    scenario_boot();
    scenario_expect("code=address.family-missing", 10300);
    assert_true(sim_says(&machine, "ipv4 missing after 10000 ms"));
    netpeer.servers[0].lease = lease;
    scenario_expect(" address done", 5000);
}

static void test_one_family_is_enough_if_the_site_says_so(void **unused)
{
    (void)unused;
    scenario_site("one-family = yes\nfamilies-wait = 5\n");
    netpeer.servers[0].prefix = NULL;
    scenario_boot();
    scenario_never(" address done", 4900);
    scenario_expect("goes on with one family, as the site configuration permits\" missing=ipv6", 300);
    scenario_expect(" address done", 0);
    scenario_expect(" locate done", 0);
    /* What was never there cannot be lost. */
    scenario_never("address.lost", 20000);
}

static void test_no_family_is_never_enough(void **unused)
{
    (void)unused;
    scenario_site("one-family = yes\nfamilies-wait = 5\n");
    netpeer.servers[0].prefix = NULL;
    netpeer.servers[0].lease = NULL;
    scenario_boot();
    scenario_never(" address done", 60000);
    assert_true(scenario_count("ipv4,ipv6 missing after 5000 ms") >= 2);
}

/* A server that always says no is asked about once a second, not as fast as the link can. */
static void test_dhcp_nak(void **unused)
{
    (void)unused;
    scenario_site("families-wait = 10\n");
    netpeer.servers[0].naks = 1000000;
    scenario_boot();
    scenario_expect("code=address.family-missing", 10300);
    assert_in_range(netpeer.requests, 5, 40);
    netpeer.servers[0].naks = 0;
    scenario_expect(" address done", 15000);
}

/* Half of the lease later it is renewed, and nobody notices. */
static void test_lease_is_renewed(void **unused)
{
    unsigned links;

    (void)unused;
    scenario_boot();
    scenario_expect(" locate done", 100);
    scenario_run(60000);
    links = scenario_count(" link done");
    netpeer.requests = 0;
    scenario_never("address.lost", 3 * 3600 * 1000);
    assert_true(netpeer.requests >= 3 && netpeer.requests <= 12);
    assert_int_equal(netpeer.discovers, 1);
    assert_int_equal(scenario_count(" link done"), links);
}

static void test_lease_expires(void **unused)
{
    (void)unused;
    netpeer.servers[0].lease_s = 300;
    scenario_boot();
    scenario_expect(" locate done", 100);
    netpeer.servers[0].lease = NULL;
    scenario_never("address.lost", 230 * 1000);
    scenario_expect(" error code=address.lost", 200 * 1000);
    assert_true(sim_says(&machine, "ipv4 lost during fetch"));
    scenario_expect(" link done", 31000);
    netpeer.servers[0].lease = "10.0.0.51";
    scenario_expect(" address done", 31000);
    assert_true(sim_says(&machine, " ipv4=10.0.0.51/24"));
}

/* A lease that is taken back when it is to be renewed: the machine takes the new one without a word. */
static void test_nak_at_renewal(void **unused)
{
    (void)unused;
    netpeer.servers[0].lease_s = 600;
    scenario_boot();
    scenario_expect(" locate done", 100);
    netpeer.servers[0].naks = 1;
    netpeer.servers[0].lease = "10.0.0.52";
    scenario_never("address.lost", 400 * 1000);
    assert_int_equal(netpeer.servers[0].naks, 0);
    assert_int_equal(netpeer.discovers, 2);
}

/* RFC 4861 section 6.2.5: a router that says zero is no default router any more; its prefix stays. */
static void test_router_resigns(void **unused)
{
    (void)unused;
    scenario_boot();
    scenario_expect(" locate done", 100);
    netpeer.servers[0].lifetime_s = 0;
    netpeer.solicits = 0;
    scenario_ra(0);
    scenario_never("address.lost", 60000);
    assert_true(netpeer.solicits >= 1);
    scenario_carrier(false);
    scenario_expect(" error code=link.carrier", 1300);
    scenario_carrier(true);
    scenario_expect(" address done", 31000);
    assert_false(sim_says(&machine, "router6="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_both_families_in_order),
        SCENARIO(test_only_declared_families),
        SCENARIO(test_missing_family_recovers),
        SCENARIO(test_missing_ipv4_recovers),
        SCENARIO(test_one_family_is_enough_if_the_site_says_so),
        SCENARIO(test_no_family_is_never_enough),
        SCENARIO(test_dhcp_nak),
        SCENARIO(test_lease_is_renewed),
        SCENARIO(test_lease_expires),
        SCENARIO(test_nak_at_renewal),
        SCENARIO(test_router_resigns),
        SCENARIO_BMC(test_both_families_in_order),
        SCENARIO_BMC(test_only_declared_families),
        SCENARIO_BMC(test_missing_family_recovers),
        SCENARIO_BMC(test_missing_ipv4_recovers),
        SCENARIO_BMC(test_one_family_is_enough_if_the_site_says_so),
        SCENARIO_BMC(test_no_family_is_never_enough),
        SCENARIO_BMC(test_dhcp_nak),
        SCENARIO_BMC(test_lease_is_renewed),
        SCENARIO_BMC(test_lease_expires),
        SCENARIO_BMC(test_nak_at_renewal),
        SCENARIO_BMC(test_router_resigns),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
