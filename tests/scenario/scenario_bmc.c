/*
 * scenario_bmc.c - the BMC's table on boards/sim: NIC 0 leads to the management network, NIC 1 to the host, whose bundle it keeps.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>

#define HOST_MAC "02:00:00:00:0c:01"
#define HOST     "host-link = sim1\nhost-mac = " HOST_MAC "\n"
#define CLEAR    "permit-unsealed = yes\n"

static const char families[] = "families: [ipv4, ipv6]\n";

static void prepare(const char *more)
{
    machine.nic_count = 2;
    machine.nics[1].carrier = true;
    scenario_mac = HOST_MAC;
    scenario_servers(more);
}

static void test_keeps_a_bundle(void **unused)
{
    (void)unused;
    prepare(HOST CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" identify done", 1000);
    scenario_expect("mac=02:00:00:00:00:01 mac=02:00:00:00:00:02 host_mac=" HOST_MAC, 0);
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
    prepare(HOST CLEAR);
    scenario_mac = "02:00:00:00:00:01";
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect("config.binding", 10000);
    assert_int_equal(scenario_count(" commit done"), 0);
}

static void test_refuses_what_is_in_clear(void **unused)
{
    (void)unused;
    prepare(HOST);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect("config.unsealed-on-link", 10000);
    assert_int_equal(scenario_count(" commit done"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_keeps_a_bundle),
        SCENARIO(test_refuses_what_is_not_for_its_host),
        SCENARIO(test_refuses_what_is_in_clear),
    };

    return cmocka_run_group_tests_name("scenario_bmc", tests, NULL, NULL);
}
