/*
 * scenario_bmc.c - the BMC's table on boards/sim: NIC 0 leads to the management network, NIC 1 to the host, whose bundle it keeps.
 */
#include "tests/scenario/bridge.h"
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
    scenario_expect("\"macs\":[\"02:00:00:00:00:01\",\"02:00:00:00:00:02\"],", 1000);
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

/* The management network is cut and the BMC restarted; the host joins with what the BMC has stored. */
static void test_serves_what_it_stored(void **unused)
{
    (void)unused;
    start_bmc();
    sim_power_off(&machine);
    scenario_carrier(false);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 0);
    pair_boot_host();
    pair_expect(&pair_host, " joined done", 20000);
    pair_expect(&machine, " serve closed why=joined", 2000);
    /* The host's power-on looks like this from here. */
    machine.nics[1].carrier = false;
    pair_run(300);
    machine.nics[1].carrier = true;
    pair_expect(&machine, " serve open sequence=7", 500);
}

static void test_follows_the_server(void **unused)
{
    (void)unused;
    start_bmc();
    scenario_publish(8, families, NULL);
    scenario_expect(" serve open sequence=8", 11000);
    scenario_expect(" commit done", 100);
    scenario_publish(6, families, NULL);
    scenario_expect("config.sequence", 11000);
    scenario_run(5000);
    sim_power_off(&machine);
    scenario_carrier(false);
    scenario_boot();
    scenario_expect(" serve open sequence=8", 0);
    scenario_carrier(true);
    scenario_expect("config.sequence", 20000);
    /* A bundle for somebody else is refused as well; the next one for this host is not. */
    scenario_mac = "02:00:00:00:0e:01";
    scenario_publish(9, families, NULL);
    scenario_expect("config.binding", 60000);
    scenario_mac = PAIR_HOST_MAC;
    scenario_publish(9, families, NULL);
    scenario_expect(" serve open sequence=9", 120000);
    assert_int_equal(scenario_count(" serve open sequence=6"), 0);
}

/* Whoever carries the bundle can give its signature another form: the BMC writes nothing, and a window that is closed stays closed. */
static void test_other_form_of_the_signature(void **unused)
{
    static struct disk before;

    (void)unused;
    pair_sites(BMC CLEAR "serve-window = 5\n", VIA_BMC CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve closed why=window", 15000);
    before = machine.disk;
    scenario_resign();
    scenario_expect(" commit done", 11000);
    scenario_expect(" commit done", 11000);
    assert_int_equal(scenario_count(" serve open"), 1);
    assert_memory_equal(machine.disk.now, before.now, sizeof(before.now));
}

/* The real-time clock is years ahead, and there is no config server whose Date could put it right. */
static void test_clock_that_runs_ahead(void **unused)
{
    (void)unused;
    start_bmc();
    sim_power_off(&machine);
    bridge_port(443, 0);
    machine.wall_s = 2082758400;
    scenario_boot();
    scenario_expect(" serve open sequence=7", 1000);
    scenario_expect(" quality=hint", 10000);
    scenario_never(" serve closed", 60000);
}

/* The power is cut at every storage operation with which the BMC takes a newer bundle; the next boot, without a network, serves the old or the new
 * one, and knows its sequence. */
static void test_power_cuts(void **unused)
{
    static struct disk before;
    unsigned old = 0, new = 0, cuts = 0;

    (void)unused;
    start_bmc();
    scenario_run(100);
    sim_power_off(&machine);
    before = machine.disk;
    scenario_publish(8, families, NULL);
    for (unsigned n = 1;; n++) {
        for (unsigned k = 0; k < 2 * DISK_PARTS; k++) {
            machine.disk = before;
            machine.disk.cut_at = n;
            machine.disk.cut_part = (enum disk_part)(k % DISK_PARTS);
            machine.disk.cut_unsynced = k >= DISK_PARTS;
            scenario_carrier(true);
            scenario_boot();
            (void)!sim_expect(&machine, " commit done", 20000);
            if (!machine.cut)
                break;
            cuts++;
            scenario_carrier(false);
            scenario_boot();
            scenario_expect(" resume done", 0);
            old += sim_says(&machine, "sequence=7 bundle=node-1");
            new += sim_says(&machine, "sequence=8 bundle=node-1");
            assert_int_equal(old + new, cuts);
            sim_power_off(&machine);
        }
        if (!machine.cut && machine.pid)
            break;
    }
    printf("%u cuts: %u old, %u new\n", cuts, old, new);
    assert_true(old > 10 && new > 5);
    assert_int_equal(scenario_count("store.lost"), 0);
}

/* A stored bundle that is damaged is fetched again; the sequence is in another place. */
static void test_damaged_store(void **unused)
{
    (void)unused;
    start_bmc();
    scenario_run(100);
    sim_power_off(&machine);
    memset(machine.disk.now + DISK_STATE + DISK_BLOCK, 0x5a, DISK_BUNDLES - DISK_BLOCK);
    disk_power_off(&machine.disk);
    scenario_boot();
    scenario_expect("store.lost", 0);
    scenario_expect("sequence=7 bundle=none", 0);
    scenario_expect(" serve open sequence=7", 5000);
    scenario_run(100);
    sim_power_off(&machine);
    scenario_carrier(false);
    scenario_boot();
    scenario_expect("sequence=7 bundle=node-1", 0);
}

/* What is served is read where it is stored. While that cannot be read the host gets nothing, and what is no longer whole is withdrawn before anything is
 * written over it. */
static void test_store_breaks_while_serving(void **unused)
{
    (void)unused;
    start_bmc();
    scenario_run(100);
    machine.disk.io_error = true;
    pair_boot_host();
    pair_run(3000);
    assert_int_equal(pair_count(&pair_host, " verify done"), 0);
    assert_int_equal(pair_count(&machine, " serve given"), 0);
    machine.disk.io_error = false;
    pair_expect(&pair_host, " verify done", 20000);
    pair_expect(&machine, " serve given sequence=7", 1000);
    memset(machine.disk.now + DISK_STATE + DISK_BLOCK, 0x5a, DISK_BUNDLES - DISK_BLOCK);
    scenario_publish(8, families, NULL);
    pair_expect(&machine, " serve withdrawn sequence=7", 20000);
    pair_expect(&machine, " serve open sequence=8", 20000);
    assert_int_equal(pair_count(&machine, " serve withdrawn"), 1);
}

/* A newer bundle is durable and its sequence is not: the older one is served on, whole, until a third is to be written where it lies. */
static void test_state_cannot_be_written(void **unused)
{
    (void)unused;
    start_bmc();
    scenario_run(100);
    machine.disk.state_error = true;
    scenario_publish(8, families, NULL);
    scenario_expect(" commit error code=store.io", 20000);
    pair_boot_host();
    pair_expect(&pair_host, " verify done", 20000);
    pair_expect(&machine, " serve given sequence=7", 1000);
    sim_power_off(&pair_host);
    /* Again and again, and nothing is written over what is served. */
    scenario_expect(" commit error code=store.io", 120000);
    assert_int_equal(scenario_count(" serve withdrawn"), 0);
    scenario_publish(9, families, NULL);
    scenario_carrier(false); /* it begins anew at the link, and so fetches */
    scenario_expect(" error code=link.carrier", 60000);
    scenario_carrier(true);
    scenario_expect(" serve withdrawn sequence=7", 120000);
    assert_int_equal(scenario_count(" serve open"), 1);
    machine.disk.state_error = false;
    scenario_expect(" serve open sequence=9", 120000);
    assert_int_equal(scenario_count(" serve withdrawn"), 1);
    sim_power_off(&machine);
    scenario_carrier(false);
    scenario_boot();
    scenario_expect("sequence=9 bundle=node-1", 1000);
}

static void test_window(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR "serve-window = 30\n", VIA_BMC CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
    scenario_never(" serve closed", 29900);
    scenario_expect(" serve closed why=window", 200);
    pair_boot_host();
    pair_expect(&pair_host, "fetch.status", 5000);
    assert_int_equal(pair_count(&machine, " serve given"), 0);
    machine.nics[1].carrier = false;
    pair_run(300);
    machine.nics[1].carrier = true;
    pair_expect(&pair_host, " bmc done", 20000);
}

/* The BMC may hand over what is in clear; its host's own site has the last word. */
static void test_host_refuses_what_is_in_clear(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR, VIA_BMC);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
    pair_boot_host();
    pair_expect(&pair_host, "config.unsealed-on-link", 5000);
    pair_run(3000);
    assert_int_equal(pair_count(&pair_host, " discover done"), 0);
}

/* The same machine without a BMC that answers. */
static void alone(const char *via, const char *link)
{
    char site[128];

    scenario_os();
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    snprintf(site, sizeof(site), "nic = sim0\nvia = %s\nbmc-link = %s\n", via, link);
    machine.nic_count = 2;
    machine.nics[1].carrier = true;
    scenario_servers(site);
    scenario_publish(7, families, NULL);
    scenario_boot();
}

static void test_bmc_first(void **unused)
{
    (void)unused;
    alone("bmc-first", "sim1");
    scenario_expect(" bmc error", 16000);
    scenario_expect(" fetch done", 5000);
    scenario_expect(" joined done", 5000);
    assert_int_equal(scenario_count(" report "), 0);
}

/* The host's firmware names the card by its address, and the site does not. */
static void test_link_by_smbios(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR, "nic = sim0\nvia = bmc\nbmc-link = smbios\n" CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
    pair_host.identity.has_bmc_mac = true;
    memcpy(pair_host.identity.bmc_mac, pair_host.nics[1].mac, 6);
    pair_boot_host();
    pair_expect(&pair_host, " bmc done", 20000);
    pair_expect(&pair_host, " joined done", 20000);
}

/* The card towards the BMC is not there: the network is asked all the same. */
static void test_no_link_to_the_bmc(void **unused)
{
    (void)unused;
    alone("bmc-first", "usb9");
    scenario_expect(" bmc error code=link.none", 16000);
    scenario_expect(" joined done", 10000);
}

static void test_firmware_names_no_link(void **unused)
{
    (void)unused;
    alone("bmc-first", "smbios");
    scenario_expect(" bmc error code=link.none", 16000);
    scenario_expect("smbios", 0);
    scenario_expect(" joined done", 10000);
}

/* What the BMC has is refused: the network's bundle is taken. */
static void test_useless_bundle_of_the_bmc(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR, "via = bmc-first\nbmc-link = sim1\n");
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
    pair_boot_host();
    pair_expect(&pair_host, " error code=config.unsealed-on-link", 20000);
    pair_expect(&pair_host, " fetch ", 40000);
}

static void test_bmc_last(void **unused)
{
    (void)unused;
    alone("bmc-last", "sim1");
    scenario_expect(" joined done", 5000);
    assert_int_equal(scenario_count(" bmc "), 0);
}

static void test_bmc_as_the_last_resort(void **unused)
{
    (void)unused;
    pair_sites(BMC CLEAR, "via = bmc-last\nbmc-link = sim1\n" CLEAR);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
    pair_boot_host();
    pair_expect(&pair_host, " fetch error", 40000);
    pair_expect(&pair_host, " bmc done", 120000);
    pair_expect(&pair_host, " joined done", 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_keeps_a_bundle),
        PAIR(test_refuses_what_is_not_for_its_host),
        PAIR(test_refuses_what_is_in_clear),
        PAIR(test_host_joins_through_the_bmc),
        PAIR(test_serves_what_it_stored),
        PAIR(test_follows_the_server),
        PAIR(test_other_form_of_the_signature),
        PAIR(test_clock_that_runs_ahead),
        PAIR(test_power_cuts),
        PAIR(test_damaged_store),
        PAIR(test_store_breaks_while_serving),
        PAIR(test_state_cannot_be_written),
        PAIR(test_window),
        PAIR(test_host_refuses_what_is_in_clear),
        SCENARIO(test_bmc_first),
        SCENARIO(test_no_link_to_the_bmc),
        PAIR(test_link_by_smbios),
        SCENARIO(test_firmware_names_no_link),
        PAIR(test_useless_bundle_of_the_bmc),
        SCENARIO(test_bmc_last),
        PAIR(test_bmc_as_the_last_resort),
    };

    return cmocka_run_group_tests_name("scenario_bmc", tests, NULL, NULL);
}
