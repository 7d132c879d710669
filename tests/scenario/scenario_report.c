/*
 * scenario_report.c - reports by POST to a real TLS server: what stands in them, how often, and that nobody waits for them.
 */
#include "tests/scenario/pair.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/testcrypto.h"

static void prepare(const char *site)
{
    char path[300];

    scenario_os();
    scenario_servers(site);
    scenario_publish(7, "families: [ipv4, ipv6]\n", NULL);
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    snprintf(path, sizeof(path), "%s/reports", testcrypto_dir());
    (void)unlink(path);
}

/* How many reports with this text came. */
static unsigned reports(const char *text)
{
    char path[300];
    struct span rest;
    unsigned n = 0;

    snprintf(path, sizeof(path), "%s/reports", testcrypto_dir());
    if (access(path, F_OK) != 0)
        return 0;
    rest = testcrypto_file(path);
    while (rest.n > 0) {
        struct span line = span_cut(&rest, '\n');
        n += span_find_str(line, text) < line.n;
        assert_int_equal(span_find_str(line, "vjjwg16ucnhp94qr"), line.n);
    }
    return n;
}

static void test_failures_then_ready(void **unused)
{
    (void)unused;
    prepare("report-url = https://config.lab/report\n");
    scenario_mode("config", "status");
    scenario_boot();
    scenario_expect(" fetch error code=fetch.status attempt=1", 5000);
    scenario_run(90000);
    assert_true(scenario_count(" fetch error code=fetch.status") >= 3);
    assert_int_equal(
        reports(
            "{\"schema\":\"joinboot-report/1\",\"role\":\"node\",\"event\":\"failed\",\"phase\":\"fetch\",\"code\":\"fetch.status\","
            "\"attempt\":1,\"sequence\":0,"),
        1);
    assert_int_equal(reports("\"mac\":\"02:00:00:00:00:01\"}"), 1);
    scenario_run(400000); /* it is told again when five minutes have passed */
    assert_int_equal(reports("\"code\":\"fetch.status\""), 2);
    scenario_mode("config", "");
    scenario_boot();
    scenario_expect(" joined done", 8000);
    assert_int_equal(
        reports("\"event\":\"ready\",\"phase\":\"handoff\",\"code\":\"ok\",\"attempt\":1,\"sequence\":7,"),
        1);
    assert_int_equal(reports("\"node\":\"node-1\""), 1);
    assert_int_equal(reports(""), 3);
    assert_int_equal(scenario_count(" report note "), 0);
}

/* How long from power-on to a joined node, in simulated time. */
static uint64_t boot_ms(const char *site, const char *mode)
{
    uint64_t start;

    prepare(site);
    scenario_mode("config", mode);
    scenario_boot();
    start = machine.now_ms;
    scenario_expect(" joined done", 8000);
    assert_int_equal(scenario_count(" error "), 0);
    return machine.now_ms - start;
}

/* A server that never answers, a name that nobody knows, and an address where nobody is. */
static void test_nobody_waits(void **unused)
{
    static const char *const urls[] = {"report-url = https://config.lab/report\n",
                                       "report-url = https://nobody.lab/\n",
                                       "report-url = https://10.0.0.99/\n"};
    uint64_t without = boot_ms("", ""), with;

    for (size_t i = 0; i < COUNT(urls); i++) {
        (void)scenario_teardown(unused);
        (void)scenario_setup(unused);
        with = boot_ms(urls[i], "deaf");
        printf("%llu ms, without a report %llu ms\n", (unsigned long long)with, (unsigned long long)without);
        assert_true(with <= without + 100);
        assert_int_equal(reports(""), 0);
    }
}

/* Given up after ten seconds, said once, and tried again while there is time. */
static void test_no_answer(void **unused)
{
    (void)unused;
    prepare("report-url = https://config.lab/report\n");
    scenario_mode("config", "deaf-status");
    scenario_boot();
    scenario_expect(" report note text=\"no answer from report-url\"", 120000);
    scenario_never(" report note ", 60000);
    scenario_mode("config", "status");
    scenario_run(60000);
    assert_int_equal(reports("\"event\":\"failed\""), 1);
}

/* The longest turn of a whole boot, in microseconds of CPU time. */
static uint64_t longest_turn_us(void **unused, const char *site)
{
    uint64_t us = UINT64_MAX;

    for (unsigned i = 0; i < 3; i++) {
        (void)scenario_teardown(unused);
        (void)scenario_setup(unused);
        (void)boot_ms(site, "");
        us = machine.longest_turn_us < us ? machine.longest_turn_us : us;
    }
    return us;
}

/* A report that is under way, handshake and all, beside the rows that render and write makes no turn longer. */
static void test_turns_stay_short(void **unused)
{
    uint64_t without = longest_turn_us(unused, ""), with;

    with = longest_turn_us(unused, "report-url = https://config.lab/report\n");
    assert_int_equal(reports("\"event\":\"ready\""), 1);
    printf("longest turn %llu us, without a report %llu us\n", (unsigned long long)with,
           (unsigned long long)without);
    assert_true(with <= without + without / 2);
}

#define BMC_SITE                                                                            \
    "host-link = sim1\nhost-mac = " PAIR_HOST_MAC "\nrefresh = 10\npermit-unsealed = yes\n" \
    "report-url = https://config.lab/report\n"
#define HOST_SITE "via = bmc\nbmc-link = sim1\npermit-unsealed = yes\n"

static void prepare_bmc(const char *mode)
{
    char path[300];

    pair_sites(BMC_SITE, HOST_SITE);
    scenario_publish(7, "families: [ipv4, ipv6]\n", NULL);
    scenario_mode("config", mode);
    snprintf(path, sizeof(path), "%s/reports", testcrypto_dir());
    (void)unlink(path);
    scenario_boot();
}

/* Of a BMC: what failed on the way to a bundle, and what is wrong with a newer one while it serves; the machine that is named is its host. */
static void test_bmc(void **unused)
{
    (void)unused;
    prepare_bmc("status");
    scenario_expect(" fetch error code=fetch.status attempt=3", 20000);
    scenario_run(5000);
    assert_int_equal(reports(""), 1);
    assert_int_equal(
        reports("\"role\":\"bmc\",\"event\":\"failed\",\"phase\":\"fetch\",\"code\":\"fetch.status\","
                "\"attempt\":1,\"sequence\":0,"),
        1);
    assert_int_equal(reports("\"mac\":\"" PAIR_HOST_MAC "\"}"), 1);
    scenario_mode("config", "");
    scenario_expect(" serve open sequence=7", 60000);
    scenario_mac = "02:00:00:00:0e:01";
    scenario_publish(8, "families: [ipv4, ipv6]\n", NULL);
    scenario_expect(" accept error code=config.binding", 60000);
    scenario_run(15000);
    assert_int_equal(
        reports("\"phase\":\"accept\",\"code\":\"config.binding\",\"attempt\":1,\"sequence\":7,"), 1);
    assert_int_equal(reports(""), 2);
    assert_int_equal(scenario_count(" report note "), 0);
}

/* Nobody answers the BMC's report: it serves its host at the same time, and looks for a newer bundle as often as ever. */
static void test_bmc_without_an_answer(void **unused)
{
    (void)unused;
    prepare_bmc("deaf-status");
    scenario_expect(" fetch error code=fetch.status attempt=1", 20000);
    scenario_mode("config", "deaf");
    scenario_expect(" serve open sequence=7", 60000);
    scenario_mode("config", "deaf-status");
    scenario_expect(" serve error code=fetch.status", 11000);
    scenario_run(100);
    pair_boot_host();
    pair_expect(&pair_host, " bmc done", 5000);
    pair_expect(&pair_host, " joined done", 10000);
    pair_expect(&machine, " serve closed why=joined", 2000);
    scenario_mode("config", "deaf");
    scenario_publish(8, "families: [ipv4, ipv6]\n", NULL);
    scenario_expect(" serve open sequence=8", 60000);
    assert_int_equal(reports(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCENARIO(test_failures_then_ready),
                                       SCENARIO(test_nobody_waits),
                                       SCENARIO(test_no_answer),
                                       SCENARIO(test_turns_stay_short),
                                       PAIR(test_bmc),
                                       PAIR(test_bmc_without_an_answer)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
