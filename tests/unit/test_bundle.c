/*
 * test_bundle.c - what a signed payload holds: roles, what must agree, what a machine can do, kubeadm's own bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config/bundle.h"
#include "firmware/base/limits.h"
#include "firmware/crypto/jose_tool.h"
#include "tests/unit/testcrypto.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct bundle bundle;
static struct site site;
static struct jose_secret secret;
static size_t fail_at;

#define GOOD                                                                              \
    "apiVersion: joinboot/v1alpha1\nkind: NodeJoin\nname: worker-1\n"                     \
    "binding: {uuid: 11223344-5566-7788-99aa-bbccddeeff00}\ncluster: prod\nsequence: 7\n" \
    "issuedAt: \"2026-11-01T00:00:00Z\"\nexpiresAt: \"2026-12-01T00:00:00Z\"\n"
#define JOIN                                                                                            \
    "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n" \
    "    token: clvldh.vjjwg16ucnhp94qr\n    apiServerEndpoint: 10.100.0.1:6443\n    caCertHashes:\n"   \
    "    - sha256:1122334455667788990011223344556677889900112233445566778899001122\n"
#define CLUSTER                                                                                         \
    "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\n" \
    "controlPlaneEndpoint: api.example\n"
#define INIT "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"

/* Signs, verifies and parses a payload. */
static enum err parse_bundle(const char *payload)
{
    static uint8_t text[32 * 1024];
    struct buf b = BUF_OF(text);
    const struct verified *v = NULL;
    assert_int_equal(jose_sign_compact(&secret, VERIFY_TYP_BUNDLE, span_str(payload), &b), OK);
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    assert_int_equal(verify_bundle(buf_span(&b), &site, &arena, &v, &fault), OK);
    arena.calls = 0;
    arena.fail_at = fail_at;
    memset(&bundle, 0x5a, sizeof(bundle));
    return bundle_parse(v, &arena, &bundle, &fault);
}

#define REFUSES_BUNDLE(text, code, path) refuses_bundle(text, code, path, __LINE__)
static void refuses_bundle(const char *text, enum err code, const char *path, int line)
{
    static struct bundle before;
    memset(&before, 0x5a, sizeof(before));
    enum err e = parse_bundle(text);
    if (e != code || fault.code != code || strcmp(fault.path, path) != 0)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
    if (memcmp(&bundle, &before, sizeof(bundle)) != 0)
        fail_msg("line %d: the output was touched", line);
}

static void bundles(void **state)
{
    (void)state;
    assert_int_equal(parse_bundle(GOOD JOIN), OK);
    assert_string_equal(bundle.node.name, "worker-1");
    assert_true(span_is(bundle.join.token, "clvldh.vjjwg16ucnhp94qr"));
    assert_int_equal(parse_bundle(GOOD JOIN "nodeRegistration: {name: worker-1}\n"), OK);
    assert_int_equal(parse_bundle(GOOD JOIN "nodeRegistration: {name: WORKER-1}\n"), OK);
    REFUSES_BUNDLE(GOOD JOIN "nodeRegistration: {name: worker-2}\n", ERR_CONFIG_FIELD,
                   "nodeRegistration.name");
    REFUSES_BUNDLE(GOOD, ERR_CONFIG_KIND, "");
    REFUSES_BUNDLE(GOOD JOIN JOIN, ERR_CONFIG_KIND, "kind");
    REFUSES_BUNDLE(JOIN, ERR_CONFIG_KIND, "kind");
    REFUSES_BUNDLE(GOOD "---\n" GOOD, ERR_CONFIG_KIND, "kind");
    REFUSES_BUNDLE(GOOD JOIN "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n",
                   ERR_CONFIG_KIND, "kind");
    REFUSES_BUNDLE(GOOD CLUSTER INIT "nodeRegistration: {name: worker-2}\n", ERR_CONFIG_FIELD,
                   "nodeRegistration.name");
    REFUSES_BUNDLE(GOOD INIT "nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: 'a'}]}\n",
                   ERR_CONFIG_FIELD, "nodeRegistration.kubeletExtraArgs[0].value");
    REFUSES_BUNDLE(GOOD INIT INIT, ERR_CONFIG_KIND, "kind");
    REFUSES_BUNDLE(GOOD "sealed: x\n", ERR_SEAL_FORM, "sealed");
    REFUSES_BUNDLE(GOOD "role: init\n" JOIN, ERR_CONFIG_FIELD, "role");
    assert_int_equal(parse_bundle(GOOD "role: worker\n" JOIN), OK);
    assert_false(bundle.closed);
    REFUSES_BUNDLE(GOOD JOIN "nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: 'a,b'}]}\n",
                   ERR_CONFIG_FIELD, "nodeRegistration.kubeletExtraArgs[0].value");
    REFUSES_BUNDLE(GOOD JOIN "nodeRegistration: {x: y}\n", ERR_CONFIG_FIELD, "nodeRegistration.x");
    REFUSES_BUNDLE(GOOD "a: *b\n" JOIN, ERR_CONFIG_SYNTAX, "");
}

#define SUPPORTS(text, can, code, path) supports(text, can, code, path, __LINE__)
static void supports(const char *text, unsigned can, enum err code, const char *path, int line)
{
    if (parse_bundle(text) != OK)
        fail_msg("line %d: %s (%s)", line, fault.text, fault.path);
    enum err e = bundle_supported(&bundle, can, false, &fault);
    if (e != code || (e != OK && strcmp(fault.path, path) != 0))
        fail_msg("line %d: %s %s (%s)", line, err_name(e), fault.text, fault.path);
}

static void what_a_machine_can_do(void **state)
{
    (void)state;
    SUPPORTS(GOOD JOIN, 0, OK, "");
    SUPPORTS(GOOD JOIN "controlPlane: {}\n", 0, ERR_CONFIG_CONTROL_PLANE, "controlPlane");
    SUPPORTS(GOOD JOIN "controlPlane: {}\n", BUNDLE_CAN_ALL - BUNDLE_CAN_CONTROL_PLANE,
             ERR_CONFIG_CONTROL_PLANE, "controlPlane");
    SUPPORTS(GOOD JOIN "controlPlane: {}\n", BUNDLE_CAN_CONTROL_PLANE, OK, "");
    SUPPORTS(GOOD JOIN "controlPlane: {}\npatches: {directory: /p}\n", BUNDLE_CAN_CONTROL_PLANE, OK, "");
    SUPPORTS(GOOD JOIN "controlPlane: {}\ndryRun: true\n", BUNDLE_CAN_ALL, ERR_CONFIG_UNSUPPORTED, "dryRun");
    SUPPORTS(GOOD JOIN "dryRun: true\n", BUNDLE_CAN_ALL, ERR_CONFIG_UNSUPPORTED, "dryRun");
    SUPPORTS(GOOD JOIN "    unsafeSkipCAVerification: true\n", BUNDLE_CAN_ALL, ERR_CONFIG_UNSAFE,
             "discovery.bootstrapToken.unsafeSkipCAVerification");
    SUPPORTS(GOOD JOIN "    unsafeSkipCAVerification: true\ncontrolPlane: {}\n", BUNDLE_CAN_ALL,
             ERR_CONFIG_UNSAFE, "discovery.bootstrapToken.unsafeSkipCAVerification");
    SUPPORTS(GOOD CLUSTER, BUNDLE_CAN_ALL - BUNDLE_CAN_INIT, ERR_CONFIG_INIT, "kind");
    SUPPORTS(GOOD INIT, 0, ERR_CONFIG_INIT, "kind");
    SUPPORTS(GOOD INIT CLUSTER, BUNDLE_CAN_INIT, OK, "");
    SUPPORTS(GOOD CLUSTER "etcd: {local: {dataDir: /var/lib/etcd}}\n", BUNDLE_CAN_ALL, OK, "");
    SUPPORTS(GOOD CLUSTER "etcd: {local: {dataDir: /data}}\n", BUNDLE_CAN_ALL, ERR_CONFIG_UNSUPPORTED,
             "etcd.local.dataDir");
    SUPPORTS(GOOD CLUSTER "etcd: {external: {endpoints: ['http://10.0.0.9:2379']}}\n", BUNDLE_CAN_ALL, OK,
             "");
    SUPPORTS(GOOD CLUSTER "certificatesDir: /etc/pki\n", BUNDLE_CAN_ALL, ERR_CONFIG_UNSUPPORTED,
             "certificatesDir");
    SUPPORTS(GOOD INIT "dryRun: true\n", BUNDLE_CAN_ALL, ERR_CONFIG_UNSUPPORTED, "dryRun");
    SUPPORTS(GOOD INIT "nodeRegistration: {kubeletExtraArgs: [{name: config, value: /x}]}\n", BUNDLE_CAN_ALL,
             ERR_CONFIG_UNSUPPORTED, "nodeRegistration.kubeletExtraArgs[0]");
    SUPPORTS(GOOD "handOff: one-shot\n" JOIN, BUNDLE_CAN_ALL - BUNDLE_CAN_ONE_SHOT, ERR_CONFIG_UNSUPPORTED,
             "handOff");
    SUPPORTS(GOOD "handOff: one-shot\n" JOIN, BUNDLE_CAN_ONE_SHOT, OK, "");
    SUPPORTS(GOOD "handOff: switch-root\ntarget: {root: LABEL=x}\n" JOIN,
             BUNDLE_CAN_ALL - BUNDLE_CAN_SWITCH_ROOT, ERR_CONFIG_UNSUPPORTED, "handOff");
    SUPPORTS(GOOD "handOff: switch-root\ntarget: {root: LABEL=x}\n" JOIN, BUNDLE_CAN_SWITCH_ROOT, OK, "");
    SUPPORTS(GOOD "reset: true\n" JOIN, BUNDLE_CAN_ALL - BUNDLE_CAN_RESET, ERR_CONFIG_UNSUPPORTED, "reset");
    SUPPORTS(GOOD "reset: true\n" JOIN, BUNDLE_CAN_RESET, OK, "");
    SUPPORTS(GOOD "reset: false\n" JOIN, 0, OK, "");
    SUPPORTS(GOOD "formatState: true\n" JOIN, BUNDLE_CAN_ALL - BUNDLE_CAN_FORMAT_STATE,
             ERR_CONFIG_UNSUPPORTED, "formatState");
    SUPPORTS(GOOD "formatState: true\n" JOIN, BUNDLE_CAN_FORMAT_STATE, OK, "");
}

/* What kubeadm is given is the payload's own bytes. */
static void keeps_kubeadms_bytes(void **state)
{
    (void)state;
    static const char *const tails[] = {"", "# end\n", "nodeRegistration: {name: worker-1} # x\n"};
    static const char *const heads[] = {"", "---\n", "--- # NodeJoin\n# c\n"};
    char text[4096], want[2048];
    for (size_t h = 0; h < COUNT(heads); h++) {
        for (size_t t = 0; t < COUNT(tails); t++) {
            (void)snprintf(text, sizeof(text), "%s" GOOD JOIN "%s", heads[h], tails[t]);
            (void)snprintf(want, sizeof(want), JOIN "%s", tails[t]);
            assert_int_equal(parse_bundle(text), OK);
            assert_true(span_is(bundle.kubeadm_yaml, want + strlen("---\n")));
            assert_int_equal(bundle.role, BUNDLE_WORKER);
        }
    }
    assert_int_equal(parse_bundle(GOOD JOIN "controlPlane: {}\n"), OK);
    assert_int_equal(bundle.role, BUNDLE_CONTROL_PLANE);
    assert_int_equal(parse_bundle(GOOD CLUSTER INIT), OK);
    assert_int_equal(bundle.role, BUNDLE_INIT);
    (void)snprintf(want, sizeof(want), "%s", CLUSTER INIT);
    assert_true(span_is(bundle.kubeadm_yaml, want + strlen("---\n")));
    assert_true(span_is(bundle.cluster.control_plane_endpoint, "api.example"));
}

/* Nothing of an earlier bundle stays in one of another role. */
static void roles_do_not_mix(void **state)
{
    (void)state;
    static const uint8_t zero[sizeof(struct cluster)];
    assert_int_equal(parse_bundle(GOOD CLUSTER INIT), OK);
    assert_true(bundle.join.has_control_plane && !bundle.join.has_bootstrap_token);
    assert_int_equal(bundle.init.token_count, 1);
    assert_int_equal(parse_bundle(GOOD JOIN), OK);
    assert_memory_equal(&bundle.cluster, zero, sizeof(bundle.cluster));
    assert_memory_equal(&bundle.init, zero, sizeof(bundle.init));
    assert_int_equal(bundle.role, BUNDLE_WORKER);
}

#define NOTES(text, ...) notes(text, (const char *[]){__VA_ARGS__, NULL}, __LINE__)
static void notes(const char *text, const char *const *want, int line)
{
    struct bundle_note got[BUNDLE_NOTES_MAX];
    if (parse_bundle(text) != OK)
        fail_msg("line %d: %s (%s)", line, fault.text, fault.path);
    unsigned count = bundle_notes(&bundle, got), i = 0;
    for (; i < count && want[i]; i++) {
        if (!strstr(got[i].text, want[i]))
            fail_msg("line %d: note %u is: %s", line, i, got[i].text);
    }
    if (i != count || want[i])
        fail_msg("line %d: %u notes, the last one: %s", line, count, count > 0 ? got[count - 1].text : "");
}

static void notes_what_is_missed_later(void **state)
{
    (void)state;
    NOTES(GOOD JOIN, NULL);
    NOTES(GOOD CLUSTER INIT, NULL);
    NOTES(GOOD INIT, "without controlPlaneEndpoint", "without kubernetesVersion");
    NOTES(GOOD JOIN "controlPlane: {}\n", "without certificateKey",
          "without localAPIEndpoint.advertiseAddress");
    NOTES(GOOD CLUSTER
          "networking: {podSubnet: 'fd00::/56,10.0.0.0/8', serviceSubnet: '10.96.0.0/16,fd01::/112'}\n",
          "podSubnet and serviceSubnet begin with different families",
          "fd01::1; put it into apiServer.certSANs");
    NOTES(GOOD CLUSTER "networking: {podSubnet: 'fd00::/56', serviceSubnet: 'fd01::/112'}\n" INIT
                       "nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: 'fd00::5'}]}\n",
          "node-ip is inside podSubnet", "NodeJoin requires both families and node-ip has IPv6");
    NOTES(GOOD "families: [ipv4]\n" JOIN
               "nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: '10.0.0.1,fd00::5'}]}\n",
          "node-ip has both families and NodeJoin's families IPv4");
    NOTES(GOOD CLUSTER "networking: {podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/16'}\n" INIT
                       "nodeRegistration: {kubeletExtraArgs: [{name: node-ip, value: '10.0.0.1,fd00::5'}]}\n",
          "node-ip has both families and podSubnet IPv4");
}

static void show6_every_allocation_fails(void **state)
{
    (void)state;
    assert_int_equal(parse_bundle(GOOD JOIN "nodeRegistration: {name: worker-1}\n"), OK);
    size_t calls = arena.calls;
    for (fail_at = 1; fail_at <= calls; fail_at++)
        REFUSES_BUNDLE(GOOD JOIN "nodeRegistration: {name: worker-1}\n", ERR_NOMEM, fault.path);
    fail_at = 0;
    print_message("every one of %zu arena allocations failed once\n", calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundles),
        cmocka_unit_test(what_a_machine_can_do),
        cmocka_unit_test(keeps_kubeadms_bytes),
        cmocka_unit_test(roles_do_not_mix),
        cmocka_unit_test(notes_what_is_missed_later),
        cmocka_unit_test(show6_every_allocation_fails),
    };
    testcrypto_start(160 * 1024);
    if (jose_generate(&secret) != OK)
        return 1;
    site.keys[0] = secret.pub;
    site.key_count = 1;
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
