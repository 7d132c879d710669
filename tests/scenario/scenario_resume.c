/*
 * scenario_resume.c - the second boot on boards/sim: a machine that is a node goes straight to its kubelet, and a newer bundle, a reset or an
 * expired certificate leads to a new join.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <time.h>

#include "firmware/agent/handoff.h"
#include "firmware/agent/state.h"
#include "firmware/kube/flags.h"
#include "tests/scenario/bridge.h"
#include "tests/unit/testcrypto.h"

#define BOTH "families: [ipv4, ipv6]\n"

/* A machine whose kubelet gets a certificate that its cluster's CA signed. */
static void prepare(const char *certificate, const char *site, const char *node, const char *node_ip)
{
    scenario_os();
    scenario_servers(site);
    scenario_publish(7, node, node_ip);
    scenario_pem(certificate, &machine.os->kubelet_pem);
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    machine.wall_s = time(NULL);
}

/* A node, and its power cut. */
static void joined_with(const char *certificate, const char *site, const char *node, const char *node_ip)
{
    prepare(certificate, site, node, node_ip);
    scenario_boot();
    scenario_expect(" joined done", 8000);
    assert_int_equal(scenario_count(" resume done"), 1);
    assert_int_equal(scenario_count("node=node-1 seq"), 0);
}

static void joined(const char *site, const char *node, const char *node_ip)
{
    joined_with("node", site, node, node_ip);
}

/* How often the machine has joined since joined(). */
static unsigned joins(void)
{
    return scenario_count(" discover done") - 1;
}

static const char *kubelet_argv(void)
{
    return machine.os->services[HOST_KUBELET].argv;
}

/* The config server does not answer, the token is dead, the API server is not asked: kubelet runs all the same. */
static void test_second_boot(void **unused)
{
    char first[2048];

    (void)unused;
    joined("", BOTH, NULL);
    snprintf(first, sizeof(first), "%s", kubelet_argv());
    scenario_mode("config", "status");
    scenario_mode("api", "status");
    for (unsigned i = 0; i < 3; i++) {
        scenario_boot();
        scenario_expect(" resume done", 1000);
        assert_true(sim_says(&machine, " node=node-1"));
        scenario_expect(" fetch error code=fetch.status", 5000);
        scenario_expect(" network done", 1500);
        scenario_expect(" joined done", 2500);
        assert_string_equal(kubelet_argv(), first);
        assert_int_equal(joins(), 0);
        assert_int_equal(scenario_count(" handoff file "), 5);
        assert_true(machine.os->net_applied && machine.os->net.addr_count == 3);
        assert_string_equal(machine.os->hostname, "node-1");
    }
}

/* A server that takes the request and is silent costs the glance of three seconds, no more. */
static void test_silent_server(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    scenario_mode("config", "silent");
    scenario_boot();
    scenario_expect(" fetch error code=fetch.slow", 5000);
    scenario_expect(" joined done", 2500);
}

/* The same bundle is still there: nothing is joined anew. */
static void test_same_bundle(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    scenario_boot();
    scenario_expect(" accept done", 5000);
    scenario_expect(" joined done", 3000);
    assert_int_equal(joins() + scenario_count(" error "), 0);
}

/* What the agent filled in itself is computed anew: another lease, another address, but no other argument. */
static void test_address_changes(void **unused)
{
    const struct os_file *flags;

    (void)unused;
    joined("", BOTH, NULL);
    assert_non_null(strstr(kubelet_argv(), "--node-ip=10.0.0.50," SCENARIO_SLAAC));
    netpeer.servers[0].lease = "10.0.0.77";
    scenario_mode("config", "status");
    scenario_boot();
    scenario_expect(" joined done", 9000);
    assert_non_null(strstr(kubelet_argv(), "--node-ip=10.0.0.77," SCENARIO_SLAAC));
    flags = os_find(machine.os, FLAGS_PATH);
    assert_non_null(flags);
    assert_true(span_find_str(span_of(flags->bytes, flags->n), "--node-ip=10.0.0.77,") < flags->n);
}

/* Static addresses and a node-ip of the document come from the record. */
static void test_static_addresses(void **unused)
{
    static const char node[] =
        BOTH "network:\n  ipv4:\n    addresses: [\"10.0.0.60/24\"]\n    gateway: \"10.0.0.1\"\n"
             "  ipv6:\n    addresses: [\"fd00:1::60/64\"]\n";

    (void)unused;
    joined("", node, "10.0.0.60,fd00:1::60");
    scenario_mode("config", "status");
    scenario_boot();
    scenario_expect(" joined done", 9000);
    assert_non_null(strstr(kubelet_argv(), "--node-ip=10.0.0.60,fd00:1::60"));
    assert_int_equal(joins(), 0);
}

static void test_newer_bundle(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    scenario_publish(8, BOTH, NULL);
    scenario_boot();
    scenario_expect(" commit done", 9000);
    assert_null(os_find(machine.os, HANDOFF_KUBELET_CONF));
    scenario_expect(" joined done", 3000);
    scenario_mode("config", "status");
    scenario_boot();
    scenario_expect(" joined done", 9000);
    assert_int_equal(joins(), 1);
}

#define GOES_ON "goes on as the node that this machine is"

/* A newer bundle that leads to no join takes no node down; at the next boot it is tried again. */
static void test_newer_bundle_without_a_cluster(void **unused)
{
    (void)unused;
    joined("", BOTH "network:\n  ipv4:\n    addresses: [\"10.0.0.60/24\"]\n    gateway: \"10.0.0.1\"\n",
           "10.0.0.60,fd00:1::ff:fe00:1");
    scenario_publish(
        8, BOTH "network:\n  ipv4:\n    addresses: [\"10.0.0.61/24\"]\n    gateway: \"10.0.0.1\"\n", NULL);
    scenario_mode("api", "status");
    for (unsigned i = 0; i < 2; i++) {
        scenario_boot();
        scenario_expect(" discover error code=", 9000);
        scenario_expect(" discover error code=", 9000);
        scenario_expect(" discover error code=", 9000);
        scenario_expect(GOES_ON, 100);
        if (i == 0) { /* the way there begins anew, and the bundle waits all the same */
            scenario_carrier(false);
            scenario_run(1500);
            scenario_carrier(true);
            scenario_expect(" accept error code=", 9000);
        }
        scenario_expect(" joined done", 9000);
        assert_non_null(os_find(machine.os, HANDOFF_KUBELET_CONF));
        assert_non_null(strstr(kubelet_argv(), "--node-ip=10.0.0.60,"));
    }
    scenario_mode("api", "");
    scenario_boot();
    scenario_expect(" commit done", 9000);
    scenario_expect(" joined done", 9000);
    assert_int_equal(joins(), 1);
    assert_null(strstr(kubelet_argv(), "--node-ip=10.0.0.60,"));
}

/* It is given time until the cluster has noticed that the Node of the boot before is gone. */
static void test_newer_bundle_of_a_ready_node(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    scenario_publish(8, BOTH, NULL);
    scenario_mode("api", "ready");
    scenario_boot();
    scenario_expect(" configure error code=configure.node-exists", 9000);
    scenario_never(GOES_ON, 90000);
    scenario_mode("api", "");
    scenario_expect(" joined done", 40000);
    assert_int_equal(scenario_count(GOES_ON), 0);
}

/* Who asks for a reset does not want the node as it is. */
static void test_reset_without_a_cluster(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    scenario_publish(8, BOTH "reset: true\n", NULL);
    scenario_mode("api", "status");
    scenario_boot();
    scenario_expect(" discover error code=", 9000);
    scenario_never(GOES_ON, 60000);
    scenario_mode("api", "");
    scenario_expect(" joined done", 60000);
}

/* An older bundle, and another one with the same sequence, change nothing. */
static void test_replayed_bundle(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    scenario_publish(6, BOTH, NULL);
    scenario_boot();
    scenario_expect(" accept error code=config.sequence", 8000);
    scenario_expect(" joined done", 3000);
    scenario_publish(7, BOTH "binding:\n", NULL);
    scenario_boot();
    scenario_expect(" joined done", 9000);
    assert_int_equal(joins(), 0);
}

/* Too long on the shelf: the certificate has expired at the time of the config server, which was verified. The machine says so, and joins by the
 * live bundle. */
static void test_expired_certificate(void **unused)
{
    (void)unused;
    joined_with("expired", "", BOTH, NULL);
    scenario_boot();
    scenario_expect(" fetch done", 6000);
    scenario_expect(" network error code=resume.expired", 1000);
    scenario_expect(" commit done", 4000);
    scenario_expect(" joined done", 4000);
}

/* The config server is down, so a real-time clock is no more than a hint: the floor decides. */
static void goes_on_at_the_floor(const char *certificate, int64_t offset_s)
{
    joined_with(certificate, "", BOTH, NULL);
    bridge_port(443, 0);
    machine.wall_s = time(NULL) + offset_s;
    scenario_boot();
    scenario_expect("the real-time clock makes kubelet's certificate fail", 6000);
    scenario_expect(" joined done", 3000);
    assert_int_equal(joins() + scenario_count(" network error "), 0);
}

static void test_clock_behind_the_end(void **unused)
{
    (void)unused;
    goes_on_at_the_floor("short", (int64_t)10 * 365 * 86400);
}

/* Only a little ahead: it may be right. The machine waits for the config server, whose time decides, and joins. */
static void test_clock_a_little_behind_the_end(void **unused)
{
    (void)unused;
    joined_with("short", "", BOTH, NULL);
    scenario_mode("config", "status");
    machine.wall_s = time(NULL) + 2 * 86400;
    scenario_boot();
    scenario_expect(" network error code=resume.expired", 9000);
    scenario_never(" joined done", 30000);
    scenario_mode("config", "");
    scenario_expect(" joined done", 60000);
}

static void test_clock_before_the_beginning(void **unused)
{
    (void)unused;
    goes_on_at_the_floor("late", 0);
}

static void test_certificate_of_somebody_else(void **unused)
{
    struct os_file *file;

    (void)unused;
    joined("", BOTH, NULL);
    file = (struct os_file *)(uintptr_t)os_find(machine.os, HANDOFF_KUBELET_PEM);
    assert_non_null(file);
    file->bytes[file->n / 4] ^= 1;
    scenario_boot();
    scenario_expect(" network error code=resume.certificate", 6000);
    scenario_expect(" joined done", 9000);
}

/* Files that are not whole: a join, not a resumption. */
static void test_missing_files(void **unused)
{
    static const char *const paths[] = {HANDOFF_KUBELET_CONF, HANDOFF_KUBELET_PEM, FLAGS_PATH,
                                        "/etc/kubernetes/pki/ca.crt"};

    (void)unused;
    joined("", BOTH, NULL);
    for (size_t i = 0; i < COUNT(paths); i++) {
        memset((void *)(uintptr_t)os_find(machine.os, paths[i]), 0, sizeof(struct os_file));
        scenario_boot();
        scenario_expect(" resume note ", 1000);
        scenario_expect(" discover done", 9000);
        scenario_expect(" joined done", 4000);
    }
}

/* The document's permission to swap, as an argument of kubelet or as a check to be left out, holds on the second boot as well. */
static void swaps(const char *document)
{
    scenario_document = document;
    prepare("node", "", BOTH, NULL);
    machine.os->swap = true;
    for (unsigned i = 0; i < 2; i++) {
        scenario_boot();
        scenario_expect(" joined done", 8000);
        scenario_mode("config", "status");
    }
    assert_int_equal(joins(), 0);
}

static void test_swap_argument(void **unused)
{
    (void)unused;
    swaps("nodeRegistration:\n  kubeletExtraArgs:\n  - name: fail-swap-on\n    value: \"false\"\n");
}

static void test_swap_check_left_out(void **unused)
{
    (void)unused;
    swaps("nodeRegistration:\n  ignorePreflightErrors: [Swap]\n");
}

/* kubelet's configuration, by a patch on the machine, says where it answers for its health. */
static void health_at(const char *patch)
{
    struct os_file *file;

    scenario_document = "patches:\n  directory: /etc/patches\n";
    prepare("node", "", BOTH, NULL);
    snprintf(machine.os->files[0].path, sizeof(file->path), "/etc/patches");
    file = &machine.os->files[1];
    snprintf(file->path, sizeof(file->path), "/etc/patches/kubeletconfiguration+merge.yaml");
    file->n = (size_t)snprintf((char *)file->bytes, sizeof(file->bytes), "%s", patch);
}

static void test_health_elsewhere(void **unused)
{
    (void)unused;
    health_at("healthzBindAddress: \"::1\"\nhealthzPort: 10300\n");
    for (unsigned i = 0; i < 2; i++) {
        machine.os->asked_port = 0;
        scenario_boot();
        scenario_expect(" joined done", 8000);
        assert_true(ip_is_loopback(&machine.os->asked) && machine.os->asked.family == FAMILY_V6);
        assert_int_equal(machine.os->asked_port, 10300);
        scenario_mode("config", "status");
    }
    assert_int_equal(joins(), 0);
}

/* Nobody answers, and nobody is asked. */
static void test_health_nowhere(void **unused)
{
    (void)unused;
    health_at("healthzPort: 0\n");
    machine.os->sick = true;
    scenario_boot();
    scenario_expect(" joined done", 8000);
    assert_null(os_find(machine.os, HANDOFF_BOOTSTRAP_CONF));
}

/* It ended between kubelet's certificate and its health: the next run removes the file with the token, with nobody to ask. */
static void test_ended_before_the_token_was_removed(void **unused)
{
    (void)unused;
    prepare("node", "", BOTH, NULL);
    machine.os->sick = true;
    scenario_boot();
    scenario_expect(" handoff done", 8000);
    scenario_run(2000);
    assert_non_null(os_find(machine.os, HANDOFF_KUBELET_CONF));
    assert_non_null(os_find(machine.os, HANDOFF_BOOTSTRAP_CONF));
    machine.os->sick = false;
    scenario_mode("config", "status");
    scenario_boot();
    scenario_expect(" joined done", 9000);
    assert_null(os_find(machine.os, HANDOFF_BOOTSTRAP_CONF));
    assert_int_equal(joins(), 0);
}

/* A signed reset: everything of the earlier join is wiped before the new one, also if the power goes in the middle. */
static void test_reset(void **unused)
{
    (void)unused;
    joined("", BOTH, NULL);
    machine.os->job_ms = 3000;
    scenario_publish(8, BOTH "reset: true\n", NULL);
    scenario_boot();
    scenario_expect("reset: what the earlier join left is wiped", 9000);
    scenario_run(2000); /* in the middle of the wipe */
    scenario_boot();
    scenario_expect(" resume note ", 1000);
    scenario_expect("reset: what the earlier join left is wiped", 9000);
    scenario_expect(" commit done", 6000);
    assert_null(os_find(machine.os, HANDOFF_KUBELET_CONF));
    assert_null(os_find(machine.os, FLAGS_PATH));
    scenario_expect(" joined done", 4000);
    scenario_boot(); /* the same bundle again: no second wipe */
    scenario_expect(" joined done", 9000);
    assert_int_equal(scenario_count("reset: "), 2);
    assert_int_equal(joins(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_second_boot),
        SCENARIO(test_silent_server),
        SCENARIO(test_same_bundle),
        SCENARIO(test_address_changes),
        SCENARIO(test_static_addresses),
        SCENARIO(test_newer_bundle),
        SCENARIO(test_newer_bundle_without_a_cluster),
        SCENARIO(test_newer_bundle_of_a_ready_node),
        SCENARIO(test_reset_without_a_cluster),
        SCENARIO(test_replayed_bundle),
        SCENARIO(test_expired_certificate),
        SCENARIO(test_clock_behind_the_end),
        SCENARIO(test_clock_a_little_behind_the_end),
        SCENARIO(test_clock_before_the_beginning),
        SCENARIO(test_certificate_of_somebody_else),
        SCENARIO(test_missing_files),
        SCENARIO(test_swap_argument),
        SCENARIO(test_swap_check_left_out),
        SCENARIO(test_health_elsewhere),
        SCENARIO(test_health_nowhere),
        SCENARIO(test_ended_before_the_token_was_removed),
        SCENARIO(test_reset),
    };

    return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
