/*
 * test_join.c - JoinConfiguration: every field, its default, its rules with position and path, and what the agent cannot honour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/duration.h"
#include "config/bundle.h"
#include "config/yaml_heap.h"
#include "firmware/base/limits.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct bundle bundle;
static struct join join;
static size_t fail_at;

#define HASH      "sha256:1122334455667788990011223344556677889900112233445566778899001122"
#define HEAD      "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n"
#define TOKEN     "    token: clvldh.vjjwg16ucnhp94qr\n"
#define ENDPOINT  "    apiServerEndpoint: 10.100.0.1:6443\n"
#define PINS      "    caCertHashes:\n    - " HASH "\n"
#define DISCOVERY "discovery:\n  bootstrapToken:\n" TOKEN ENDPOINT PINS
#define WORKER    HEAD DISCOVERY
#define NODE      WORKER "nodeRegistration:\n"
#define TAINT     NODE "  taints:\n  - "
#define ARGS      NODE "  kubeletExtraArgs:\n  - "

static enum err read_text(const char *text)
{
    struct yaml_stream stream;
    arena_init(&arena, memory, sizeof(memory));
    arena.fail_at = fail_at;
    fault_clear(&fault);
    memset(&join, 0x5a, sizeof(join));
    enum err e = yaml_parse(span_str(text), &arena, &stream, &fault);
    if (e == OK)
        e = bundle_kubeadm(&stream, 0, &arena, &bundle, &fault);
    if (e == OK)
        join = bundle.join;
    return e;
}

#define ACCEPTS(text) accepts(text, __LINE__)
static void accepts(const char *text, int line)
{
    enum err e = read_text(text);
    if (e != OK)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
}

static const char *json(void)
{
    static char text[16 * 1024];
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
    memset(text, 0, sizeof(text));
    join_put_json(&join, &b);
    assert_false(b.overflow);
    return text;
}

#define TIMEOUTS_JSON                                                                                              \
    "\"timeouts\":{\"controlPlaneComponentHealthCheck\":\"4m0s\",\"discovery\":\"5m0s\",\"etcdAPICall\":\"2m0s\"," \
    "\"kubeletHealthCheck\":\"4m0s\",\"kubernetesAPICall\":\"1m0s\",\"tlsBootstrap\":\"5m0s\",\"upgradeManifests\":\"5m0s\"}"

static void the_seeds_worker(void **state)
{
    (void)state;
    ACCEPTS(
        NODE
        "  name: worker-1\n  kubeletExtraArgs:\n  - name: node-ip\n    value: 10.100.0.2,fd00:1:2:3::3\n");
    assert_true(join.has_bootstrap_token && !join.has_file && !join.has_control_plane &&
                !join.unsafe_skip_ca);
    assert_true(span_is(join.name, "worker-1"));
    assert_true(span_is(join.endpoint, "10.100.0.1:6443"));
    assert_true(span_is(join.endpoint_host, "10.100.0.1"));
    assert_int_equal(join.endpoint_ip.family, FAMILY_V4);
    assert_int_equal(join.endpoint_port, 6443);
    assert_true(span_is(join.token, "clvldh.vjjwg16ucnhp94qr"));
    assert_true(span_is(join.tls_bootstrap_token, "clvldh.vjjwg16ucnhp94qr"));
    assert_int_equal(join.ca_hash_count, 1);
    assert_int_equal(join.ca_hashes[0][0], 0x11);
    assert_int_equal(join.ca_hashes[0][31], 0x22);
    assert_true(span_is(join.ca_cert_path, "/etc/kubernetes/pki/ca.crt"));
    assert_int_equal(join.node_ip->line, 13);
    assert_string_equal(
        json(),
        "{\"apiVersion\":\"kubeadm.k8s.io/v1beta4\",\"caCertPath\":\"/etc/kubernetes/pki/ca.crt\",\"discovery\":"
        "{\"bootstrapToken\":{\"apiServerEndpoint\":\"10.100.0.1:6443\",\"caCertHashes\":[\"" HASH
        "\"],\"token\":"
        "\"clvldh.vjjwg16ucnhp94qr\"},\"tlsBootstrapToken\":\"clvldh.vjjwg16ucnhp94qr\"},\"kind\":"
        "\"JoinConfiguration\",\"nodeRegistration\":{\"criSocket\":\"unix:///var/run/containerd/containerd.sock\","
        "\"imagePullPolicy\":\"IfNotPresent\",\"imagePullSerial\":true,\"kubeletExtraArgs\":[{\"name\":\"node-ip\","
        "\"value\":\"10.100.0.2,fd00:1:2:3::3\"}],\"name\":\"worker-1\",\"taints\":null}," TIMEOUTS_JSON "}");
    assert_int_equal(join_supported(&join, false, &fault), OK);
}

static void every_field(void **state)
{
    (void)state;
    ACCEPTS(
        HEAD
        "dryRun: true\ncaCertPath: /pki/x.crt\ndiscovery:\n  tlsBootstrapToken: aaaaaa.0123456789abcdef\n  bootstrapToken:\n" TOKEN
        "    apiServerEndpoint: \"[fd00::1]:7443\"\n    unsafeSkipCAVerification: true\n"
        "controlPlane:\n  certificateKey: "
        "e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\n"
        "  localAPIEndpoint: {advertiseAddress: 'FD00:0::2', bindPort: 7444}\n"
        "skipPhases: [a, \"b\\\"\\\\\\n\"]\npatches: {directory: /p}\n"
        "timeouts:\n  controlPlaneComponentHealthCheck: 1m\n  kubeletHealthCheck: 2m\n  kubernetesAPICall: 3m\n"
        "  etcdAPICall: 4m\n  tlsBootstrap: 5m\n  discovery: 6m\n  upgradeManifests: 7m\n"
        "nodeRegistration:\n  name: ' Node.EXAMPLE '\n  criSocket: /run/x.sock\n  imagePullPolicy: Never\n"
        "  imagePullSerial: false\n  ignorePreflightErrors: [Swap]\n"
        "  taints:\n  - {key: example.com/a, value: b, effect: NoExecute}\n  - {key: c, effect: PreferNoSchedule}\n"
        "  kubeletExtraArgs:\n  - {name: v, value: '2'}\n  - {name: node-labels}\n");
    assert_string_equal(
        json(),
        "{\"apiVersion\":\"kubeadm.k8s.io/v1beta4\",\"caCertPath\":\"/pki/x.crt\",\"controlPlane\":{\"certificateKey\":"
        "\"e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204\",\"localAPIEndpoint\":{\"advertiseAddress\":\"fd00::2\","
        "\"bindPort\":7444}},\"discovery\":{\"bootstrapToken\":{\"apiServerEndpoint\":\"[fd00::1]:7443\",\"token\":"
        "\"clvldh.vjjwg16ucnhp94qr\",\"unsafeSkipCAVerification\":true},\"tlsBootstrapToken\":\"aaaaaa.0123456789abcdef\"},"
        "\"dryRun\":true,\"kind\":\"JoinConfiguration\",\"nodeRegistration\":{\"criSocket\":\"unix:///run/x.sock\","
        "\"ignorePreflightErrors\":[\"Swap\"],\"imagePullPolicy\":\"Never\",\"imagePullSerial\":false,\"kubeletExtraArgs\":"
        "[{\"name\":\"v\",\"value\":\"2\"},{\"name\":\"node-labels\",\"value\":\"\"}],\"name\":\"node.example\",\"taints\":"
        "[{\"effect\":\"NoExecute\",\"key\":\"example.com/a\",\"value\":\"b\"},{\"effect\":\"PreferNoSchedule\",\"key\":\"c\"}]},"
        "\"patches\":{\"directory\":\"/p\"},\"skipPhases\":[\"a\",\"b\\\"\\\\\\n\"],\"timeouts\":{"
        "\"controlPlaneComponentHealthCheck\":\"1m0s\",\"discovery\":\"6m0s\",\"etcdAPICall\":\"4m0s\",\"kubeletHealthCheck\":\"2m0s\","
        "\"kubernetesAPICall\":\"3m0s\",\"tlsBootstrap\":\"5m0s\",\"upgradeManifests\":\"7m0s\"}}");
    assert_int_equal(join.endpoint_ip.family, FAMILY_V6);
    assert_int_equal(join.endpoint_port, 7443);
}

static void defaults(void **state)
{
    (void)state;
    ACCEPTS(
        WORKER
        "caCertPath: ''\nnodeRegistration: {name: '', criSocket: '', imagePullPolicy: '', taints: null, kubeletExtraArgs: []}\n"
        "timeouts: {}\n");
    assert_non_null(strstr(json(), "\"criSocket\":\"unix:///var/run/containerd/containerd.sock\""));
    assert_non_null(strstr(json(), "\"taints\":null"));
    assert_null(strstr(json(), "\"name\""));
    assert_null(strstr(json(), "kubeletExtraArgs"));
    ACCEPTS(NODE "  criSocket: unix:///run/x.sock\n");
    assert_non_null(strstr(json(), "\"criSocket\":\"unix:///run/x.sock\""));
    ACCEPTS(NODE "  taints: []\n");
    assert_non_null(strstr(json(), "\"taints\":[]"));
    ACCEPTS(WORKER "controlPlane: {}\n");
    assert_non_null(strstr(json(), "\"controlPlane\":{\"localAPIEndpoint\":{\"bindPort\":6443}}"));
    assert_non_null(
        strstr(json(),
               "\"taints\":[{\"effect\":\"NoSchedule\",\"key\":\"node-role.kubernetes.io/control-plane\"}]"));
    ACCEPTS(
        WORKER
        "controlPlane: {localAPIEndpoint: {bindPort: 0, advertiseAddress: ''}, certificateKey: ''}\nnodeRegistration: {taints: []}\n");
    assert_non_null(strstr(json(), "\"bindPort\":6443"));
    assert_non_null(strstr(json(), "\"taints\":[]"));
    ACCEPTS(WORKER "patches: {}\n");
    assert_non_null(strstr(json(), "\"patches\":{}"));
    ACCEPTS(HEAD "discovery: {file: {kubeConfigPath: /etc/discovery.conf}}\n");
    assert_int_equal(join_supported(&join, false, &fault), OK);
    ACCEPTS(HEAD "discovery:\n  file: {kubeConfigPath: 'https://a.example:8443/x/y'}\n");
    assert_non_null(
        strstr(json(), "\"discovery\":{\"file\":{\"kubeConfigPath\":\"https://a.example:8443/x/y\"}}"));
    ACCEPTS(
        HEAD
        "discovery:\n  file: {kubeConfigPath: 'https://a'}\n  tlsBootstrapToken: aaaaaa.0123456789abcdef\n");
    ACCEPTS(HEAD "discovery:\n  bootstrapToken:\n" TOKEN
                 "    apiServerEndpoint: Api.example:6443\n    caCertHashes: ['SHA256:"
                 "ABCDEF4455667788990011223344556677889900112233445566778899001122']\n");
    assert_int_equal(join.ca_hashes[0][0], 0xab);
    assert_int_equal(join.endpoint_ip.family, FAMILY_NONE);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
        uint64_t ms;
        const char *printed;
    } rows[] = {
        {"5m0s", OK, 300000, "5m0s"},
        {"0", OK, 0, "0s"},
        {"+0", OK, 0, "0s"},
        {"0s", OK, 0, "0s"},
        {"1h2m3.5s", OK, 3723500, "1h2m3.5s"},
        {"1ms", OK, 1, "1ms"},
        {"999ms", OK, 999, "999ms"},
        {"1000ms", OK, 1000, "1s"},
        {"1.050s", OK, 1050, "1.05s"},
        {"90s", OK, 90000, "1m30s"},
        {".5s", OK, 500, "500ms"},
        {"1.s", OK, 1000, "1s"},
        {"1.5h", OK, 5400000, "1h30m0s"},
        {"0.1m", OK, 6000, "6s"},
        {"1000us", OK, 1, "1ms"},
        {"1000\xc2\xb5s", OK, 1, "1ms"},
        {"1000\xce\xbcs", OK, 1, "1ms"},
        {"1000000ns", OK, 1, "1ms"},
        {"1m1m", OK, 120000, "2m0s"},
        {"1s1h", OK, 3601000, "1h0m1s"},
        {"2562047h47m16.854s", OK, 9223372036854, "2562047h47m16.854s"},
        {"1.500000000000s", OK, 1500, "1.5s"},
        {"0.5us0.5us999us", OK, 1, "1ms"},
        {"1ns", ERR_LIMIT, 0, ""},
        {"1.5us", ERR_LIMIT, 0, ""},
        {"-1s", ERR_LIMIT, 0, ""},
        {"-0", ERR_LIMIT, 0, ""},
        {"1.0000000001s", ERR_LIMIT, 0, ""},
        {"0.3ns", ERR_LIMIT, 0, ""},
        {"", ERR_INPUT, 0, ""},
        {"+", ERR_INPUT, 0, ""},
        {"-", ERR_INPUT, 0, ""},
        {"5", ERR_INPUT, 0, ""},
        {"s", ERR_INPUT, 0, ""},
        {".s", ERR_INPUT, 0, ""},
        {"5d", ERR_INPUT, 0, ""},
        {"5m ", ERR_INPUT, 0, ""},
        {" 5m", ERR_INPUT, 0, ""},
        {"5M", ERR_INPUT, 0, ""},
        {"--5m", ERR_INPUT, 0, ""},
        {"1m0", ERR_INPUT, 0, ""},
        {"1e3s", ERR_INPUT, 0, ""},
        {"2562047h47m16.855s", ERR_INPUT, 0, ""},
        {"2562048h", ERR_INPUT, 0, ""},
        {"9223372036854775808ns", ERR_INPUT, 0, ""},
        {"99999999999999999999s", ERR_INPUT, 0, ""},
        {"18446744073709551617ms", ERR_INPUT, 0, ""},
        {"-1d", ERR_INPUT, 0, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t ms = 77;
        char text[64] = "";
        struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
        enum err e = duration_parse(span_str(rows[i].text), &ms);
        if (e != rows[i].e || ms != (e == OK ? rows[i].ms : 77))
            fail_msg("%s: %s %llu", rows[i].text, err_name(e), (unsigned long long)ms);
        if (e == OK)
            duration_put(&b, ms);
        assert_string_equal(text, rows[i].printed);
    }
}

static void node_ips(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum err e;
        unsigned count;
        enum family first;
    } rows[] = {
        {"10.100.0.2", OK, 1, FAMILY_V4},
        {"fd00:1:2:3::3", OK, 1, FAMILY_V6},
        {"10.100.0.2,fd00:1:2:3::3", OK, 2, FAMILY_V4},
        {"fd00:1:2:3::3,10.100.0.2", OK, 2, FAMILY_V6},
        {"10.100.0.2,10.100.0.3", ERR_CONFIG_FIELD, 0, 0},
        {"fd00::1,fd00::2", ERR_CONFIG_FIELD, 0, 0},
        {"10.100.0.2,", ERR_CONFIG_FIELD, 0, 0},
        {",fd00::1", ERR_CONFIG_FIELD, 0, 0},
        {"", ERR_CONFIG_FIELD, 0, 0},
        {"10.100.0.2,fd00::1,fd00::2", ERR_CONFIG_FIELD, 0, 0},
        {"10.100.0.2,banana", ERR_CONFIG_FIELD, 0, 0},
        {"10.100.0.300", ERR_CONFIG_FIELD, 0, 0},
        {"0.0.0.0", ERR_CONFIG_FIELD, 0, 0},
        {"::", ERR_CONFIG_FIELD, 0, 0},
        {"127.0.0.1", ERR_CONFIG_FIELD, 0, 0},
        {"fe80::1", ERR_CONFIG_FIELD, 0, 0},
        {"10.100.0.2/24", ERR_CONFIG_FIELD, 0, 0},
        {"010.100.0.2", ERR_CONFIG_FIELD, 0, 0},
        {"10.100.0.2;fd00::1", ERR_CONFIG_FIELD, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[1024];
        struct ip ips[2] = {{.family = FAMILY_NONE}, {.family = FAMILY_NONE}};
        unsigned count = 77;
        (void)snprintf(text, sizeof(text), ARGS "{name: v, value: '1'}\n  - {name: node-ip, value: '%s'}\n",
                       rows[i].value);
        ACCEPTS(text);
        enum err e = join_node_ips(&join, ips, &count, &fault);
        if (e != rows[i].e || count != (e == OK ? rows[i].count : 77) || ips[0].family != rows[i].first)
            fail_msg("%s: %s, %u", rows[i].value, err_name(e), count);
        if (e != OK)
            assert_string_equal(fault.path, "nodeRegistration.kubeletExtraArgs[1].value");
    }
    unsigned count = 77;
    struct ip ips[2];
    ACCEPTS(WORKER);
    assert_int_equal(join_node_ips(&join, ips, &count, &fault), OK);
    assert_int_equal(count, 0);
    ACCEPTS(ARGS "{name: node-ip}\n");
    assert_int_equal(join_node_ips(&join, ips, &count, &fault), ERR_CONFIG_FIELD);
}

#define UNSUPPORTED(text, code, path) unsupported(text, code, path, __LINE__)
static void unsupported(const char *text, enum err code, const char *path, int line)
{
    accepts(text, line);
    enum err e = join_supported(&join, false, &fault);
    if (e != code || strcmp(fault.path, path) != 0 || fault.line == 0)
        fail_msg("line %d: %s %s (%s)", line, err_name(e), fault.text, fault.path);
}

static void refuses_unsupported(void **state)
{
    (void)state;
    UNSUPPORTED(WORKER "controlPlane: {}\n", ERR_CONFIG_CONTROL_PLANE, "controlPlane");
    UNSUPPORTED(HEAD "discovery: {file: {kubeConfigPath: https://a/}}\n", ERR_CONFIG_UNSUPPORTED,
                "discovery.file");
    UNSUPPORTED(WORKER "patches: {directory: p}\n", ERR_CONFIG_UNSUPPORTED, "patches");
    UNSUPPORTED(WORKER "skipPhases: [preflight]\n", ERR_CONFIG_UNSUPPORTED, "skipPhases");
    UNSUPPORTED(WORKER "dryRun: true\n", ERR_CONFIG_UNSUPPORTED, "dryRun");
    static const char *const args[] = {"config", "kubeconfig", "cgroup-driver", "root-dir", "xyz"};
    for (size_t i = 0; i < COUNT(args); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), ARGS "{name: v, value: '1'}\n  - {name: %s, value: x}\n", args[i]);
        UNSUPPORTED(text, ERR_CONFIG_UNSUPPORTED, "nodeRegistration.kubeletExtraArgs[1]");
    }
    const char *unsafe =
        HEAD "discovery:\n  bootstrapToken:\n" TOKEN ENDPOINT "    unsafeSkipCAVerification: true\n";
    UNSUPPORTED(unsafe, ERR_CONFIG_UNSAFE, "discovery.bootstrapToken.unsafeSkipCAVerification");
    fault_clear(&fault);
    assert_int_equal(join_supported(&join, true, &fault), OK);
    UNSUPPORTED(WORKER "    unsafeSkipCAVerification: true\n", ERR_CONFIG_UNSAFE,
                "discovery.bootstrapToken.unsafeSkipCAVerification");
    ACCEPTS(WORKER "patches: {directory: /p}\nskipPhases: []\ndryRun: false\n");
    assert_int_equal(join_supported(&join, false, &fault), OK);
}

static void show6_every_allocation_fails(void **state)
{
    (void)state;
    const char *text = NODE
        "  name: N1\n  criSocket: /run/x.sock\ncontrolPlane: {localAPIEndpoint: {advertiseAddress: 10.0.0.2}}\n";
    ACCEPTS(text);
    size_t calls = arena.calls;
    for (fail_at = 1; fail_at <= calls; fail_at++) {
        assert_int_equal(read_text(text), ERR_NOMEM);
        assert_int_equal(fault.code, ERR_NOMEM);
    }
    fail_at = 0;
    ACCEPTS(text);
    print_message("every one of %zu arena allocations failed once\n", calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_worker),
        cmocka_unit_test(every_field),
        cmocka_unit_test(defaults),
        cmocka_unit_test(durations),
        cmocka_unit_test(node_ips),
        cmocka_unit_test(refuses_unsupported),
        cmocka_unit_test(show6_every_allocation_fails),
    };
    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
