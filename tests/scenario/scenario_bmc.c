/*
 * scenario_bmc.c - the BMC's table on boards/sim: NIC 0 leads to the management network, NIC 1 to the host, whose bundle it keeps.
 */
#include "tests/scenario/pair.h"

#include <stdio.h>

#define BMC     "host-link = sim1\nhost-mac = " PAIR_HOST_MAC "\nrefresh = 10\n"
#define CLEAR   "permit-unsealed = yes\n"
#define VIA_BMC "via = bmc\nbmc-link = sim1\n"

static const char families[] = "families: [ipv4, ipv6]\n";

static void test_keeps_a_bundle(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR, VIA_BMC CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" identify done", 1000);
    scenario_expect("mac=02:00:00:00:00:01 mac=02:00:00:00:00:02 host_mac=" PAIR_HOST_MAC, 0);
    scenario_expect(" resume done", 1000);
    scenario_expect("bundle=none", 0);
    scenario_expect(" commit done", 10000);
    scenario_run(5000);
    /* The management network is gone, and so is the power. */
    sim_power_off(&machine);
    scenario_carrier(false);
    scenario_boot();
    scenario_expect("sequence=7 bundle=node-1", 1000);
}

/* Also a bundle for the BMC itself is none for its host. */
static void test_refuses_what_is_not_for_its_host(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR, VIA_BMC CLEAR);
    scenario_mac = "02:00:00:00:00:01";
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect("config.binding", 10000);
    assert_int_equal(scenario_count(" commit done"), 0);
}

static void test_refuses_what_is_in_clear(void **unused)
{
    (void)unused;
    pair_sites(BMC, VIA_BMC);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect("config.unsealed-on-link", 10000);
    assert_int_equal(scenario_count(" commit done"), 0);
}

static void start_bmc(void)
{
    pair_sites(BMC CLEAR, VIA_BMC CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
}

/* The config server answers the BMC only: the host has no other way to its bundle. */
static void test_host_joins_through_the_bmc(void **unused)
{
    (void)unused;
    start_bmc();
    pair_boot_host();
    pair_expect(&pair_host, " bmc done", 5000);
    pair_expect(&pair_host, " verify done", 5000);
    pair_expect(&pair_host, " discover done", 5000);
    pair_expect(&machine, " serve given sequence=7", 0);
    pair_expect(&pair_host, " joined done", 10000);
    pair_expect(&pair_host, " report done", 2000);
    pair_expect(&machine, " serve closed why=joined", 100);
    assert_int_equal(pair_count(&pair_host, " error "), 0);
    assert_int_equal(pair_count(&machine, " error "), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_keeps_a_bundle),
        PAIR(test_refuses_what_is_not_for_its_host),
        PAIR(test_refuses_what_is_in_clear),
        PAIR(test_host_joins_through_the_bmc),
    };

    return cmocka_run_group_tests_name("scenario_bmc", tests, NULL, NULL);
}
