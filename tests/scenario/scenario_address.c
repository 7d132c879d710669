/*
 * scenario_address.c - from power-on to addresses on boards/sim: both families, one family, a family that is missing, carrier, duplicates, leases.
 */
#include "tests/scenario/scenario.h"

static void test_both_families_in_order(void **unused)
{
    (void)unused;
    scenario_boot();
    scenario_expect(" identify done", 1000);
    scenario_expect(" resume done", 0);
    scenario_expect(" link done", 0);
    scenario_expect(" address done", 50);
    assert_true(sim_says(&machine, " ipv4=10.0.0.50/24 router4=10.0.0.1 ipv6=" SCENARIO_SLAAC "/64 router6=fe80::2"));
    scenario_expect(" clock done", 0);
    scenario_expect(" locate done", 0);
    assert_true(sim_says(&machine, " url=https://config.lab/n1.jws"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_both_families_in_order),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
