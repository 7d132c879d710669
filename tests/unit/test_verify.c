/*
 * test_verify.c - only bytes that a trusted key signed, under the one header that this key and this kind of object demand, pass (SECURITY.md, P5).
 */
#include <stdio.h>

#include "config/verify.h"

#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/crypto/jose_tool.h"
#include "tests/unit/testcrypto.h"

static _Alignas(16) uint8_t memory[256 * 1024];
static struct arena arena;
static struct fault fault;
static struct site site;
static struct jose_secret secrets[3]; /* 0 and 1 are trusted */
static char kid[3][JOSE_THUMBPRINT_TEXT + 1];
static uint8_t bundle[200 * 1024];
static const char payload[] = "kind: NodeJoin\n";

/* The n-th call of any of these fails (0: none does). */
static unsigned calls, fail_call;

static bool fails(void)
{
    return ++calls == fail_call;
}

enum err __real_hash_sha256(struct span data, uint8_t ret[static HASH_SIZE]);
enum err __wrap_hash_sha256(struct span data, uint8_t ret[static HASH_SIZE]);
enum err __real_text_b64url(struct span s, struct buf *ret);
enum err __wrap_text_b64url(struct span s, struct buf *ret);
enum err __real_jose_header_put(struct buf *ret, const struct jose_key *key, const char *typ);
enum err __wrap_jose_header_put(struct buf *ret, const struct jose_key *key, const char *typ);
enum err __real_jose_split(struct span jws, struct jose_compact *ret);
enum err __wrap_jose_split(struct span jws, struct jose_compact *ret);

enum err __wrap_hash_sha256(struct span data, uint8_t ret[static HASH_SIZE])
{
    return fails() ? ERR_STATE : __real_hash_sha256(data, ret);
}

enum err __wrap_text_b64url(struct span s, struct buf *ret)
{
    return fails() ? ERR_INPUT : __real_text_b64url(s, ret);
}

enum err __wrap_jose_header_put(struct buf *ret, const struct jose_key *key, const char *typ)
{
    return fails() ? ERR_STATE : __real_jose_header_put(ret, key, typ);
}

enum err __wrap_jose_split(struct span jws, struct jose_compact *ret)
{
    return fails() ? ERR_CONFIG_ENVELOPE : __real_jose_split(jws, ret);
}

/* The signature's check has no memory: the bundle is not to blame. */
static bool no_memory;

enum err __real_jose_es256_verify(const struct jose_key *key, struct span data,
                                  const uint8_t sig[static JOSE_SIG]);
enum err __wrap_jose_es256_verify(const struct jose_key *key, struct span data,
                                  const uint8_t sig[static JOSE_SIG]);

enum err __wrap_jose_es256_verify(const struct jose_key *key, struct span data,
                                  const uint8_t sig[static JOSE_SIG])
{
    return no_memory ? ERR_NOMEM : __real_jose_es256_verify(key, data, sig);
}

static enum err verify(struct span b, const struct verified **ret)
{
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    gate_clear();
    return verify_bundle(b, &site, &arena, ret, &fault);
}

/* Asserts the refusal, that nothing was handed out and that the gate learnt nothing. */
#define REFUSES(b, code) refuses(b, code, __LINE__)
static void refuses(struct span b, enum err code, int line)
{
    const struct verified *v = NULL;
    enum err e = verify(b, &v);
    if (e != code || fault.code != code)
        fail_msg("line %d: got %s (%s)", line, err_name(e), fault.text);
    assert_null(v);
}

static struct span sign(const struct jose_secret *key, const char *typ, struct span text)
{
    struct buf b = BUF_OF(bundle);
    assert_int_equal(jose_sign_compact(key, typ, text, &b), OK);
    assert_false(b.overflow);
    return buf_span(&b);
}

/* A JWS with any protected header, validly signed. */
static struct span sign_header(const struct jose_secret *key, const char *header)
{
    struct buf b = BUF_OF(bundle);
    uint8_t sig[JOSE_SIG];
    text_b64url_put(&b, span_str(header));
    buf_str(&b, ".");
    text_b64url_put(&b, span_str(payload));
    assert_int_equal(jose_es256_sign(key, buf_span(&b), sig), OK);
    buf_str(&b, ".");
    text_b64url_put(&b, span_of(sig, sizeof(sig)));
    return buf_span(&b);
}

static void accepts_trusted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct verified *v = NULL;
        uint8_t digest[HASH_SIZE];
        struct span b = sign(&secrets[i], VERIFY_TYP_BUNDLE, span_str(payload));
        assert_int_equal(verify(b, &v), OK);
        assert_true(span_is(verified_payload(v), payload));
        assert_int_equal(verified_key(v), i);
        size_t signed_n = b.n;
        while (b.p[--signed_n] != '.')
            continue;
        assert_int_equal(hash_sha256(span_sub(b, 0, signed_n), digest), OK);
        assert_memory_equal(verified_digest(v), digest, HASH_SIZE);
        assert_true(gate_admitted(verified_payload(v)));
    }
}

static void accepts_any_bytes_as_payload(void **state)
{
    (void)state;
    static uint8_t text[LIMIT_YAML];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7);
    for (size_t n = 1; n < 10; n++) {
        const struct verified *v = NULL;
        assert_int_equal(verify(sign(&secrets[0], VERIFY_TYP_BUNDLE, span_of(text, n)), &v), OK);
        assert_true(span_eq(verified_payload(v), span_of(text, n)));
    }
    const struct verified *v = NULL;
    assert_int_equal(verify(sign(&secrets[0], VERIFY_TYP_BUNDLE, span_of(text, sizeof(text))), &v), OK);
    assert_true(span_eq(verified_payload(v), span_of(text, sizeof(text))));
}

static void refuses_other_keys(void **state)
{
    (void)state;
    char header[256];
    REFUSES(sign(&secrets[2], VERIFY_TYP_BUNDLE, span_str(payload)), ERR_CONFIG_KEY);
    (void)snprintf(header, sizeof(header),
                   "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}", kid[0]);
    REFUSES(sign_header(&secrets[2], header), ERR_CONFIG_SIGNATURE);
    REFUSES(sign_header(&secrets[1], header), ERR_CONFIG_SIGNATURE);
    const struct verified *v = NULL;
    assert_int_equal(verify(sign_header(&secrets[0], header), &v), OK);
    site.key_count = 0;
    REFUSES(sign_header(&secrets[0], header), ERR_CONFIG_KEY);
    site.key_count = 1;
    REFUSES(sign(&secrets[1], VERIFY_TYP_BUNDLE, span_str(payload)), ERR_CONFIG_KEY);
    site.key_count = 2;
}

/* Headers that are wrong in one way, each validly signed by a trusted key. %s is its kid. */
static void refuses_other_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES384\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"joinboot-command+jws\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE
        "\",\"crit\":[\"b64\"],\"b64\":true}",
        "{\"alg\":\"ES256\",\"crit\":[],\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\", \"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}\n",
        "{\"kid\":\"%s\",\"alg\":\"ES256\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\",\"kid\":\"x\"}",
        "{\"alg\":\"ES256\",\"kid\":\"x%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%.42s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\",\"kid\":\"somebody\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{\"alg\":\"ES256\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}",
        "{}",
        "not JSON",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        char header[256];
        struct buf b = {.p = (uint8_t *)header, .cap = sizeof(header) - 1};
        memset(header, 0, sizeof(header));
        const char *arg = strstr(headers[i], "%");
        buf_put(&b, span_of(headers[i], arg ? (size_t)(arg - headers[i]) : strlen(headers[i])));
        if (arg) {
            bool cut = arg[1] == '.';
            buf_put(&b, span_of(kid[1], cut ? 42 : JOSE_THUMBPRINT_TEXT));
            buf_str(&b, strchr(arg, 's') + 1);
        }
        REFUSES(sign_header(&secrets[1], header), ERR_CONFIG_HEADER);
    }
    /* Another key's kid, and this key's signature: the header is a trusted one, the bytes are not that key's. */
    char header[256];
    (void)snprintf(header, sizeof(header),
                   "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}", kid[2]);
    REFUSES(sign_header(&secrets[2], header), ERR_CONFIG_KEY);
    (void)snprintf(header, sizeof(header),
                   "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"" VERIFY_TYP_BUNDLE "\"}", kid[0]);
    REFUSES(sign_header(&secrets[2], header), ERR_CONFIG_HEADER);
}

static void refuses_structure(void **state)
{
    (void)state;
    struct span good = sign(&secrets[0], VERIFY_TYP_BUNDLE, span_str(payload));
    static uint8_t other[sizeof(bundle)];
    REFUSES(span_str(""), ERR_CONFIG_ENVELOPE);
    REFUSES(span_str("."), ERR_CONFIG_ENVELOPE);
    REFUSES(span_str(".."), ERR_CONFIG_ENVELOPE);
    REFUSES(span_str("a.b"), ERR_CONFIG_ENVELOPE);
    REFUSES(span_str("kind: NodeJoin\n"), ERR_CONFIG_ENVELOPE);
    REFUSES(span_str("{\"payload\":\"\",\"signatures\":[]}"), ERR_CONFIG_ENVELOPE);
    static const char *const tails[] = {"\n", " ", ".", ".AA", "=", "A", "AA", "AAAA"};
    for (size_t i = 0; i < COUNT(tails); i++) {
        struct buf b = BUF_OF(other);
        buf_put(&b, good);
        buf_str(&b, tails[i]);
        REFUSES(buf_span(&b), ERR_CONFIG_ENVELOPE);
    }
    for (size_t n = 0; n < good.n; n++) {
        const struct verified *v = NULL;
        assert_int_not_equal(verify(span_sub(good, 0, n), &v), OK);
        assert_null(v);
    }
    memset(other, 'A', sizeof(other));
    REFUSES(span_of(other, LIMIT_BUNDLE + 1), ERR_CONFIG_ENVELOPE);
    other[10] = other[100] = '.';
    REFUSES(span_of(other, LIMIT_BUNDLE + 1), ERR_CONFIG_ENVELOPE);
    assert_string_equal(fault.text, "larger than 128 KiB");
}

/* An attacker without the key: payload of one bundle, signature of another, r and s at their edges. */
static void refuses_forgeries(void **state)
{
    (void)state;
    static uint8_t other[4096];
    static const uint8_t zeros[JOSE_SIG];
    struct span good = sign(&secrets[0], VERIFY_TYP_BUNDLE, span_str(payload));
    struct jose_compact jws;
    assert_int_equal(jose_split(good, &jws), OK);
    struct buf b = BUF_OF(other);
    buf_put(&b, jws.header);
    buf_str(&b, ".");
    text_b64url_put(&b, SPAN_LIT("kind: NodeJoin\nname: evil\n"));
    buf_str(&b, ".");
    buf_put(&b, jws.signature);
    REFUSES(buf_span(&b), ERR_CONFIG_SIGNATURE);
    uint8_t fill[] = {0x00, 0xff};
    for (size_t i = 0; i < COUNT(fill); i++) {
        uint8_t sig[JOSE_SIG];
        memset(sig, fill[i], sizeof(sig));
        b.n = 0;
        buf_put(&b, jws.signing_input);
        buf_str(&b, ".");
        text_b64url_put(&b, span_of(sig, sizeof(sig)));
        REFUSES(buf_span(&b), ERR_CONFIG_SIGNATURE);
    }
    for (size_t n = 1; n < JOSE_SIG; n++) {
        b.n = 0;
        buf_put(&b, jws.signing_input);
        buf_str(&b, ".");
        text_b64url_put(&b, span_of(zeros, n));
        REFUSES(buf_span(&b), ERR_CONFIG_ENVELOPE);
    }
}

/* A payload that is not the one base64url text of its bytes is refused even if a trusted key signed it. */
static void refuses_loose_payload(void **state)
{
    (void)state;
    static const char *const payloads[] = {"QR", "QQF", "Q", "QQ==", "QQ==QQ", "Q+Q", "Q Q"};
    static uint8_t other[4096];
    for (size_t i = 0; i < COUNT(payloads); i++) {
        struct buf b = BUF_OF(other);
        uint8_t sig[JOSE_SIG];
        assert_int_equal(jose_header_put(&b, &secrets[0].pub, VERIFY_TYP_BUNDLE), OK);
        buf_fmt(&b, ".%s", payloads[i]);
        assert_int_equal(jose_es256_sign(&secrets[0], buf_span(&b), sig), OK);
        buf_str(&b, ".");
        text_b64url_put(&b, span_of(sig, sizeof(sig)));
        REFUSES(buf_span(&b), ERR_CONFIG_ENVELOPE);
    }
}

static void show6_every_bit_flipped(void **state)
{
    (void)state;
    static uint8_t copy[4096];
    site.key_count = 1;
    struct span good = sign(&secrets[0], VERIFY_TYP_BUNDLE, span_str(payload));
    unsigned flips = 0, by_code[ERR_COUNT] = {0};
    assert_true(good.n <= sizeof(copy));
    memcpy(copy, good.p, good.n);
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        const struct verified *v = NULL;
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum err e = verify(span_of(copy, good.n), &v);
        if (e == OK || v)
            fail_msg("bit %zu of byte %zu may be flipped", bit % 8, bit / 8);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        by_code[e]++;
        flips++;
    }
    print_message("%u bits flipped, all refused:", flips);
    for (unsigned i = 0; i < ERR_COUNT; i++) {
        if (by_code[i])
            print_message(" %s %u", err_name((enum err)i), by_code[i]);
    }
    print_message("\n");
    site.key_count = 2;
}

static void every_call_fails(void **state)
{
    (void)state;
    static uint8_t copy[4096];
    struct span b = sign(&secrets[1], VERIFY_TYP_BUNDLE, span_str(payload));
    const struct verified *v = NULL;
    memcpy(copy, b.p, b.n);
    calls = 0;
    assert_int_equal(verify(span_of(copy, b.n), &v), OK);
    unsigned all = calls;
    assert_true(all >= 6);
    for (unsigned n = 1; n <= all; n++) {
        v = NULL;
        calls = 0;
        fail_call = n;
        enum err e = verify(span_of(copy, b.n), &v);
        fail_call = 0;
        if (e == OK || v || fault.code != e)
            fail_msg("the failure of call %u is not looked at", n);
    }
    print_message("every one of %u calls failed once\n", all);
}

static void show6_every_allocation_fails(void **state)
{
    (void)state;
    struct span b = sign(&secrets[0], VERIFY_TYP_BUNDLE, span_str(payload));
    const struct verified *v = NULL;
    assert_int_equal(verify(b, &v), OK);
    size_t takes = arena.calls;
    no_memory = true;
    assert_int_equal(verify(b, &v), ERR_NOMEM);
    no_memory = false;
    v = NULL;
    assert_true(takes >= 2);
    for (size_t n = 1; n <= takes; n++) {
        v = NULL;
        arena_init(&arena, memory, sizeof(memory));
        arena.fail_at = n;
        fault_clear(&fault);
        assert_int_equal(verify_bundle(b, &site, &arena, &v, &fault), ERR_NOMEM);
        assert_int_equal(fault.code, ERR_NOMEM);
        assert_null(v);
    }
    print_message("every one of %zu arena allocations failed once\n", takes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_trusted),
        cmocka_unit_test(accepts_any_bytes_as_payload),
        cmocka_unit_test(refuses_other_keys),
        cmocka_unit_test(refuses_other_headers),
        cmocka_unit_test(refuses_structure),
        cmocka_unit_test(refuses_forgeries),
        cmocka_unit_test(refuses_loose_payload),
        cmocka_unit_test(show6_every_bit_flipped),
        cmocka_unit_test(show6_every_allocation_fails),
        cmocka_unit_test(every_call_fails),
    };
    testcrypto_start(160 * 1024);
    for (unsigned i = 0; i < COUNT(secrets); i++) {
        if (jose_generate(&secrets[i]) != OK || jose_thumbprint(&secrets[i].pub, kid[i]) != OK)
            return 1;
    }
    site.keys[0] = secrets[0].pub;
    site.keys[1] = secrets[1].pub;
    site.key_count = 2;
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
