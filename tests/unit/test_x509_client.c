/*
 * test_x509_client.c - x509_client_check() over a node's client certificate and what is nearly one (certificates.sh).
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>
#include <time.h>

#include "firmware/crypto/crypto.h"
#include "firmware/crypto/x509_client.h"

enum { YEAR_S = 365 * 86400 };

static uint8_t store[X509_CLIENT_SCRATCH];

static struct span pem_of(const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s.pem", testcrypto_dir(), name);
    return testcrypto_file(path);
}

static int set_up(void **unused)
{
    struct buf scratch = BUF_OF(store);

    (void)unused;
    if (x509_client_check(SPAN_LIT("x"), SPAN_LIT("x"), "x", 0, TIME_FLOOR, &scratch, NULL) != ERR_STATE)
        return -1;
    testcrypto_start(96 * 1024);
    testcrypto_sh("tests/unit/certificates.sh '%s'", testcrypto_dir());
    return 0;
}

struct row {
    int line;
    const char *certificate, *ca, *name;
    int64_t after_s; /* from now */
    enum time_quality quality;
    enum err e;
    const char *text;
};

#define NODE "system:node:node-1"

static const struct row rows[] = {
    {__LINE__, "node", "kca", NODE, 0, TIME_TRUSTED, OK, ""},
    {__LINE__, "node", "kca", NODE, YEAR_S - 86400, TIME_TRUSTED, OK, ""},
    {__LINE__, "node", "kca", NODE, YEAR_S + 86400, TIME_TRUSTED, ERR_RESUME_EXPIRED, "certificate"},
    {__LINE__, "node", "kca", NODE, YEAR_S + 86400, TIME_FLOOR, ERR_RESUME_EXPIRED, "certificate"},
    {__LINE__, "node", "kca", NODE, -86400, TIME_TRUSTED, ERR_RESUME_CERT, "not valid yet"},
    {__LINE__, "node", "kca", NODE, -86400, TIME_HINT, ERR_RESUME_CERT, "not valid yet"},
    {__LINE__, "node", "kca", NODE, -86400, TIME_FLOOR, OK, ""},
    {__LINE__, "node", "kca", "system:node:node-2", 0, TIME_TRUSTED, ERR_RESUME_CERT,
     "not for system:node:node-2"},
    {__LINE__, "node", "kca", "system:node:node-11", 0, TIME_TRUSTED, ERR_RESUME_CERT, "not for"},
    {__LINE__, "node", "kca", "system:node:node-", 0, TIME_TRUSTED, ERR_RESUME_CERT, "not for"},
    {__LINE__, "node", "other", NODE, 0, TIME_TRUSTED, ERR_RESUME_CERT, "not by the cluster's CA"},
    {__LINE__, "nodeother", "kca", NODE, 0, TIME_TRUSTED, ERR_RESUME_CERT, "not by the cluster's CA"},
    {__LINE__, "nodeserver", "kca", NODE, 0, TIME_TRUSTED, ERR_RESUME_CERT, "no client's certificate"},
    {__LINE__, "nodetwice", "kca", NODE, 0, TIME_TRUSTED, ERR_RESUME_CERT, "not for"},
    {__LINE__, "nodenameless", "kca", NODE, 0, TIME_TRUSTED, ERR_RESUME_CERT, "not for"},
    {__LINE__, "kube", "kca", "kube", 0, TIME_TRUSTED, ERR_RESUME_CERT, "no client's certificate"},
    {__LINE__, "kca", "kca", "kubernetes", 0, TIME_TRUSTED, ERR_RESUME_CERT, "no client's certificate"},
    {__LINE__, "node", "kube", NODE, 0, TIME_TRUSTED, ERR_RESUME_CERT, "CA certificate cannot be read"},
};

static void test_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct buf scratch = BUF_OF(store);
        struct fault f = {0};
        enum err e = x509_client_check(pem_of(r->certificate), pem_of(r->ca), r->name,
                                       time(NULL) + r->after_s, r->quality, &scratch, &f);

        if (e != r->e || (e != OK && !strstr(f.text, r->text)))
            fail_msg("line %d: %s: %s", r->line, err_name(e), f.text);
    }
}

/* Whatever byte of the file is damaged, it is refused by its name or is the same certificate still. */
static void test_damage(void **unused)
{
    static uint8_t text[8192];
    struct span pem = pem_of("node"), ca = pem_of("kca");
    unsigned refused = 0;

    (void)unused;
    assert_true(pem.n < sizeof(text));
    for (size_t i = 0; i < pem.n; i += 7) {
        struct buf scratch = BUF_OF(store);
        enum err e;

        memcpy(text, pem.p, pem.n);
        text[i] ^= 0x02;
        e = x509_client_check(span_of(text, pem.n), ca, NODE, time(NULL), TIME_TRUSTED, &scratch, NULL);
        assert_true(e == OK || e == ERR_RESUME_CERT || e == ERR_RESUME_EXPIRED);
        refused += e != OK;
    }
    assert_true(refused > 50);
}

static void test_small_memory(void **unused)
{
    struct buf scratch = {.p = store, .cap = 100};

    (void)unused;
    assert_int_equal(
        x509_client_check(pem_of("node"), pem_of("kca"), NODE, time(NULL), TIME_TRUSTED, &scratch, NULL),
        ERR_RESUME_CERT);
    scratch = BUF_OF(store);
    assert_int_equal(
        x509_client_check(SPAN_LIT(""), pem_of("kca"), NODE, time(NULL), TIME_TRUSTED, &scratch, NULL),
        ERR_RESUME_CERT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_small_memory),
    };

    return cmocka_run_group_tests_name("x509_client", tests, set_up, NULL);
}
