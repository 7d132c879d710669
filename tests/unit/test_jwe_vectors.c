/*
 * test_jwe_vectors.c - the steps of sealing against what others computed: RFC 7516, 7517, 7518 and 7520, and Wycheproof where it is there.
 */
#include "tests/unit/testcrypto.h"

#include "firmware/base/text.h"
#include "firmware/crypto/jose_tool.h"
#include "firmware/crypto/jwe_parts.h"

#define JWK(x, y, d) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" x "\",\"y\":\"" y "\",\"d\":\"" d "\"}"

/* RFC 7518 appendix C; Bob's key is Wycheproof's too. */
static const char alice[] =
    JWK("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
static const char bob[] =
    JWK("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
/* RFC 7520 section 5.5 */
static const char brandybuck[] =
    JWK("Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0", "HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw",
        "r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8");

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

static void test_rfc7518_c(void **state)
{
    static const uint8_t z_want[32] = {158, 86,  217, 29,  129, 113, 53,  211, 114, 131, 66,
                                       131, 191, 132, 38,  156, 251, 49,  110, 163, 218, 128,
                                       106, 72,  246, 218, 167, 121, 140, 254, 144, 196};
    struct jose_secret a = pair(alice), b = pair(bob);
    uint8_t z[32], key[JWE_KEY], want[16];

    (void)state;
    assert_int_equal(jwe_agree(a.d, &b.pub, z), OK);
    assert_memory_equal(z, z_want, sizeof(z));
    assert_int_equal(jwe_agree(b.d, &a.pub, z), OK);
    assert_memory_equal(z, z_want, sizeof(z));
    assert_int_equal(jwe_derive(z, SPAN_LIT("A128GCM"), SPAN_LIT("Alice"), SPAN_LIT("Bob"), 128, key), OK);
    assert_int_equal(decoded(SPAN_LIT("VqqN6vgjbSBcIijNcacQGg"), want, sizeof(want)), 16);
    assert_memory_equal(key, want, sizeof(want));
}

static void test_rfc7520_5_5(void **state)
{
    struct jose_secret to = pair(brandybuck);
    struct jose_key epk;
    uint8_t z[32], key[JWE_KEY], want[32];
    struct span none = {0};

    (void)state;
    assert_int_equal(decoded(SPAN_LIT("mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoA"), epk.x, 32), 32);
    assert_int_equal(decoded(SPAN_LIT("8BQAsImGeAS46fyWw5MhYfGTT0IjBpFw2SS34Dv4Irs"), epk.y, 32), 32);
    assert_int_equal(jwe_agree(to.d, &epk, z), OK);
    assert_int_equal(jwe_derive(z, SPAN_LIT("A128CBC-HS256"), none, none, 256, key), OK);
    assert_int_equal(decoded(SPAN_LIT("hzHdlfQIAEehb8Hrd_mFRhKsKLEzPfshfXs9l6areCc"), want, 32), 32);
    assert_memory_equal(key, want, sizeof(want));
}

static void test_rfc7516_a1(void **state)
{
    static const uint8_t key[32] = {177, 161, 244, 128, 84,  143, 225, 115, 63, 180, 3,
                                    255, 107, 154, 212, 246, 138, 7,   110, 91, 112, 46,
                                    34,  105, 47,  130, 203, 46,  122, 234, 64, 252};
    static const char plain[] = "The true sign of intelligence is not knowledge but imagination.";
    struct span aad = SPAN_LIT("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ");
    uint8_t iv[JWE_IV], data[128];
    size_t n;

    (void)state;
    assert_int_equal(decoded(SPAN_LIT("48V1_ALb6US04U3b"), iv, sizeof(iv)), JWE_IV);
    n = decoded(
        SPAN_LIT("5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A"),
        data, sizeof(data));
    assert_int_equal(decoded(SPAN_LIT("XFBoMYUZodetZdvTiFvSkQ"), data + n, JWE_TAG), JWE_TAG);
    assert_int_equal(jwe_gcm_open(span_of(key, 32), iv, aad, data, n), OK);
    assert_int_equal(n, sizeof(plain) - 1);
    assert_memory_equal(data, plain, n);
    assert_int_equal(jwe_gcm_seal(span_of(key, 32), iv, aad, data, n), OK);
    data[0] ^= 1;
    assert_int_equal(jwe_gcm_open(span_of(key, 32), iv, aad, data, n), ERR_SEAL_CHANGED);
}

static struct span part_of(struct span jwe, unsigned k)
{
    struct span part = span_cut(&jwe, '.');

    for (unsigned i = 0; i < k; i++)
        part = span_cut(&jwe, '.');
    return part;
}

/* Opens a JWE of ECDH-ES and AES-GCM whose header is not ours, with the parts that jwe.c is made of. */
static enum err open_foreign(const struct jose_secret *key, struct span jwe, const char *alg, uint32_t bits,
                             uint8_t *ret, size_t cap, size_t *ret_n)
{
    uint8_t header[512], iv[JWE_IV], z[32], content[JWE_KEY];
    struct span h, none = {0};
    struct jose_key epk;
    size_t n = decoded(part_of(jwe, 0), header, sizeof(header));
    enum err e;

    h = span_of(header, n);
    decoded(span_sub(h, span_find_str(h, "\"x\":\"") + 5, 43), epk.x, 32);
    decoded(span_sub(h, span_find_str(h, "\"y\":\"") + 5, 43), epk.y, 32);
    e = jwe_agree(key->d, &epk, z);
    if (e != OK)
        return e;
    assert_int_equal(jwe_derive(z, span_str(alg), none, none, bits, content), OK);
    assert_int_equal(decoded(part_of(jwe, 2), iv, sizeof(iv)), JWE_IV);
    *ret_n = decoded(part_of(jwe, 3), ret, cap);
    assert_int_equal(decoded(part_of(jwe, 4), ret + *ret_n, cap - *ret_n), JWE_TAG);
    return jwe_gcm_open(span_of(content, bits / 8), iv, part_of(jwe, 0), ret, *ret_n);
}

/* The text of the member `name` behind `from` in a test file. */
static struct span member(struct span s, const char *name)
{
    size_t at = span_find_str(s, name);

    s = span_sub(s, at + strlen(name), s.n);
    span_cut(&s, '"');
    return span_cut(&s, '"');
}

static void test_wycheproof(void **state)
{
    struct span s = testcrypto_corpus("wycheproof/json_web_encryption_test.json");
    struct jose_secret key = pair(bob);
    unsigned seen = 0, opened = 0, points = 0;
    char kid[JOSE_THUMBPRINT_TEXT + 1];

    (void)state;
    if (s.n == 0)
        skip();
    for (size_t at; (at = span_find_str(s, "\"tcId\"")) < s.n; seen++) {
        s = span_sub(s, at + 6, s.n);
        struct span comment = member(s, "\"comment\""), jwe = member(s, "\"jwe\""), pt = member(s, "\"pt\"");
        uint8_t got[512], want[512];
        bool is256 = span_is(comment, "acceptsEcdhEsA256Gcm");
        size_t n = 0;

        /* None of them has the one header that is accepted. */
        assert_int_not_equal(jwe_look(jwe, kid), OK);
        if (is256 || span_is(comment, "acceptsEcdhEsA128Gcm")) {
            assert_int_equal(open_foreign(&key, jwe, is256 ? "A256GCM" : "A128GCM", is256 ? 256 : 128, got,
                                          sizeof(got), &n),
                             OK);
            assert_int_equal(text_hex(pt, want, n), OK);
            assert_memory_equal(got, want, n);
            opened++;
        }
        if (span_is(comment, "rejectsInvalidCurvePoint")) {
            assert_int_equal(open_foreign(&key, jwe, "A256GCM", 256, got, sizeof(got), &n), ERR_SEAL_POINT);
            points++;
        }
    }
    assert_int_equal(opened, 2);
    assert_int_equal(points, 1);
    print_message("%u of Wycheproof's JWEs\n", seen);
}

/* RFC 7517 appendices A.1 and A.2: the first key of each, which says "use":"enc". */
#define A1                                                                                     \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"," \
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\","
#define A1_D "\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\","

/* What a key says of itself, and what that allows: v verify, s sign, e seal to it, u unseal with it. */
static const struct {
    int line;
    const char *text;
    const char *allows;
} purposes[] = {
    {__LINE__, A1 "\"use\":\"enc\",\"kid\":\"1\"}", "e"},
    {__LINE__, A1 A1_D "\"use\":\"enc\",\"kid\":\"1\"}", "u"},
    {__LINE__, A1 "\"kid\":\"1\"}", "ve"},
    {__LINE__, A1 A1_D "\"kid\":\"1\"}", "su"},
    {__LINE__, A1 "\"use\":\"sig\"}", "v"},
    {__LINE__, A1 A1_D "\"use\":\"sig\"}", "s"},
    {__LINE__, A1 "\"use\":\"ENC\"}", ""},
    {__LINE__, A1 "\"alg\":\"ES256\"}", "v"},
    {__LINE__, A1 A1_D "\"alg\":\"ES256\"}", "s"},
    {__LINE__, A1 "\"alg\":\"ECDH-ES\"}", "e"},
    {__LINE__, A1 A1_D "\"alg\":\"ECDH-ES\"}", "u"},
    {__LINE__, A1 "\"alg\":\"ECDH-ES+A256KW\"}", ""},
    {__LINE__, A1 "\"alg\":\"ECDH-ES\",\"use\":\"sig\"}", ""},
    {__LINE__, A1 "\"alg\":\"ES256\",\"use\":\"enc\"}", ""},
    {__LINE__, A1 "\"key_ops\":[\"deriveBits\"]}", "e"},
    {__LINE__, A1 A1_D "\"key_ops\":[\"deriveKey\"]}", "u"},
    {__LINE__, A1 "\"alg\":\"ECDH-ES\",\"key_ops\":[\"deriveKey\",\"deriveBits\"]}", "e"},
    {__LINE__, A1 "\"key_ops\":[\"verify\"]}", "v"},
    {__LINE__, A1 "\"key_ops\":[\"verify\",\"deriveBits\"]}", "ve"},
    {__LINE__, A1 A1_D "\"key_ops\":[\"sign\",\"verify\"]}", "s"},
    {__LINE__, A1 A1_D "\"key_ops\":[\"verify\"]}", ""},
    {__LINE__, A1 "\"key_ops\":[\"wrapKey\"]}", ""},
    {__LINE__, A1 "\"key_ops\":[]}", ""},
};

static void test_purposes(void **state)
{
    struct jose_key key;
    struct jose_secret secret;

    (void)state;
    for (size_t i = 0; i < COUNT(purposes); i++) {
        struct span text = span_str(purposes[i].text);
        const char *allows = purposes[i].allows;

        if ((jose_key_parse(text, &key) == OK) != (strchr(allows, 'v') != NULL) ||
            (jose_secret_parse(text, &secret) == OK) != (strchr(allows, 's') != NULL) ||
            (jose_device_parse(text, &key) == OK) != (strchr(allows, 'e') != NULL) ||
            (jose_device_secret_parse(text, &secret) == OK) != (strchr(allows, 'u') != NULL))
            fail_msg("line %d", purposes[i].line);
    }
}

static int start(void **state)
{
    (void)state;
    testcrypto_start(64 * 1024);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_purposes),    cmocka_unit_test(test_rfc7518_c),
        cmocka_unit_test(test_rfc7520_5_5), cmocka_unit_test(test_rfc7516_a1),
        cmocka_unit_test(test_wycheproof),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
