/*
 * test_clusterinfo.c - trust in cluster-info: signature, then YAML, then pin; each tampering has its name (SECURITY.md, P8).
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/gate.h"
#include "firmware/base/json.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/hash.h"
#include "firmware/kube/clusterinfo.h"

#define TOKEN "abcdef.0123456789abcdef"
#define DATA  "tests/unit/data-kube/"
/* openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum */
#define PIN_CA    "919398dfe6992585e38f79f21933a5ba3541ad0c4acac12179b079099b8b1699"
#define PIN_OTHER "86d88491f1a0fcc7661a6eacaafaf862b6fb291acc448596dca57cd95330802c"
#define PIN_LEAF  "0157ed9e3b64dc6ff066d7943c1e61de92f31eca10f02fd0609c28c36bfdaf00"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct clusterinfo info;

/* A cluster-info answer under construction. */
struct answer {
    const char *certs[20];  /* PEM files in certificate-authority-data */
    const char *kubeconfig; /* NULL: kubeadm's form */
    const char *server;
    const char *token;  /* that signs */
    const char *header; /* of the JWS */
    const char *id;     /* in the key's name */
    const char *jws;    /* NULL: computed */
    const char *extra;  /* appended to the kubeconfig after signing */
};

static const struct answer good = {.certs = {"ca.pem"},
                                   .server = "https://10.100.0.1:6443",
                                   .token = TOKEN,
                                   .header = "{\"alg\":\"HS256\",\"kid\":\"abcdef\"}",
                                   .id = "abcdef"};

static char kubeconfig[32768], body[65536], encoded[16384];

static void put_ca(struct buf *b, const struct answer *a)
{
    struct buf pem = BUF_OF(encoded);

    for (size_t i = 0; i < COUNT(a->certs) && a->certs[i]; i++) {
        char path[100];
        snprintf(path, sizeof(path), DATA "%s", a->certs[i]);
        buf_put(&pem, testcrypto_file(path));
    }
    text_b64_put(b, buf_span(&pem));
}

static struct span make_kubeconfig(const struct answer *a)
{
    struct buf b = BUF_OF(kubeconfig);

    if (a->kubeconfig)
        return span_str(a->kubeconfig);
    buf_str(&b, "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ");
    put_ca(&b, a);
    buf_fmt(
        &b,
        "\n    server: %s\n  name: \"\"\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n",
        a->server);
    return buf_span(&b);
}

static void put_jws(struct buf *b, const struct answer *a, struct span text)
{
    static uint8_t signing[65536];
    struct buf s = BUF_OF(signing);
    uint8_t mac[HASH_SIZE];

    text_b64url_put(&s, span_str(a->header));
    buf_put(b, buf_span(&s));
    buf_str(b, "..");
    buf_u8(&s, '.');
    text_b64url_put(&s, text);
    assert_int_equal(hash_hmac_sha256(span_str(a->token + 7), buf_span(&s), mac), OK);
    text_b64url_put(b, span_of(mac, sizeof(mac)));
}

static struct span make_body(const struct answer *a)
{
    struct buf b = BUF_OF(body);
    static char changed[32768];
    struct buf c = BUF_OF(changed);
    struct span text = make_kubeconfig(a);

    buf_put(&c, text);
    buf_str(&c, a->extra ? a->extra : "");
    buf_str(
        &b,
        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"cluster-info\"},\"data\":{");
    buf_fmt(&b, "\"jws-kubeconfig-zzzzzz\":\"x\",\"jws-kubeconfig-%s\":\"", a->id);
    if (a->jws)
        buf_str(&b, a->jws);
    else
        put_jws(&b, a, text);
    buf_str(&b, "\",\"kubeconfig\":");
    json_put_string(&b, buf_span(&c));
    buf_str(&b, "}}\n");
    assert_false(b.overflow || c.overflow);
    return buf_span(&b);
}

static void pin(struct join *j, const char *hex)
{
    assert_int_equal(text_hex(span_str(hex), j->ca_hashes[j->ca_hash_count++], 32), OK);
}

static struct join plain_join(const char *hex)
{
    struct join j = {.token = SPAN_LIT(TOKEN)};

    if (hex)
        pin(&j, hex);
    return j;
}

static enum err run(struct span answer, const struct join *j)
{
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    gate_clear();
    info = (struct clusterinfo){.ca_pem = SPAN_LIT("untouched")};
    enum err e = clusterinfo_read(answer, j, &arena, &info, &fault);
    if (e) {
        assert_int_equal(fault.code, e);
        assert_int_equal(arena.used, 0);
        assert_true(span_is(info.ca_pem, "untouched"));
    }
    return e;
}

#define EXPECT(want, a, j) expect(want, a, j, __LINE__)
static void expect(enum err want, const struct answer *a, struct join j, int line)
{
    enum err e = run(make_body(a), &j);

    if (e != want)
        print_error("line %d: %s: %s\n", line, err_name(e), fault.text);
    assert_int_equal(e, want);
}

static void test_good(void **state)
{
    struct answer a = good;

    (void)state;
    EXPECT(OK, &a, plain_join(PIN_CA));
    assert_true(span_eq(info.ca_pem, testcrypto_file(DATA "ca.pem")));
    assert_true(span_is(info.server_text, "https://10.100.0.1:6443"));
    assert_int_equal(info.server.port, 6443);
    assert_int_equal(info.roots.count, 1);
    assert_true(gate_admitted(info.kubeconfig));
    a.server = "https://[fd00:1:2:3::1]:6443";
    EXPECT(OK, &a, plain_join(PIN_CA));
    a.server = "https://cluster.example.org";
    EXPECT(OK, &a, plain_join(PIN_CA));
    assert_int_equal(info.server.port, 443);
}

static void test_signature(void **state)
{
    struct answer a = good;
    struct join j = plain_join(PIN_CA);

    (void)state;
    a.token = "abcdef.0123456789abcdeF";
    EXPECT(ERR_DISCOVER_JWS, &a, j); /* another secret */
    a = good;
    a.id = "abcdeg";
    EXPECT(ERR_DISCOVER_MISSING, &a, j); /* signed for another token only */
    a = good;
    a.jws = "";
    EXPECT(ERR_DISCOVER_MISSING, &a, j);
    a.jws = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..";
    EXPECT(ERR_DISCOVER_JWS, &a, j);
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"abcdef\"}",   "{\"alg\":\"HS512\",\"kid\":\"abcdef\"}",
        "{\"kid\":\"abcdef\",\"alg\":\"HS256\"}",  "{\"alg\":\"HS256\",\"kid\":\"abcdeg\"}",
        "{\"alg\":\"HS256\", \"kid\":\"abcdef\"}", "{\"alg\":\"HS256\",\"kid\":\"abcdef\",\"x\":1}",
        "{\"alg\":\"ES256\",\"kid\":\"abcdef\"}",  "{}",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        a = good;
        a.header = headers[i];
        EXPECT(ERR_DISCOVER_JWS, &a, j);
    }
    a = good;
    a.extra = "\n";
    EXPECT(ERR_DISCOVER_JWS, &a, j); /* one byte more than was signed */
}

/* Every bit of the signed text and of the signature. */
static void test_flips(void **state)
{
    struct join j = plain_join(PIN_CA);
    struct span b = make_body(&good);
    size_t at = span_find_str(b, "jws-kubeconfig-abcdef\":\"") + 24;

    (void)state;
    assert_int_equal(run(b, &j), OK);
    for (size_t i = at; i < b.n - 4; i++) {
        uint8_t bit = (uint8_t)(1u << i % 7);
        if (span_starts(span_sub(b, i, 15), "\",\"kubeconfig\":")) {
            i += 15;
            continue;
        }
        body[i] = (char)(body[i] ^ bit);
        enum err e = run(b, &j);
        if (e != ERR_DISCOVER_JWS && e != ERR_DISCOVER_SYNTAX && e != ERR_DISCOVER_MISSING)
            print_error("byte %zu: %s\n", i, err_name(e));
        assert_true(e == ERR_DISCOVER_JWS || e == ERR_DISCOVER_SYNTAX || e == ERR_DISCOVER_MISSING);
        body[i] = (char)(body[i] ^ bit);
    }
    assert_int_equal(run(b, &j), OK);
}

static void test_pins(void **state)
{
    struct answer a = good;
    struct join j = plain_join(PIN_OTHER);
    (void)state;
    EXPECT(ERR_DISCOVER_PIN, &a, j);
    EXPECT(ERR_DISCOVER_PIN, &a, plain_join(NULL));
    pin(&j, PIN_CA); /* any one of the pins is enough */
    EXPECT(OK, &a, j);
    j = (struct join){.token = SPAN_LIT(TOKEN), .unsafe_skip_ca = true};
    EXPECT(OK, &a, j);
    j = (struct join){.token = SPAN_LIT(TOKEN),
                      .has_file = true}; /* a file of the machine vouches for its CA */
    EXPECT(OK, &a, j);
    j = plain_join(PIN_OTHER); /* pins count even where they are not demanded */
    j.unsafe_skip_ca = true;
    EXPECT(ERR_DISCOVER_PIN, &a, j);
    a.certs[0] = "leaf.pem";
    EXPECT(ERR_DISCOVER_PIN, &a, plain_join(PIN_LEAF)); /* a leaf is no CA */
    a.certs[1] = "ca.pem";
    EXPECT(ERR_DISCOVER_PIN, &a, plain_join(PIN_LEAF));
    a.certs[0] = "garbage.pem"; /* what cannot be read is not passed over */
    EXPECT(ERR_DISCOVER_SYNTAX, &a, plain_join(PIN_CA));
}

/* Whoever has the token can add a CA to the bundle; it must not become a root. */
static void test_added_ca(void **state)
{
    struct answer a = good;
    struct join j = plain_join(PIN_CA);
    (void)state;
    a.certs[0] = "other-ca.pem";
    a.certs[1] = "ca.pem";
    EXPECT(OK, &a, j);
    assert_int_equal(info.roots.count, 1);
    uint8_t digest[HASH_SIZE];
    assert_int_equal(x509_spki_sha256(info.roots.ders[0], digest), OK);
    assert_memory_equal(digest, j.ca_hashes[0], HASH_SIZE);
    pin(&j, PIN_OTHER);
    EXPECT(OK, &a, j);
    assert_int_equal(info.roots.count, 2);
    a.certs[2] = "leaf.pem";
    j = (struct join){.token = SPAN_LIT(TOKEN), .unsafe_skip_ca = true};
    EXPECT(OK, &a, j);
    assert_int_equal(info.roots.count, 2);
    a = good;
    for (unsigned k = 0; k < X509_ROOTS_MAX; k++)
        a.certs[k] = "ca.pem";
    EXPECT(OK, &a, plain_join(PIN_CA));
    a.certs[X509_ROOTS_MAX] = "ca.pem";
    EXPECT(ERR_LIMIT, &a, plain_join(PIN_CA));
}

static void test_kubeconfig(void **state)
{
    static const char *const texts[] = {
        "",
        "kind: Config\n",
        "kind: Config\nclusters: []\n",
        "kind: Other\nclusters: []\n",
        "kind: Config\nclusters:\n- {name: \"\", cluster: {}}\n",
        "kind: Config\nclusters:\n- {name: \"\", cluster: {server: \"https://a:1\"}}\n",
        "kind: Config\nclusters:\n- {name: \"\", cluster: {server: \"https://a:1\", certificate-authority-data: \"\"}}\n",
        "kind: Config\nclusters:\n- {name: \"\", cluster: {server: \"https://a:1\", certificate-authority-data: \"%%\"}}\n",
        "kind: Config\nclusters:\n- {name: \"\", cluster: {server: \"https://a:1\", certificate-authority-data: AAAA}}\n",
        "kind: Config\nclusters:\n- {name: \"\", cluster: [a]}\n",
        "kind: Config\nclusters: {a: b}\n",
        "kind: Config\n---\nkind: Config\n",
        "kind: &a Config\n",
        "- a\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct answer a = good;
        a.kubeconfig = texts[i];
        EXPECT(ERR_DISCOVER_SYNTAX, &a, plain_join(PIN_CA));
    }
}

/* The good kubeconfig with one text replaced by another. */
static void test_changed_kubeconfig(void **state)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"https://", "http://"},
        {"10.100.0.1:6443", "10.100.0.1:6443/path"},
        {"10.100.0.1:6443", "user@10.100.0.1"},
        {"name: \"\"", "name: x"},
        {"contexts: null", "clusters: []"},
        {"  name: \"\"", "  name: \"\"\n- {name: b, cluster: {server: \"https://a\"}}"},
        {"certificate-authority-data", "certificate-authority"},
        {"kind: Config", "kind: Other"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static char text[32768];
        struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
        struct span all = make_kubeconfig(&good);
        size_t at = span_find_str(all, rows[i].from);
        assert_true(at < all.n);
        buf_put(&b, span_sub(all, 0, at));
        buf_str(&b, rows[i].to);
        buf_put(&b, span_sub(all, at + strlen(rows[i].from), all.n));
        text[b.n] = 0;
        struct answer a = good;
        a.kubeconfig = text;
        EXPECT(ERR_DISCOVER_SYNTAX, &a, plain_join(PIN_CA));
    }
}

static void test_answers(void **state)
{
    static const char *const answers[] = {"",
                                          "{",
                                          "[]",
                                          "{\"data\":{}}",
                                          "{\"data\":{\"kubeconfig\":1}}",
                                          "{\"data\":{\"kubeconfig\":\"\"}}",
                                          "<html></html>",
                                          "{\"data\":{\"kubeconfig\":\"a\",\"kubeconfig\":\"b\"}}"};
    struct join j = plain_join(PIN_CA);

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++)
        assert_int_equal(run(span_str(answers[i]), &j), ERR_DISCOVER_SYNTAX);
    assert_int_equal(run(SPAN_LIT("{\"data\":{\"kubeconfig\":\"a\"}}"), &j), ERR_DISCOVER_MISSING);
    assert_int_equal(
        run(SPAN_LIT("{\"data\":{\"kubeconfig\":\"a\",\"jws-kubeconfig-abcdef\":\"a..b\"}}"), &j),
        ERR_DISCOVER_JWS);
    assert_false(gate_admitted(info.kubeconfig));
    for (size_t n = 1; n < 100; n++) {
        struct span b = make_body(&good);
        arena_init(&arena, memory, sizeof(memory));
        fault_clear(&fault);
        arena.fail_at = n;
        enum err e = clusterinfo_read(b, &j, &arena, &info, &fault);
        if (e == OK)
            return;
        assert_int_equal(e, ERR_NOMEM);
    }
    fail();
}

/* The n-th allocation of the crypto library fails. */
static void test_crypto_heap(void **state)
{
    struct join j = plain_join(PIN_CA);
    struct span b = make_body(&good);
    enum err e = ERR_NOMEM;
    unsigned n = 0;

    (void)state;
    while (e != OK && n < 200) {
        crypto_heap_fail_at(++n);
        e = run(b, &j);
        if (e != OK && e != ERR_NOMEM)
            print_error("allocation %u: %s: %s\n", n, err_name(e), fault.text);
        assert_true(e == OK || e == ERR_NOMEM);
    }
    crypto_heap_fail_at(0);
    assert_int_equal(e, OK);
    assert_true(n > 1);
}

/* The recorded answer of a real cluster, where it is at hand. */
static void test_recorded(void **state)
{
    const char *dir = getenv("JOINBOOT_KUBEADM_CASES");
    char path[300];
    static char text[32768];
    struct buf b = BUF_OF(text), out = BUF_OF(body);
    struct join j = {.token = SPAN_LIT("clvldh.vjjwg16ucnhp94qr")};
    bool on = false;

    (void)state;
    snprintf(path, sizeof(path), "%s/cm-cluster-info.yaml", dir ? dir : "../shared/kubeadm");
    FILE *file = fopen(path, "rb");
    if (!file) {
        print_message("skipped: %s is not there\n", path);
        return;
    }
    fclose(file);
    struct span rest = testcrypto_file(path), jws = {0};
    while (rest.n > 0) {
        struct span line = span_cut(&rest, '\n');
        if (span_starts(line, "  jws-kubeconfig-clvldh: "))
            jws = span_sub(line, 25, line.n);
        on = span_starts(line, "  kubeconfig: |") || (on && span_starts(line, "    "));
        if (on && span_starts(line, "    ")) {
            buf_put(&b, span_sub(line, 4, line.n));
            buf_u8(&b, '\n');
        }
    }
    buf_str(&out, "{\"data\":{\"jws-kubeconfig-clvldh\":");
    json_put_string(&out, jws);
    buf_str(&out, ",\"kubeconfig\":");
    json_put_string(&out, buf_span(&b));
    buf_str(&out, "}}");
    pin(&j, "31e7f1a90cd69574b0851679debb62476827eca8a49675a71d064840a9487705");
    assert_int_equal(run(buf_span(&out), &j), OK);
    j.ca_hashes[0][31] ^= 1;
    assert_int_equal(run(buf_span(&out), &j), ERR_DISCOVER_PIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_added_ca),
        cmocka_unit_test(test_kubeconfig),
        cmocka_unit_test(test_changed_kubeconfig),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_crypto_heap),
    };
    testcrypto_start(256 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
