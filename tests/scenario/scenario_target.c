/*
 * scenario_target.c - hand-off mode switch-root on boards/sim: the bundle comes from the BMC, its files go into the installed system, networkd gets the
 * network that the node joined with, and that system's init takes the agent's place.
 */
#include "tests/scenario/pair.h"

#include "firmware/agent/handoff.h"
#include "firmware/agent/networkd.h"

#define BMC    "host-link = sim1\nhost-mac = " PAIR_HOST_MAC "\nrefresh = 10\npermit-unsealed = yes\n"
#define SYSTEM "LABEL=debian"
#define HOST                                                                                      \
    "nic = sim0\nvia = bmc\nbmc-link = sim1\npermit-unsealed = yes\nkubelet = /usr/bin/kubelet\n" \
    "target = " SYSTEM "\n"

static const char node[] = "families: [ipv4, ipv6]\nhandOff: switch-root\ntarget:\n  root: " SYSTEM "\n";

/* What a node needs of the installed system. */
static void install(void)
{
    static const char *const parts[] = {"/sbin/init", "/lib/systemd/systemd-networkd",
                                        "/lib/systemd/system/kubelet.service",
                                        "/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"};
    struct host h = os_host(pair_host.os);
    struct fault f = {0};

    for (size_t i = 0; i < COUNT(parts); i++)
        assert_int_equal(h.write_file(h.ctx, parts[i], 0755, SPAN_LIT("packaged"), &f), OK);
    pair_host.os->target = SYSTEM;
}

static void start(const char *document)
{
    pair_sites(BMC, HOST);
    install();
    scenario_publish(7, document, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
    pair_boot_host();
}

static bool file_says(const char *path, const char *text)
{
    const struct os_file *f = os_find(pair_host.os, path);

    assert_non_null(f);
    return span_find_str(span_of(f->bytes, f->n), text) < f->n;
}

/* Nothing of the link to the BMC goes into the installed system; its window stays open, since nobody there can say that the node has joined. */
static void test_through_the_bmc(void **unused)
{
    static const char *const files[] = {"/etc/kubernetes/pki/ca.crt",         "/var/lib/kubelet/config.yaml",
                                        "/var/lib/kubelet/kubeadm-flags.env", HANDOFF_BOOTSTRAP_CONF,
                                        "/etc/sysctl.d/90-joinboot.conf",     "/run/joinboot/joinboot"};
    const struct os *o = pair_host.os;

    (void)unused;
    start(node);
    pair_expect(&pair_host, " bmc done", 5000);
    pair_expect(&pair_host, " discover done", 10000);
    pair_expect(&pair_host, " handoff done", 5000);
    pair_run(100);
    assert_true(o->switched && pair_host.pid == 0);
    assert_int_equal(pair_count(&pair_host, " error "), 0);
    assert_int_equal(pair_count(&pair_host, " fetch "), 0);
    for (size_t i = 0; i < COUNT(files); i++)
        assert_non_null(os_find(o, files[i]));
    assert_true(file_says(NETWORKD_PATH, "MACAddress=02:00:00:00:00:01\n"));
    assert_true(file_says(NETWORKD_PATH, "DHCP=ipv4\nIPv6AcceptRA=yes\n"));
    assert_false(file_says(NETWORKD_PATH, PAIR_HOST_MAC));
    assert_false(file_says("/etc/resolv.conf", "fe80::6a62:1"));
    assert_false(o->net_applied || o->services[HOST_KUBELET].wanted);
    assert_string_equal(o->hostname, "node-1");
    assert_null(strstr(pair_host.console, "vjjwg16ucnhp94qr"));
    pair_run(5000);
    assert_int_equal(pair_count(&machine, " serve given sequence=7"), 1);
    assert_int_equal(pair_count(&machine, " serve closed"), 0);
}

/* The bundle says another system, or another mode: refused with its name, and asked for again, on the link alone. */
static void refused(const char *document, const char *code)
{
    start(document);
    pair_expect(&pair_host, code, 10000);
    pair_run(5000);
    assert_false(pair_host.os->switched);
    assert_int_equal(pair_count(&pair_host, " fetch "), 0);
    assert_null(os_find(pair_host.os, HANDOFF_BOOTSTRAP_CONF));
    scenario_publish(8, node, NULL);
    pair_expect(&machine, " serve open sequence=8", 20000);
    pair_expect(&pair_host, " handoff done", 60000);
    pair_run(100);
    assert_true(pair_host.os->switched);
}

static void test_another_system(void **unused)
{
    (void)unused;
    refused("families: [ipv4, ipv6]\nhandOff: switch-root\ntarget:\n  root: LABEL=other\n",
            " error code=target.other");
}

static void test_another_mode(void **unused)
{
    (void)unused;
    refused("families: [ipv4, ipv6]\n", " error code=config.unsupported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_through_the_bmc),
        PAIR(test_another_system),
        PAIR(test_another_mode),
    };

    return cmocka_run_group_tests_name("scenario_target", tests, NULL, NULL);
}
