/*
 * test_join_refuse.c - JoinConfiguration: every rule, with the position and path of what breaks it.
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
static struct join join;

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

#define REFUSES(text, code, path, words) refuses(text, code, path, words, __LINE__)
static void refuses(const char *text, enum err code, const char *path, const char *words, int line)
{
    static struct join before;
    memset(&before, 0x5a, sizeof(before));
    enum err e = read_text(text);
    if (e != code || fault.code != code || strcmp(fault.path, path) != 0 || !strstr(fault.text, words) ||
        fault.line == 0)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
    if (memcmp(&join, &before, sizeof(join)) != 0)
        fail_msg("line %d: the output was touched", line);
}

static void refuses_kinds(void **state)
{
    (void)state;
    static const char *const both[] = {
        WORKER "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n",
        WORKER "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n",
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n---\n" WORKER,
    };
    for (size_t i = 0; i < COUNT(both); i++)
        REFUSES(both[i], ERR_CONFIG_KIND, "kind", "[stricter: two-roles]");
    REFUSES("apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n", ERR_CONFIG_KIND, "apiVersion",
            "[stricter: v1beta3]");
    REFUSES("a: b\n", ERR_CONFIG_KIND, "", "missing");
    REFUSES("kind: JoinConfiguration\n", ERR_CONFIG_KIND, "", "missing");
    REFUSES("apiVersion: kubeadm.k8s.io/v1beta4\n", ERR_CONFIG_KIND, "", "missing");
    REFUSES("apiVersion: 1\nkind: x\n", ERR_CONFIG_FIELD, "apiVersion", "string");
    REFUSES("- a\n", ERR_CONFIG_KIND, "", "must be a map");
    REFUSES("apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n", ERR_CONFIG_KIND,
            "kind", "[stricter: other-kind]");
    REFUSES("apiVersion: kubeadm.k8s.io/v1beta4\nkind: ResetConfiguration\n", ERR_CONFIG_KIND, "kind",
            "other-kind");
    REFUSES("apiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\n", ERR_CONFIG_KIND, "apiVersion",
            "[stricter: v1beta3]");
    REFUSES("apiVersion: kubeadm.k8s.io/v1beta2\nkind: JoinConfiguration\n", ERR_CONFIG_KIND, "apiVersion",
            "must be kubeadm");
    REFUSES("apiVersion: kubeadm.k8s.io/v1beta5\nkind: JoinConfiguration\n", ERR_CONFIG_KIND, "apiVersion",
            "must be kubeadm");
    REFUSES(WORKER "---\n" WORKER, ERR_CONFIG_KIND, "kind", "second");
    assert_int_equal(read_text(""), ERR_CONFIG_KIND);
    assert_non_null(strstr(fault.text, "[stricter: empty-document]"));
}

static void refuses_structure(void **state)
{
    (void)state;
    REFUSES(HEAD, ERR_CONFIG_FIELD, "", "discovery is missing");
    REFUSES(HEAD "discovery: {}\n", ERR_CONFIG_FIELD, "discovery", "exactly one");
    REFUSES(HEAD "discovery: []\n", ERR_CONFIG_FIELD, "discovery", "must be a map");
    REFUSES(HEAD "discovery:\n", ERR_CONFIG_FIELD, "discovery", "[stricter: null]");
    REFUSES(WORKER "  file: {kubeConfigPath: https://a/}\n", ERR_CONFIG_FIELD, "discovery", "exactly one");
    REFUSES(WORKER "  File: {}\n", ERR_CONFIG_FIELD, "discovery.File", "unknown field");
    REFUSES(WORKER "nodeName: x\n", ERR_CONFIG_FIELD, "nodeName", "unknown field");
    REFUSES(NODE "  Name: x\n", ERR_CONFIG_FIELD, "nodeRegistration.Name", "unknown field");
    REFUSES(NODE "  name: x\n  name: y\n", ERR_CONFIG_FIELD, "nodeRegistration.name", "twice");
    REFUSES(WORKER "nodeRegistration: []\n", ERR_CONFIG_FIELD, "nodeRegistration", "must be a map");
    REFUSES(NODE "  kubeletExtraArgs: {node-ip: 10.0.0.1}\n", ERR_CONFIG_FIELD,
            "nodeRegistration.kubeletExtraArgs", "must be a list");
    REFUSES(NODE "  taints: {}\n", ERR_CONFIG_FIELD, "nodeRegistration.taints", "must be a list");
    REFUSES(NODE "  taints: ~\n", ERR_CONFIG_FIELD, "nodeRegistration.taints", "[stricter: null]");
    REFUSES(TAINT "a\n", ERR_CONFIG_FIELD, "nodeRegistration.taints[0]", "must be a map");
    REFUSES(WORKER "skipPhases: a\n", ERR_CONFIG_FIELD, "skipPhases", "must be a list");
    REFUSES(WORKER "skipPhases: [a, 1]\n", ERR_CONFIG_FIELD, "skipPhases[1]", "[stricter: plain-string]");
    REFUSES(WORKER "dryRun: yes\n", ERR_CONFIG_FIELD, "dryRun", "[stricter: bool-spelling]");
    REFUSES(WORKER "patches: {dir: x}\n", ERR_CONFIG_FIELD, "patches.dir", "unknown field");
    REFUSES(WORKER "timeouts: {x: 1m}\n", ERR_CONFIG_FIELD, "timeouts.x", "unknown field");
    REFUSES(WORKER "controlPlane: {x: 1m}\n", ERR_CONFIG_FIELD, "controlPlane.x", "unknown field");
    REFUSES(WORKER "controlPlane: {localAPIEndpoint: {x: 1}}\n", ERR_CONFIG_FIELD,
            "controlPlane.localAPIEndpoint.x", "unknown field");
    static char text[16384];
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
    buf_str(&b, HEAD "discovery:\n  bootstrapToken:\n" TOKEN ENDPOINT "    caCertHashes:\n");
    for (int i = 0; i <= JOIN_HASHES_MAX; i++)
        buf_str(&b, "    - " HASH "\n");
    REFUSES(text, ERR_LIMIT, "discovery.bootstrapToken.caCertHashes", "[stricter: list-length]");
}

static void refuses_discovery_values(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        "    token: CLVLDH.vjjwg16ucnhp94qr\n", "    token: clvldh-vjjwg16ucnhp94qr\n",
        "    token: clvldh.vjjwg16ucnhp94q\n",  "    token: clvldh.vjjwg16ucnhp94qrr\n",
        "    token: clvld.hvjjwg16ucnhp94qr\n", "    token: \"clvldh.vjjwg16ucnhp94q\\u00e9\"\n",
    };
    for (size_t i = 0; i < COUNT(tokens); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), HEAD "discovery:\n  bootstrapToken:\n%s" ENDPOINT PINS, tokens[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "discovery.bootstrapToken.token", "bootstrap token");
    }
    static const char *const endpoints[] = {
        "10.0.0.1",        "10.0.0.1:0", "10.0.0.1:99999", "'10.0.0.1:'",      "'[fe80::1%eth0]:6443'",
        "https://a:6443",  "a_b:6443",   "'fd00::1:6443'", "'10.0.0.1: 6443'", "010.0.0.1:6443x",
        "'[fd00::1]6443'", "':6443'",    "a:06443",
    };
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text),
                       HEAD "discovery:\n  bootstrapToken:\n" TOKEN "    apiServerEndpoint: %s\n" PINS,
                       endpoints[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "discovery.bootstrapToken.apiServerEndpoint", "[stricter: endpoint]");
    }
    static const char *const hashes[] = {
        "sha256:11",
        "sha512:"
        "1122334455667788990011223344556677889900112233445566778899001122",
        HASH "0",
        "abc",
        "''",
        "sha256:g122334455667788990011223344556677889900112233445566778899001122",
        "sha256:" HASH,
    };
    for (size_t i = 0; i < COUNT(hashes); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text),
                       HEAD "discovery:\n  bootstrapToken:\n" TOKEN ENDPOINT "    caCertHashes: [" HASH
                            ", %s]\n",
                       hashes[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "discovery.bootstrapToken.caCertHashes[1]",
                "[stricter: ca-cert-hash]");
    }
    REFUSES(HEAD "discovery:\n  bootstrapToken:\n" TOKEN ENDPOINT, ERR_CONFIG_FIELD,
            "discovery.bootstrapToken", "caCertHashes is missing");
    REFUSES(HEAD "discovery:\n  bootstrapToken:\n" TOKEN ENDPOINT "    caCertHashes: []\n", ERR_CONFIG_FIELD,
            "discovery.bootstrapToken", "caCertHashes is missing");
    REFUSES(HEAD "discovery:\n  bootstrapToken:\n" ENDPOINT PINS, ERR_CONFIG_FIELD,
            "discovery.bootstrapToken", "token is missing");
    REFUSES(HEAD "discovery:\n  bootstrapToken:\n    token: ''\n" ENDPOINT PINS, ERR_CONFIG_FIELD,
            "discovery.bootstrapToken", "token is missing");
    REFUSES(HEAD "discovery:\n  bootstrapToken:\n" TOKEN PINS, ERR_CONFIG_FIELD, "discovery.bootstrapToken",
            "apiServerEndpoint is missing");
    REFUSES(WORKER "  tlsBootstrapToken: x\n", ERR_CONFIG_FIELD, "discovery.tlsBootstrapToken",
            "bootstrap token");
    static const char *const files[] = {"etc/hosts",      "http://a/",    "'/a b'",          "'https://'",
                                        "'https://a b/'", "https://a:x/", "'https://a/%zz'", "file:///x"};
    for (size_t i = 0; i < COUNT(files); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), HEAD "discovery: {file: {kubeConfigPath: %s}}\n", files[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "discovery.file.kubeConfigPath", "[stricter: discovery-file]");
    }
    REFUSES(HEAD "discovery: {file: {}}\n", ERR_CONFIG_FIELD, "discovery.file", "kubeConfigPath is missing");
}

static void refuses_node_values(void **state)
{
    (void)state;
    static const char *const names[] = {"n_1", "-a", "a-", "a..b", "'a b'", "\"\\t\"", "' '", "a/b"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), NODE "  name: %s\n", names[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "nodeRegistration.name", "RFC 1123");
    }
    REFUSES(NODE "  name: \"\\u212a\"\n", ERR_CONFIG_FIELD, "nodeRegistration.name",
            "[stricter: name-ascii]");
    static const char *const sockets[] = {"tcp://1.2.3.4", "unix:/x",       "unixx",     "unix://x",
                                          "'unix:///a b'", "unix:///a%20b", "run/x.sock"};
    for (size_t i = 0; i < COUNT(sockets); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), NODE "  criSocket: %s\n", sockets[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "nodeRegistration.criSocket", "[stricter: cri-socket]");
    }
    REFUSES(NODE "  imagePullPolicy: always\n", ERR_CONFIG_FIELD, "nodeRegistration.imagePullPolicy",
            "Always");
    static const char *const taints[] = {
        "{key: a}",
        "{key: a, effect: x}",
        "{key: '', effect: NoSchedule}",
        "{effect: NoSchedule}",
        "{key: a b, effect: NoSchedule}",
        "{key: A_/b, effect: NoSchedule}",
        "{key: a, value: '-', effect: NoSchedule}",
        "{key: -a, effect: NoSchedule}",
        "{key: a/, effect: NoSchedule}",
        "{key: a, effect: noschedule}",
    };
    for (size_t i = 0; i < COUNT(taints); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), TAINT "%s\n", taints[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "nodeRegistration.taints[0]", "[stricter: taint]");
    }
    REFUSES(TAINT "{key: a, effect: NoSchedule, timeAdded: '2026-01-01T00:00:00Z'}\n", ERR_CONFIG_FIELD,
            "nodeRegistration.taints[0].timeAdded", "[stricter: taint]");
    static const char *const args[] = {
        "{name: v, value: '1 2'}",    "{name: v, value: \"a\\n--b\"}", "{name: v, value: 'a\"b'}",
        "{name: v, value: 'a\\\\b'}", "{name: v, value: \"a'b\"}",     "{name: v, value: 'a$b'}",
        "{name: v, value: '`a`'}",    "{name: v, value: \"\\u00e9\"}", "{name: --v, value: '1'}",
        "{name: 'v=1', value: '1'}",  "{name: 'a b', value: '1'}",     "{name: -v}",
    };
    for (size_t i = 0; i < COUNT(args); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), ARGS "%s\n", args[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "nodeRegistration.kubeletExtraArgs[0]", "[stricter: kubelet-arg]");
    }
    REFUSES(ARGS "{value: x}\n", ERR_CONFIG_FIELD, "nodeRegistration.kubeletExtraArgs[0]", "without a name");
    REFUSES(ARGS "{name: '', value: x}\n", ERR_CONFIG_FIELD, "nodeRegistration.kubeletExtraArgs[0]",
            "without a name");
    REFUSES(ARGS "{name: node-ip, value: 10.0.0.1}\n  - {name: node-ip, value: 10.0.0.2}\n", ERR_CONFIG_FIELD,
            "nodeRegistration.kubeletExtraArgs[1]", "node-ip is there twice");
    ACCEPTS(
        ARGS
        "{name: eviction-hard, value: 'memory.available<100Mi,nodefs.available<10%'}\n  - {name: v, value: '1'}\n  - {name: v, value: '2'}\n");
}

static void refuses_other_values(void **state)
{
    (void)state;
    REFUSES(WORKER "caCertPath: pki/ca.crt\n", ERR_CONFIG_FIELD, "caCertPath", "absolute");
    REFUSES(WORKER "caCertPath: /pki/ca.pem\n", ERR_CONFIG_FIELD, "caCertPath", ".crt");
    REFUSES(WORKER "caCertPath: \"/a\\nb.crt\"\n", ERR_CONFIG_FIELD, "caCertPath",
            "[stricter: control-character]");
    static const char *const addresses[] = {"banana", "127.0.0.1", "0.0.0.0",   "224.0.0.1",       "'::'",
                                            "'::1'",  "fe80::1",   "010.0.0.1", "'::ffff:1.2.3.4'"};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text),
                       WORKER "controlPlane:\n  localAPIEndpoint:\n    advertiseAddress: %s\n", addresses[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "controlPlane.localAPIEndpoint.advertiseAddress",
                "[stricter: advertise-address]");
    }
    REFUSES(WORKER "controlPlane: {localAPIEndpoint: {bindPort: 65536}}\n", ERR_CONFIG_FIELD,
            "controlPlane.localAPIEndpoint.bindPort", "larger than 65535");
    REFUSES(WORKER "controlPlane: {localAPIEndpoint: {bindPort: 06443}}\n", ERR_CONFIG_FIELD,
            "controlPlane.localAPIEndpoint.bindPort", "[stricter: number-spelling]");
    REFUSES(WORKER "controlPlane: {certificateKey: abc}\n", ERR_CONFIG_FIELD, "controlPlane.certificateKey",
            "64 hex");
    REFUSES(WORKER "timeouts: {discovery: -5m}\n", ERR_CONFIG_FIELD, "timeouts.discovery",
            "[stricter: timeout]");
    REFUSES(WORKER "timeouts: {discovery: 5}\n", ERR_CONFIG_FIELD, "timeouts.discovery", "string");
    REFUSES(WORKER "timeouts: {discovery: '5'}\n", ERR_CONFIG_FIELD, "timeouts.discovery", "5m0s");
    REFUSES(WORKER "timeouts: {etcdAPICall: 5 minutes}\n", ERR_CONFIG_FIELD, "timeouts.etcdAPICall", "5m0s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_kinds),
        cmocka_unit_test(refuses_structure),
        cmocka_unit_test(refuses_discovery_values),
        cmocka_unit_test(refuses_node_values),
        cmocka_unit_test(refuses_other_values),
    };
    return cmocka_run_group_tests_name("join_refuse", tests, NULL, NULL);
}
