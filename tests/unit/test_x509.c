/*
 * test_x509.c - x509_check() over certificates that openssl makes (certificates.sh): each refusal by its error.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/x509.h"
#include "firmware/crypto/x509_cert.h"

static int64_t now_s;
static uint8_t store[16384];
static struct buf storage;

static struct span pem_of(const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", testcrypto_dir(), name);
    return testcrypto_file(path);
}

static struct x509_roots roots_of(const char *name)
{
    struct x509_roots r = {0};

    storage = BUF_OF(store);
    assert_int_equal(x509_roots_add_pem(&r, pem_of(name), &storage), OK);
    return r;
}

static int set_up(void **state)
{
    struct x509_roots none = {.count = 1};
    struct x509_demand d = {.host = "server.test"};
    struct span chain[1] = {SPAN_LIT("0")};

    (void)state;
    if (x509_check(chain, 1, &none, &d, NULL) != ERR_STATE ||
        x509_roots_add_der(&none, chain[0]) != ERR_STATE)
        return -1; /* before crypto_start() */
    testcrypto_start(96 * 1024);
    testcrypto_sh("tests/unit/certificates.sh '%s'", testcrypto_dir());
    now_s = time(NULL);
    return 0;
}

static struct x509_demand demand_for(const char *host, int64_t days, enum time_quality quality)
{
    struct x509_demand d = {.now_s = now_s + days * 86400, .quality = quality};

    if (ip_parse(span_str(host), &d.ip) != OK)
        snprintf(d.host, sizeof(d.host), "%s", host);
    return d;
}

static const struct {
    int line;
    const char *chain, *roots, *host;
    enum err want;
} cases[] = {
    {__LINE__, "leaf.pem", "ca.pem", "server.test", OK},
    {__LINE__, "leaf.pem", "ca.pem", "SERVER.Test", OK},
    {__LINE__, "leaf.pem", "ca.pem", "a.wild.test", OK},
    {__LINE__, "leaf.pem", "ca.pem", "127.0.0.1", OK},
    {__LINE__, "leaf.pem", "ca.pem", "fd00:1:2:3:0::3", OK},
    {__LINE__, "viaica.chain", "ca.pem", "server.test", OK},
    {__LINE__, "p384.pem", "ca.pem", "server.test", OK},
    {__LINE__, "rsa.pem", "ca.pem", "server.test", OK},
    {__LINE__, "viapss.pem", "rsa3072.pem", "server.test", OK},
    {__LINE__, "kube.pem", "kca.pem", "kubernetes", OK},
    {__LINE__, "kube.pem", "kca.pem", "10.100.0.1", OK},
    {__LINE__, "kube.pem", "kca.pem", "kubernetes.default.svc", OK},

    {__LINE__, "leaf.pem", "other.pem", "server.test", ERR_TLS_ROOT},
    {__LINE__, "leaf.pem", "twin.pem", "server.test", ERR_TLS_ROOT}, /* a CA of the same name */
    {__LINE__, "viaother.pem", "ca.pem", "server.test", ERR_TLS_ROOT},
    {__LINE__, "viaica.pem", "ca.pem", "server.test", ERR_TLS_ROOT},
    {__LINE__, "selfsigned.pem", "ca.pem", "server.test", ERR_TLS_ROOT},
    {__LINE__, "selfsigned.pem", "selfsigned.pem", "server.test", ERR_TLS_ROOT}, /* a CA is no leaf */

    {__LINE__, "leaf.pem", "ca.pem", "other.test", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "a.server.test", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "wild.test", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "a.b.wild.test", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "a.test", ERR_TLS_NAME}, /* *.test has one label only */
    {__LINE__, "leaf.pem", "ca.pem", "test", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "*.wild.test", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "server.test.", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "127.0.0.2", ERR_TLS_NAME},
    {__LINE__, "leaf.pem", "ca.pem", "::ffff:127.0.0.1", ERR_TLS_NAME},
    {__LINE__, "wrongname.pem", "ca.pem", "server.test", ERR_TLS_NAME},
    {__LINE__, "iptext.pem", "ca.pem", "127.0.0.1", ERR_TLS_NAME},
    {__LINE__, "server.test.pem", "ca.pem", "server.test", ERR_TLS_NAME}, /* only a common name */
    {__LINE__, "wrongname.pem", "ca.pem", "wrongname", ERR_TLS_NAME},

    {__LINE__, "noserver.pem", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "noeku.pem", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "anyusage.pem", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "nosign.pem", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "certsign.pem", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "caleaf.pem", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "viaclientca.chain", "ca.pem", "server.test", ERR_TLS_USAGE},
    {__LINE__, "viaconstrained.chain", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "leafconstrained.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "viauncritical.chain", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "v1.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "critical.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "ed.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "rsa1024.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "p521.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
    {__LINE__, "sha1.pem", "ca.pem", "server.test", ERR_TLS_PROFILE},
};

static enum err check(const char *chain_name, const struct x509_roots *roots, const struct x509_demand *d,
                      struct fault *f)
{
    struct span chain[8];
    unsigned n = testcrypto_pem(pem_of(chain_name), COUNT(chain), chain);

    fault_clear(f);
    return x509_check(chain, n, roots, d, f);
}

static void test_cases(void **state)
{
    size_t used = crypto_heap_used();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct x509_roots roots = roots_of(cases[i].roots);
        struct x509_demand d = demand_for(cases[i].host, 0, TIME_TRUSTED);
        struct fault f;
        enum err e = check(cases[i].chain, &roots, &d, &f);

        if (e != cases[i].want || f.code != e || (e != OK && f.text[0] == '\0'))
            fail_msg("line %d: %s: %s", cases[i].line, err_name(e), f.text);
        assert_int_equal(crypto_heap_used(), used);
    }
}

/* The leaf lives for 30 days, the CA for 3650. */
static void test_time(void **state)
{
    static const struct {
        int line;
        int64_t days;
        enum time_quality quality;
        enum err want;
    } times[] = {
        {__LINE__, 29, TIME_TRUSTED, OK},
        {__LINE__, 29, TIME_FLOOR, OK},
        {__LINE__, 31, TIME_TRUSTED, ERR_TLS_EXPIRED},
        {__LINE__, 31, TIME_HINT, ERR_TLS_EXPIRED},
        {__LINE__, 31, TIME_FLOOR, ERR_TLS_EXPIRED},
        {__LINE__, 25000, TIME_FLOOR, ERR_TLS_EXPIRED}, /* behind 2038, 2106 */
        {__LINE__, 60000, TIME_TRUSTED, ERR_TLS_EXPIRED},
        {__LINE__, -1, TIME_TRUSTED, ERR_TLS_FUTURE},
        {__LINE__, -1, TIME_HINT, ERR_TLS_FUTURE},
        {__LINE__, -1, TIME_FLOOR, OK},
        {__LINE__, -20000, TIME_FLOOR, OK}, /* 1972 */
        {__LINE__, -20000, TIME_HINT, ERR_TLS_FUTURE},
    };
    struct x509_roots roots = roots_of("ca.pem");
    struct fault f;

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        struct x509_demand d = demand_for("server.test", times[i].days, times[i].quality);
        enum err e = check("leaf.pem", &roots, &d, &f);

        if (e != times[i].want)
            fail_msg("line %d: %s: %s", times[i].line, err_name(e), f.text);
    }
    print_message("example: %s\n", f.text);
}

static void test_roots(void **state)
{
    struct x509_roots r = {0};
    struct span der[4];
    uint8_t small[64];
    struct buf tiny = BUF_OF(small), b = BUF_OF(store);

    (void)state;
    assert_int_equal(x509_roots_add_pem(&r, pem_of("ca.pem"), &tiny), ERR_LIMIT);
    assert_int_equal(x509_roots_add_pem(&r, SPAN_LIT(""), &b), ERR_TLS_ROOT);
    assert_int_equal(x509_roots_add_pem(
                         &r, SPAN_LIT("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), &b),
                     ERR_TLS_ROOT);
    assert_int_equal(
        x509_roots_add_pem(&r, SPAN_LIT("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), &b),
        ERR_TLS_ROOT);
    assert_int_equal(x509_roots_add_pem(&r, span_sub(pem_of("ca.pem"), 0, 400), &b),
                     ERR_TLS_ROOT);                                                 /* no end line */
    assert_int_equal(x509_roots_add_pem(&r, pem_of("leaf.pem"), &b), ERR_TLS_ROOT); /* no CA */
    assert_int_equal(x509_roots_add_pem(&r, pem_of("v1.pem"), &b), ERR_TLS_ROOT);
    assert_int_equal(x509_roots_add_pem(&r, pem_of("constrained.pem"), &b), ERR_TLS_ROOT);
    assert_int_equal(r.count, 0);
    assert_int_equal(b.n, 0);
    assert_int_equal(x509_roots_add_pem(&r, pem_of("ca.pem"), &b), OK);
    assert_int_equal(x509_roots_add_pem(&r, pem_of("viaica.chain"), &b), ERR_TLS_ROOT); /* all or none */
    assert_int_equal(r.count, 1);
    assert_int_equal(testcrypto_pem(pem_of("ca.pem"), 4, der), 1);
    assert_int_equal(x509_roots_add_der(&r, span_sub(der[0], 0, der[0].n - 1)), ERR_TLS_ROOT);
    while (r.count < X509_ROOTS_MAX)
        assert_int_equal(x509_roots_add_der(&r, der[0]), OK);
    assert_int_equal(x509_roots_add_der(&r, der[0]), ERR_LIMIT);
    assert_true(x509_is_ca(der[0]));
    assert_int_equal(testcrypto_pem(pem_of("viaica.chain"), 4, der), 2);
    assert_false(x509_is_ca(der[0]));
    assert_true(x509_is_ca(der[1]));
    assert_false(x509_is_ca(SPAN_LIT("")));
}

/* Odd chains: none, too many, nothing to trust, bytes behind the certificate, a loop of the same certificate. */
static void test_chains(void **state)
{
    struct x509_roots roots = roots_of("ca.pem"), none = {0};
    struct x509_demand d = demand_for("server.test", 0, TIME_TRUSTED);
    struct span chain[8];
    uint8_t longer[2048];
    struct fault f = {0};

    (void)state;
    assert_int_equal(x509_check(chain, 0, &roots, &d, NULL), ERR_TLS_PROFILE);
    assert_int_equal(testcrypto_pem(pem_of("leaf.pem"), 1, chain), 1);
    assert_int_equal(x509_check(chain, 1, &none, &d, NULL), ERR_TLS_ROOT);
    for (unsigned i = 1; i < COUNT(chain); i++)
        chain[i] = chain[0];
    assert_int_equal(x509_check(chain, X509_CHAIN_MAX, &roots, &d, NULL), OK);
    assert_int_equal(x509_check(chain, X509_CHAIN_MAX + 1, &roots, &d, &f), ERR_TLS_PROFILE);
    memcpy(longer, chain[0].p, chain[0].n);
    longer[chain[0].n] = 0;
    chain[0] = span_of(longer, chain[0].n + 1);
    assert_int_equal(x509_check(chain, 1, &roots, &d, &f), ERR_TLS_PROFILE);
    /* A leaf among the roots is no root, even if somebody puts it there by hand. */
    none.count = testcrypto_pem(pem_of("leaf.pem"), 1, none.ders);
    chain[0] = none.ders[0];
    assert_int_equal(x509_check(chain, 1, &none, &d, NULL), ERR_TLS_ROOT);
}

/* One flipped bit anywhere: refused, and never with an error that blames memory or state. */
static void test_bit_flips(void **state)
{
    struct x509_roots roots = roots_of("ca.pem");
    struct x509_demand d = demand_for("server.test", 0, TIME_TRUSTED);
    struct span chain[1];
    static uint8_t flipped[2048];
    unsigned by_error[ERR_COUNT] = {0};

    (void)state;
    assert_int_equal(testcrypto_pem(pem_of("leaf.pem"), 1, chain), 1);
    memcpy(flipped, chain[0].p, chain[0].n);
    chain[0].p = flipped;
    for (size_t bit = 0; bit < 8 * chain[0].n; bit++) {
        enum err e;

        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        e = x509_check(chain, 1, &roots, &d, NULL);
        if (e != ERR_TLS_ROOT && e != ERR_TLS_PROFILE)
            fail_msg("bit %zu: %s", bit, err_name(e));
        by_error[e]++;
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    print_message("%zu bits: %u tls.root, %u tls.profile\n", 8 * chain[0].n, by_error[ERR_TLS_ROOT],
                  by_error[ERR_TLS_PROFILE]);
}

static void test_allocation_failures(void **state)
{
    struct x509_roots roots = roots_of("ca.pem");
    struct x509_demand d = demand_for("server.test", 0, TIME_TRUSTED);
    struct span chain[2];
    size_t used = crypto_heap_used(), calls = crypto_heap_calls(), n;
    enum err e;

    (void)state;
    assert_int_equal(testcrypto_pem(pem_of("viaica.chain"), 2, chain), 2);
    assert_int_equal(x509_check(chain, 2, &roots, &d, NULL), OK);
    calls = crypto_heap_calls() - calls;
    for (n = 1; n <= calls; n++) {
        struct fault f = {0};

        crypto_heap_fail_at(n);
        e = x509_check(chain, 2, &roots, &d, &f);
        crypto_heap_fail_at(0);
        if (e != ERR_NOMEM || f.code != e || crypto_heap_used() != used)
            fail_msg("allocation %zu: %s: %s", n, err_name(e), f.text);
    }
    assert_int_equal(x509_check(chain, 2, &roots, &d, NULL), OK);
    for (n = 1, e = ERR_NOMEM; e != OK; n++) {
        struct x509_roots r = {0};

        crypto_heap_fail_at(n);
        e = x509_roots_add_der(&r, roots.ders[0]);
        crypto_heap_fail_at(0);
        assert_true(e == OK || e == ERR_NOMEM);
        assert_int_equal(crypto_heap_used(), used);
    }
    print_message("%zu allocations of a check and %zu of a root failed in turn\n", calls, n - 2);
}

/* openssl x509 -pubkey | openssl pkey -pubin -outform DER | sha256sum, for each kind of key. */
static void test_pin(void **state)
{
    static const char *const names[] = {"ca", "kca", "ed", "p521", "v1", "viapss"};
    uint8_t pin[HASH_SIZE] = {0}, want[HASH_SIZE];
    struct span der[1];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char name[64];

        testcrypto_sh(
            "cd '%s' && openssl x509 -in %s.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r >%s.pin",
            testcrypto_dir(), names[i], names[i]);
        snprintf(name, sizeof(name), "%s.pin", names[i]);
        assert_int_equal(text_hex(span_sub(pem_of(name), 0, 64), want, sizeof(want)), OK);
        snprintf(name, sizeof(name), "%s.pem", names[i]);
        assert_int_equal(testcrypto_pem(pem_of(name), 1, der), 1);
        assert_int_equal(x509_spki_sha256(der[0], pin), OK);
        assert_memory_equal(pin, want, sizeof(pin));
        for (size_t n = 0; n < der[0].n; n++)
            assert_int_equal(x509_spki_sha256(span_sub(der[0], 0, n), pin), ERR_TLS_PROFILE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_time),
        cmocka_unit_test(test_roots),     cmocka_unit_test(test_chains),
        cmocka_unit_test(test_bit_flips), cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_pin),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
