/*
 * test_apiobj.c - the API server's answers: ConfigMaps, Node, Status, and which versions go together.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/gate.h"
#include "firmware/base/json.h"
#include "firmware/base/limits.h"
#include "firmware/kube/apiobj.h"
#include "config/versions.h"

#define HEAD "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
#define GOOD HEAD "kubernetesVersion: v1.36.2\n"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct apiobj_cluster cluster;
static char json[8192], text[8192];

static struct apiobj_answer answer(unsigned status, const char *body)
{
    fault_clear(&fault);
    return (struct apiobj_answer){.status = status, .body = span_str(body), .what = "Thing"};
}

static enum err read_cluster(const char *yaml)
{
    struct buf j = {.p = (uint8_t *)json, .cap = sizeof(json) - 1}, t = BUF_OF(text);

    buf_str(&j, "{\"data\":{\"ClusterConfiguration\":");
    json_put_string(&j, span_str(yaml));
    buf_str(&j, "}}");
    json[j.n] = 0;
    arena_init(&arena, memory, sizeof(memory));
    struct apiobj_answer a = answer(200, json);
    enum err e = apiobj_cluster(&a, &t, &arena, &cluster, &fault);
    assert_int_equal(arena.used, 0);
    return e;
}

static void test_status(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum err want;
        const char *says;
    } rows[] = {
        {200, "{}", OK, ""},
        {401, "{\"kind\":\"Status\",\"message\":\"Unauthorized\"}", ERR_API_UNAUTHORIZED,
         "Thing: status 401: Unauthorized"},
        {403, "{\"kind\":\"Status\",\"message\":\"a\\nb\"}", ERR_API_FORBIDDEN, "Thing: status 403: a?b"},
        {500, "<html>", ERR_API_STATUS, "Thing: status 500"},
        {404, "{\"message\":1}", ERR_API_STATUS, "Thing: status 404"},
        {301, "", ERR_API_STATUS, "Thing: status 301"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct apiobj_answer a = answer(rows[i].status, rows[i].body);
        assert_int_equal(apiobj_status(&a, &fault), rows[i].want);
        assert_string_equal(fault.text, rows[i].says);
    }
}

static void test_configmap(void **state)
{
    static const struct {
        const char *body;
        enum err want;
    } rows[] = {
        {"{\"data\":{\"kubelet\":\"a\\nb\"}}", OK},
        {"{\"data\":{\"kubelet\":\"\"}}", ERR_API_SYNTAX},
        {"{\"data\":{\"Kubelet\":\"a\"}}", ERR_API_SYNTAX},
        {"{\"data\":{}}", ERR_API_SYNTAX},
        {"{}", ERR_API_SYNTAX},
        {"", ERR_API_SYNTAX},
        {"{\"data\":{\"kubelet\":1}}", ERR_API_SYNTAX},
        {"{\"data\":{\"kubelet\":\"a\"}", ERR_API_SYNTAX},
        {"{\"data\":{\"kubelet\":\"a\",\"kubelet\":\"b\"}}", ERR_API_SYNTAX},
        {"{\"data\":{\"kubelet\":\"0123456789\"}}", ERR_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b = {.p = (uint8_t *)text, .cap = 8};
        struct apiobj_answer a = answer(200, rows[i].body);
        assert_int_equal(apiobj_configmap(&a, "kubelet", &b, &fault), rows[i].want);
        assert_true(rows[i].want != OK || span_is(buf_span(&b), "a\nb"));
    }
}

static void test_cluster(void **state)
{
    (void)state;
    assert_int_equal(read_cluster(GOOD), OK);
    assert_string_equal(cluster.name, "kubernetes");
    assert_string_equal(cluster.version, "v1.36.2");
    assert_int_equal(cluster.minor, 36);
    assert_string_equal(cluster.certificates_dir, "/etc/kubernetes/pki");
    assert_string_equal(cluster.service_subnet, "10.96.0.0/12");
    assert_string_equal(cluster.dns_domain, "cluster.local");
    assert_int_equal(
        read_cluster(GOOD
                     "clusterName: lab\ncertificatesDir: /srv\nnetworking:\n  serviceSubnet: fd00::/112\n"
                     "  dnsDomain: k8s.test\n"),
        OK);
    assert_string_equal(cluster.name, "lab");
    assert_string_equal(cluster.certificates_dir, "/srv");
    assert_string_equal(cluster.service_subnet, "fd00::/112");
    assert_string_equal(cluster.dns_domain, "k8s.test");
    assert_true(cluster.local_cri_socket);
    assert_int_equal(read_cluster(GOOD "featureGates: {Other: true, NodeLocalCRISocket: false}\n"), OK);
    assert_false(cluster.local_cri_socket);
    assert_int_equal(read_cluster(GOOD "featureGates: {NodeLocalCRISocket: true}\n"), OK);
    assert_true(cluster.local_cri_socket);
    /* kubeadm 1.37 has no such gate, and does not look at it */
    assert_int_equal(
        read_cluster(HEAD "kubernetesVersion: v1.37.2\nfeatureGates: {NodeLocalCRISocket: false}\n"), OK);
    assert_true(cluster.local_cri_socket);
    assert_int_equal(read_cluster(GOOD "clusterName: \"\"\nnetworking: null\nunknown: {a: [1]}\n"), OK);
    assert_string_equal(cluster.name, "kubernetes");
}

static void test_cluster_refused(void **state)
{
    static const struct {
        const char *yaml;
        enum err want;
        const char *path;
    } rows[] = {
        {"", ERR_API_SYNTAX, ""},
        {"a: [\n", ERR_API_SYNTAX, NULL},
        {GOOD "---\n" GOOD, ERR_API_SYNTAX, ""},
        {"apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\n",
         ERR_API_SYNTAX, ""},
        {"apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nkubernetesVersion: v1.36.2\n",
         ERR_API_SYNTAX, ""},
        {GOOD "clusterName: 1.5\n", ERR_API_SYNTAX, "clusterName"},
        {GOOD "networking: [a]\n", ERR_API_SYNTAX, "networking"},
        {GOOD "networking: {dnsDomain: {}}\n", ERR_API_SYNTAX, "networking.dnsDomain"},
        {GOOD "featureGates: {NodeLocalCRISocket: \"false\"}\n", ERR_API_SYNTAX,
         "featureGates.NodeLocalCRISocket"},
        {"apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.37.0\n",
         ERR_API_SYNTAX, "apiVersion"},
        {HEAD, ERR_VERSION_SKEW, ""},
        {HEAD "kubernetesVersion: stable-1\n", ERR_VERSION_SKEW, "kubernetesVersion"},
        {HEAD "kubernetesVersion: v1.36\n", ERR_VERSION_SKEW, "kubernetesVersion"},
        {HEAD "kubernetesVersion: v2.0.0\n", ERR_VERSION_SKEW, "kubernetesVersion"},
        {HEAD "kubernetesVersion: v1.36.2x\n", ERR_VERSION_SKEW, "kubernetesVersion"},
        {HEAD "kubernetesVersion: v1.036.2\n", ERR_VERSION_SKEW, "kubernetesVersion"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err e = read_cluster(rows[i].yaml);
        if (e != rows[i].want || (rows[i].path && strcmp(fault.path, rows[i].path) != 0))
            print_error("row %zu: %s %s: %s\n", i, err_name(e), fault.path, fault.text);
        assert_int_equal(e, rows[i].want);
        assert_int_equal(fault.code, e);
        if (rows[i].path)
            assert_string_equal(fault.path, rows[i].path);
    }
}

#define NODE(conditions) \
    "{\"kind\":\"Node\",\"status\":{\"conditions\":[" conditions "],\"x\":{\"type\":\"Ready\"}}}"

static void test_node(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum err want;
    } rows[] = {
        {404, "{\"kind\":\"Status\",\"code\":404}", OK},
        {404, "not found", ERR_API_STATUS},
        {404, "{\"kind\":\"Node\"}", ERR_API_STATUS},
        {403, "{\"kind\":\"Status\"}", ERR_API_FORBIDDEN},
        {401, "{\"kind\":\"Status\"}", ERR_API_UNAUTHORIZED},
        {200, NODE("{\"type\":\"Ready\",\"status\":\"True\"}"), ERR_NODE_EXISTS},
        {200, NODE("{\"status\":\"True\",\"type\":\"Ready\"}"), ERR_NODE_EXISTS},
        {200,
         NODE("{\"type\":\"DiskPressure\",\"status\":\"False\"},{\"type\":\"Ready\",\"status\":\"True\"}"),
         ERR_NODE_EXISTS},
        {200, NODE("{\"type\":\"Ready\",\"reason\":\"x\",\"a\":{\"b\":[1]},\"status\":\"True\"}"),
         ERR_NODE_EXISTS},
        {200, NODE("{\"type\":\"Ready\",\"status\":\"False\"}"), OK},
        {200, NODE("{\"type\":\"Ready\",\"status\":\"Unknown\"}"), OK},
        {200,
         NODE("{\"type\":\"DiskPressure\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"False\"}"),
         OK},
        {200, NODE("{\"type\":\"Ready\"},{\"status\":\"True\"}"), OK},
        {200, NODE(""), OK},
        {200, "{\"kind\":\"Node\"}", OK},
        {200, "{\"kind\":\"Node\",\"spec\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", OK},
        {200, "{\"kind\":\"Pod\"}", ERR_API_SYNTAX},
        {200, "{\"kind\":\"Node\"", ERR_API_SYNTAX},
        {200, "", ERR_API_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct apiobj_answer a = answer(rows[i].status, rows[i].body);
        enum err e = apiobj_node(&a, &fault);
        if (e != rows[i].want)
            print_error("row %zu: %s: %s\n", i, err_name(e), fault.text);
        assert_int_equal(e, rows[i].want);
    }
}

static void test_versions(void **state)
{
    static const struct {
        unsigned minor;
        const char *kubelet;
        enum err want;
    } rows[] = {
        {36, "", OK},
        {35, "", OK},
        {37, "", OK},
        {34, "", ERR_VERSION_SKEW},
        {38, "", ERR_VERSION_SKEW},
        {36, "v1.36.2", OK},
        {36, "Kubernetes v1.36.2\n", OK},
        {36, "1.33.0", OK},
        {36, "v1.32.9", ERR_VERSION_SKEW},
        {36, "v1.37.0", ERR_VERSION_SKEW},
        {37, "v1.36.2", OK},
        {36, "v1.36.3-rc.1", OK},
        {36, "v1.36.3+build", OK},
        {36, "rubbish", ERR_VERSION_SKEW},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&fault);
        assert_int_equal(versions_check(rows[i].minor, "v1", span_str(rows[i].kubelet), &fault),
                         rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),  cmocka_unit_test(test_configmap),
        cmocka_unit_test(test_cluster), cmocka_unit_test(test_cluster_refused),
        cmocka_unit_test(test_node),    cmocka_unit_test(test_versions),
    };
    testcrypto_start(64 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
