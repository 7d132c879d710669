/*
 * test_target.c - handing over to an installed system: the .network file byte by byte, which bundles fit the machine, which rows are left out,
 * what the system must have, and what is written where. The host is a few tables in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "firmware/agent/handoff.h"
#include "firmware/agent/networkd.h"
#include "firmware/agent/target.h"

static struct {
    const char *missing; /* a part of the path that exists() denies; NULL: nothing is missing */
    bool stale, resolv_conf, resolved;
    enum host_answer is;
    char written[8192]; /* "PATH\n" and the text, one after the other */
    char told[256];     /* what was done, in order */
} os;

static struct agent agent;

static void tell(const char *what)
{
    size_t n = strlen(os.told);

    snprintf(os.told + n, sizeof(os.told) - n, "%s;", what);
}

static bool exists(void *ctx, const char *path)
{
    (void)ctx;
    if (strcmp(path, HANDOFF_KUBELET_CONF) == 0)
        return os.stale;
    if (strcmp(path, "/etc/resolv.conf") == 0)
        return os.resolv_conf;
    if (strstr(path, "resolved"))
        return os.resolved;
    return !os.missing || !strstr(path, os.missing);
}

static enum err write_file(void *ctx, const char *path, unsigned mode, struct span data, struct fault *f)
{
    size_t n = strlen(os.written);

    (void)ctx;
    (void)f;
    assert_int_equal(mode, 0644);
    snprintf(os.written + n, sizeof(os.written) - n, "%s\n%.*s", path, (int)data.n, (const char *)data.p);
    return OK;
}

static enum err hostname_set(void *ctx, const char *name, struct fault *f)
{
    (void)ctx;
    (void)f;
    tell(name);
    return OK;
}

static enum err copy_self(void *ctx, const char *path, struct fault *f)
{
    (void)ctx;
    (void)f;
    tell(path);
    return OK;
}

static enum host_answer target_is(void *ctx, const char *spec, struct fault *f)
{
    (void)ctx;
    tell(spec);
    if (os.is == HOST_NO)
        fault_set(f, ERR_TARGET_OTHER, "%s", spec);
    return os.is;
}

static bool memory_is_wiped(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i])
            return false;
    }
    return true;
}

static enum err target_switch_op(void *ctx, struct fault *f)
{
    (void)ctx;
    assert_true(memory_is_wiped(agent.arena_mem, sizeof(agent.arena_mem)));
    assert_true(memory_is_wiped(agent.bundle_mem, sizeof(agent.bundle_mem)));
    assert_true(memory_is_wiped(agent.file_mem, sizeof(agent.file_mem)));
    tell("switch");
    return fault_set(f, ERR_SPAWN, "/sbin/init");
}

static const struct host host = {
    .pid1 = true,
    .exists = exists,
    .write_file = write_file,
    .hostname_set = hostname_set,
    .copy_self = copy_self,
    .target_is = target_is,
    .target_switch = target_switch_op,
};

static int start(void **state)
{
    (void)state;
    memset(&os, 0, sizeof(os));
    memset(&agent, 0, sizeof(agent));
    agent.host = &host;
    agent.table = &phases_node;
    agent.file = BUF_OF(agent.file_mem);
    agent.site.families = FAMILIES_BOTH;
    memcpy(agent.site.target, "LABEL=debian", sizeof("LABEL=debian"));
    agent.bundle.node.hand_off = NODEJOIN_SWITCH_ROOT;
    agent.bundle.node.families = FAMILIES_BOTH;
    memcpy(agent.bundle.node.target_root, "LABEL=debian", sizeof("LABEL=debian"));
    memcpy(agent.bundle.node.name, "node-2", sizeof("node-2"));
    agent.bundle.join.cri_socket = span_str("unix:///var/run/containerd/containerd.sock");
    agent.kubelet.healthz_port = 10248;
    return 0;
}

static struct ip ip(const char *text)
{
    struct ip r;

    assert_int_equal(ip_parse(span_str(text), &r), OK);
    return r;
}

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x4a, 0x42, 2};

#define HEAD                                                                                      \
    "# joinboot: the network that this node joined with\n[Match]\nMACAddress=52:54:00:4a:42:02\n" \
    "Type=ether\n\n[Link]\nRequiredForOnline=yes\n"
#define MIDDLE \
    "IPv6LinkLocalAddressGenerationMode=eui64\nIPv6PrivacyExtensions=no\nKeepConfiguration=dhcp-on-stop\n"
#define TAIL                                                                              \
    "\n[DHCPv4]\nClientIdentifier=mac\nSendHostname=no\nUseHostname=no\nSendRelease=no\n" \
    "\n[DHCPv6]\nDUIDType=link-layer\nUseAddress=no\nUseHostname=no\n\n[IPv6AcceptRA]\nToken=eui64\n"

static void check_network(const struct networkd *n, const char *want)
{
    char text[2048];
    struct buf b = BUF_OF(text);

    networkd_put(n, &b);
    buf_u8(&b, 0);
    assert_string_equal(text, want);
}

static void network_files(void **state)
{
    static const struct nodejoin_network none;
    struct nodejoin_network v4 = {.given = true, .addr_count = 1, .dns_count = 1},
                            v6 = {.given = true, .addr_count = 2};
    struct networkd n = {.automatic = FAMILIES_BOTH, .required = FAMILIES_BOTH, .v4 = &none, .v6 = &none};

    (void)state;
    memcpy(n.mac, mac, sizeof(mac));
    check_network(&n, HEAD "RequiredFamilyForOnline=both\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=yes\n"
                           "LinkLocalAddressing=ipv6\n" MIDDLE TAIL);
    v4.addrs[0] = (struct ip_prefix){.addr = ip("10.0.0.2"), .len = 24};
    v4.gateway = ip("10.0.0.1");
    v4.dns[0] = ip("10.0.0.53");
    v6.addrs[0] = (struct ip_prefix){.addr = ip("fd00::2"), .len = 64};
    v6.addrs[1] = (struct ip_prefix){.addr = ip("fd01::2"), .len = 64};
    n.v4 = &v4;
    n.v6 = &v6;
    check_network(
        &n, HEAD
        "RequiredFamilyForOnline=both\n\n[Network]\nDHCP=no\nIPv6AcceptRA=yes\n"
        "LinkLocalAddressing=ipv6\n" MIDDLE
        "Address=10.0.0.2/24\nGateway=10.0.0.1\nDNS=10.0.0.53\nAddress=fd00::2/64\nAddress=fd01::2/64\n" TAIL);
    n = (struct networkd){.automatic = FAMILIES_V4, .required = FAMILIES_V4, .v4 = &none, .v6 = &none};
    memcpy(n.mac, mac, sizeof(mac));
    check_network(&n, HEAD "RequiredFamilyForOnline=ipv4\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n"
                           "LinkLocalAddressing=no\n" MIDDLE TAIL);
    n.automatic = n.required = FAMILIES_V6;
    check_network(&n, HEAD "RequiredFamilyForOnline=ipv6\n\n[Network]\nDHCP=no\nIPv6AcceptRA=yes\n"
                           "LinkLocalAddressing=ipv6\n" MIDDLE TAIL);
}

static void modes(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(target_check_mode(&agent, &f), OK);
    assert_int_equal(target_abilities(&agent, BUNDLE_CAN_ALL), BUNDLE_CAN_SWITCH_ROOT | BUNDLE_CAN_RESET);
    agent.bundle.role = BUNDLE_CONTROL_PLANE;
    assert_int_equal(target_check_mode(&agent, &f), ERR_CONFIG_UNSUPPORTED);
    assert_non_null(strstr(f.text, "kubeadm"));
    agent.bundle.role = BUNDLE_WORKER;
    fault_clear(&f);
    agent.bundle.node.hand_off = NODEJOIN_SUPERVISE;
    assert_int_equal(target_check_mode(&agent, &f), ERR_CONFIG_UNSUPPORTED);
    assert_non_null(strstr(f.text, "sign with switch-root"));
    fault_clear(&f);
    agent.site.target[0] = 0;
    assert_int_equal(target_check_mode(&agent, &f), OK);
    assert_int_equal(target_abilities(&agent, BUNDLE_CAN_ALL), BUNDLE_CAN_ALL - BUNDLE_CAN_SWITCH_ROOT);
    agent.bundle.node.hand_off = NODEJOIN_SWITCH_ROOT;
    assert_int_equal(target_check_mode(&agent, &f), ERR_CONFIG_UNSUPPORTED);
    assert_non_null(strstr(f.text, "target = LABEL=debian"));
}

static void device(void **state)
{
    (void)state;
    os.is = HOST_BUSY;
    assert_int_equal(target_check_device(&agent), STEP_WAIT);
    os.is = HOST_YES;
    assert_int_equal(target_check_device(&agent), STEP_DONE);
    os.is = HOST_NO;
    assert_int_equal(target_check_device(&agent), STEP_ERROR);
    assert_int_equal(agent.fault.code, ERR_TARGET_OTHER);
    assert_string_equal(os.told, "LABEL=debian;LABEL=debian;LABEL=debian;");
    agent.site.target[0] = 0;
    assert_int_equal(target_check_device(&agent), STEP_DONE);
}

static void rows_left_out(void **state)
{
    static const enum phase_id looks[] = {PHASE_LINK, PHASE_ADDRESS, PHASE_LOCATE, PHASE_FETCH, PHASE_ACCEPT};

    (void)state;
    assert_true(target_leaves_out(&agent, PHASE_IMAGES));
    assert_false(target_leaves_out(&agent, PHASE_NETWORK));
    assert_int_equal(target_glance_ms(&agent, PHASE_LINK), 0);
    assert_true(target_leaves_out(&agent, PHASE_KUBEADM));
    agent.resuming = true;
    assert_true(target_leaves_out(&agent, PHASE_NETWORK));
    for (size_t i = 0; i < COUNT(looks); i++) {
        assert_false(target_leaves_out(&agent, looks[i]));
        assert_int_not_equal(target_glance_ms(&agent, looks[i]) + phases[looks[i]].glance_ms, 0);
    }
    assert_false(target_leaves_out(&agent, PHASE_ROOT));
    assert_false(target_leaves_out(&agent, PHASE_PREFLIGHT));
    assert_false(target_leaves_out(&agent, PHASE_HANDOFF));
    assert_false(target_leaves_out(&agent, PHASE_JOINED));
    agent.site.target[0] = 0;
    assert_false(target_leaves_out(&agent, PHASE_IMAGES));
    assert_int_equal(target_glance_ms(&agent, PHASE_LINK), 0);
}

static void preflight(void **state)
{
    static const char *const parts[] = {"/sbin/init", "systemd-networkd", "kubelet.service",
                                        "10-kubeadm.conf"};

    (void)state;
    assert_int_equal(target_preflight(&agent), STEP_DONE);
    for (size_t i = 0; i < COUNT(parts); i++) {
        os.missing = parts[i];
        fault_clear(&agent.fault);
        assert_int_equal(target_preflight(&agent), STEP_ERROR);
        assert_int_equal(agent.fault.code, ERR_TARGET_SYSTEM);
        assert_non_null(strstr(agent.fault.text, parts[i]));
    }
    os.missing = NULL;
    os.stale = true;
    fault_clear(&agent.fault);
    assert_int_equal(target_preflight(&agent), STEP_ERROR);
    assert_int_equal(agent.fault.code, ERR_STALE);
    agent.state.joined = true;
    assert_int_equal(target_preflight(&agent), STEP_DONE);
}

static void settings_and_names(void **state)
{
    (void)state;
    assert_int_equal(target_do_step(&agent, 5), OK);
    assert_string_equal(os.written, "/etc/sysctl.d/90-joinboot.conf\n"
                                    "# joinboot: pods of this Kubernetes node are reached through it\n"
                                    "net.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n"
                                    "/etc/modules-load.d/joinboot.conf\noverlay\nbr_netfilter\n");
    memset(os.written, 0, sizeof(os.written));
    agent.net.dns[0] = ip("fd00::53");
    agent.net.dns_count = 1;
    os.resolv_conf = true;
    assert_int_equal(target_do_step(&agent, 7), OK);
    os.resolv_conf = false;
    os.resolved = true;
    assert_int_equal(target_do_step(&agent, 7), OK);
    assert_string_equal(os.written, "");
    os.resolved = false;
    assert_int_equal(target_do_step(&agent, 7), OK);
    assert_string_equal(os.written, "/etc/resolv.conf\nnameserver fd00::53\n");
    assert_string_equal(os.told, "node-2;node-2;node-2;");
}

/* Nothing but what lies below /run is written again on a later boot. */
static void units(void **state)
{
    (void)state;
    agent.resuming = true;
    for (unsigned step = 5; step <= 10; step++)
        assert_int_equal(target_do_step(&agent, step), OK);
    assert_string_equal(os.told, "/run/joinboot/joinboot;");
    assert_non_null(strstr(os.written, "ExecStart=/run/joinboot/joinboot --joined 10248 \n"));
    assert_non_null(strstr(os.written, "Wants=systemd-networkd.service containerd.service kubelet.service "
                                       "joinboot-joined.service\n"));
    assert_non_null(strstr(os.written, "After=systemd-networkd-wait-online.service containerd.service\n"));
    assert_null(strstr(os.written, "/etc/"));
    agent.bundle.join.cri_socket = span_str("unix:///var/run/crio/crio.sock");
    agent.kubelet.healthz = ip("::1");
    assert_int_equal(target_do_step(&agent, 10), OK);
    assert_non_null(strstr(os.written, " --joined 10248 ::1\n"));
    assert_non_null(strstr(os.written, "Wants=systemd-networkd.service crio.service kubelet.service"));
}

static void secrets_are_wiped(void **state)
{
    (void)state;
    memset(agent.arena_mem, 'x', sizeof(agent.arena_mem));
    memset(agent.bundle_mem, 'x', sizeof(agent.bundle_mem));
    memset(agent.file_mem, 'x', sizeof(agent.file_mem));
    assert_int_equal(target_switch(&agent), STEP_ERROR);
    assert_int_equal(agent.fault.code, ERR_SPAWN);
    assert_string_equal(os.told, "switch;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_files),          cmocka_unit_test_setup(modes, start),
        cmocka_unit_test_setup(device, start),    cmocka_unit_test_setup(rows_left_out, start),
        cmocka_unit_test_setup(preflight, start), cmocka_unit_test_setup(settings_and_names, start),
        cmocka_unit_test_setup(units, start),     cmocka_unit_test_setup(secrets_are_wiped, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
