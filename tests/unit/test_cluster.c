/*
 * test_cluster.c - ClusterConfiguration and InitConfiguration: every field, kubeadm's defaults and output, what a bundle makes of them.
 *
 * Verdicts are in tests/corpus-lists/init-cases.txt (test_kubeadm_cases.c); here are values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/bundle.h"
#include "firmware/base/limits.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct bundle bundle;
static size_t fail_at;

#define API     "apiVersion: kubeadm.k8s.io/v1beta4\n"
#define INIT    API "kind: InitConfiguration\n"
#define CLUSTER API "kind: ClusterConfiguration\n"
#define VERSION "kubernetesVersion: 1.36.2\n"
#define KEY     "e6a2eb8581237ab72a4f494f30285ec12a9694d750b9785706a83bfcbbbd2204"

static enum err read_text(const char *text)
{
    struct yaml_stream stream;
    arena_init(&arena, memory, sizeof(memory));
    arena.fail_at = fail_at;
    fault_clear(&fault);
    memset(&bundle, 0x5a, sizeof(bundle));
    enum err e = yaml_parse(span_str(text), &arena, &stream, &fault);
    return e == OK ? bundle_kubeadm(&stream, 0, &arena, &bundle, &fault) : e;
}

#define ACCEPTS(text) accepts(text, __LINE__)
static void accepts(const char *text, int line)
{
    enum err e = read_text(text);
    if (e != OK)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
}

#define REFUSES(text, path, line_number) refuses(text, path, line_number, __LINE__)
static void refuses(const char *text, const char *path, unsigned at, int line)
{
    enum err e = read_text(text);
    if (e != ERR_CONFIG_FIELD || fault.code != e || strcmp(fault.path, path) != 0 || fault.line != at)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
    const uint8_t *bytes = (const uint8_t *)&bundle;
    for (size_t i = 0; i < sizeof(bundle); i++) {
        if (bytes[i] != 0x5a)
            fail_msg("line %d: the output was touched", line);
    }
}

static const char *json(void)
{
    static char text[16 * 1024];
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
    memset(text, 0, sizeof(text));
    bundle_put_json(&bundle, &b);
    assert_false(b.overflow);
    return text;
}

#define TIMEOUTS_JSON                                                                                            \
    "\"timeouts\":{\"controlPlaneComponentHealthCheck\":\"0s\",\"discovery\":\"5m0s\",\"etcdAPICall\":\"2m0s\"," \
    "\"kubeletHealthCheck\":\"4m0s\",\"kubernetesAPICall\":\"1m0s\",\"tlsBootstrap\":\"5m0s\",\"upgradeManifests\":\"5m0s\"}"
#define GROUPS_JSON "\"groups\":[\"system:bootstrappers:kubeadm:default-node-token\"]"
#define USAGES_JSON "\"usages\":[\"signing\",\"authentication\"]"
#define TAINT_JSON \
    "\"taints\":[{\"effect\":\"NoSchedule\",\"key\":\"node-role.kubernetes.io/control-plane\"}]"
#define VALIDITY_JSON \
    "\"caCertificateValidityPeriod\":\"87600h0m0s\",\"certificateValidityPeriod\":\"8760h0m0s\","

/* The second document of the dual-stack page, as `kubeadm config migrate` v1.36.2 prints it. */
static void the_seeds_init(void **state)
{
    (void)state;
    ACCEPTS(CLUSTER VERSION "networking:\n  podSubnet: 10.244.0.0/16,2001:db8:42:0::/56\n"
                            "  serviceSubnet: 10.96.0.0/16,2001:db8:42:1::/112\n---\n" INIT
                            "localAPIEndpoint:\n  advertiseAddress: \"10.100.0.1\"\n  bindPort: 6443\n"
                            "nodeRegistration:\n  kubeletExtraArgs:\n  - name: \"node-ip\"\n"
                            "    value: \"10.100.0.2,fd00:1:2:3::2\"\n");
    const struct cluster *cl = &bundle.cluster;
    char text[IP_TEXT_MAX];
    assert_int_equal(bundle.role, BUNDLE_INIT);
    assert_string_equal(bundle_role_name(bundle.role), "init");
    assert_true(span_is(bundle.join.advertise_address, "10.100.0.1"));
    assert_int_equal(bundle.join.bind_port, 6443);
    assert_int_equal(bundle.join.timeouts.control_plane_component_health_check_ms, 240000);
    assert_true(bundle.join.node_ip && !bundle.join.has_bootstrap_token);
    assert_true(span_is(cl->kubernetes_version, "v1.36.2"));
    assert_int_equal(cl->version_minor, 36);
    assert_int_equal(cl->pods.count, 2);
    assert_int_equal(cl->pods.families, FAMILIES_BOTH);
    assert_string_equal(ip_prefix_text(&cl->pods.prefix[1], text), "2001:db8:42::/56");
    assert_string_equal(ip_prefix_text(&cl->services.prefix[0], text), "10.96.0.0/16");
    assert_int_equal(cl->node_mask_v4, 24);
    assert_int_equal(cl->node_mask_v6, 64);
    assert_true(cl->allocates_node_cidrs);
    assert_int_equal(cl->control_plane_endpoint.n, 0);
    assert_string_equal(
        json(),
        "[{\"apiVersion\":\"kubeadm.k8s.io/v1beta4\",\"bootstrapTokens\":[{" GROUPS_JSON
        ",\"ttl\":\"24h0m0s\"," USAGES_JSON
        "}],\"kind\":\"InitConfiguration\",\"localAPIEndpoint\":{\"advertiseAddress\":\"10.100.0.1\",\"bindPort\":6443},"
        "\"nodeRegistration\":{\"criSocket\":\"unix:///var/run/containerd/containerd.sock\",\"imagePullPolicy\":\"IfNotPresent\","
        "\"imagePullSerial\":true,\"kubeletExtraArgs\":[{\"name\":\"node-ip\",\"value\":\"10.100.0.2,fd00:1:2:3::2\"}]," TAINT_JSON
        "}," TIMEOUTS_JSON "},{\"apiServer\":{},\"apiVersion\":\"kubeadm.k8s.io/v1beta4\"," VALIDITY_JSON
        "\"certificatesDir\":\"/etc/kubernetes/pki\",\"clusterName\":\"kubernetes\",\"controllerManager\":{},\"dns\":{},"
        "\"encryptionAlgorithm\":\"RSA-2048\",\"etcd\":{\"local\":{\"dataDir\":\"/var/lib/etcd\"}},"
        "\"imageRepository\":\"registry.k8s.io\",\"kind\":\"ClusterConfiguration\",\"kubernetesVersion\":\"v1.36.2\","
        "\"networking\":{\"dnsDomain\":\"cluster.local\",\"podSubnet\":\"10.244.0.0/16,2001:db8:42:0::/56\","
        "\"serviceSubnet\":\"10.96.0.0/16,2001:db8:42:1::/112\"},\"proxy\":{},\"scheduler\":{}}]");
}

static void every_field_of_a_cluster(void **state)
{
    (void)state;
    ACCEPTS(
        CLUSTER VERSION
        "etcd: {local: {imageRepository: r.example/e, imageTag: '3', dataDir: /e, extraArgs: [{name: a, value: b}],"
        " extraEnvs: [{name: A, value: b}], serverCertSANs: [s], peerCertSANs: [p]}}\n"
        "networking: {podSubnet: 'fd00::/56', serviceSubnet: 'fd01::/112', dnsDomain: x.example}\n"
        "controlPlaneEndpoint: 'fd00::9'\n"
        "apiServer: {certSANs: [A.example], extraArgs: [{name: v, value: '2'}], extraEnvs: [{name: B, valueFrom: {fieldRef:"
        " {fieldPath: status.hostIP}}}], extraVolumes: [{name: l, hostPath: /l, mountPath: /m, readOnly: true, pathType: File}]}\n"
        "controllerManager: {extraArgs: [{name: node-cidr-mask-size-ipv6, value: '72'}]}\n"
        "scheduler: {extraVolumes: [{name: s, hostPath: /s, mountPath: /t}]}\n"
        "dns: {imageRepository: r.example, imageTag: v1, disabled: true}\nproxy: {disabled: true}\ncertificatesDir: /pki\n"
        "imageRepository: r.example\nfeatureGates: {NodeLocalCRISocket: true}\nclusterName: \"a \\\"b\\\"\"\n"
        "encryptionAlgorithm: ECDSA-P256\ncertificateValidityPeriod: 1h\ncaCertificateValidityPeriod: 2h\n");
    const struct cluster *cl = &bundle.cluster;
    assert_int_equal(cl->endpoint_ip.family, FAMILY_V6);
    assert_int_equal(cl->endpoint_port, 0);
    assert_int_equal(cl->node_mask_v6, 72);
    assert_int_equal(cl->certificate_validity_ms, 3600000);
    assert_true(span_is(cluster_arg(&cl->api_server.args, "v"), "2"));
    assert_int_equal(cluster_arg(&cl->api_server.args, "w").n, 0);
    assert_null(bundle.init.root);
    const char *text = strstr(json(), ",{\"apiServer\"");
    assert_string_equal(
        text,
        ",{\"apiServer\":{\"certSANs\":[\"a.example\"],\"extraArgs\":[{\"name\":\"v\",\"value\":\"2\"}],\"extraEnvs\":[{\"name\":\"B\","
        "\"valueFrom\":{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"status.hostIP\"}}}],\"extraVolumes\":[{\"hostPath\":\"/l\","
        "\"mountPath\":\"/m\",\"name\":\"l\",\"pathType\":\"File\",\"readOnly\":true}]},\"apiVersion\":\"kubeadm.k8s.io/v1beta4\","
        "\"caCertificateValidityPeriod\":\"2h0m0s\",\"certificateValidityPeriod\":\"1h0m0s\",\"certificatesDir\":\"/pki\","
        "\"clusterName\":\"a \\\"b\\\"\",\"controlPlaneEndpoint\":\"[fd00::9]:6443\",\"controllerManager\":{\"extraArgs\":[{"
        "\"name\":\"node-cidr-mask-size-ipv6\",\"value\":\"72\"}]},\"dns\":{\"disabled\":true,\"imageRepository\":\"r.example\","
        "\"imageTag\":\"v1\"},\"encryptionAlgorithm\":\"ECDSA-P256\",\"etcd\":{\"local\":{\"dataDir\":\"/e\",\"extraArgs\":[{"
        "\"name\":\"a\",\"value\":\"b\"}],\"extraEnvs\":[{\"name\":\"A\",\"value\":\"b\"}],\"imageRepository\":\"r.example/e\","
        "\"imageTag\":\"3\",\"peerCertSANs\":[\"p\"],\"serverCertSANs\":[\"s\"]}},\"featureGates\":{\"NodeLocalCRISocket\":true},"
        "\"imageRepository\":\"r.example\",\"kind\":\"ClusterConfiguration\",\"kubernetesVersion\":\"v1.36.2\",\"networking\":{"
        "\"dnsDomain\":\"x.example\",\"podSubnet\":\"fd00::/56\",\"serviceSubnet\":\"fd01::/112\"},\"proxy\":{\"disabled\":true},"
        "\"scheduler\":{\"extraVolumes\":[{\"hostPath\":\"/s\",\"mountPath\":\"/t\",\"name\":\"s\"}]}}]");
}

static void every_field_of_init(void **state)
{
    (void)state;
    ACCEPTS(
        INIT
        "bootstrapTokens: [{token: clvldh.vjjwg16ucnhp94qr, description: d, ttl: 0s, usages: [authentication],"
        " groups: ['system:bootstrappers:a']}, {}]\ndryRun: true\n"
        "nodeRegistration: {name: CP-1, taints: [], criSocket: /run/x.sock}\n"
        "localAPIEndpoint: {advertiseAddress: 'FD00::1', bindPort: 443}\ncertificateKey: " KEY "\n"
        "skipPhases: [a]\npatches: {directory: /p}\ntimeouts: {controlPlaneComponentHealthCheck: 7m}\n");
    assert_int_equal(bundle.init.token_count, 2);
    assert_int_equal(bundle.init.tokens[0].ttl_ms, 0);
    assert_int_equal(bundle.init.tokens[1].ttl_ms, 86400000);
    assert_int_equal(bundle.init.tokens[1].token.n, 0);
    assert_true(span_is(bundle.join.name, "cp-1"));
    assert_true(span_is(bundle.join.certificate_key, KEY));
    assert_true(span_is(bundle.join.advertise_address, "fd00::1"));
    assert_int_equal(bundle.join.timeouts.control_plane_component_health_check_ms, 420000);
    assert_null(bundle.cluster.root);
    assert_true(span_is(bundle.cluster.services.text, "10.96.0.0/12"));
    assert_int_equal(bundle.cluster.services.count, 1);
    assert_non_null(strstr(
        json(),
        "[{\"apiVersion\":\"kubeadm.k8s.io/v1beta4\",\"bootstrapTokens\":[{\"description\":\"d\",\"groups\":["
        "\"system:bootstrappers:a\"],\"token\":\"clvldh.vjjwg16ucnhp94qr\",\"ttl\":\"0s\",\"usages\":[\"authentication\"]},{" GROUPS_JSON
        ",\"ttl\":\"24h0m0s\"," USAGES_JSON "}],\"certificateKey\":\"" KEY
        "\",\"dryRun\":true,\"kind\":\"InitConfiguration\",\"localAPIEndpoint\":{\"advertiseAddress\":\"fd00::1\",\"bindPort\":443},"
        "\"nodeRegistration\":{\"criSocket\":\"unix:///run/x.sock\",\"imagePullPolicy\":\"IfNotPresent\",\"imagePullSerial\":true,"
        "\"name\":\"cp-1\",\"taints\":[]},\"patches\":{\"directory\":\"/p\"},\"skipPhases\":[\"a\"],"));
    assert_null(strstr(json(), "kubernetesVersion"));
}

static void endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        enum family family;
        uint16_t port;
        const char *written;
    } rows[] = {
        {"api.example", "api.example", FAMILY_NONE, 0, "\"api.example:6443\""},
        {"api.example:443", "api.example", FAMILY_NONE, 443, "\"api.example:443\""},
        {"10.0.0.1", "10.0.0.1", FAMILY_V4, 0, "\"10.0.0.1:6443\""},
        {"10.0.0.1:443", "10.0.0.1", FAMILY_V4, 443, "\"10.0.0.1:443\""},
        {"'FD00::1'", "FD00::1", FAMILY_V6, 0, "\"[FD00::1]:6443\""},
        {"'[fd00::1]:443'", "fd00::1", FAMILY_V6, 443, "\"[fd00::1]:443\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512], want[128];
        (void)snprintf(text, sizeof(text), CLUSTER VERSION "controlPlaneEndpoint: %s\n", rows[i].text);
        (void)snprintf(want, sizeof(want), "\"controlPlaneEndpoint\":%s,", rows[i].written);
        ACCEPTS(text);
        assert_true(span_is(bundle.cluster.endpoint_host, rows[i].host));
        assert_int_equal(bundle.cluster.endpoint_ip.family, rows[i].family);
        assert_int_equal(bundle.cluster.endpoint_port, rows[i].port);
        assert_non_null(strstr(json(), want));
    }
}

static void masks(void **state)
{
    (void)state;
    ACCEPTS(CLUSTER "networking: {podSubnet: 10.0.0.0/8}\n"
                    "controllerManager: {extraArgs: [{name: node-cidr-mask-size, value: '22'}]}\n");
    assert_int_equal(bundle.cluster.node_mask_v4, 22);
    ACCEPTS(CLUSTER "networking: {podSubnet: 10.0.0.0/4}\n"
                    "controllerManager: {extraArgs: [{name: allocate-node-cidrs, value: 'false'}]}\n");
    assert_false(bundle.cluster.allocates_node_cidrs);
    REFUSES(CLUSTER "networking: {podSubnet: 10.0.0.0/7}\n", "networking.podSubnet", 3);
    REFUSES(
        CLUSTER
        "networking: {podSubnet: 10.0.0.0/8}\ncontrollerManager:\n  extraArgs:\n  - {name: v, value: '2'}\n"
        "  - name: node-cidr-mask-size-ipv4\n    value: x\n",
        "controllerManager.extraArgs[1]", 7);
}

/* Positions and paths, in the document where the mistake is. */
static void refuses_with_position(void **state)
{
    (void)state;
    REFUSES(CLUSTER "apiServer:\n  certSANs: [a, b_c]\n", "apiServer.certSANs[1]", 4);
    REFUSES(CLUSTER "etcd:\n  external:\n    endpoints: ['http://a', 'b']\n", "etcd.external.endpoints[1]",
            5);
    REFUSES(CLUSTER "featureGates:\n  NodeLocalCRISocket: yes\n", "featureGates.NodeLocalCRISocket", 4);
    REFUSES(CLUSTER "featureGates: {NodeLocalCRISocket: true}\nkubernetesVersion: v1.37.0\n", "featureGates",
            3);
    REFUSES(CLUSTER "kubernetesVersion: v1.37.0\nfeatureGates: {PublicKeysECDSA: false}\n", "featureGates",
            4);
    ACCEPTS(CLUSTER "kubernetesVersion: v1.37.0\nfeatureGates: {RootlessControlPlane: true}\n");
    ACCEPTS(CLUSTER "kubernetesVersion: v1.36.0\nfeatureGates: {PublicKeysECDSA: false}\n");
    REFUSES(CLUSTER "---\n" INIT "bootstrapTokens:\n- ttl: 24h\n- ttl: never\n", "bootstrapTokens[1].ttl", 8);
    REFUSES(INIT "bootstrapTokens:\n- usages: [signing]\n", "bootstrapTokens[0].usages", 4);
    REFUSES(INIT "certificateKey: 00\n---\n" CLUSTER, "certificateKey", 3);
    REFUSES(INIT "localAPIEndpoint: {bindport: 1}\n", "localAPIEndpoint.bindport", 3);
    assert_int_equal(read_text(CLUSTER "---\n" CLUSTER), ERR_CONFIG_KIND);
    assert_string_equal(fault.path, "kind");
    assert_null(strstr(fault.text, "stricter"));
}

/* No refusal shows a secret, not even a damaged one. */
static void secrets_are_not_in_faults(void **state)
{
    (void)state;
    static const char *const texts[] = {
        INIT "certificateKey: " KEY "ff\n",
        INIT "bootstrapTokens: [{token: clvldh.vjjwg16ucnhp94qrX}]\n",
        INIT "bootstrapTokens: [{token: clvldh.vjjwg16ucnhp94qr, usages: [x]}]\ncertificateKey: " KEY "\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_not_equal(read_text(texts[i]), OK);
        assert_null(strstr(fault.text, "vjjwg16ucnhp94qr"));
        assert_null(strstr(fault.text, "e6a2eb85"));
        assert_null(strstr(fault.path, "vjjwg16ucnhp94qr"));
    }
}

static void lists_are_bounded(void **state)
{
    (void)state;
    static char text[8192];
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
    buf_str(&b, CLUSTER "apiServer:\n  certSANs:\n");
    for (unsigned i = 0; i < CLUSTER_LIST_MAX; i++)
        buf_str(&b, "  - a.example\n");
    ACCEPTS(text);
    assert_int_equal(bundle.cluster.cert_sans.count, CLUSTER_LIST_MAX);
    buf_str(&b, "  - a.example\n");
    assert_int_equal(read_text(text), ERR_LIMIT);
    assert_non_null(strstr(fault.text, "[stricter: list-length]"));
}

static void show6_every_allocation_fails(void **state)
{
    (void)state;
    const char *text = CLUSTER VERSION
        "apiServer: {certSANs: [A], extraArgs: [{name: v, value: '1'}], extraVolumes: [], extraEnvs: []}\n"
        "featureGates: {}\n---\n" INIT "nodeRegistration: {name: N1, criSocket: /run/x.sock}\n";
    ACCEPTS(text);
    size_t calls = arena.calls;
    for (fail_at = 1; fail_at <= calls; fail_at++) {
        assert_int_equal(read_text(text), ERR_NOMEM);
        assert_int_equal(fault.code, ERR_NOMEM);
    }
    fail_at = 0;
    print_message("every one of %zu arena allocations failed once\n", calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_init),
        cmocka_unit_test(every_field_of_a_cluster),
        cmocka_unit_test(every_field_of_init),
        cmocka_unit_test(endpoints),
        cmocka_unit_test(masks),
        cmocka_unit_test(refuses_with_position),
        cmocka_unit_test(secrets_are_not_in_faults),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(show6_every_allocation_fails),
    };
    return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
