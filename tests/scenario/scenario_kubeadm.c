/*
 * scenario_kubeadm.c - control-plane join and init on boards/sim: kubeadm is run once, by its name when it cannot be, and never over etcd's data.
 * kubeadm itself is the simulated machine's (boards/sim/os.c).
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <time.h>

#include "firmware/agent/handoff.h"
#include "firmware/kube/flags.h"
#include "tests/unit/testcrypto.h"

#define BOTH "families: [ipv4, ipv6]\n"

static const char control_plane[] =
    "controlPlane:\n  localAPIEndpoint:\n    advertiseAddress: 10.0.0.50\n"
    "  certificateKey: e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\n";
#define INIT_OF(version, more)                                                                              \
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n" more                                    \
    "localAPIEndpoint:\n  advertiseAddress: 10.0.0.50\n"                                                    \
    "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: " version "\n" \
    "networking:\n  podSubnet: 10.244.0.0/16,2001:db8:42:0::/56\n  serviceSubnet: 10.96.0.0/16,2001:db8:42:1::/112\n"
#define INIT(more) INIT_OF("v1.36.2", more)
static const char init[] = INIT("");
static const char init_too_new[] = INIT_OF("v1.38.0", "");
static const char init_with_key[] =
    INIT("certificateKey: e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\n");

static void prepare(const char *document)
{
    scenario_os();
    scenario_servers("");
    scenario_document = document;
    scenario_publish(7, BOTH, NULL);
    machine.os->kubelet_joins_ms = 500;
    machine.os->job_ms = 2000;
    machine.os->pid1 = true;
}

static const char *kubelet_argv(void)
{
    return machine.os->services[HOST_KUBELET].argv;
}

static void test_control_plane_join(void **unused)
{
    (void)unused;
    prepare(control_plane);
    machine.os->kubeadm_says =
        "[preflight] Running pre-flight checks\n"
        "kubeadm join 10.100.0.1:6443 --token clvldh.vjjwg16ucnhp94qr\n"
        "[certs] Using certificate key e6a2eb85 --certificate-key\n"
        "e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\nvjjwg16ucnhp94qr is refused\nThis node has joined";
    scenario_boot();
    scenario_expect(" discover done", 9000);
    scenario_expect(" handoff done", 9000);
    scenario_expect(" kubeadm says line=\"[preflight] Running pre-flight checks\"", 1000);
    scenario_expect(" kubeadm says line=\"This node has joined\"", 2500);
    scenario_expect(" kubeadm done", 100);
    scenario_expect(" joined done", 1000);
    assert_non_null(strstr(kubelet_argv(), "--node-ip=10.0.0.50," SCENARIO_SLAAC));
    assert_null(os_find(machine.os, "/run/joinboot/kubeadm.yaml"));
    assert_null(os_find(machine.os, HANDOFF_BOOTSTRAP_CONF));
    assert_null(strstr(machine.console, "vjjwg16ucnhp94qr"));
    assert_null(strstr(machine.console, "e6a2eb85"));
    assert_int_equal(scenario_count(" handoff file "), 0);
}

static void test_init(void **unused)
{
    (void)unused;
    prepare(init);
    scenario_mode("api", "status"); /* there is no cluster to be asked */
    scenario_boot();
    scenario_expect(" kubeadm done", 12000);
    scenario_expect(" joined done", 1000);
    assert_int_equal(scenario_count(" discover "), 0);
    assert_non_null(strstr(machine.os->services[HOST_JOB].argv, "/usr/bin/kubeadm init --config"));
    assert_null(strstr(machine.os->services[HOST_JOB].argv, "--upload-certs"));
}

/* Whoever gives a certificate key wants other control-plane nodes to use it. */
static void test_init_with_certificate_key(void **unused)
{
    (void)unused;
    prepare(init_with_key);
    machine.os->kubeadm_says = "[upload-certs] in the cluster under\n"
                               "e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\n";
    scenario_boot();
    scenario_expect(" kubeadm done", 12000);
    assert_non_null(strstr(machine.os->services[HOST_JOB].argv, "--upload-certs"));
    assert_non_null(strstr(machine.console, "[upload-certs] in the cluster under"));
    assert_null(strstr(machine.console, "e6a2eb85"));
}

/* kubeadm fails before etcd is touched: what it left is wiped, the machine starts anew, and it is tried again. */
static void test_failed_attempt(void **unused)
{
    (void)unused;
    prepare(control_plane);
    machine.os->job_status = 256;
    scenario_boot();
    scenario_expect(" kubeadm error code=kubeadm.failed", 9000);
    while (!machine.finished && machine.now_ms < 30000)
        (void)sim_run(&machine, 100);
    assert_true(machine.finished && !machine.died);
    assert_int_equal(machine.how, BOARD_FINISH_REBOOT);
    assert_int_equal(scenario_count("reset: what the earlier join left is wiped"), 1);
    machine.os->job_status = 0;
    scenario_boot();
    scenario_expect(" resume note text=\"a reset is not finished\"", 1000);
    scenario_expect(" kubeadm done", 12000);
    scenario_expect(" joined done", 1000);
}

/* Each failed attempt ends in a new boot; the pauses before it grow all the same, until another bundle is there. */
static void test_pauses_grow(void **unused)
{
    static const char *const attempts[] = {
        " kubeadm error code=kubeadm.failed attempt=1 ", " kubeadm error code=kubeadm.failed attempt=2 ",
        " kubeadm error code=kubeadm.failed attempt=3 ", " kubeadm error code=kubeadm.failed attempt=1 "};

    (void)unused;
    prepare(control_plane);
    machine.os->job_status = 256;
    for (size_t i = 0; i < COUNT(attempts); i++) {
        uint64_t failed_ms;

        if (i == 3)
            scenario_publish(8, BOTH, NULL);
        machine.os->job_status = 0; /* the wipe of the attempt before */
        scenario_boot();
        scenario_expect(" handoff done", 15000);
        machine.os->job_status = 256;
        scenario_expect(attempts[i], 9000);
        failed_ms = machine.now_ms;
        while (!machine.finished && machine.now_ms < failed_ms + 60000)
            (void)sim_run(&machine, 100);
        assert_true(machine.finished && !machine.died);
    }
}

/* kubeadm comes to no end: it is ended once all of its own waits, 21 minutes, and the row's time are over, and not before. */
static void test_endless(void **unused)
{
    (void)unused;
    prepare(control_plane);
    scenario_boot();
    scenario_expect(" handoff done", 9000);
    machine.os->job_ms = 3600000;
    scenario_never(" kubeadm error", 30 * 60000);
    scenario_expect(" kubeadm error code=kubeadm.failed", 2 * 60000);
    assert_false(machine.os->services[HOST_JOB].wanted);
}

/* The power goes while kubeadm runs: the same. */
static void test_power_cut(void **unused)
{
    (void)unused;
    prepare(init);
    scenario_boot();
    scenario_expect(" handoff done", 9000);
    scenario_run(500);
    scenario_boot();
    scenario_expect(" resume note text=\"kubeadm did not end\"", 1000);
    scenario_expect("reset: what the earlier join left is wiped", 9000);
    scenario_expect(" kubeadm done", 12000);
}

/* Once etcd has data nothing is wiped and nothing is tried, until a newer bundle says so. */
static void test_half_done(void **unused)
{
    (void)unused;
    prepare(init);
    machine.os->kubeadm_etcd = true;
    scenario_boot();
    scenario_expect(" handoff done", 9000);
    scenario_run(500);
    scenario_boot();
    scenario_expect(" accept error code=kubeadm.half-done", 9000);
    scenario_never("reset: what", 60000);
    assert_non_null(os_find(machine.os, "/var/lib/etcd/member"));
    scenario_publish(8, BOTH, NULL);
    scenario_expect(" accept error code=kubeadm.half-done", 30000);
    scenario_publish(9, BOTH "reset: true\n", NULL);
    scenario_expect("reset: what the earlier join left is wiped", 30000);
    scenario_expect(" kubeadm done", 12000);
    assert_non_null(os_find(machine.os, "/var/lib/etcd/member"));
}

/* The member stands in the cluster's etcd, and kubeadm has not yet written a file of it. */
static void test_member_was_added(void **unused)
{
    (void)unused;
    prepare(control_plane);
    machine.os->kubeadm_says = "[etcd] Announced new etcd member joining to the existing etcd cluster\n";
    scenario_boot();
    scenario_expect(" kubeadm says line=\"[etcd] Announced", 10000);
    scenario_run(500);
    scenario_boot();
    scenario_expect(" accept error code=kubeadm.half-done", 9000);
    scenario_never("reset: what", 60000);
    scenario_publish(9, BOTH "reset: true\n", NULL);
    scenario_expect("reset: what the earlier join left is wiped", 30000);
    scenario_expect(" joined done", 12000);
}

static void made_once(bool own_etcd)
{
    prepare(init);
    machine.os->kubeadm_etcd = own_etcd;
    scenario_boot();
    scenario_expect(" joined done", 15000);
    memset((void *)(uintptr_t)os_find(machine.os, HANDOFF_KUBELET_CONF), 0, sizeof(struct os_file));
    scenario_boot();
    scenario_expect(" accept error code=kubeadm.half-done", 9000);
    scenario_never(" kubeadm ", 60000);
}

/* A cluster is made once, whatever is published again. */
static void test_only_once(void **unused)
{
    (void)unused;
    made_once(true);
}

/* The same where etcd runs elsewhere, and this machine has none of its data. */
static void test_only_once_external_etcd(void **unused)
{
    (void)unused;
    made_once(false);
}

/* A control-plane node that gets a newer bundle without reset stays what it is: the bundle is refused, and nothing of the node is touched. */
static void test_refused_bundle_costs_nothing(void **unused)
{
    (void)unused;
    prepare(control_plane);
    machine.os->kubeadm_etcd = true;
    scenario_pem("node", &machine.os->kubelet_pem);
    scenario_pem("kube-ca", &machine.os->kubeadm_ca);
    machine.wall_s = time(NULL);
    scenario_boot();
    scenario_expect(" joined done", 15000);
    scenario_publish(8, BOTH, NULL);
    scenario_boot();
    scenario_expect(" accept error code=kubeadm.half-done", 9000);
    scenario_expect(" joined done", 4000);
    assert_non_null(os_find(machine.os, HANDOFF_KUBELET_CONF));
    assert_non_null(os_find(machine.os, HANDOFF_KUBELET_PEM));
    assert_int_equal(scenario_count(" kubeadm done"), 1);
    scenario_publish(9, BOTH "reset: true\n", NULL);
    scenario_boot();
    scenario_expect("reset: what the earlier join left is wiped", 15000);
    scenario_expect(" joined done", 15000);
}

/* A minor that is not in the table: by its name, and nothing is stored, written or run. */
static void test_init_of_another_minor(void **unused)
{
    (void)unused;
    prepare(init_too_new);
    scenario_boot();
    scenario_expect(" parse error code=configure.version", 9000);
    assert_non_null(strstr(machine.console, "1.35 to 1.37 are supported"));
    scenario_never(" commit ", 30000);
    assert_int_equal(scenario_count(" kubeadm "), 0);
    assert_null(os_find(machine.os, "/run/joinboot/kubeadm.yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_control_plane_join),
        SCENARIO(test_init),
        SCENARIO(test_init_with_certificate_key),
        SCENARIO(test_failed_attempt),
        SCENARIO(test_pauses_grow),
        SCENARIO(test_endless),
        SCENARIO(test_power_cut),
        SCENARIO(test_half_done),
        SCENARIO(test_member_was_added),
        SCENARIO(test_only_once),
        SCENARIO(test_only_once_external_etcd),
        SCENARIO(test_refused_bundle_costs_nothing),
        SCENARIO(test_init_of_another_minor),
    };

    return cmocka_run_group_tests_name("kubeadm", tests, NULL, NULL);
}
