/*
 * test_kubeletcfg.c - config.yaml byte for byte as kubeadm 1.36.2 writes it: data-kube/NAME.yaml is a ConfigMap's text, NAME.expected what
 * kubeadm's own code made of it with data-kube/cluster.yaml.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/kube/kubeletcfg.h"
#include "firmware/kube/kubeletcfg_fields.h"
#include "firmware/kube/values.h"
#include "firmware/kube/yamlout.h"

#define HEAD "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static uint8_t input[LIMIT_FILE], output[LIMIT_FILE], expected[LIMIT_FILE];
static struct arena arena;
static struct fault fault;
static struct kubeletcfg_facts facts;
static struct apiobj_cluster cluster;

static struct span load(const char *name, uint8_t *p, size_t cap)
{
    char path[200];
    snprintf(path, sizeof(path), "tests/unit/data-kube/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(p, 1, cap, file);
    fclose(file);
    return span_of(p, n);
}

static int setup(void **state)
{
    static const struct apiobj_cluster plain = {.name = "kubernetes",
                                                .version = "v1.36.2",
                                                .minor = 36,
                                                .certificates_dir = "/etc/kubernetes/pki",
                                                .service_subnet = "10.96.0.0/16,2001:db8:42:1::/112",
                                                .dns_domain = "cluster.local",
                                                .local_cri_socket = true};
    cluster = plain;
    fault_clear(&fault);
    arena_init(&arena, memory, sizeof(memory));
    (void)state;
    return 0;
}

static enum err render(struct span text, bool resolved, struct span *ret)
{
    struct buf out = BUF_OF(output);
    const struct kubeletcfg_input in = {.text = text,
                                        .cri_socket = SPAN_LIT("unix:///var/run/containerd/containerd.sock"),
                                        .resolved_active = resolved,
                                        .cluster = &cluster};

    fault_clear(&fault);
    assert_int_equal(gate_admit(GATE_VERIFIED_PEER, text), OK);
    enum err e = kubeletcfg_render(&in, &arena, &out, &facts, &fault);
    assert_int_equal(arena.used, 0);
    assert_true(e == OK || out.n == 0);
    *ret = buf_span(&out);
    return e;
}

static void test_vectors(void **state)
{
    static const char *const names[] = {"kubeadm-form", "by-hand", "texts", "nested"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char name[64];
        struct span got;
        snprintf(name, sizeof(name), "%s.expected", names[i]);
        struct span want = load(name, expected, sizeof(expected));
        snprintf(name, sizeof(name), "%s.yaml", names[i]);
        assert_int_equal(render(load(name, input, sizeof(input)), false, &got), OK);
        if (!span_eq(got, want))
            print_error("%s:\n%.*s\n", names[i], (int)got.n, (const char *)got.p);
        assert_true(span_eq(got, want));
    }
}

static void test_facts(void **state)
{
    struct span got;

    (void)state;
    assert_int_equal(render(load("by-hand.yaml", input, sizeof(input)), false, &got), OK);
    assert_int_equal(facts.healthz_port, 10249);
    assert_int_equal(facts.healthz.family, FAMILY_NONE);
    assert_false(facts.fail_swap_on);
    assert_string_equal(facts.dropped, "unknownKey");
    assert_int_equal(render(SPAN_LIT(HEAD), false, &got), OK);
    assert_int_equal(facts.healthz_port, 10248);
    assert_true(facts.fail_swap_on);
    assert_string_equal(facts.dropped, "");
    assert_int_equal(render(SPAN_LIT(HEAD "healthzBindAddress: \"fd00::7\"\nhealthzPort: 0\n"), false, &got),
                     OK);
    assert_int_equal(facts.healthz.family, FAMILY_V6);
    assert_int_equal(facts.healthz.b[15], 7);
    assert_int_equal(facts.healthz_port, 0);
}

static void test_braces(void **state)
{
    static const char head[] =
        "\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"kind\": \"KubeletConfiguration\"";
    char text[300];
    struct span got;

    (void)state;
    snprintf(text, sizeof(text), "\n{%s, \"maxPods\": 3}\n", head);
    assert_int_equal(render(span_str(text), false, &got), OK);
    assert_true(span_find_str(got, "\nmaxPods: 3\n") < got.n);
    snprintf(text, sizeof(text), " {%s, maxPods: 3}", head);
    assert_int_equal(render(span_str(text), false, &got), ERR_KUBELET_CONFIG);
    snprintf(text, sizeof(text), "# flow style\n{%s, maxPods: 3}", head);
    assert_int_equal(render(span_str(text), false, &got), OK);
}

static void test_gate_off(void **state)
{
    struct span got;

    (void)state;
    cluster.local_cri_socket = false;
    assert_int_equal(render(SPAN_LIT(HEAD), false, &got), OK);
    assert_true(span_find_str(got, "\ncontainerRuntimeEndpoint: \"\"\n") < got.n);
}

static void test_presets(void **state)
{
    struct span got;

    (void)state;
    assert_int_equal(render(SPAN_LIT(HEAD), true, &got), OK);
    assert_true(span_find_str(got, "\nresolvConf: /run/systemd/resolve/resolv.conf\n") < got.n);
    assert_int_equal(render(SPAN_LIT(HEAD "resolvConf: /etc/own\n"), true, &got), OK);
    assert_true(span_find_str(got, "\nresolvConf: /etc/own\n") < got.n);
    snprintf(cluster.service_subnet, sizeof(cluster.service_subnet), "%s", "fd00:10:96::/112");
    snprintf(cluster.certificates_dir, sizeof(cluster.certificates_dir), "%s", "/srv/pki");
    assert_int_equal(render(SPAN_LIT(HEAD), false, &got), OK);
    assert_true(span_find_str(got, "clusterDNS:\n- fd00:10:96::a\n") < got.n);
    assert_true(span_find_str(got, "clientCAFile: /srv/pki/ca.crt\n") < got.n);
    assert_true(span_find_str(got, "resolvConf") == got.n);
    snprintf(cluster.certificates_dir, sizeof(cluster.certificates_dir), "%s", "//srv/./pki//");
    assert_int_equal(render(SPAN_LIT(HEAD), false, &got), OK);
    assert_true(span_find_str(got, "clientCAFile: /srv/pki/ca.crt\n") < got.n);
    snprintf(cluster.certificates_dir, sizeof(cluster.certificates_dir), "%s", "/srv/../pki");
    assert_int_equal(render(SPAN_LIT(HEAD), false, &got), ERR_KUBELET_CONFIG);
    setup(NULL);
    snprintf(cluster.service_subnet, sizeof(cluster.service_subnet), "%s", "10.96.0.0/12, fd00::/112");
    assert_int_equal(render(SPAN_LIT(HEAD), false, &got), ERR_KUBELET_CONFIG);
    assert_int_equal(render(SPAN_LIT(HEAD "clusterDNS: [10.0.0.1]\n"), false, &got), OK);
}

#define REFUSES(text, path) refuses(SPAN_LIT(text), path, __LINE__)
static void refuses(struct span text, const char *path, int line)
{
    struct span got;
    enum err e = render(text, false, &got);

    if (e != ERR_KUBELET_CONFIG || fault.code != ERR_KUBELET_CONFIG || strcmp(fault.path, path) != 0)
        print_error("line %d: %s at \"%s\": %s\n", line, err_name(e), fault.path, fault.text);
    assert_int_equal(e, ERR_KUBELET_CONFIG);
    assert_int_equal(fault.code, ERR_KUBELET_CONFIG);
    assert_string_equal(fault.path, path);
}

static void test_refusals(void **state)
{
    (void)state;
    REFUSES("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1\n", "apiVersion");
    REFUSES("kind: Other\napiVersion: kubelet.config.k8s.io/v1beta1\n", "kind");
    REFUSES(HEAD "---\n" HEAD, "");
    REFUSES("- a\n", "");
    REFUSES(HEAD "clusterDomain: 1.5\n", "clusterDomain");
    REFUSES(HEAD "clusterDomain: [a]\n", "clusterDomain");
    REFUSES(HEAD "clusterDNS: 10.96.0.10\n", "clusterDNS");
    REFUSES(HEAD "clusterDNS:\n- a\n- {b: c}\n", "clusterDNS[1]");
    REFUSES(HEAD "maxPods: \"110\"\n", "maxPods");
    REFUSES(HEAD "maxPods: 2147483648\n", "maxPods");
    REFUSES(HEAD "maxPods: 1e2\n", "maxPods");
    REFUSES(HEAD "maxPods: 0110\n", "maxPods");
    REFUSES(HEAD "healthzPort: -2147483649\n", "healthzPort");
    REFUSES(HEAD "healthzBindAddress: localhost\n", "healthzBindAddress");
    REFUSES(HEAD "podPidsLimit: 9223372036854775808\n", "podPidsLimit");
    REFUSES(HEAD "failSwapOn: yes\n", "failSwapOn");
    REFUSES(HEAD "failSwapOn: \"true\"\n", "failSwapOn");
    REFUSES(HEAD "rotateCertificates: 1\n", "rotateCertificates");
    REFUSES(HEAD "containerRuntimeEndpoint: 1\n", "containerRuntimeEndpoint");
    REFUSES(HEAD "syncFrequency: 10\n", "syncFrequency");
    REFUSES(HEAD "syncFrequency: 1d\n", "syncFrequency");
    REFUSES(HEAD "syncFrequency: null\n", "syncFrequency");
    REFUSES(HEAD "syncFrequency: \"\"\n", "syncFrequency");
    REFUSES(HEAD "evictionHard: [a]\n", "evictionHard");
    REFUSES(HEAD "evictionHard: {memory.available: 5}\n", "evictionHard.memory.available");
    REFUSES(HEAD "featureGates: {A: \"true\"}\n", "featureGates.A");
    REFUSES(HEAD "authentication: true\n", "authentication");
    REFUSES(HEAD "logging: {verbosity: -1}\n", "logging.verbosity");
    REFUSES(HEAD "logging: {options: {json: {infoBufferSize: 1.5Gi}}}\n",
            "logging.options.json.infoBufferSize");
    REFUSES(HEAD "reservedMemory: [{limits: {memory: abc}}]\n", "reservedMemory[0].limits.memory");
    REFUSES(HEAD "registerWithTaints: [{timeAdded: \"2026-01-01T00:00:00Z\"}]\n",
            "registerWithTaints[0].timeAdded");
    REFUSES(HEAD "memoryThrottlingFactor: 1e-5\n", "memoryThrottlingFactor");
    REFUSES(HEAD "unknown: {a: .nan}\n", "unknown.a");
    REFUSES(HEAD "address: a\naddress: b\n", "address");
    REFUSES(HEAD "address: \"\\x07\"\n", ""); /* refused before the text has a path */
}

static void test_gate_and_room(void **state)
{
    static const char text[] = HEAD;
    struct buf out = {.p = output, .cap = 100};
    const struct kubeletcfg_input in = {
        .text = span_str(text), .cri_socket = SPAN_LIT("unix:///a"), .cluster = &cluster};

    (void)state;
    gate_clear();
    assert_int_equal(kubeletcfg_render(&in, &arena, &out, &facts, &fault), ERR_STATE);
    assert_int_equal(gate_admit(GATE_VERIFIED_PEER, in.text), OK);
    fault_clear(&fault);
    assert_int_equal(kubeletcfg_render(&in, &arena, &out, &facts, &fault), ERR_LIMIT);
    assert_int_equal(out.n, 0);
    for (size_t n = 1; n < 4; n++) {
        out = (struct buf){.p = output, .cap = sizeof(output)};
        arena.fail_at = n;
        arena.calls = 0;
        fault_clear(&fault);
        assert_int_equal(kubeletcfg_render(&in, &arena, &out, &facts, &fault), ERR_NOMEM);
        assert_int_equal(arena.used, 0);
    }
    arena.fail_at = 0;
}

/* Each table must be in the order in which go-yaml writes its keys. */
static unsigned check_table(const struct field_table *t)
{
    unsigned n = (unsigned)t->count;

    for (size_t i = 0; i < t->count; i++) {
        const struct field *fd = &t->row[i];
        bool structured = fd->type == FIELD_STRUCT || fd->type == FIELD_STRUCTS;
        if (i > 0)
            assert_true(yamlout_key_order(span_str(t->row[i - 1].name), span_str(fd->name)) < 0);
        assert_true(fd->rule != 0 && structured == (fd->sub != NULL));
        n += fd->sub ? check_table(fd->sub) : 0;
    }
    return n;
}

static void test_tables(void **state)
{
    (void)state;
    assert_int_equal(kubeletcfg_fields.count, 128);
    assert_int_equal(check_table(&kubeletcfg_fields), 165);
}

/* What a minor does not have is an unknown key there, and is dropped. */
static void test_minors(void **state)
{
    static const char text[] = HEAD
        "defaultPodSysctls: {net.ipv4.ip_forward: \"1\"}\nmemoryReservationPolicy: None\ntlsCurvePreferences: [29]\n";
    static const struct {
        unsigned minor;
        bool sysctls, policy, curves;
        const char *dropped;
    } rows[] = {
        {35, false, false, false, "defaultPodSysctls"},
        {36, false, true, true, "defaultPodSysctls"},
        {37, true, true, true, ""},
    };
    struct span got;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cluster.minor = rows[i].minor;
        assert_int_equal(render(span_str(text), false, &got), OK);
        assert_int_equal(span_find_str(got, "\ndefaultPodSysctls:\n  net.ipv4.ip_forward: \"1\"\n") < got.n,
                         rows[i].sysctls);
        assert_int_equal(span_find_str(got, "\nmemoryReservationPolicy: None\n") < got.n, rows[i].policy);
        assert_int_equal(span_find_str(got, "\ntlsCurvePreferences:\n- 29\n") < got.n, rows[i].curves);
        assert_string_equal(facts.dropped, rows[i].dropped);
    }
}

static void test_values(void **state)
{
    static const struct {
        char kind;
        const char *in, *out; /* out NULL: refused */
    } rows[] = {
        {'d', "90s", "1m30s"},
        {'d', "1.5h", "1h30m0s"},
        {'d', "0", "0s"},
        {'d', "-2m", "-2m0s"},
        {'d', "1500us", "1.5ms"},
        {'d', "999ns", "999ns"},
        {'d', "2000ns", "2\xc2\xb5s"},
        {'d', "1h1s", "1h0m1s"},
        {'d', "87600h", "87600h0m0s"},
        {'d', "1d", NULL},
        {'d', "", NULL},
        {'d', "-", NULL},
        {'d', "5", NULL},
        {'d', ".s", NULL},
        {'d', "9999999h", NULL},
        {'d', "1 s", NULL},
        {'q', "1024Mi", "1Gi"},
        {'q', "1000m", "1"},
        {'q', "1500m", "1500m"},
        {'q', "12000", "12k"},
        {'q', "0Ki", "0"},
        {'q', "1023Ki", "1023Ki"},
        {'q', "1000E", NULL},
        {'q', "4Ei", NULL},
        {'q', "3Ei", "3Ei"},
        {'q', "01", NULL},
        {'q', "-1", NULL},
        {'q', "1.5", NULL},
        {'q', "1e3", NULL},
        {'q', "", NULL},
        {'q', "Ki", NULL},
        {'q', "1 ", NULL},
        {'f', "0.90", "0.9"},
        {'f', "1.0", "1"},
        {'f', "-0.5", "-0.5"},
        {'f', "0.0001", "0.0001"},
        {'f', "0.00001", NULL},
        {'f', "-0", NULL},
        {'f', "1e3", NULL},
        {'f', "1000000", NULL},
        {'f', "1.", NULL},
        {'f', ".5", NULL},
        {'f', "100000.25", "100000.25"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[80] = "";
        struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
        int64_t ns;
        struct span in = span_str(rows[i].in);
        enum err e = rows[i].kind == 'q'   ? values_quantity(in, &b)
                     : rows[i].kind == 'f' ? values_float(in, &b)
                                           : OK;
        if (rows[i].kind == 'd') {
            e = values_duration(in, &ns);
            if (!e)
                values_duration_put(&b, ns);
        }
        text[b.n] = 0;
        if (e != (rows[i].out ? OK : ERR_INPUT) || (!e && strcmp(text, rows[i].out) != 0))
            print_error("row %zu: %s -> %s %s\n", i, rows[i].in, err_name(e), text);
        assert_int_equal(e, rows[i].out ? OK : ERR_INPUT);
        if (!e)
            assert_string_equal(text, rows[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_vectors, setup),       cmocka_unit_test_setup(test_facts, setup),
        cmocka_unit_test_setup(test_presets, setup),       cmocka_unit_test_setup(test_braces, setup),
        cmocka_unit_test_setup(test_gate_off, setup),      cmocka_unit_test_setup(test_refusals, setup),
        cmocka_unit_test_setup(test_gate_and_room, setup), cmocka_unit_test(test_tables),
        cmocka_unit_test_setup(test_minors, setup),        cmocka_unit_test(test_values),
    };
    testcrypto_start(64 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
