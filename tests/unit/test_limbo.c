/*
 * test_limbo.c - the core cases of x509-limbo through x509_check(). Each verdict that differs from limbo's stands, with its reason, in
 * limbo-list.inc; a difference that is not listed fails, and so does a listed one that is none.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>

#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/x509.h"

enum { CERTIFICATES_MAX = 128, NOW_S = 1767225600 /* 2026-01-01: for cases without a time */ };

static const struct {
    const char *id;
    enum { ACCEPTED, REFUSED } we;
} list[] = {
#include "tests/unit/limbo-list.inc"
};

struct limbo {
    char id[128];
    bool server; /* validation_kind */
    bool success;
    struct span roots[CERTIFICATES_MAX], chain[CERTIFICATES_MAX];
    unsigned root_count, chain_count;
    struct x509_demand demand;
};

static void skip_value(struct json *j, enum json_event ev)
{
    unsigned depth = ev == JSON_OBJECT || ev == JSON_ARRAY;

    while (depth > 0) {
        ev = json_next(j);
        depth += ev == JSON_OBJECT || ev == JSON_ARRAY;
        depth -= ev == JSON_OBJECT_END || ev == JSON_ARRAY_END;
        assert_true(ev != JSON_ERROR && ev != JSON_END);
    }
}

/* PEM in a JSON string to DER; the DER stays. */
static struct span certificate(const struct json *j)
{
    static uint8_t text[1 << 20];
    struct buf b = BUF_OF(text);
    struct span der;

    assert_int_equal(json_unescape(j->raw, &b), OK);
    assert_int_equal(testcrypto_pem(buf_span(&b), 1, &der), 1);
    return der;
}

static unsigned certificates(struct json *j, struct span *ret)
{
    unsigned n = 0;

    for (enum json_event ev = json_next(j); ev == JSON_STRING; ev = json_next(j)) {
        assert_true(n < CERTIFICATES_MAX - 1);
        ret[n++] = certificate(j);
    }
    return n;
}

static void peer_name(struct json *j, enum json_event ev, struct x509_demand *d)
{
    bool value = false;

    if (ev != JSON_OBJECT)
        return;
    for (ev = json_next(j); ev != JSON_OBJECT_END; ev = json_next(j)) {
        if (ev == JSON_KEY)
            value = span_is(j->raw, "value");
        if (ev == JSON_STRING && value && ip_parse(j->raw, &d->ip) != OK)
            assert_int_equal(span_to_cstr(j->raw, d->host, sizeof(d->host)), OK);
    }
}

/* 2024-03-01T00:00:00.999+00:00, in whole seconds. */
static void at_time(struct json *j, enum json_event ev, struct x509_demand *d)
{
    char text[21] = "";

    if (ev != JSON_STRING)
        return;
    assert_true(j->raw.n >= 25 && span_ends(j->raw, "+00:00"));
    memcpy(text, j->raw.p, 19);
    text[19] = 'Z';
    assert_int_equal(text_time(span_str(text), &d->now_s), OK);
}

static struct limbo *read_case(struct json *j)
{
    static struct limbo c;
    enum json_event ev;

    memset(&c, 0, sizeof(c));
    c.chain_count = 1;
    c.demand = (struct x509_demand){.now_s = NOW_S, .quality = TIME_TRUSTED};
    while ((ev = json_next(j)) == JSON_KEY) {
        struct span key = j->raw;

        ev = json_next(j);
        if (span_is(key, "id"))
            assert_int_equal(span_to_cstr(j->raw, c.id, sizeof(c.id)), OK);
        else if (span_is(key, "validation_kind"))
            c.server = span_is(j->raw, "SERVER");
        else if (span_is(key, "expected_result"))
            c.success = span_is(j->raw, "SUCCESS");
        else if (span_is(key, "trusted_certs"))
            c.root_count = certificates(j, c.roots);
        else if (span_is(key, "untrusted_intermediates"))
            c.chain_count = 1 + certificates(j, c.chain + 1);
        else if (span_is(key, "peer_certificate"))
            c.chain[0] = certificate(j);
        else if (span_is(key, "expected_peer_name"))
            peer_name(j, ev, &c.demand);
        else if (span_is(key, "validation_time"))
            at_time(j, ev, &c.demand);
        else
            skip_value(j, ev);
    }
    assert_int_equal(ev, JSON_OBJECT_END);
    return &c;
}

static bool we_accept(const struct limbo *c, struct fault *f)
{
    struct x509_roots roots = {0};

    for (unsigned i = 0; i < c->root_count; i++)
        if (x509_roots_add_der(&roots, c->roots[i]) != OK)
            (void)fault_set(f, ERR_TLS_ROOT, "root %u is refused", i);
    if (roots.count > 0)
        fault_clear(f);
    return x509_check(c->chain, c->chain_count, &roots, &c->demand, f) == OK;
}

/* Index in the list, or -1. */
static int listed(const char *id)
{
    for (size_t i = 0; i < COUNT(list); i++)
        if (strcmp(list[i].id, id) == 0)
            return (int)i;
    return -1;
}

static void test_limbo(void **state)
{
    struct span text = testcrypto_corpus("x509-limbo/limbo-core.json");
    unsigned all = 0, accepted = 0, refused = 0, unexpected = 0;
    bool seen[COUNT(list)] = {false};
    enum json_event ev;
    struct json j;

    (void)state;
    if (text.p == NULL)
        skip();
    json_init(&j, text);
    while ((ev = json_next(&j)) != JSON_ARRAY)
        assert_true(ev != JSON_ERROR && ev != JSON_END);
    for (ev = json_next(&j); ev == JSON_OBJECT; ev = json_next(&j), all++) {
        const struct limbo *c = read_case(&j);
        struct fault f = {0};
        bool ok = we_accept(c, &f);
        int row = listed(c->id);

        if (row >= 0)
            seen[row] = true;
        if (ok == c->success && row < 0)
            continue;
        if (ok != c->success && row >= 0 && (list[row].we == ACCEPTED) == ok) {
            accepted += ok;
            refused += !ok;
            continue;
        }
        unexpected++;
        print_message("%s: limbo says %s, we say %s (%s)%s\n", c->id, c->success ? "yes" : "no",
                      ok ? "ok" : err_name(f.code), f.text,
                      row < 0 ? "" : ", and the list says something else");
    }
    for (size_t i = 0; i < COUNT(list); i++)
        if (!seen[i])
            fail_msg("%s is listed and not there", list[i].id);
    print_message(
        "limbo: %u cases; of those listed, %u accepted that limbo refuses, %u refused that limbo accepts; heap peak %zu\n",
        all, accepted, refused, crypto_heap_peak());
    assert_int_equal(ev, JSON_ARRAY_END);
    assert_int_equal(all, 208);
    assert_int_equal(unexpected, 0);
    assert_int_equal(crypto_heap_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limbo),
    };

    testcrypto_start(96 * 1024);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
