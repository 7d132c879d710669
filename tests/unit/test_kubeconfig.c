/*
 * test_kubeconfig.c - discovery.file: the two forms that are taken, and the path of each refusal.
 */
#include "tests/unit/testcrypto.h"
#include "tests/unit/tlspeer.h"

#include <stdio.h>

#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/kube/kubeconfig.h"

#define HEAD     "apiVersion: v1\nkind: Config\n"
#define DATA     "certificate-authority-data: $CA"
#define CLUSTER  "clusters:\n- {name: c, cluster: {server: 'https://h.test:6443', " DATA "}}\n"
#define UNNAMED  "clusters:\n- {name: '', cluster: {server: 'https://h.test', " DATA "}}\n"
#define CONTEXT  "contexts:\n- {name: x, context: {cluster: c, user: u}}\ncurrent-context: x\n"
#define USER(of) "users:\n- {name: u, user: {" of "}}\n"
#define WHOLE    HEAD CLUSTER CONTEXT USER("token: abcdef.0123456789abcdef")

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct join join;
static struct clusterinfo info;
static struct kubeconfig_user user;
static struct fault fault;
static char text[8192];

/* $CA becomes the base64 of a CA file. */
static struct span fill(const char *form, const char *ca)
{
    char path[300];
    const char *at = strstr(form, "$CA");
    struct buf b = BUF_OF(text);

    snprintf(path, sizeof(path), "%s/%s.pem", testcrypto_dir(), ca);
    buf_put(&b, span_of(form, at ? (size_t)(at - form) : strlen(form)));
    if (at) {
        text_b64_put(&b, testcrypto_file(path));
        buf_str(&b, at + strlen("$CA"));
    }
    assert_false(b.overflow);
    return buf_span(&b);
}

static enum err read_text(struct span s)
{
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    assert_int_equal(gate_admit(GATE_OWN_FILE, s), OK);
    return kubeconfig_read(s, &join, &arena, &info, &user, &fault);
}

#define ACCEPTS(form) accepts(form, __LINE__)
static void accepts(const char *form, int line)
{
    if (read_text(fill(form, "ca")) != OK)
        fail_msg("line %d: %s: %s (%s)", line, err_name(fault.code), fault.text, fault.path);
    assert_int_equal(info.roots.count, 1);
    assert_int_equal(info.server.port, info.server_text.n == strlen("https://h.test") ? 443 : 6443);
    assert_true(span_starts(info.ca_pem, "-----BEGIN"));
}

#define REFUSES(form, path, words) refuses(form, "ca", path, words, __LINE__)
static void refuses(const char *form, const char *ca, const char *path, const char *words, int line)
{
    struct kubeconfig_user before = {.token = SPAN_LIT("untouched")};

    user = before;
    enum err e = read_text(fill(form, ca));
    if (e != ERR_DISCOVER_FILE || fault.code != e || strcmp(fault.path, path) != 0 ||
        !strstr(fault.text, words))
        fail_msg("line %d: %s: %s (%s)", line, err_name(e), fault.text, fault.path);
    assert_true(span_eq(user.token, before.token));
}

static int setup(void **state)
{
    (void)state;
    join = (struct join){.has_file = true};
    return 0;
}

static void with_a_user(void **state)
{
    (void)state;
    ACCEPTS(WHOLE);
    assert_true(span_is(user.token, "abcdef.0123456789abcdef"));
    assert_true(span_is(user.name, "u") && span_is(user.context, "x"));
    ACCEPTS(WHOLE "preferences: {}\n");
    ACCEPTS(HEAD CLUSTER CONTEXT USER("token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln'"));
    join.tls_bootstrap_token = SPAN_LIT("tlstok.0123456789abcdef");
    ACCEPTS(WHOLE);
    assert_true(span_is(user.token, "tlstok.0123456789abcdef"));
    assert_int_equal(user.name.n + user.context.n, 0);
}

/* kubectl -n kube-public get cm cluster-info -o jsonpath={.data.kubeconfig} */
static void without_a_user(void **state)
{
    static const char no_token[] = "no tlsBootstrapToken";

    (void)state;
    REFUSES(HEAD UNNAMED, "", no_token);
    REFUSES(HEAD CLUSTER CONTEXT USER(""), "", no_token);
    REFUSES(HEAD CLUSTER CONTEXT USER("token: ''"), "", no_token);
    join.tls_bootstrap_token = SPAN_LIT("tlstok.0123456789abcdef");
    ACCEPTS(HEAD UNNAMED "contexts: null\ncurrent-context: \"\"\npreferences: {}\nusers: null\n");
    ACCEPTS(HEAD UNNAMED "contexts: []\nusers: []\n");
    ACCEPTS(HEAD CLUSTER CONTEXT USER(""));
    assert_true(span_is(user.token, "tlstok.0123456789abcdef"));
}

static void names(void **state)
{
    (void)state;
    REFUSES(HEAD CONTEXT, "", "no cluster");
    REFUSES(HEAD "clusters: []\n", "", "no cluster");
    REFUSES(HEAD CLUSTER, "", "no context");
    REFUSES(HEAD UNNAMED USER("token: a"), "", "no context");
    REFUSES(HEAD CLUSTER "contexts:\n- {name: x, context: {cluster: c, user: u}}\n", "", "current-context");
    REFUSES(HEAD CLUSTER CONTEXT, "", "need names");
    REFUSES(HEAD UNNAMED CONTEXT USER("token: a"), "", "need names");
    REFUSES(HEAD CLUSTER
            "contexts:\n- {name: x, context: {cluster: d, user: u}}\ncurrent-context: x\n" USER(""),
            "contexts[0].context.cluster", "\"c\"");
    REFUSES(HEAD CLUSTER
            "contexts:\n- {name: x, context: {cluster: c, user: v}}\ncurrent-context: x\n" USER(""),
            "contexts[0].context.user", "\"u\"");
    REFUSES(HEAD CLUSTER
            "contexts:\n- {name: x, context: {cluster: c, user: u}}\ncurrent-context: z\n" USER(""),
            "current-context", "\"x\"");
    REFUSES(HEAD "clusters:\n- {name: c, cluster: {server: 'https://h', " DATA "}}\n- {name: d}\n",
            "clusters", "list of one");
    REFUSES(HEAD "clusters:\n- {name: c}\n", "clusters[0]", "not complete");
}

static void unsupported(void **state)
{
    static const struct {
        const char *cluster, *user, *path;
    } rows[] = {
        {"tls-server-name: h", "token: a", "clusters[0].cluster.tls-server-name"},
        {"certificate-authority: /ca", "token: a", "clusters[0].cluster.certificate-authority"},
        {"insecure-skip-tls-verify: true", "token: a", "clusters[0].cluster.insecure-skip-tls-verify"},
        {"proxy-url: 'http://p'", "token: a", "clusters[0].cluster.proxy-url"},
        {"", "tokenFile: /t", "users[0].user.tokenFile"},
        {"", "client-certificate-data: YQ==, client-key-data: YQ==", "users[0].user.client-certificate-data"},
        {"", "exec: {command: x}", "users[0].user.exec"},
        {"", "auth-provider: {name: x}", "users[0].user.auth-provider"},
        {"", "username: a, password: b", "users[0].user.username"},
        {"", "token: a, as: b", "users[0].user.as"},
        {"", "token: 'a b'", "users[0].user.token"},
        {"", "token: 12", "users[0].user.token"},
        {"", "token: \"a\\nX: b\"", "users[0].user.token"},
    };
    char form[1024];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(form, sizeof(form),
                       HEAD "clusters:\n- name: c\n  cluster: {server: 'https://h', %s%s" DATA "}\n" CONTEXT
                            "users:\n- {name: u, user: {%s}}\n",
                       rows[i].cluster, rows[i].cluster[0] ? ", " : "", rows[i].user);
        refuses(form, "ca", rows[i].path, "", (int)i);
    }
    REFUSES(WHOLE "extensions: []\n", "extensions", "not supported");
    REFUSES(WHOLE "preferences: {colors: true}\n", "preferences", "empty");
    REFUSES(HEAD CLUSTER
            "contexts:\n- {name: x, context: {cluster: c, user: u, namespace: n}}\ncurrent-context: x\n" USER(
                "token: a"),
            "contexts[0].context.namespace", "not supported");
}

static void bad_texts(void **state)
{
    (void)state;
    REFUSES("kind: Config\n" CLUSTER CONTEXT, "", "apiVersion");
    REFUSES("apiVersion: v1\nkind: Secret\n" CLUSTER CONTEXT, "kind", "Config");
    REFUSES(WHOLE "---\n" WHOLE, "", "one document");
    REFUSES(WHOLE "users: []\n", "users", "");
    REFUSES(HEAD "a: &b c\n", "", "");
    REFUSES("[]\n", "", "map");
    REFUSES(HEAD "clusters:\n- {name: c, cluster: {server: 'http://h', " DATA "}}\n" CONTEXT USER("token: a"),
            "clusters[0].cluster.server", "https");
    REFUSES(HEAD "clusters:\n- {name: c, cluster: {server: 'https://h'}}\n" CONTEXT USER("token: a"),
            "clusters[0].cluster", "certificate-authority-data");
    REFUSES(
        HEAD
        "clusters:\n- {name: c, cluster: {server: 'https://h', certificate-authority-data: 'YQ'}}\n" CONTEXT
            USER("token: a"),
        "clusters[0].cluster.certificate-authority-data", "base64");
    REFUSES(
        HEAD
        "clusters:\n- {name: c, cluster: {server: 'https://h', certificate-authority-data: 'YWFh'}}\n" CONTEXT
            USER("token: a"),
        "", "no CA");
    refuses(WHOLE, "leaf", "", "may sign", __LINE__); /* a server's own certificate is no root */
}

/* It becomes part of a header of bounded length. */
static void long_tokens(void **state)
{
    static const char head[] = HEAD CLUSTER CONTEXT "users:\n- {name: u, user: {token: '", tail[] = "'}}\n";

    (void)state;
    for (size_t n = KUBECONFIG_TOKEN_MAX - 1; n <= KUBECONFIG_TOKEN_MAX + 1; n++) {
        char form[1400] = {0};

        memcpy(form, head, sizeof(head));
        memset(form + strlen(form), 'a', n);
        memcpy(form + strlen(form), tail, sizeof(tail));
        if (n <= KUBECONFIG_TOKEN_MAX) {
            ACCEPTS(form);
            assert_int_equal(user.token.n, n);
        } else {
            REFUSES(form, "users[0].user.token", "at most 1023 bytes");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(with_a_user, setup), cmocka_unit_test_setup(without_a_user, setup),
        cmocka_unit_test_setup(names, setup),       cmocka_unit_test_setup(unsupported, setup),
        cmocka_unit_test_setup(bad_texts, setup),   cmocka_unit_test_setup(long_tokens, setup),
    };
    testcrypto_start(512 * 1024);
    tlspeer_set_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
