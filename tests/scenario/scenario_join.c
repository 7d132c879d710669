/*
 * scenario_join.c - the whole way on boards/sim, from power-on to a joined node, against real TLS servers behind the simulated link (bridge.h).
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>

#include "firmware/agent/agent.h"
#include "firmware/agent/handoff.h"
#include "tests/scenario/bridge.h"

static void prepare(const char *site, const char *node, const char *node_ip)
{
    scenario_os();
    scenario_servers(site);
    scenario_publish(7, node, node_ip);
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
}

static void test_power_on_to_joined(void **unused)
{
    static const char *const files[] = {"/etc/kubernetes/pki/ca.crt", "/var/lib/kubelet/config.yaml",
                                        "/var/lib/kubelet/kubeadm-flags.env", "/etc/hosts",
                                        "/etc/resolv.conf"};
    const struct os *o;

    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    o = machine.os;
    scenario_boot();
    scenario_expect(" fetch done", 5000);
    assert_true(sim_says(&machine, " family=ipv6 ") && sim_says(&machine, " quality=trusted"));
    scenario_expect(" verify done", 0);
    scenario_expect(" parse done", 0);
    scenario_expect(" accept done", 0);
    scenario_expect(" network done", 100);
    scenario_expect(" discover done", 5000);
    scenario_expect(" configure done", 5000);
    scenario_expect(" commit done", 0);
    scenario_expect(" preflight done", 100);
    scenario_expect(" handoff file path=" HANDOFF_BOOTSTRAP_CONF, 100);
    assert_false(o->services[HOST_KUBELET].wanted); /* the probe of the addresses runs for its whole second */
    scenario_expect(" handoff done", 1200);
    scenario_expect(" joined done", 1000);
    assert_int_equal(scenario_count(" error "), 0);
    assert_int_equal(bridge_opened(), 2);
    for (size_t i = 0; i < COUNT(files); i++)
        assert_non_null(os_find(o, files[i]));
    assert_null(os_find(o, HANDOFF_BOOTSTRAP_CONF));
    assert_string_equal(o->hostname, "node-1");
    assert_true(o->clock_s > agent_build_time() - 1);
    assert_true(o->net_applied && o->net.addr_count == 3 && o->net.route_count == 2);
    assert_non_null(strstr(o->services[HOST_KUBELET].argv, "--node-ip=10.0.0.50," SCENARIO_SLAAC));
    assert_null(strstr(machine.console, "vjjwg16ucnhp94qr"));
    printf("the longest turn took %u us of CPU time\n", (unsigned)machine.longest_turn_us);
    scenario_never(" error ", 3600 * 1000);
    machine.os->stop = true;
    sim_wake(&machine);
    (void)sim_run(&machine, 0);
    assert_true(machine.finished && !machine.died);
    assert_int_equal(machine.how, BOARD_FINISH_POWEROFF);
}

/* The same bundle again, then an older one, then another one with the same sequence, then a newer one; kubelet's files stay on the disk. */
static void test_sequence_over_power_cycles(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    for (unsigned i = 0; i < 2; i++) {
        scenario_boot();
        scenario_expect(" joined done", 8000);
    }
    scenario_publish(6, "families: [ipv4, ipv6]\n", NULL);
    scenario_boot();
    scenario_expect(" accept error code=config.sequence", 8000);
    scenario_publish(7, "families: [ipv4]\n", NULL);
    scenario_expect(" accept error code=config.equivocation", 8000);
    scenario_never(" network done", 60000);
    scenario_publish(8, "families: [ipv4, ipv6]\n", NULL);
    scenario_expect(" joined done", 35000);
}

/* The power goes when kubelet has its certificate and its Node is Ready, but is not healthy yet: the next boot knows both as its own. */
static void test_power_cut_while_kubelet_joins(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    machine.os->sick = true;
    scenario_boot();
    scenario_expect(" handoff done", 8000);
    scenario_run(5000);
    assert_non_null(os_find(machine.os, HANDOFF_KUBELET_CONF));
    scenario_mode("api", "ready");
    machine.os->sick = false;
    scenario_boot();
    scenario_expect(" joined done", 20000);
}

/* A Ready node of this name that this machine never was: refused for as long as it is Ready. */
static void test_name_is_taken(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    scenario_mode("api", "ready");
    scenario_boot();
    scenario_expect("error code=configure.node-exists", 8000);
    scenario_never(" commit done", 60000);
    scenario_mode("api", "");
    scenario_expect(" joined done", 35000);
}

/* Files of another system's kubelet. */
static void test_foreign_files(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    snprintf(machine.os->files[0].path, sizeof(machine.os->files[0].path), "%s", HANDOFF_KUBELET_CONF);
    scenario_boot();
    scenario_expect(" preflight error code=preflight.stale-files", 8000);
    scenario_never(" handoff ", 60000);
    memset(machine.os->files, 0, sizeof(machine.os->files));
    scenario_expect(" joined done", 35000);
}

/* A node image's own word about its kubelet is taken instead of the program's. */
static void test_version_beside_kubelet(void **unused)
{
    struct os_file *file;

    (void)unused;
    prepare("root = LABEL=node\n", "families: [ipv4, ipv6]\n", NULL);
    file = &machine.os->files[OS_FILES_MAX - 1];
    snprintf(file->path, sizeof(file->path), "/usr/bin/kubelet.version");
    file->n = (size_t)snprintf((char *)file->bytes, sizeof(file->bytes), "Kubernetes v1.37.0\n");
    scenario_boot();
    scenario_expect(" configure error code=configure.version", 8000);
    assert_null(strstr(machine.os->services[HOST_JOB].argv, "--version"));
    file->n = (size_t)snprintf((char *)file->bytes, sizeof(file->bytes), "Kubernetes v1.36.9\n");
    scenario_expect(" configure done", 8000);
    assert_true(sim_says(&machine, "kubelet=\"Kubernetes v1.36.9\""));
    assert_null(strstr(machine.os->services[HOST_JOB].argv, "--version"));
    /* No version: the program is asked. */
    file->n = (size_t)snprintf((char *)file->bytes, sizeof(file->bytes), "v9\n");
    scenario_boot();
    scenario_expect("kubelet=\"Kubernetes v1.36.2\"", 8000);
}

/* 800 ms after the addresses were taken into use another machine claims one: kubelet must not have been started on it. */
static void test_late_duplicate_stops_hand_over(void **unused)
{
    uint64_t begin;

    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    scenario_boot();
    begin = machine.now_ms;
    scenario_expect(" preflight done", 700);
    scenario_run(begin + 800 - machine.now_ms);
    scenario_claim6(SCENARIO_SLAAC);
    scenario_expect(" handoff error code=address.duplicate", 10);
    assert_false(machine.os->services[HOST_KUBELET].wanted || machine.os->net_applied);
    scenario_expect(" joined done", 60000);
}

static void test_static_addresses(void **unused)
{
    static const char node[] =
        "families: [ipv4, ipv6]\nnetwork:\n  ipv4:\n    addresses: [\"10.0.0.60/24\"]\n    gateway: \"10.0.0.1\"\n"
        "  ipv6:\n    addresses: [\"fd00:1::60/64\"]\n";

    (void)unused;
    prepare("dad = rfc4862\n", node, "10.0.0.60,fd00:1::60");
    scenario_boot();
    scenario_expect(" accept done", 8000);
    scenario_never(" network done", 900);
    scenario_expect(" network done", 300);
    scenario_expect(" joined done", 8000);
    assert_non_null(strstr(machine.os->services[HOST_KUBELET].argv, "--node-ip=10.0.0.60,fd00:1::60"));
}

static void test_node_ip_of_somebody_else(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", "10.0.0.51");
    scenario_boot();
    scenario_expect(" network error code=configure.node-ip", 8000);
    scenario_publish(8, "families: [ipv4, ipv6]\n", "10.0.0.50");
    scenario_expect(" joined done", 35000);
}

/* Each failure of the fetch has its name, and ends when the server is mended. */
static void test_fetch_failures(void **unused)
{
    static const struct {
        const char *mode, *code;
        uint64_t ms;
    } rows[] = {
        {"status", "fetch.status", 8000},
        {"short", "fetch.closed", 8000},
        {"silent", "fetch.slow", 32000},
    };

    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[64];

        scenario_mode("config", rows[i].mode);
        scenario_boot();
        snprintf(text, sizeof(text), " fetch error code=%s ", rows[i].code);
        scenario_expect(text, rows[i].ms);
        scenario_mode("config", "");
        scenario_expect(" accept done", 10000);
    }
    sim_power_off(&machine);
    scenario_root = "tests/unit/data-kube/ca.pem"; /* another CA */
    scenario_site("");
    scenario_boot();
    scenario_expect(" fetch error code=tls.root", 8000);
}

static void lose_carrier(void)
{
    scenario_carrier(false);
    scenario_expect(" error code=link.carrier", 1300);
    scenario_never(" link done", 3000);
    scenario_carrier(true);
    scenario_expect(" link done", 31000);
}

/* The carrier goes in every row that waits: back to link, and on to the end when it is there again. */
static void test_carrier_lost_later(void **unused)
{
    static const char node[] =
        "families: [ipv4, ipv6]\nnetwork:\n  ipv6:\n    addresses: [\"fd00:1::60/64\"]\n";

    (void)unused;
    prepare("dad = rfc4862\n", node, NULL);
    scenario_mode("config", "silent");
    scenario_boot();
    scenario_expect(" locate done", 1200);
    scenario_run(2000);
    lose_carrier();
    scenario_mode("config", "");
    netpeer.servers[0].lease = NULL; /* network has no IPv4 to wait for yet */
    scenario_site("dad = rfc4862\none-family = yes\nfamilies-wait = 2\n");
    scenario_boot();
    scenario_expect(" accept done", 5000);
    lose_carrier();
    netpeer.servers[0].lease = "10.0.0.50";
    scenario_mode("api", "silent");
    scenario_expect(" network done", 10000);
    scenario_run(2000);
    lose_carrier();
    scenario_mode("api", "");
    machine.os->cri_silent = true;
    scenario_expect(" commit done", 35000);
    scenario_run(2000);
    lose_carrier();
    machine.os->cri_silent = false;
    scenario_expect(" joined done", 35000);
}

/* While the probe of the addresses runs, the carrier goes: nothing is handed over, whether it comes back at once or not. */
static void test_carrier_lost_before_hand_over(void **unused)
{
    (void)unused;
    for (unsigned returns = 0; returns < 2; returns++) {
        netpeer_reset();
        sim_power_off(&machine);
        disk_init(&machine.disk);
        prepare("", "families: [ipv4, ipv6]\n", NULL);
        scenario_boot();
        scenario_expect(" handoff file path=" HANDOFF_BOOTSTRAP_CONF, 700);
        scenario_run(300);
        scenario_carrier(false);
        if (returns) {
            scenario_run(500);
            scenario_carrier(true);
        } else {
            scenario_expect(" handoff error code=link.carrier", 1300);
            assert_int_equal(machine.os->net_applies, 0);
            scenario_carrier(true);
        }
        scenario_expect(" handoff done", 10000);
        assert_int_equal(machine.os->net_applies, 1);
        assert_int_equal(machine.os->net.addr_count, 3);
    }
}

/* The same, and behind the new carrier is another lease: kubelet must not be told the old address. */
static void test_lease_changes_before_hand_over(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    scenario_boot();
    scenario_expect(" handoff file path=" HANDOFF_BOOTSTRAP_CONF, 700);
    scenario_run(300);
    scenario_carrier(false);
    scenario_run(300);
    netpeer.servers[0].lease = "10.0.0.77";
    scenario_carrier(true);
    scenario_expect(" handoff error code=address.lost", 3000);
    scenario_expect(" joined done", 10000);
    assert_non_null(strstr(machine.os->services[HOST_KUBELET].argv, "--node-ip=10.0.0.77,"));
    assert_int_equal(machine.os->net_applies, 1);
}

static void test_preflight(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    machine.os->swap = true;
    scenario_boot();
    scenario_expect(" preflight error code=preflight.swap", 8000);
    machine.os->swap = false;
    machine.os->port_taken = true;
    scenario_expect(" preflight error code=preflight.port", 3000);
    machine.os->port_taken = false;
    machine.os->cri_silent = true;
    scenario_expect(" preflight error code=preflight.cri", 130000);
    machine.os->cri_silent = false;
    machine.os->refuse_files = true;
    scenario_expect(" handoff error code=handoff.file", 35000);
    machine.os->refuse_files = false;
    machine.os->refuse_network = true;
    scenario_expect(" handoff error code=handoff.kernel", 35000);
    assert_false(machine.os->services[HOST_KUBELET].wanted);
    machine.os->refuse_network = false;
    scenario_expect(" joined done", 65000);
}

/* Kubelet runs, but nobody approves its certificate. */
static void test_certificate_is_late(void **unused)
{
    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    machine.os->kubelet_joins_ms = 0;
    scenario_boot();
    scenario_expect(" joined error code=joined.csr-pending", 35000);
    scenario_never(" joined done", 60000);
    machine.os->kubelet_joins_ms = 1;
    scenario_expect(" joined done", 1000);
}

/* A clock far ahead makes every certificate look expired: the floor is tried, and the server's Date believed. */
static void test_wrong_clocks(void **unused)
{
    static const int64_t walls[] = {0, 2082758400, 4294967296};

    (void)unused;
    prepare("", "families: [ipv4, ipv6]\n", NULL);
    for (size_t i = 0; i < COUNT(walls); i++) {
        machine.wall_s = walls[i];
        scenario_boot();
        scenario_expect(" fetch done", 8000);
        assert_true(sim_says(&machine, " quality=trusted"));
        scenario_expect(" accept done", 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_power_on_to_joined),
        SCENARIO(test_sequence_over_power_cycles),
        SCENARIO(test_power_cut_while_kubelet_joins),
        SCENARIO(test_name_is_taken),
        SCENARIO(test_foreign_files),
        SCENARIO(test_version_beside_kubelet),
        SCENARIO(test_late_duplicate_stops_hand_over),
        SCENARIO(test_static_addresses),
        SCENARIO(test_node_ip_of_somebody_else),
        SCENARIO(test_fetch_failures),
        SCENARIO(test_carrier_lost_later),
        SCENARIO(test_carrier_lost_before_hand_over),
        SCENARIO(test_lease_changes_before_hand_over),
        SCENARIO(test_preflight),
        SCENARIO(test_certificate_is_late),
        SCENARIO(test_wrong_clocks),
    };

    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
