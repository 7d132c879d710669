/*
 * scenario_trouble.c - what goes wrong on the link and in the machine, on boards/sim: carrier, duplicate addresses, noise, clock, site, silence.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#include "firmware/agent/agent.h"
#include "firmware/agent/backoff.h"

static const char *const policies[] = {"optimistic", "rfc4862", "short"};

static void test_no_carrier(void **unused)
{
    (void)unused;
    scenario_carrier(false);
    scenario_boot();
    scenario_expect(" link error code=link.carrier attempt=1", 31000);
    assert_int_equal(machine.frames_sent, 0);
    scenario_expect(" link error code=link.carrier attempt=2", 31000);
    scenario_carrier(true);
    scenario_expect(" link done", 2000);
    scenario_expect(" address done", 5);
}

static void test_no_nic(void **unused)
{
    (void)unused;
    scenario_site("nic = eth7\n");
    scenario_boot();
    scenario_expect(" link error code=link.none", 0);
    assert_true(sim_says(&machine, "1 NICs found, wanted: eth7"));
}

static void test_second_nic(void **unused)
{
    (void)unused;
    machine.nic_count = 2;
    machine.nics[0].carrier = false;
    machine.nics[1].carrier = true;
    scenario_boot();
    scenario_expect(" link done", 0);
    assert_true(sim_says(&machine, " nic=sim1"));
}

/* While addresses are waited for, and while the fetch is tried: back to link, and up again. */
static void test_carrier_lost(void **unused)
{
    static const char *const last[] = {" link done", " locate done", " fetch error "};

    (void)unused;
    for (size_t i = 0; i < COUNT(last); i++) {
        netpeer_reset();
        netpeer.servers[0].prefix = i == 0 ? NULL : "fd00:1::";
        scenario_carrier(true);
        scenario_boot();
        scenario_expect(last[i], 40000);
        scenario_run(50);
        scenario_carrier(false);
        scenario_expect(" error code=link.carrier", 32000);
        netpeer.servers[0].prefix = "fd00:2::";
        scenario_never(" link done", 5000);
        scenario_carrier(true);
        scenario_expect(" link done", 31000);
        scenario_expect(" address done", 200);
        assert_true(sim_says(&machine, " ipv6=fd00:2::ff:fe00:1/64"));
        sim_power_off(&machine);
    }
}

static void test_short_flap_ends_nothing(void **unused)
{
    (void)unused;
    scenario_boot();
    scenario_expect(" locate done", 100);
    scenario_carrier(false);
    scenario_run(700);
    scenario_carrier(true);
    scenario_never("code=link.carrier", 4000);
    assert_int_equal(scenario_count("address.lost"), 0);
}

static void with_policy(const char *policy)
{
    char more[64];

    netpeer_reset();
    snprintf(more, sizeof(more), "dad = %s\n", policy);
    scenario_site(more);
    scenario_boot();
}

/* The other machine speaks while the probe runs. */
static void test_early_duplicate(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(policies); i++) {
        for (unsigned v6 = 0; v6 < 2; v6++) {
            with_policy(policies[i]);
            scenario_expect(" link done", 0);
            scenario_run(100);
            if (v6)
                scenario_claim6(SCENARIO_SLAAC);
            else
                scenario_claim4("10.0.0.50");
            scenario_expect("error code=address.duplicate", 1);
            assert_true(sim_says(&machine, v6 ? SCENARIO_SLAAC " is also used by 02:00:00:00:00:09"
                                              : "10.0.0.50 is also used by 02:00:00:00:00:09"));
            scenario_expect(" link done", 1000);
            scenario_expect(" address done", 31000);
        }
    }
}

/* 800 ms later, when the optimistic policies have used the address for long. */
static void test_late_duplicate(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(policies); i++) {
        for (unsigned v6 = 0; v6 < 2; v6++) {
            with_policy(policies[i]);
            scenario_run(800);
            assert_int_equal(sim_says(&machine, " address done"), i != 1);
            if (v6)
                scenario_claim6(SCENARIO_SLAAC);
            else
                scenario_claim4("10.0.0.50");
            scenario_expect("error code=address.duplicate", 1);
            scenario_expect(" link done", 1000);
            scenario_expect(" address done", 31000);
        }
    }
}

/* The other machine stays: this one never gets further, says so at every attempt, and goes on when the other one is gone. */
static void test_duplicate_that_stays(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(policies); i++) {
        machine.console_n = machine.mark = 0;
        with_policy(policies[i]);
        scenario_defended = SCENARIO_SLAAC;
        scenario_never(" fetch done", 600 * 1000);
        assert_in_range(scenario_count("error code=address.duplicate"), 10, 100);
        scenario_defended = NULL;
        machine.mark = machine.console_n;
        scenario_expect(" address done", 62000);
        scenario_never("address.duplicate", 60000);
    }
}

/* RFC 4862 section 5.4: with this policy no address is in use before a second of silence. */
static void test_policy_times(void **unused)
{
    static const unsigned at_least[] = {0, 990, 190}, at_most[] = {5, 1100, 300};

    (void)unused;
    for (size_t i = 0; i < COUNT(policies); i++) {
        with_policy(policies[i]);
        if (at_least[i])
            scenario_never(" address done", at_least[i]);
        scenario_expect(" address done", at_most[i] - at_least[i]);
    }
}

/* SECURITY: without entropy there is no key, no frame, and nothing is stored. */
static void test_bad_noise(void **unused)
{
    static const enum sim_noise kinds[] = {SIM_NOISE_STUCK, SIM_NOISE_NONE};

    (void)unused;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        machine.noise = kinds[i];
        scenario_boot();
        scenario_expect(" identify error code=internal.entropy", 61000);
        scenario_never(" identify done", 3600 * 1000);
        assert_int_equal(machine.frames_sent, 0);
        assert_int_equal(machine.disk.ops, 0);
    }
}

static void check_clock(int64_t wall_s, const char *quality, const char *year)
{
    char text[64];

    machine.wall_s = wall_s;
    scenario_boot();
    scenario_expect(" clock done", 100);
    snprintf(text, sizeof(text), " quality=%s", quality);
    assert_true(sim_says(&machine, text));
    snprintf(text, sizeof(text), " time=%s", year);
    assert_true(sim_says(&machine, text));
}

/* 1970, the ends of signed and unsigned 32-bit seconds, and no clock at all: never below the floor, which is the build's time. */
static void test_clock(void **unused)
{
    char floor_year[5];
    int64_t year = 1970 + agent_build_time() / 31556952;

    (void)unused;
    snprintf(floor_year, sizeof(floor_year), "%d", (int)year);
    check_clock(0, "floor", floor_year);
    assert_int_equal(scenario_count("real-time clock is below the floor"), 1);
    check_clock(agent_build_time() - 1, "floor", floor_year);
    check_clock(agent_build_time(), "hint", floor_year);
    check_clock(2147483648, "hint", "2038");
    check_clock(2082758400, "hint", "2036");
    check_clock(4294967296, "hint", "2106");
    check_clock(-1, "floor", floor_year);
    machine.has_clock = false;
    check_clock(4294967296, "floor", floor_year);
}

static void test_site_errors(void **unused)
{
    static const struct {
        const char *site, *cmdline, *code, *text;
    } rows[] = {
        {"", "", "site.missing", "empty site area"},
        {"  \n", "", "site.missing", ""},
        {"what is this\n", "", "site.syntax", "line=1"},
        {"cluster = lab\nunknown = 1\n", "", "site.syntax", "line=2"},
        {"cluster = lab\n", "", "site.key", "there is no `trust` line"},
        {"trust = {}\n", "", "site.key", "line=1"},
        {NULL, "quiet joinboot.trust=x", "site.syntax", "kernel command line"},
        {NULL, "joinboot.cluster=x", "site.syntax", "kernel command line"},
        {NULL, "joinboot.dad=maybe", "site.syntax", "joinboot.dad"},
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[64];

        scenario_site("");
        if (rows[i].site)
            sim_site(&machine, rows[i].site);
        snprintf(machine.cmdline, sizeof(machine.cmdline), "%s", rows[i].cmdline);
        scenario_boot();
        snprintf(text, sizeof(text), " identify error code=%s ", rows[i].code);
        scenario_expect(text, 0);
        assert_true(sim_says(&machine, rows[i].text));
        scenario_never(" identify done", 60000);
        assert_int_equal(machine.frames_sent, 0);
    }
    snprintf(machine.cmdline, sizeof(machine.cmdline),
             "root=/dev/x joinboot.url=https://other.lab/{mac} quiet");
    scenario_boot();
    scenario_expect(" url=https://other.lab/02:00:00:00:00:01", 100);
}

static void test_no_identity(void **unused)
{
    (void)unused;
    machine.identity.has_uuid = false;
    machine.nic_count = 0;
    scenario_boot();
    scenario_expect(" identify error code=identity.none", 0);
}

static void test_nobody_to_fetch_from(void **unused)
{
    (void)unused;
    scenario_boot();
    scenario_expect(" fetch error code=fetch.connect", 31000);
    sim_power_off(&machine);
    netpeer.servers[0].a = netpeer.servers[0].aaaa = NULL;
    scenario_boot();
    scenario_expect(" fetch error code=fetch.dns", 31000);
    assert_true(sim_says(&machine, "the name has no address"));
    sim_power_off(&machine);
    netpeer.servers[0].deaf_dns = true;
    scenario_boot();
    scenario_expect(" fetch error code=fetch.dns", 31000);
    assert_true(sim_says(&machine, "no DNS server answered"));
}

/* The waits between attempts, as the journal tells them: doubled each time, up to the cap. */
static void check_backoff(void)
{
    uint32_t full = BACKOFF_FIRST_MS;

    for (const char *at = machine.console; (at = strstr(at, "retry_ms=")) != NULL; at++) {
        assert_in_range(strtoul(at + 9, NULL, 10), full / 2, full);
        full = 2 * full < BACKOFF_CAP_MS ? 2 * full : BACKOFF_CAP_MS;
    }
    assert_int_equal(full, BACKOFF_CAP_MS);
}

/* Pages of the node's memory that are in use. */
static unsigned long resident(void)
{
    char path[64], text[128] = "";
    unsigned long pages;
    char *at;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)machine.pid);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    (void)strtoul(text, &at, 10);
    pages = strtoul(at, NULL, 10);
    assert_true(pages > 0);
    return pages;
}

/* A day without a DHCP server: the waits grow to a cap and no further, no attempt is the last one, and memory does not grow. */
static void test_a_day_of_silence(void **unused)
{
    unsigned attempts;
    unsigned long pages = 0;

    (void)unused;
    scenario_site("families = ipv4\n");
    netpeer.servers[0].lease = NULL;
    scenario_boot();
    for (unsigned hour = 0; hour < 24; hour++) {
        machine.console_n = machine.mark = 0;
        scenario_run(3600 * 1000);
        attempts = scenario_count(" address error code=address.family-missing");
        if (hour == 0)
            check_backoff();
        else
            assert_in_range(attempts, 3600 / 62, 3600 / 44);
        if (hour == 1)
            pages = resident();
    }
    assert_true(resident() <= pages + 16);
    netpeer.servers[0].lease = "10.0.0.50";
    scenario_expect(" address done", 65000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_no_carrier),
        SCENARIO(test_no_nic),
        SCENARIO(test_second_nic),
        SCENARIO(test_carrier_lost),
        SCENARIO(test_short_flap_ends_nothing),
        SCENARIO(test_early_duplicate),
        SCENARIO(test_late_duplicate),
        SCENARIO(test_duplicate_that_stays),
        SCENARIO(test_policy_times),
        SCENARIO(test_bad_noise),
        SCENARIO(test_clock),
        SCENARIO(test_site_errors),
        SCENARIO(test_no_identity),
        SCENARIO(test_nobody_to_fetch_from),
        SCENARIO(test_a_day_of_silence),
        SCENARIO_BMC(test_carrier_lost),
        SCENARIO_BMC(test_short_flap_ends_nothing),
        SCENARIO_BMC(test_early_duplicate),
        SCENARIO_BMC(test_late_duplicate),
        SCENARIO_BMC(test_duplicate_that_stays),
        SCENARIO_BMC(test_policy_times),
        SCENARIO_BMC(test_clock),
        SCENARIO_BMC(test_nobody_to_fetch_from),
    };

    return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
