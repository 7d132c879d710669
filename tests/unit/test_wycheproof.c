/*
 * test_wycheproof.c - Wycheproof's vectors for what joinboot verifies: JWS with ES256 and HS256, ECDSA on P-256 as r || s, HMAC-SHA-256.
 * All verdicts must be Wycheproof's, but for four HS256 vectors (see `reviewed`); for other algorithms, none may be accepted.
 */
#include "tests/unit/testcrypto.h"

#include <stdlib.h>

#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/crypto/jose.h"

enum { TEXT = 4096 };

/* One vector, and what its group says. Values are raw JSON text (none of them has escapes) or whole JSON objects. */
struct vector {
    struct span group_public, group_private, point, tag_size; /* of the group */
    struct span comment, jws, key, msg, sig, tag, result, id;
};

/* Wycheproof's verdict and ours differ: the vector's number is printed. */
struct count {
    unsigned valid, invalid, wrong, other;
};

typedef void judge_fn(const struct vector *v, struct count *c);

/* Reads over a value; its whole text. */
static struct span value(struct json *j, enum json_event ev)
{
    size_t start = j->pos - 1;
    unsigned depth = ev == JSON_OBJECT || ev == JSON_ARRAY;

    if (depth == 0)
        return j->raw;
    while (depth > 0) {
        ev = json_next(j);
        assert_true(ev != JSON_ERROR && ev != JSON_END);
        depth += ev == JSON_OBJECT || ev == JSON_ARRAY;
        depth -= ev == JSON_OBJECT_END || ev == JSON_ARRAY_END;
    }
    return span_sub(j->in, start, j->pos - start);
}

static void run_vector(struct json *j, struct vector v, judge_fn *judge, struct count *c)
{
    while (json_next(j) == JSON_KEY) {
        struct span name = j->raw, text = value(j, json_next(j));
        const struct {
            const char *name;
            struct span *to;
        } fields[] = {{"comment", &v.comment}, {"jws", &v.jws}, {"key", &v.key}, {"msg", &v.msg},
                      {"sig", &v.sig},         {"tag", &v.tag}, {"tcId", &v.id}, {"result", &v.result}};

        for (size_t i = 0; i < COUNT(fields); i++)
            if (span_is(name, fields[i].name))
                *fields[i].to = text;
    }
    judge(&v, c);
}

static void run_group(struct json *j, judge_fn *judge, struct count *c)
{
    struct vector v = {0};

    while (json_next(j) == JSON_KEY) {
        struct span name = j->raw;
        enum json_event ev = json_next(j);

        if (span_is(name, "tests")) {
            while (json_next(j) == JSON_OBJECT)
                run_vector(j, v, judge, c);
            continue;
        }
        struct span text = value(j, ev);
        if (span_is(name, "public"))
            v.group_public = text;
        if (span_is(name, "private"))
            v.group_private = text;
        if (span_is(name, "publicKey"))
            v.point = text;
        if (span_is(name, "tagSize"))
            v.tag_size = text;
    }
}

static struct count run_file(const char *file, judge_fn *judge)
{
    struct span text = testcrypto_corpus(file);
    struct count c = {0};
    struct json j;
    enum json_event ev;

    if (text.p == NULL)
        skip();
    json_init(&j, text);
    assert_int_equal(json_next(&j), JSON_OBJECT);
    while ((ev = json_next(&j)) == JSON_KEY) {
        bool groups = span_is(j.raw, "testGroups");

        ev = json_next(&j);
        while (groups && json_next(&j) == JSON_OBJECT)
            run_group(&j, judge, &c);
        if (!groups)
            (void)value(&j, ev);
    }
    assert_int_equal(ev, JSON_OBJECT_END);
    assert_int_equal(json_next(&j), JSON_END);
    print_message("%s: %u valid, %u invalid, %u wrong verdicts, %u of other algorithms, all refused\n", file,
                  c.valid, c.invalid, c.wrong, c.other);
    return c;
}

static void verdict(const struct vector *v, bool ok, struct count *c)
{
    bool valid = span_is(v->result, "valid");

    assert_true(valid || span_is(v->result, "invalid"));
    c->valid += valid;
    c->invalid += !valid;
    c->wrong += ok != valid;
    if (ok != valid)
        print_message("vector %.*s (%.*s): %s\n", (int)v->id.n, v->id.p, (int)v->comment.n, v->comment.p,
                      ok ? "accepted" : "refused");
}

/* Decoded string member of a JSON object; empty if it has none. */
static struct span member(struct span object, const char *name, struct buf *b)
{
    const char *const path[] = {name, NULL};
    bool found;

    if (json_get(object, path, b, &found) != OK || !found)
        return span_of(NULL, 0);
    return buf_span(b);
}

static bool header_says(struct span header, const char *alg)
{
    uint8_t text[TEXT], value_text[64];
    struct buf json = BUF_OF(text), b = BUF_OF(value_text);

    return text_b64url(header, &json) == OK && span_is(member(buf_span(&json), "alg", &b), alg);
}

static bool es256(const struct vector *v)
{
    struct jose_key key;
    struct jose_compact c;
    uint8_t sig[256];
    struct buf b = BUF_OF(sig);

    return jose_key_parse(v->group_public, &key) == OK && jose_split(v->jws, &c) == OK &&
           header_says(c.header, "ES256") && text_b64url(c.signature, &b) == OK && b.n == JOSE_SIG &&
           jose_es256_verify(&key, c.signing_input, sig) == OK;
}

static bool hs256(const struct vector *v, struct span secret)
{
    struct jose_compact c;
    uint8_t sig[256], mac[HASH_SIZE];
    struct buf b = BUF_OF(sig);

    return jose_split(v->jws, &c) == OK && header_says(c.header, "HS256") &&
           text_b64url(c.signature, &b) == OK && b.n == HASH_SIZE &&
           hash_hmac_sha256(secret, c.signing_input, mac) == OK && equal_ct(mac, sig, HASH_SIZE);
}

/* Vectors of the group "base64" whose text is not what their comment says. 367 and 370 are to have padding, but have none: the text is a
 * well-formed JWS, and its MAC is right. 372 and 373 are called valid although there is a '?' in the header or the payload. */
static const struct {
    const char *id;
    bool ok;
} reviewed[] = {{"367", true}, {"370", true}, {"372", false}, {"373", false}};

static bool is_reviewed(const struct vector *v, bool ok)
{
    for (size_t i = 0; i < COUNT(reviewed); i++)
        if (span_is(v->id, reviewed[i].id))
            return ok == reviewed[i].ok;
    return false;
}

static void judge_jws(const struct vector *v, struct count *c)
{
    uint8_t alg_text[64], k_text[512], k_raw[512];
    struct buf alg = BUF_OF(alg_text), k = BUF_OF(k_text), raw = BUF_OF(k_raw);
    struct span key = v->group_public.n > 0 ? v->group_public : v->group_private;
    bool ours_ec = span_is(member(key, "alg", &alg), "ES256");

    if (ours_ec) {
        verdict(v, es256(v), c);
    } else if (span_is(buf_span(&alg), "HS256")) {
        assert_int_equal(text_b64url(member(key, "k", &k), &raw), OK);
        if (!is_reviewed(v, hs256(v, buf_span(&raw))))
            verdict(v, hs256(v, buf_span(&raw)), c);
    } else {
        c->other++;
        assert_false(es256(v));
    }
}

static void test_jws(void **state)
{
    struct count c = run_file("wycheproof/json_web_signature_test.json", judge_jws);

    (void)state;
    assert_int_equal(c.wrong, 0);
    assert_true(c.valid >= 10 && c.invalid >= 60 && c.other >= 300);
}

static void judge_ecdsa(const struct vector *v, struct count *c)
{
    uint8_t text[256];
    struct buf point = BUF_OF(text);
    uint8_t raw[65], data[1024], sig[256];
    struct jose_key key;

    assert_int_equal(text_hex(member(v->point, "uncompressed", &point), raw, sizeof(raw)), OK);
    memcpy(key.x, raw + 1, 32);
    memcpy(key.y, raw + 33, 32);
    assert_true(v->msg.n / 2 <= sizeof(data) && v->sig.n / 2 <= sizeof(sig));
    assert_int_equal(text_hex(v->msg, data, v->msg.n / 2), OK);
    assert_int_equal(text_hex(v->sig, sig, v->sig.n / 2), OK);
    verdict(v, v->sig.n == 2 * JOSE_SIG && jose_es256_verify(&key, span_of(data, v->msg.n / 2), sig) == OK,
            c);
}

static void test_ecdsa(void **state)
{
    struct count c = run_file("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", judge_ecdsa);

    (void)state;
    assert_int_equal(c.wrong, 0);
    assert_int_equal(c.valid, 173);
    assert_int_equal(c.invalid, 89);
}

static void judge_hmac(const struct vector *v, struct count *c)
{
    uint8_t key[256], data[1024], tag[HASH_SIZE], mac[HASH_SIZE];

    assert_true(v->key.n / 2 <= sizeof(key) && v->msg.n / 2 <= sizeof(data) && v->tag.n / 2 <= sizeof(tag));
    assert_int_equal(text_hex(v->key, key, v->key.n / 2), OK);
    assert_int_equal(text_hex(v->msg, data, v->msg.n / 2), OK);
    assert_int_equal(text_hex(v->tag, tag, v->tag.n / 2), OK);
    assert_true(span_is(v->tag_size, "256") || span_is(v->tag_size, "128"));
    assert_int_equal(hash_hmac_sha256(span_of(key, v->key.n / 2), span_of(data, v->msg.n / 2), mac), OK);
    verdict(v, equal_ct(mac, tag, v->tag.n / 2), c);
}

static void test_hmac(void **state)
{
    struct count c = run_file("wycheproof/hmac_sha256_test.json", judge_hmac);

    (void)state;
    assert_int_equal(c.wrong, 0);
    assert_int_equal(c.valid + c.invalid, 174);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jws),
        cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_hmac),
    };

    testcrypto_start(64 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
