/*
 * test_join_args.c - kubelet's arguments: who decides about each, values that kubelet exits for, the site's permission; ignorePreflightErrors
 * and timeouts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/gate.h"
#include "config/join_supported.h"

#define HEAD                                                                                            \
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: {bootstrapToken: {token: " \
    "abcdef.0123456789abcdef, apiServerEndpoint: \"10.0.0.1:6443\", unsafeSkipCAVerification: true}}\n"

static _Alignas(16) uint8_t memory[128 * 1024];
static char text[4096];
static struct arena arena;
static struct fault fault;
static struct join join;

static void load(const char *more)
{
    struct yaml_stream stream;

    snprintf(text, sizeof(text), "%s%s", HEAD, more);
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    assert_int_equal(gate_admit(GATE_SIGNATURE, span_str(text)), OK);
    assert_int_equal(yaml_parse(span_str(text), &arena, &stream, &fault), OK);
    assert_int_equal(join_read(stream.docs[0], &arena, &join, &fault), OK);
}

static void load_arg(const char *name, const char *value)
{
    char more[1024];

    snprintf(
        more, sizeof(more),
        "nodeRegistration:\n  kubeletExtraArgs:\n  - {name: v, value: \"2\"}\n  - {name: %s, value: \"%s\"}\n",
        name, value);
    load(more);
}

static void test_who_decides(void **state)
{
    static const struct {
        const char *name;
        enum err want;
        bool dangerous;
    } rows[] = {
        {"max-pods", OK, false},
        {"hostname-override", OK, false},
        {"volume-stats-agg-period", OK, false},
        {"address", OK, true},
        {"anonymous-auth", OK, true},
        {"volume-plugin-dir", OK, true},
        {"pod-manifest-path", OK, true},
        {"kubeconfig", ERR_CONFIG_UNSUPPORTED, false},
        {"config", ERR_CONFIG_UNSUPPORTED, false},
        {"container-runtime-endpoint", ERR_CONFIG_UNSUPPORTED, false},
        {"runonce", ERR_CONFIG_UNSUPPORTED, false},
        {"pod-infra-container-image", ERR_CONFIG_UNSUPPORTED, false},
        {"max_pods", ERR_CONFIG_UNSUPPORTED, false},
        {"MAX-PODS", ERR_CONFIG_UNSUPPORTED, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        load_arg(rows[i].name, "x");
        enum err e = join_args_supported(&join, &fault);
        if (e != rows[i].want || join_arg_is_dangerous(span_str(rows[i].name)) != rows[i].dangerous)
            fail_msg("%s: %s", rows[i].name, err_name(e));
        if (e)
            assert_string_equal(fault.path, "nodeRegistration.kubeletExtraArgs[1]");
    }
}

static void test_permission(void **state)
{
    static const struct {
        const char *permitted;
        enum err want;
    } rows[] = {
        {"", ERR_CONFIG_PERMIT},
        {"anonymous-auth", OK},
        {"address,anonymous-auth", OK},
        {"anonymous-auth,address", OK},
        {"anonymous", ERR_CONFIG_PERMIT},
        {"anonymous-auth-x", ERR_CONFIG_PERMIT},
        {"read-only-port", ERR_CONFIG_PERMIT},
    };

    (void)state;
    load_arg("anonymous-auth", "true");
    for (size_t i = 0; i < COUNT(rows); i++) {
        fault_clear(&fault);
        assert_int_equal(join_args_permitted(&join, span_str(rows[i].permitted), &fault), rows[i].want);
        if (rows[i].want)
            assert_non_null(strstr(fault.text, "`permit-kubelet-args = anonymous-auth`"));
    }
    load_arg("max-pods", "3");
    assert_int_equal(join_args_permitted(&join, SPAN_LIT(""), &fault), OK);
}

static void test_values(void **state)
{
    static const struct {
        const char *name, *value;
        enum err want;
    } rows[] = {
        {"node-labels", "", OK},
        {"node-labels", "a=b", OK},
        {"node-labels", "a=,b", OK},
        {"node-labels", "example.com/a=b,x.y/z=1", OK},
        {"node-labels", "kubernetes.io/hostname=a", OK},
        {"node-labels", "topology.kubernetes.io/zone=a", OK},
        {"node-labels", "kubelet.kubernetes.io/a=b,x.node.kubernetes.io/c=d", OK},
        {"node-labels", "notkubernetes.io/a=b", OK},
        {"node-labels", "node-role.kubernetes.io/worker=", ERR_CONFIG_FIELD},
        {"node-labels", "a=b,kubernetes.io/x=y", ERR_CONFIG_FIELD},
        {"node-labels", "k8s.io/x=y", ERR_CONFIG_FIELD},
        {"node-labels", "a.b.k8s.io/x=y", ERR_CONFIG_FIELD},
        {"node-labels", "xnode.kubernetes.io/x=y", ERR_CONFIG_FIELD},
        {"node-labels", "a=b,", ERR_CONFIG_FIELD},
        {"node-labels", "=b", ERR_CONFIG_FIELD},
        {"node-labels", "a=b=c", ERR_CONFIG_FIELD},
        {"node-labels", "-a=b", ERR_CONFIG_FIELD},
        {"node-labels", "a=-b", ERR_CONFIG_FIELD},
        {"node-labels", "A.com/a=b", ERR_CONFIG_FIELD},
        {"node-labels", "a/b/c=d", ERR_CONFIG_FIELD},
        {"register-with-taints", "a=b:NoSchedule,c:NoExecute", OK},
        {"register-with-taints", "a=b", ERR_CONFIG_FIELD},
        {"register-with-taints", "a:Never", ERR_CONFIG_FIELD},
        {"register-with-taints", "a=b:NoSchedule,", ERR_CONFIG_FIELD},
        {"hostname-override", "n1.example.com", OK},
        {"hostname-override", "N1", ERR_CONFIG_FIELD},
        {"hostname-override", "", ERR_CONFIG_FIELD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        load_arg(rows[i].name, rows[i].value);
        enum err e = join_args_supported(&join, &fault);
        if (e != rows[i].want)
            fail_msg("%s=%s: %s", rows[i].name, rows[i].value, err_name(e));
    }
}

static void test_ignored(void **state)
{
    static const struct {
        const char *names;
        unsigned set;
        enum err want;
    } rows[] = {
        {"[]", 0, OK},
        {"[Swap]", JOIN_IGNORE_SWAP, OK},
        {"[swap, port-10250, KUBELETVERSION]", JOIN_IGNORE_SWAP | JOIN_IGNORE_PORT | JOIN_IGNORE_VERSION, OK},
        {"[NumCPU, Mem, Hostname]", 0, OK},
        {"[all]", 0, ERR_CONFIG_UNSUPPORTED},
        {"[Swap, ALL]", 0, ERR_CONFIG_UNSUPPORTED},
        {"[CRI]", 0, ERR_CONFIG_UNSUPPORTED},
        {"[FileAvailable--etc-kubernetes-kubelet.conf]", 0, ERR_CONFIG_UNSUPPORTED},
        {"[Swaps]", 0, ERR_CONFIG_UNSUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char more[200];
        unsigned set = 0;
        snprintf(more, sizeof(more), "nodeRegistration: {ignorePreflightErrors: %s}\n", rows[i].names);
        load(more);
        assert_int_equal(join_ignored(&join, &set, &fault), rows[i].want);
        assert_int_equal(set, rows[i].set);
        if (rows[i].want)
            assert_non_null(strstr(fault.path, "nodeRegistration.ignorePreflightErrors["));
    }
}

static void test_timeouts(void **state)
{
    (void)state;
    load("timeouts: {discovery: 45s, kubernetesAPICall: 100h, tlsBootstrap: 0s}\n");
    assert_int_equal(join_timeout_ms(&join, "discovery", join.timeouts.discovery_ms, 7), 45000);
    assert_int_equal(join_timeout_ms(&join, "kubernetesAPICall", join.timeouts.kubernetes_api_call_ms, 7),
                     24 * 3600 * 1000);
    assert_int_equal(join_timeout_ms(&join, "etcdAPICall", join.timeouts.etcd_api_call_ms, 7), 7);
    load("");
    assert_int_equal(join_timeout_ms(&join, "discovery", join.timeouts.discovery_ms, 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_decides), cmocka_unit_test(test_permission), cmocka_unit_test(test_values),
        cmocka_unit_test(test_ignored),     cmocka_unit_test(test_timeouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
