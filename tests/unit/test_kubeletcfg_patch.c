/*
 * test_kubeletcfg_patch.c - patches of kubelet's configuration: their files' names, what they change, and what is refused because kubeadm would
 * leave it in the file in another form. That the files are kubeadm's is shown beside the real one (tests/lab/kube_parity.py).
 */
#include "tests/unit/testcrypto.h"

#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/kube/kubeletcfg.h"
#include "firmware/kube/kubeletcfg_patch.h"

#define CONFIG                                                                                          \
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDNS: [10.96.0.10]\n" \
    "clusterDomain: cluster.local\nmaxPods: 5\nevictionHard: {memory.available: 1Gi}\n"                 \
    "authentication: {x509: {clientCAFile: /ca.crt}}\n"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static uint8_t output[LIMIT_FILE + 1];
static struct arena arena;
static struct fault fault;

static enum err render(const char *patches)
{
    static const struct apiobj_cluster cluster = {.minor = 36, .local_cri_socket = true};
    struct buf out = {.p = output, .cap = sizeof(output) - 1};
    struct kubeletcfg_facts facts;
    const struct kubeletcfg_input in = {.text = SPAN_LIT(CONFIG),
                                        .patches = span_str(patches),
                                        .cri_socket = SPAN_LIT("unix:///run/containerd.sock"),
                                        .cluster = &cluster};
    enum err e;

    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    assert_int_equal(gate_admit(GATE_VERIFIED_PEER, in.text), OK);
    assert_int_equal(gate_admit(GATE_OWN_FILE, in.patches), OK);
    e = kubeletcfg_render(&in, &arena, &out, &facts, &fault);
    assert_int_equal(arena.used, 0);
    output[out.n] = 0;
    return e;
}

static bool has(const char *text)
{
    return strstr((const char *)output, text) != NULL;
}

static void test_names(void **unused)
{
    static const struct {
        const char *name;
        enum kubeletcfg_patch_file want;
    } rows[] = {
        {"kubeletconfiguration.yaml", KUBELETCFG_PATCH},
        {"kubeletconfiguration.json", KUBELETCFG_PATCH},
        {"kubeletconfiguration10+merge.yaml", KUBELETCFG_PATCH},
        {"kubeletconfiguration-x+strategic.json", KUBELETCFG_PATCH},
        {"kubeletconfiguration+json.yaml", KUBELETCFG_PATCH_UNKNOWN},
        {"kubeletconfiguration+.yaml", KUBELETCFG_PATCH_UNKNOWN},
        {"kubeletconfiguration.txt", KUBELETCFG_NO_PATCH},
        {"kubeletconfiguration", KUBELETCFG_NO_PATCH},
        {"kube-apiserver0+merge.yaml", KUBELETCFG_NO_PATCH},
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(kubeletcfg_patch_name(span_str(rows[i].name)), rows[i].want);
}

static void test_merge(void **unused)
{
    (void)unused;
    assert_int_equal(
        render(
            "maxPods: 6\nevictionHard: {nodefs.available: \"10%\"}\n---\nmaxPods: 7\nclusterDNS: [10.0.0.1]\n"),
        OK);
    assert_true(has("\nmaxPods: 7\n") && !has("maxPods: 6"));
    assert_true(has("evictionHard:\n  memory.available: 1Gi\n  nodefs.available: 10%\n"));
    assert_true(has("clusterDNS:\n- 10.0.0.1\n") && !has("10.96.0.10"));
    assert_int_equal(render("kind: KubeletConfiguration\nlogging: {verbosity: 4}\n"), OK);
    assert_true(has("  verbosity: 4\n") && has("maxPods: 5\n"));
}

#define REFUSES(patches, path_wanted, words)                   \
    do {                                                       \
        assert_int_equal(render(patches), ERR_KUBELET_CONFIG); \
        assert_string_equal(fault.path, path_wanted);          \
        assert_non_null(strstr(fault.text, words));            \
    } while (0)

static void test_refusals(void **unused)
{
    (void)unused;
    REFUSES("maxPods: null\n", "maxPods", "null takes a key away");
    REFUSES("evictionHard: {memory.available: null}\n", "evictionHard.memory.available",
            "null takes a key away");
    REFUSES("maxPodz: 1\n", "maxPodz", "no such field");
    REFUSES("authentication: {webhok: {}}\n", "authentication.webhok", "no such field");
    REFUSES("syncFrequency: 90s\n", "syncFrequency", "write it as \"1m30s\"");
    REFUSES("evictionHard: {memory.available: 1}\n", "evictionHard.memory.available", "must be a string");
    REFUSES("containerLogMaxSize: \"\"\n", "containerLogMaxSize", "cannot be asked for");
    REFUSES("maxPods: 0\n", "maxPods", "cannot be asked for");
    REFUSES("clusterDNS: []\n", "clusterDNS", "empty");
    REFUSES("featureGates: {}\n", "featureGates", "empty");
    REFUSES("rotateCertificates: true\n", "rotateCertificates", "kubeadm sets this itself");
    REFUSES("resolvConf: /etc/resolv.conf\n", "resolvConf", "kubeadm sets this itself");
    REFUSES("containerRuntimeEndpoint: unix:///x\n", "containerRuntimeEndpoint", "kubeadm sets this itself");
    REFUSES("$patch: replace\n", "$patch", "directives");
    REFUSES("evictionSoft: {$patch: replace}\n", "evictionSoft.$patch", "directives");
    REFUSES("kind: KubeProxyConfiguration\n", "kind", "another kind");
    REFUSES("- a\n", "", "must be a map");
    REFUSES("a: [\n", "a", "patch: ");
    REFUSES("tracing: {endpoint: x}\nlogging: {vmodule: [{filePattern: a}]}\n", "logging.vmodule[0]",
            "must have verbosity");
}

/* A text that nothing has admitted is not parsed. */
static void test_gate(void **unused)
{
    static const char text[] = "maxPods: 9\n";

    (void)unused;
    assert_int_equal(render(text), OK);
    gate_clear();
    assert_false(gate_admitted(span_str(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_merge),
                                       cmocka_unit_test(test_refusals), cmocka_unit_test(test_gate)};
    testcrypto_start(64 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
