/*
 * scenario_report.c - reports by POST to a real TLS server: what stands in them, how often, and that nobody waits for them.
 */
#include "tests/scenario/scenario.h"

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

/* A server that never answers, a name that nobody knows, an address where nobody is, and a URL that is none. */
static void test_nobody_waits(void **unused)
{
    static const char *const urls[] = {"report-url = https://config.lab/report\n",
                                       "report-url = https://nobody.lab/\n",
                                       "report-url = https://10.0.0.99/\n", "report-url = https://[\n"};
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

int main(void)
{
    const struct CMUnitTest tests[] = {SCENARIO(test_failures_then_ready), SCENARIO(test_nobody_waits),
                                       SCENARIO(test_no_answer)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
