/*
 * test_render.c - the files of a worker join and kubelet's arguments, as kubeadm 1.36.2 writes them.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/kube/render.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static uint8_t output[LIMIT_FILE];
static struct arena arena;
static struct fault fault;
static struct join join;
static struct apiobj_cluster cluster;
static struct render_input in;

static void arg(const char *name, const char *value)
{
    join.kubelet_args[join.kubelet_arg_count++] =
        (struct join_arg){.name = span_str(name), .value = span_str(value)};
}

static void taint(const char *key, const char *value, const char *effect)
{
    join.taints[join.taint_count++] =
        (struct join_taint){.key = span_str(key), .value = span_str(value), .effect = span_str(effect)};
}

static int setup(void **state)
{
    (void)state;
    fault_clear(&fault);
    arena_init(&arena, memory, sizeof(memory));
    join = (struct join){.name = SPAN_LIT("node-1"),
                         .cri_socket = SPAN_LIT("unix:///var/run/containerd/containerd.sock")};
    cluster = (struct apiobj_cluster){.name = "kubernetes",
                                      .certificates_dir = "/etc/kubernetes/pki",
                                      .service_subnet = "10.96.0.0/16",
                                      .dns_domain = "cluster.local",
                                      .local_cri_socket = true};
    in = (struct render_input){.join = &join,
                               .cluster = &cluster,
                               .server = SPAN_LIT("https://10.100.0.1:6443"),
                               .user = {.token = SPAN_LIT("abcdef.0123456789abcdef")},
                               .ca_pem = SPAN_LIT("-----BEGIN CERTIFICATE-----\n"),
                               .hostname = "node-1"};
    return 0;
}

static struct span put(enum render_file which)
{
    struct buf b = BUF_OF(output);

    fault_clear(&fault);
    assert_int_equal(render_put(which, &in, &arena, &b, NULL, &fault), OK);
    assert_int_equal(arena.used, 0);
    return buf_span(&b);
}

static enum err refused(enum render_file which)
{
    struct buf b = BUF_OF(output);

    fault_clear(&fault);
    enum err e = render_put(which, &in, &arena, &b, NULL, &fault);
    assert_int_equal(b.n, 0);
    assert_int_equal(arena.used, 0);
    assert_int_equal(fault.code, e);
    return e;
}

#define FLAGS(text) flags("KUBELET_KUBEADM_ARGS=\"" text "\"\n", __LINE__)
static void flags(const char *want, int line)
{
    struct span got = put(RENDER_FLAGS);

    if (!span_is(got, want))
        print_error("line %d: %.*s\n", line, (int)got.n, (const char *)got.p);
    assert_true(span_is(got, want));
}

static void test_flags(void **state)
{
    (void)state;
    FLAGS("");
    in.hostname = "other";
    FLAGS("--hostname-override=node-1");
    taint("a", "b", "NoSchedule");
    taint("c", "", "NoExecute");
    taint("d", "e", "");
    taint("f", "", "");
    FLAGS("--hostname-override=node-1 --register-with-taints=a=b:NoSchedule,c:NoExecute,d=e:,f");
    arg("v", "2");
    arg("register-with-taints", "x=y:NoSchedule");
    arg("eviction-hard", "memory.available<100Mi,nodefs.available<10%");
    FLAGS("--hostname-override=node-1 --v=2 --register-with-taints=x=y:NoSchedule "
          "--eviction-hard=memory.available<100Mi,nodefs.available<10%");
    arg("hostname-override", "third");
    arg("v", "");
    FLAGS(
        "--v=2 --register-with-taints=x=y:NoSchedule --eviction-hard=memory.available<100Mi,nodefs.available<10% "
        "--hostname-override=third --v=");
}

static void test_gate_off(void **state)
{
    (void)state;
    cluster.local_cri_socket = false;
    in.hostname = "other";
    taint("a", "b", "NoSchedule");
    FLAGS(
        "--container-runtime-endpoint=unix:///var/run/containerd/containerd.sock --hostname-override=node-1 "
        "--register-with-taints=a=b:NoSchedule");
    arg("container-runtime-endpoint", "x");
    FLAGS("--hostname-override=node-1 --register-with-taints=a=b:NoSchedule --container-runtime-endpoint=x");
}

static void test_node_ip(void **state)
{
    (void)state;
    assert_int_equal(ip_parse(SPAN_LIT("10.100.0.2"), &in.node_ips[0]), OK);
    assert_int_equal(ip_parse(SPAN_LIT("fd00:1:2:3::3"), &in.node_ips[1]), OK);
    in.node_ip_count = 2;
    FLAGS("--node-ip=10.100.0.2,fd00:1:2:3::3");
    in.node_ip_count = 1;
    arg("v", "2");
    FLAGS("--v=2 --node-ip=10.100.0.2");
    arg("node-ip", "fd00::1");
    in.node_ip_count = 2;
    FLAGS("--v=2 --node-ip=fd00::1");
}

static void test_unsafe_args(void **state)
{
    static const char *const values[] = {"a b", "a\"b", "a'b", "a\\b", "a\nb", "a\tb", "\xc3\xa9", "\x7f"};

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        setup(NULL);
        arg("x", values[i]);
        assert_int_equal(refused(RENDER_FLAGS), ERR_CONFIG_UNSUPPORTED);
    }
    setup(NULL);
    arg("a b", "1");
    assert_int_equal(refused(RENDER_FLAGS), ERR_CONFIG_UNSUPPORTED);
    setup(NULL);
    join.cri_socket = SPAN_LIT("unix:///a\xc3\xa9");
    assert_int_equal(refused(RENDER_INSTANCE), ERR_CONFIG_UNSUPPORTED);
}

static void test_small_files(void **state)
{
    (void)state;
    assert_true(span_is(put(RENDER_INSTANCE),
                        "containerRuntimeEndpoint: \"unix:///var/run/containerd/containerd.sock\"\n"));
    join.cri_socket = SPAN_LIT("unix:///a\"b\\c");
    assert_true(span_is(put(RENDER_INSTANCE), "containerRuntimeEndpoint: \"unix:///a\\\"b\\\\c\"\n"));
    assert_true(span_is(put(RENDER_CA), "-----BEGIN CERTIFICATE-----\n"));
}

#define BOOTSTRAP(cluster, token)                                                                                       \
    "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\n" \
    "    server: https://10.100.0.1:6443\n  name: " cluster "\ncontexts:\n- context:\n    cluster: " cluster            \
    "\n"                                                                                                                \
    "    user: tls-bootstrap-token-user\n  name: tls-bootstrap-token-user@kubernetes\n"                                 \
    "current-context: tls-bootstrap-token-user@kubernetes\nkind: Config\nusers:\n- name: tls-bootstrap-token-user\n"    \
    "  user:\n    token: " token "\n"

static void test_bootstrap(void **state)
{
    (void)state;
    assert_true(span_is(put(RENDER_BOOTSTRAP), BOOTSTRAP("kubernetes", "abcdef.0123456789abcdef")));
    snprintf(cluster.name, sizeof(cluster.name), "%s", "1.5");
    in.user.token = SPAN_LIT("123456.0123456789012345");
    assert_true(span_is(put(RENDER_BOOTSTRAP), BOOTSTRAP("\"1.5\"", "\"123456.0123456789012345\"")));
    in.user.name = SPAN_LIT("7");
    in.user.context = SPAN_LIT("rack");
    assert_true(
        span_find_str(put(RENDER_BOOTSTRAP), "    user: \"7\"\n  name: rack\ncurrent-context: rack\n") <
        put(RENDER_BOOTSTRAP).n);
    assert_true(span_find_str(put(RENDER_BOOTSTRAP), "users:\n- name: \"7\"\n  user:\n    token: ") <
                put(RENDER_BOOTSTRAP).n);
    snprintf(cluster.name, sizeof(cluster.name), "%s", "\x07");
    assert_int_equal(refused(RENDER_BOOTSTRAP), ERR_API_SYNTAX);
    setup(NULL);
    arena.fail_at = 1;
    assert_int_equal(refused(RENDER_BOOTSTRAP), ERR_NOMEM);
}

static void test_names_and_facts(void **state)
{
    char name[RENDER_NAME_MAX], path[256];
    struct render_facts facts;

    (void)state;
    assert_int_equal(render_node_name(&join, "host", name), OK);
    assert_string_equal(name, "node-1");
    arg("hostname-override", "first");
    arg("hostname-override", "last");
    assert_int_equal(render_node_name(&join, "host", name), OK);
    assert_string_equal(name, "last");
    join = (struct join){0};
    assert_int_equal(render_node_name(&join, "host", name), OK);
    assert_string_equal(name, "host");
    assert_int_equal(render_node_name(&join, "", name), ERR_INPUT);
    assert_int_equal(render_facts(RENDER_BOOTSTRAP, &join, path, &facts), OK);
    assert_true(facts.secret && facts.mode == 0600);
    assert_int_equal(render_facts(RENDER_CA, &join, path, &facts), OK);
    assert_string_equal(facts.path, "/etc/kubernetes/pki/ca.crt");
    assert_true(facts.only_if_absent && facts.mode == 0644);
    join.ca_cert_path = SPAN_LIT("/srv/ca.crt");
    assert_int_equal(render_facts(RENDER_CA, &join, path, &facts), OK);
    assert_string_equal(facts.path, "/srv/ca.crt");
    assert_int_equal(render_facts(RENDER_CONFIG, &join, path, &facts), OK);
    assert_true(!facts.secret && !facts.only_if_absent && facts.mode == 0644);
}

/* Files of a real kubeadm join beside the documents that they came from. */
static void test_recorded(void **state)
{
    const char *dir = getenv("JOINBOOT_KUBEADM_CASES");
    static const struct {
        enum render_file which;
        const char *path;
    } rows[] = {
        {RENDER_BOOTSTRAP, "etc_kubernetes/bootstrap-kubelet.conf"},
        {RENDER_INSTANCE, "var_lib_kubelet/instance-config.yaml"},
        {RENDER_FLAGS, "var_lib_kubelet/kubeadm-flags.env"},
        {RENDER_CONFIG, "var_lib_kubelet/config.yaml"},
    };
    char path[300];

    (void)state;
    snprintf(path, sizeof(path), "%s/worker-join-files/etc_kubernetes/pki/ca.crt",
             dir ? dir : "../shared/kubeadm");
    FILE *file = fopen(path, "rb");
    if (!file) {
        print_message("skipped: %s is not there\n", path);
        return;
    }
    fclose(file);
    in.ca_pem = testcrypto_file(path);
    in.user.token = SPAN_LIT("clvldh.vjjwg16ucnhp94qr");
    arg("node-ip", "10.100.0.2,fd00:1:2:3::3");
    in.kubelet_config = testcrypto_file("tests/unit/data-kube/recorded.yaml");
    assert_int_equal(gate_admit(GATE_VERIFIED_PEER, in.kubelet_config), OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(path, sizeof(path), "%s/worker-join-files/%s", dir ? dir : "../shared/kubeadm",
                 rows[i].path);
        assert_true(span_eq(put(rows[i].which), testcrypto_file(path)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_flags, setup),           cmocka_unit_test_setup(test_gate_off, setup),
        cmocka_unit_test_setup(test_node_ip, setup),         cmocka_unit_test_setup(test_unsafe_args, setup),
        cmocka_unit_test_setup(test_small_files, setup),     cmocka_unit_test_setup(test_bootstrap, setup),
        cmocka_unit_test_setup(test_names_and_facts, setup), cmocka_unit_test_setup(test_recorded, setup),
    };
    testcrypto_start(64 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
