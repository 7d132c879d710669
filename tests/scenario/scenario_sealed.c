/*
 * scenario_sealed.c - the device key and sealed bundles on boards/sim: made once, kept, named when damaged; what is sealed to it joins, what is sealed
 * to another key does not, until the operator has mended it.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <time.h>

/* The public key of RFC 7517 appendix A.1: another machine's. */
static const char other[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}";

static const char node[] = "families: [ipv4, ipv6]\n";
static const char record[] = "\"kind\":\"Enrolment\"";

/* A machine that was switched on once, so that its operator has its enrolment record; it is off again. */
static void enrol(const char *site)
{
    static char own[256];

    scenario_os();
    scenario_servers(site);
    scenario_pem("node", &machine.os->kubelet_pem);
    machine.wall_s = time(NULL);
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    scenario_publish(1, "families: [ipv4]\nhandOff: one-shot\n", NULL); /* nothing that it takes */
    scenario_boot();
    scenario_expect(" resume done", 100);
    assert_int_equal(scenario_count(record), 1);
    snprintf(own, sizeof(own), "%s", scenario_device_key());
    sim_power_off(&machine);
    scenario_seal_to = own;
}

static void test_joins(void **unused)
{
    unsigned errors;

    (void)unused;
    enrol("sealed = required\n");
    errors = scenario_count(" error ");
    scenario_publish(7, node, NULL);
    scenario_boot();
    scenario_expect(" parse done", 8000);
    assert_true(sim_says(&machine, " accept done"));
    scenario_expect(" joined done", 8000);
    assert_int_equal(scenario_count(" error "), errors);
    assert_int_equal(scenario_count(record), 2);
    assert_string_equal(scenario_device_key(), scenario_seal_to); /* the same at each boot */
    assert_null(strstr(machine.console, "vjjwg16ucnhp94qr"));
    /* And again as the node that it is, with the same bundle. */
    scenario_boot();
    scenario_expect(" accept done", 8000);
    scenario_expect(" joined done", 8000);
    assert_int_equal(scenario_count(" error "), errors);
}

static void test_other_recipient(void **unused)
{
    const char *own;

    (void)unused;
    enrol("");
    own = scenario_seal_to;
    scenario_seal_to = other;
    scenario_publish(7, node, NULL);
    scenario_boot();
    scenario_expect(" accept error code=seal.recipient", 8000);
    scenario_never(" commit done", 60000);
    scenario_seal_to = own;
    scenario_publish(8, node, NULL);
    scenario_expect(" joined done", 65000);
}

static void test_sealing_required(void **unused)
{
    const char *own;

    (void)unused;
    enrol("sealed = required\n");
    own = scenario_seal_to;
    scenario_seal_to = NULL;
    scenario_publish(7, node, NULL);
    scenario_boot();
    scenario_expect(" accept error code=seal.required", 8000);
    scenario_never(" commit done", 60000);
    scenario_seal_to = own;
    scenario_publish(8, node, NULL);
    scenario_expect(" joined done", 65000);
}

/* A newer bundle that this machine cannot open takes no node down. */
static void test_node_stays(void **unused)
{
    const char *own;

    (void)unused;
    enrol("");
    own = scenario_seal_to;
    scenario_publish(7, node, NULL);
    scenario_boot();
    scenario_expect(" joined done", 15000);
    scenario_seal_to = other;
    scenario_publish(8, node, NULL);
    scenario_boot();
    scenario_expect(" resume done", 100);
    assert_true(sim_says(&machine, " node=node-1"));
    scenario_expect(" accept error code=seal.recipient", 8000);
    scenario_expect("goes on as the node that this machine is", 0);
    scenario_expect(" joined done", 8000);
    scenario_seal_to = own;
    scenario_publish(9, node, NULL);
    scenario_boot();
    scenario_expect(" commit done", 15000);
    scenario_expect(" joined done", 15000);
}

/* Named, never replaced; a bundle in clear still joins. */
static void test_damaged_key(void **unused)
{
    uint8_t block[DISK_BLOCK];

    (void)unused;
    enrol("");
    scenario_publish(7, node, NULL);
    machine.disk.now[DISK_KEY_AT + 5] ^= 1;
    machine.disk.durable[DISK_KEY_AT + 5] ^= 1;
    memcpy(block, machine.disk.now + DISK_KEY_AT, sizeof(block));
    scenario_boot();
    scenario_expect(" resume error code=device.key", 100);
    scenario_expect(" accept error code=device.key", 8000);
    scenario_never(" commit done", 60000);
    assert_int_equal(scenario_count(record), 1);
    assert_memory_equal(block, machine.disk.now + DISK_KEY_AT, sizeof(block));
    sim_power_off(&machine);
    machine.disk.now[DISK_KEY_AT + 5] ^= 1;
    scenario_boot();
    scenario_expect(" joined done", 15000);
    sim_power_off(&machine);
    memcpy(machine.disk.now + DISK_KEY_AT, block, sizeof(block));
    scenario_seal_to = NULL;
    scenario_publish(8, node, NULL);
    scenario_boot();
    scenario_expect(" joined done", 15000);
}

static void test_no_place_for_a_key(void **unused)
{
    (void)unused;
    scenario_os();
    scenario_servers("");
    machine.has_storage = false;
    scenario_seal_to = other;
    scenario_publish(7, node, NULL);
    scenario_boot();
    scenario_expect(" accept error code=device.none", 8000);
    assert_int_equal(scenario_count(record), 0);
}

/* No key before there is a place for it; a sealed bundle can permit to make that place, and the next one is sealed to the key that is made then. */
static void test_foreign_state(void **unused)
{
    static char own[256];

    (void)unused;
    scenario_os();
    scenario_servers("sealed = required\n");
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    machine.os->foreign_state = true;
    scenario_seal_to = other;
    scenario_publish(7, node, NULL);
    scenario_boot();
    scenario_expect(" resume error code=device.none", 100);
    scenario_expect(" accept error code=state.foreign", 8000);
    assert_int_equal(scenario_count(record), 0);
    scenario_publish(8, "families: [ipv4, ipv6]\nformatState: true\n", NULL);
    scenario_expect(record, 65000);
    scenario_expect(" accept error code=seal.recipient", 1000);
    assert_false(machine.os->foreign_state);
    snprintf(own, sizeof(own), "%s", scenario_device_key());
    scenario_seal_to = own;
    scenario_publish(9, node, NULL);
    scenario_expect(" joined done", 65000);
}

static void test_no_key_without_entropy(void **unused)
{
    (void)unused;
    machine.noise = SIM_NOISE_NONE;
    scenario_boot();
    scenario_never(record, 120000);
    assert_int_equal(machine.disk.now[DISK_KEY_AT], 0xff);
}

/* The power is cut at each operation of the first boot: what was enrolled is kept, and there is a whole key afterwards. */
static void test_power_cuts(void **unused)
{
    unsigned cuts = 0, ops;

    (void)unused;
    scenario_boot();
    scenario_expect(" resume done", 100);
    ops = machine.disk.ops;
    sim_power_off(&machine);
    for (unsigned n = 1; n <= ops; n++) {
        for (unsigned k = 0; k < 2 * DISK_PARTS; k++) {
            char first[256] = "";

            machine.console_n = machine.mark = 0;
            machine.console[0] = 0;
            disk_init(&machine.disk);
            machine.disk.cut_at = n;
            machine.disk.cut_part = (enum disk_part)(k / 2);
            machine.disk.cut_unsynced = k % 2;
            scenario_boot();
            assert_true(machine.cut);
            if (scenario_count(record) == 1)
                snprintf(first, sizeof(first), "%s", scenario_device_key());
            scenario_boot();
            scenario_expect(" resume done", 100);
            assert_int_equal(scenario_count("device.key"), 0);
            if (first[0])
                assert_string_equal(first, scenario_device_key());
            (void)scenario_device_key();
            sim_power_off(&machine);
            cuts++;
        }
    }
    printf("%u storage operations up to the key, %u cuts\n", ops, cuts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_joins),
        SCENARIO(test_other_recipient),
        SCENARIO(test_sealing_required),
        SCENARIO(test_node_stays),
        SCENARIO(test_damaged_key),
        SCENARIO(test_no_place_for_a_key),
        SCENARIO(test_foreign_state),
        SCENARIO(test_no_key_without_entropy),
        SCENARIO(test_power_cuts),
    };

    return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
