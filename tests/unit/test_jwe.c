/*
 * test_jwe.c - sealing: our one form, each refusal by its name, and all pairs of 50 keys. test_jwe_vectors.c has what others computed.
 */
#include "tests/unit/testcrypto.h"

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/jose_tool.h"
#include "firmware/crypto/jwe_parts.h"
#include "firmware/crypto/jwe_tool.h"

#define JWK(x, y, d) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" x "\",\"y\":\"" y "\",\"d\":\"" d "\"}"

/* RFC 7518 appendix C; Bob's key is Wycheproof's too. */
static const char alice[] =
    JWK("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
static const char bob[] =
    JWK("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
static const char text[] =
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n# token: abcdef.0123456789abcdef\n";

enum { TEXT = sizeof(text) - 1, KEYS = 50 };

static struct jose_secret pair(const char *jwk)
{
    struct jose_secret k;

    assert_int_equal(jose_secret_parse(span_str(jwk), &k), OK);
    return k;
}

static size_t decoded(struct span b64url, uint8_t *ret, size_t cap)
{
    struct buf b = {.p = ret, .cap = cap};

    assert_int_equal(text_b64url(b64url, &b), OK);
    return b.n;
}

/* A JWE for `to`, with a zero behind it. */
static struct span seal_to(const struct jose_key *to, char *ret, size_t cap)
{
    uint8_t room[TEXT + JWE_TAG];
    struct buf plain = BUF_OF(room), out = {.p = (uint8_t *)ret, .cap = cap - 1};

    buf_str(&plain, text);
    assert_int_equal(jwe_seal(to, &plain, &out), OK);
    assert_int_equal(plain.n, 0);
    ret[out.n] = 0;
    return span_of(ret, out.n);
}

/* Opens; on failure nothing is in the buffer, behind or before its end. */
static enum err open_with(const struct jose_secret *key, struct span jwe)
{
    uint8_t room[1024] = "before";
    struct buf out = {.p = room, .n = 6, .cap = sizeof(room)};
    enum err e = jwe_open(jwe, key, &out);

    assert_memory_equal(room, "before", 6);
    if (e == OK) {
        assert_int_equal(out.n, 6 + TEXT);
        assert_memory_equal(room + 6, text, TEXT);
    } else {
        assert_int_equal(out.n, 6);
        assert_true(span_find_str(span_of(room, sizeof(room)), "Version") == sizeof(room));
        assert_true(span_find_str(span_of(room, sizeof(room)), "0123456789") == sizeof(room));
    }
    return e;
}

static void test_own_form(void **state)
{
    struct jose_secret key = pair(bob);
    char jwe[1024], again[1024], kid[JOSE_THUMBPRINT_TEXT + 1], own[JOSE_THUMBPRINT_TEXT + 1];
    uint8_t small[TEXT + JWE_TAG - 1];
    struct buf out = BUF_OF(small), empty = {.p = small, .cap = sizeof(small)};
    struct span s = seal_to(&key.pub, jwe, sizeof(jwe));
    size_t used = crypto_heap_used();

    (void)state;
    assert_int_equal(open_with(&key, s), OK);
    assert_int_equal(jwe_look(s, kid), OK);
    assert_int_equal(jose_thumbprint(&key.pub, own), OK);
    assert_string_equal(kid, own);
    assert_string_not_equal(jwe, (const char *)seal_to(&key.pub, again, sizeof(again)).p);
    assert_int_equal(jwe_open(s, &key, &out), ERR_LIMIT);
    assert_int_equal(out.n, 0);
    assert_int_equal(jwe_seal(&key.pub, &empty, &out), ERR_INPUT);
    assert_int_equal(crypto_heap_used(), used);
}

/* Replaces part k (0 ... 4) of a JWE. */
static struct span with_part(struct span jwe, unsigned k, struct span part, uint8_t *ret, size_t cap)
{
    struct buf b = {.p = ret, .cap = cap};

    for (unsigned i = 0; i < 5; i++) {
        struct span own = span_cut(&jwe, '.');

        if (i > 0)
            buf_u8(&b, '.');
        buf_put(&b, i == k ? part : own);
    }
    assert_false(b.overflow);
    return buf_span(&b);
}

static struct span part_of(struct span jwe, unsigned k)
{
    struct span part = span_cut(&jwe, '.');

    for (unsigned i = 0; i < k; i++)
        part = span_cut(&jwe, '.');
    return part;
}

static void test_forms(void **state)
{
    static const struct {
        unsigned part;
        const char *text;
        enum err want;
    } rows[] = {
        {0, "", ERR_SEAL_FORM},
        {0, "e30", ERR_SEAL_HEADER},
        {1, "AAAA", ERR_SEAL_FORM},
        {2, "", ERR_SEAL_FORM},
        {2, "AAAAAAAAAAAAAAA", ERR_SEAL_FORM},
        {2, "AAAAAAAAAAAAAAAAA", ERR_SEAL_FORM},
        {2, "AAAAAAAAAAAAAAA=", ERR_SEAL_FORM},
        {3, "", ERR_SEAL_FORM},
        {3, "AA.A", ERR_SEAL_FORM},
        {3, "AB", ERR_SEAL_FORM}, /* spare bits */
        {3, "AA\n", ERR_SEAL_FORM},
        {4, "", ERR_SEAL_FORM},
        {4, "AAAAAAAAAAAAAAAAAAAAAB", ERR_SEAL_FORM}, /* spare bits */
        {4, "AAAAAAAAAAAAAAAAAAAA", ERR_SEAL_TAG},
        {4, "AAAAAAAAAAAAAAAA", ERR_SEAL_TAG},
        {4, "AAAAAAAAAAA", ERR_SEAL_TAG},
        {4, "AAAAAAAAAAAAAAAAAAAAAAA", ERR_SEAL_TAG},
        {4, "AAAAAAAAAAAAAAAAAAAAAA.AAAA", ERR_SEAL_FORM},
        {4, "AAAAAAAAAAAAAAAAAAAAAA", ERR_SEAL_CHANGED},
        {3, "AAAA", ERR_SEAL_CHANGED},
        {2, "AAAAAAAAAAAAAAAA", ERR_SEAL_CHANGED},
    };
    struct jose_secret key = pair(bob);
    char jwe[1024];
    uint8_t bad[1200];
    struct span s = seal_to(&key.pub, jwe, sizeof(jwe));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(
            open_with(&key, with_part(s, rows[i].part, span_str(rows[i].text), bad, sizeof(bad))),
            rows[i].want);
    for (size_t n = 0; n < s.n; n++)
        assert_int_not_equal(open_with(&key, span_sub(s, 0, n)), OK);
}

/* A header of these texts in place of the JWE's own. */
static enum err open_header(const struct jose_secret *key, struct span jwe, const char *header)
{
    uint8_t bad[1400], coded[600];
    struct buf b = BUF_OF(coded);

    text_b64url_put(&b, span_str(header));
    assert_false(b.overflow);
    return open_with(key, with_part(jwe, 0, buf_span(&b), bad, sizeof(bad)));
}

/* The JWE's header with the first `from` replaced. */
static enum err open_edited(const struct jose_secret *key, struct span jwe, const char *from, const char *to)
{
    char header[512], edited[600];
    struct buf b = BUF_OF(edited);
    size_t n = decoded(part_of(jwe, 0), (uint8_t *)header, sizeof(header) - 1);
    size_t at = span_find_str(span_of(header, n), from);

    assert_true(at < n);
    buf_put(&b, span_of(header, at));
    buf_str(&b, to);
    buf_put(&b, span_sub(span_of(header, n), at + strlen(from), n));
    buf_u8(&b, 0);
    return open_header(key, jwe, edited);
}

static void test_headers(void **state)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"ECDH-ES", "ECDH-E5"},
        {"ECDH-ES", "dir"},
        {"A256GCM", "A128GCM"},
        {"A256GCM", "A256GCN"},
        {"P-256", "P-384"},
        {"{\"alg\"", "{ \"alg\""},
        {"\"epk\"", "\"zip\":\"DEF\",\"epk\""},
        {"\"epk\"", "\"crit\":[\"x\"],\"epk\""},
        {"\"epk\"", "\"apu\":\"AA\",\"epk\""},
        {"\"kid\"", "\"kiD\""},
        {"\"},", "\"} ,"},
        {"\"}", "\"}\n"},
    };
    struct jose_secret key = pair(bob);
    char jwe[1024], kid[JOSE_THUMBPRINT_TEXT + 1];
    struct span s = seal_to(&key.pub, jwe, sizeof(jwe));

    (void)state;
    assert_int_equal(open_edited(&key, s, "ECDH-ES", "ECDH-ES"), OK);
    /* A slot cannot bring members of its own. */
    assert_int_equal(jwe_look(s, kid), OK);
    assert_int_equal(open_edited(&key, s, kid, "A\",\"zip\":\"DEF\",\"crit\":[\"x\"],\"exp\":\"AAAAAAAA"),
                     ERR_SEAL_HEADER);
    assert_int_equal(open_edited(&key, s, kid, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                     ERR_SEAL_RECIPIENT);
    assert_int_equal(open_edited(&key, s, kid, ""), ERR_SEAL_HEADER);
    assert_int_equal(open_header(&key, s, "{}"), ERR_SEAL_HEADER);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(open_edited(&key, s, rows[i].from, rows[i].to), ERR_SEAL_HEADER);
}

/* The JWE with another ephemeral key in its header. */
static enum err open_with_epk(const struct jose_secret *key, struct span jwe, const struct jose_key *epk)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1], header[JWE_HEADER_MAX];
    struct buf b = BUF_OF(header);

    assert_int_equal(jwe_look(jwe, kid), OK);
    jwe_header_put(&b, epk, kid);
    buf_u8(&b, 0);
    return open_header(key, jwe, header);
}

static void test_ephemeral_keys(void **state)
{
    struct jose_secret key = pair(bob), other = pair(alice);
    struct jose_key epk;
    char jwe[1024];
    struct span s = seal_to(&key.pub, jwe, sizeof(jwe));

    (void)state;
    assert_int_equal(open_with_epk(&key, s, &other.pub), ERR_SEAL_CHANGED);
    epk = other.pub;
    epk.y[31] ^= 1; /* on no curve, or on another one */
    assert_int_equal(open_with_epk(&key, s, &epk), ERR_SEAL_POINT);
    memset(&epk, 0, sizeof(epk));
    assert_int_equal(open_with_epk(&key, s, &epk), ERR_SEAL_POINT);
    memset(&epk, 0xff, sizeof(epk)); /* beyond the field */
    assert_int_equal(open_with_epk(&key, s, &epk), ERR_SEAL_POINT);
    epk = other.pub;
    memset(epk.x, 0, sizeof(epk.x));
    assert_int_equal(open_with_epk(&key, s, &epk), ERR_SEAL_POINT);
    assert_int_equal(
        jwe_seal(&epk, &(struct buf){.p = (uint8_t[64]){1}, .n = 1, .cap = 64}, &(struct buf){0}),
        ERR_SEAL_POINT);
}

/* Every bit of every part but the dots. */
static void test_every_bit(void **state)
{
    struct jose_secret key = pair(bob);
    char jwe[1024];
    struct span s = seal_to(&key.pub, jwe, sizeof(jwe));

    (void)state;
    for (size_t i = 0; i < 8 * s.n; i++) {
        jwe[i / 8] ^= (char)(1u << i % 8);
        assert_int_not_equal(open_with(&key, s), OK);
        jwe[i / 8] ^= (char)(1u << i % 8);
    }
    assert_int_equal(open_with(&key, s), OK);
}

static void test_all_pairs(void **state)
{
    static struct jose_secret keys[KEYS];
    char jwe[1024];
    unsigned opened = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(jose_generate(&keys[i]), OK);
    for (unsigned i = 0; i < KEYS; i++) {
        struct span s = seal_to(&keys[i].pub, jwe, sizeof(jwe));
        struct jose_secret liar = {.pub = keys[i].pub};

        for (unsigned k = 0; k < KEYS; k++) {
            enum err e = open_with(&keys[k], s);

            assert_int_equal(e, i == k ? OK : ERR_SEAL_RECIPIENT);
            opened += e == OK;
            refused += e != OK;
        }
        /* Not only by its name: another private number behind the right thumbprint opens nothing. */
        memcpy(liar.d, keys[(i + 1) % KEYS].d, sizeof(liar.d));
        assert_int_equal(open_with(&liar, s), ERR_SEAL_CHANGED);
    }
    assert_int_equal(opened, KEYS);
    assert_int_equal(refused, KEYS * (KEYS - 1));
}

/* No memory at the n-th allocation: a clean error, nothing of the plaintext, nothing leaked. */
static void test_no_memory(void **state)
{
    struct jose_secret key = pair(bob);
    char jwe[1024];
    struct span s = seal_to(&key.pub, jwe, sizeof(jwe));
    size_t used = crypto_heap_used(), n = 0;
    enum err e;

    (void)state;
    do {
        crypto_heap_fail_at(++n);
        e = open_with(&key, s);
        crypto_heap_fail_at(0);
        assert_true(e == OK || e == ERR_NOMEM);
        assert_int_equal(crypto_heap_used(), used);
    } while (e != OK && n < 10000);
    assert_true(n > 5 && n < 10000);
}

static int start(void **state)
{
    struct jose_secret k = {.d = {1}};
    uint8_t z[32];

    (void)state;
    if (jwe_agree(k.d, &k.pub, z) != ERR_STATE)
        return 1;
    testcrypto_start(64 * 1024);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_form),  cmocka_unit_test(test_forms),
        cmocka_unit_test(test_headers),   cmocka_unit_test(test_ephemeral_keys),
        cmocka_unit_test(test_every_bit), cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_no_memory),

    };

    return cmocka_run_group_tests(tests, start, NULL);
}
