/*
 * test_jose.c - JWK, thumbprint, JWS compact with ES256, and the bootstrap token's signature of cluster-info.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/jose_tool.h"

#define X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D  "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define XY "\"x\":\"" X "\",\"y\":\"" Y "\""

/* RFC 7515 appendix A.3: key and signature. */
static const char a3_jws[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static struct jose_key a3_key(void)
{
    struct jose_key k;

    assert_int_equal(jose_key_parse(SPAN_LIT("{\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}"), &k), OK);
    return k;
}

/* r and s of a compact JWS. */
static void signature_of(const struct jose_compact *c, uint8_t ret[static JOSE_SIG])
{
    struct buf b = {.p = ret, .cap = JOSE_SIG};

    assert_int_equal(text_b64url(c->signature, &b), OK);
    assert_int_equal(b.n, JOSE_SIG);
}

static void test_rfc7515_a3(void **state)
{
    struct jose_key key = a3_key();
    struct jose_compact c;
    uint8_t sig[JOSE_SIG], bad[JOSE_SIG];
    uint8_t data[256];
    size_t n;

    (void)state;
    assert_int_equal(jose_split(span_str(a3_jws), &c), OK);
    assert_true(span_is(c.header, "eyJhbGciOiJFUzI1NiJ9"));
    n = c.signing_input.n;
    assert_true(n == c.header.n + 1 + c.payload.n && n < sizeof(data) && c.signing_input.p == c.header.p);
    memcpy(data, c.signing_input.p, n);
    signature_of(&c, sig);
    assert_int_equal(jose_es256_verify(&key, span_of(data, n), sig), OK);
    for (size_t bit = 0; bit < 8 * n; bit += 7) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(jose_es256_verify(&key, span_of(data, n), sig), ERR_CONFIG_SIGNATURE);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(bad); bit++) {
        memcpy(bad, sig, sizeof(bad));
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(jose_es256_verify(&key, span_of(data, n), bad), ERR_CONFIG_SIGNATURE);
    }
    assert_int_equal(jose_es256_verify(&key, span_of(data, n - 1), sig), ERR_CONFIG_SIGNATURE);
    key.x[31] ^= 1; /* no longer on the curve */
    assert_int_equal(jose_es256_verify(&key, span_of(data, n), sig), ERR_CONFIG_SIGNATURE);
}

/* 0 and the order of the group are no r or s; s + n and n - s are other texts of the same number. */
static void test_range(void **state)
{
    struct jose_key key = a3_key();
    struct jose_compact c;
    uint8_t sig[JOSE_SIG], bad[JOSE_SIG];
    struct span order = testcrypto_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

    (void)state;
    assert_int_equal(jose_split(span_str(a3_jws), &c), OK);
    signature_of(&c, sig);
    for (unsigned half = 0; half < 2; half++)
        for (unsigned kind = 0; kind < 3; kind++) {
            memcpy(bad, sig, sizeof(bad));
            if (kind == 0)
                memset(bad + 32 * half, 0, 32);
            if (kind == 1)
                memcpy(bad + 32 * half, order.p, 32);
            if (kind == 2)
                memset(bad + 32 * half, 0xff, 32);
            assert_int_equal(jose_es256_verify(&key, c.signing_input, bad), ERR_CONFIG_SIGNATURE);
        }
}

static const struct {
    int line;
    const char *text;
    enum err want;
} jwks[] = {
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}", OK},
    {__LINE__, " { " XY ",\n\"crv\" : \"P-256\", \"kty\" : \"EC\" } ", OK},
    {__LINE__,
     "{\"kid\":\"1\",\"alg\":\"ES256\",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"kty\":\"EC\",\"crv\":\"P-256\"," XY
     "}",
     OK},
    {__LINE__, "{\"o\":{\"d\":\"1\",\"kty\":[{}]},\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}", OK},
    {__LINE__,
     "{\"x5c\":[\"a\",{\"d\":[1,2]}],\"ext\":true,\"n\":null,\"i\":-1,\"kty\":\"EC\",\"crv\":\"P-256\"," XY
     "}",
     OK},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"" D "\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"k\":\"AA\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES384\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":null," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":[\"sign\"]," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":\"verify\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":[[\"verify\"]]," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-384\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"OKP\",\"crv\":\"P-256\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"crv\":\"P-256\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" Y "\"}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\"," XY ",\"x\":\"" X "\"}", ERR_INPUT},
    {__LINE__, "{\"k\\u0074y\":\"EC\",\"crv\":\"P-256\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"\\u0064\":\"" D "\",\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"E\\u0043\",\"crv\":\"P-256\"," XY "}", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y "\",\"y\":\"" X "\"}",
     ERR_INPUT}, /* not on the curve */
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y "\"}",
     ERR_INPUT}, /* padding */
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA" X "\",\"y\":\"" Y "\"}",
     ERR_INPUT}, /* too long */
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"" Y "\"}",
     ERR_INPUT}, /* too short */
    {__LINE__,
     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\",\"y\":\"" Y
     "\"}",
     ERR_INPUT}, /* spare bit */
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\"," XY "} x", ERR_INPUT},
    {__LINE__, "{\"kty\":\"EC\",\"crv\":\"P-256\"," XY, ERR_INPUT},
    {__LINE__, "{\"a\":[1", ERR_INPUT},
    {__LINE__, "[]", ERR_INPUT},
    {__LINE__, "\"EC\"", ERR_INPUT},
    {__LINE__, "", ERR_INPUT},
};

static void test_jwk(void **state)
{
    struct jose_key want = a3_key(), got;
    size_t before = crypto_heap_used();

    (void)state;
    for (size_t i = 0; i < COUNT(jwks); i++) {
        enum err e;

        memset(&got, 0x11, sizeof(got));
        e = jose_key_parse(span_str(jwks[i].text), &got);
        if (e != jwks[i].want || (e == OK) != (memcmp(&got, &want, sizeof(got)) == 0))
            fail_msg("line %d: %s", jwks[i].line, err_name(e));
        if (e != OK && got.x[0] != 0x11)
            fail_msg("line %d: output touched", jwks[i].line);
    }
    assert_int_equal(crypto_heap_used(), before);
}

static void test_secret_jwk(void **state)
{
    static const char good[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"" D "\"," XY "}";
    uint8_t text[512];
    struct buf b = BUF_OF(text);
    struct jose_secret s, again;

    (void)state;
    assert_int_equal(jose_secret_parse(span_str(good), &s), OK);
    jose_secret_put(&b, &s);
    assert_int_equal(jose_secret_parse(buf_span(&b), &again), OK);
    assert_memory_equal(&s, &again, sizeof(s));
    assert_int_equal(jose_secret_parse(SPAN_LIT("{\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}"), &s), ERR_INPUT);
    /* Another key's d, and d of 0. */
    assert_int_equal(
        jose_secret_parse(SPAN_LIT("{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"" X "\"," XY "}"), &s),
        ERR_INPUT);
    assert_int_equal(
        jose_secret_parse(
            SPAN_LIT(
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," XY
                "}"),
            &s),
        ERR_INPUT);
}

/* Digest made by other means: printf '%s' '{"crv":...}' | openssl dgst -sha256 -binary | basenc --base64url. */
static void test_thumbprint(void **state)
{
    struct jose_key k = a3_key();
    char text[JOSE_THUMBPRINT_TEXT + 1], other[JOSE_THUMBPRINT_TEXT + 2] = {0};
    FILE *f;

    (void)state;
    assert_int_equal(jose_thumbprint(&k, text), OK);
    assert_string_equal(text, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    f = popen("printf '%s' '{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y
              "\"}' | openssl dgst -sha256 -binary | basenc --base64url",
              "r");
    assert_non_null(f);
    assert_int_equal(fread(other, 1, JOSE_THUMBPRINT_TEXT + 1, f), JOSE_THUMBPRINT_TEXT + 1);
    pclose(f);
    assert_memory_equal(text, other, JOSE_THUMBPRINT_TEXT);
}

static const struct {
    int line;
    const char *text;
    enum err want;
} splits[] = {
    {__LINE__, "QQ.QUI.QUJD", OK},
    {__LINE__, "QQ.QUI", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ.QUI.QUJD.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "..", ERR_CONFIG_ENVELOPE},
    {__LINE__, ".QQ.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ..QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ.QQ.", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QR.QQ.QQ", ERR_CONFIG_ENVELOPE}, /* spare bits */
    {__LINE__, "QQ.QUJ.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ.QQ.QUJDR", ERR_CONFIG_ENVELOPE}, /* no such length */
    {__LINE__, "QQ==.QQ.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ.Q+.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ.Q/.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "QQ.QQ.QQ\n", ERR_CONFIG_ENVELOPE},
    {__LINE__, " QQ.QQ.QQ", ERR_CONFIG_ENVELOPE},
    {__LINE__, "{\"payload\":\"QQ\"}", ERR_CONFIG_ENVELOPE},
    {__LINE__, "", ERR_CONFIG_ENVELOPE},
};

static void test_split(void **state)
{
    struct jose_compact c;

    (void)state;
    for (size_t i = 0; i < COUNT(splits); i++)
        if (jose_split(span_str(splits[i].text), &c) != splits[i].want)
            fail_msg("line %d", splits[i].line);
}

/* Each byte in a place where it leaves no spare bits: base64url's alphabet and nothing else. */
static void test_alphabet(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct jose_compact c;

    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        uint8_t text[] = "QQ.QQQ?.QQ";
        bool good = b != 0 && strchr(alphabet, (int)b) != NULL;

        text[6] = (uint8_t)b;
        if ((jose_split(span_of(text, sizeof(text) - 1), &c) == OK) != good)
            fail_msg("byte %02x", b);
    }
}

static void test_sign_compact(void **state)
{
    struct jose_secret s;
    uint8_t text[1024], header[512], sig[JOSE_SIG];
    struct buf jws = BUF_OF(text), want = BUF_OF(header), small = {.p = text, .cap = 60};
    struct jose_compact c;

    (void)state;
    assert_int_equal(jose_generate(&s), OK);
    assert_int_equal(jose_sign_compact(&s, "joinboot+test", SPAN_LIT("a: b\n"), &jws), OK);
    assert_int_equal(jose_split(buf_span(&jws), &c), OK);
    assert_int_equal(jose_header_put(&want, &s.pub, "joinboot+test"), OK);
    assert_true(span_eq(c.header, buf_span(&want)));
    assert_true(span_is(c.payload, "YTogYgo"));
    signature_of(&c, sig);
    assert_int_equal(jose_es256_verify(&s.pub, c.signing_input, sig), OK);
    assert_int_equal(jose_sign_compact(&s, "joinboot+test", SPAN_LIT("a: b\n"), &small), ERR_LIMIT);
    assert_int_equal(crypto_heap_used(), 0);
}

/* The header's text, decoded by hand. */
static void test_header(void **state)
{
    struct jose_key k = a3_key();
    uint8_t a[256], b[256];
    struct buf encoded = BUF_OF(a), decoded = BUF_OF(b), small = {.p = a, .cap = 20};

    (void)state;
    assert_int_equal(jose_header_put(&small, &k, "t"), ERR_LIMIT);
    assert_int_equal(
        jose_header_put(
            &encoded, &k,
            "a type so long that the header of all its characters has no place in the buffer any more, "
            "which ends after less than two hundred of them"),
        ERR_LIMIT);
    encoded = BUF_OF(a);
    assert_int_equal(jose_header_put(&encoded, &k, "t"), OK);
    assert_int_equal(text_b64url(buf_span(&encoded), &decoded), OK);
    assert_true(
        span_is(buf_span(&decoded),
                "{\"alg\":\"ES256\",\"kid\":\"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U\",\"typ\":\"t\"}"));
}

#define HEADER "eyJhbGciOiJIUzI1NiIsImtpZCI6ImNsdmxkaCJ9"
#define MAC    "gsmyBnFlPHV-k49UIR8TYebllpkNoRNvz9kco2z1NWc"

static const struct {
    int line;
    const char *jws, *id, *secret, *content;
    enum err want;
} detached[] = {
    {__LINE__, HEADER ".." MAC, "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n", OK},
    {__LINE__, HEADER ".." MAC, "clvldh", "vjjwg16ucnhp94qr", "kind: Config", ERR_DISCOVER_JWS},
    {__LINE__, HEADER ".." MAC, "clvldh", "vjjwg16ucnhp94qs", "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, HEADER ".." MAC, "clvldg", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, HEADER ".." MAC " ", "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, HEADER ".." MAC "=", "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, HEADER ".a2luZDogQ29uZmlnCg." MAC, "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n",
     ERR_DISCOVER_JWS},
    {__LINE__, HEADER "..", "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, "", "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_DISCOVER_JWS},
    /* {"alg":"none"}, and the right header with a space in it */
    {__LINE__, "eyJhbGciOiJub25lIn0..", "clvldh", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, "eyJhbGciOiJIUzI1NiIsICJraWQiOiJjbHZsZGgifQ.." MAC, "clvldh", "vjjwg16ucnhp94qr",
     "kind: Config\n", ERR_DISCOVER_JWS},
    {__LINE__, HEADER ".." MAC, "clvldh", "", "kind: Config\n", ERR_INPUT},
    {__LINE__, HEADER ".." MAC, "", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_INPUT},
    {__LINE__, HEADER ".." MAC, "clv\"dh", "vjjwg16ucnhp94qr", "kind: Config\n", ERR_INPUT},
    {__LINE__, HEADER ".." MAC, "clvldh", "VJJWG16UCNHP94QR", "kind: Config\n", ERR_INPUT},
};

static void test_hs256_detached(void **state)
{
    uint8_t text[512];
    char jws[sizeof(HEADER ".." MAC)];

    (void)state;
    for (size_t i = 0; i < COUNT(detached); i++) {
        struct buf scratch = {.p = text, .cap = sizeof(text), .n = i};
        enum err e =
            jose_hs256_detached(span_str(detached[i].jws), span_str(detached[i].id),
                                span_str(detached[i].secret), span_str(detached[i].content), &scratch);

        if (e != detached[i].want || scratch.n != i || scratch.overflow)
            fail_msg("line %d: %s", detached[i].line, err_name(e));
    }
    for (size_t i = 0; i < sizeof(jws) - 1; i++) { /* every character counts */
        struct buf scratch = BUF_OF(text);

        memcpy(jws, HEADER ".." MAC, sizeof(jws));
        jws[i] = jws[i] == 'A' ? 'B' : 'A';
        assert_int_equal(jose_hs256_detached(span_str(jws), SPAN_LIT("clvldh"), SPAN_LIT("vjjwg16ucnhp94qr"),
                                             SPAN_LIT("kind: Config\n"), &scratch),
                         ERR_DISCOVER_JWS);
    }
    for (size_t room = 0; room < 59; room++) { /* header, dot, content in base64url */
        struct buf scratch = {.p = text, .cap = room};

        assert_int_equal(jose_hs256_detached(SPAN_LIT(HEADER ".." MAC), SPAN_LIT("clvldh"),
                                             SPAN_LIT("vjjwg16ucnhp94qr"), SPAN_LIT("kind: Config\n"),
                                             &scratch),
                         ERR_LIMIT);
    }
}

/* Every allocation of a parse and of a verification fails once: a clean error, no leak, and the next try is good again. */
static void test_allocation_failures(void **state)
{
    struct jose_key key = a3_key(), got;
    struct jose_compact c;
    uint8_t sig[JOSE_SIG];
    size_t n, before = crypto_heap_used();
    enum err e = ERR_NOMEM;

    (void)state;
    assert_int_equal(jose_split(span_str(a3_jws), &c), OK);
    signature_of(&c, sig);
    for (n = 1; e != OK; n++) {
        crypto_heap_fail_at(n);
        e = jose_es256_verify(&key, c.signing_input, sig);
        crypto_heap_fail_at(0);
        assert_true(e == OK || e == ERR_NOMEM);
        assert_int_equal(crypto_heap_used(), before);
    }
    print_message("ES256: %zu allocations failed in turn\n", n - 2);
    assert_true(n > 10);
    for (n = 1, e = ERR_NOMEM; e != OK; n++) {
        crypto_heap_fail_at(n);
        e = jose_key_parse(SPAN_LIT("{\"kty\":\"EC\",\"crv\":\"P-256\"," XY "}"), &got);
        crypto_heap_fail_at(0);
        assert_true(e == OK || e == ERR_NOMEM);
        assert_int_equal(crypto_heap_used(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc7515_a3),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_jwk),
        cmocka_unit_test(test_secret_jwk),
        cmocka_unit_test(test_thumbprint),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_sign_compact),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_alphabet),
        cmocka_unit_test(test_hs256_detached),
        cmocka_unit_test(test_allocation_failures),
    };

    testcrypto_start(64 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
