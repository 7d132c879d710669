/*
 * test_tls.c - the TLS engine against a real server: what it accepts, what it refuses and by which error, and what it says before trust.
 */
#include "tests/unit/testcrypto.h"
#include "tests/unit/tlspeer.h"

#include <time.h>

#include "firmware/crypto/crypto.h"

enum { HEAP = 160 * 1024, ANSWER = 65536 };

static struct x509_roots roots, other_roots, kube_roots;
static int64_t now_s;

static int set_up(void **state)
{
    (void)state;
    testcrypto_start(HEAP);
    tlspeer_set_up();
    roots = tlspeer_roots("ca.pem");
    other_roots = tlspeer_roots("other.pem");
    kube_roots = tlspeer_roots("kca.pem");
    now_s = time(NULL);
    return 0;
}

static enum err write_all(struct tls *t, const struct tlspeer *p, struct span data, enum tls_secrecy secrecy)
{
    size_t n = 0;
    enum err e = OK;

    while (data.n > 0 && e == OK) {
        e = tls_write(t, data, secrecy, &n);
        if (e == OK)
            data = span_sub(data, n, data.n);
        tlspeer_pump(t, p, 4096);
    }
    return e;
}

/* Reads the answer to its end. How it ended. */
static enum err read_answer(struct tls *t, const struct tlspeer *p, size_t piece, size_t *ret_n)
{
    static uint8_t answer[ANSWER];
    size_t n = 0, all = 0;
    enum err e = OK;

    for (unsigned i = 0; i < 40000 && e == OK; i++) {
        tlspeer_pump(t, p, piece);
        e = tls_read(t, answer + all, sizeof(answer) - all, &n);
        if (e == OK)
            all += n;
    }
    *ret_n = all;
    assert_non_null(memmem(answer, all, "HTTP/1.0 200", 12));
    return e;
}

#define REQUEST "GET / HTTP/1.0\r\nX: 0123456789\r\n\r\n"

static const struct exchange {
    int line;
    const char *cert, *options, *version, *host;
    const struct x509_roots *roots;
    size_t piece;
} exchanges[] = {
    {__LINE__, "leaf", "-tls1_3", "TLSv1.3", "server.test", &roots, 4096},
    {__LINE__, "leaf", "-tls1_2", "TLSv1.2", "server.test", &roots, 4096},
    {__LINE__, "leaf", "-tls1_3", "TLSv1.3", "127.0.0.1", &roots, 1},
    {__LINE__, "leaf", "-tls1_2", "TLSv1.2", "127.0.0.1", &roots, 7},
    {__LINE__, "leaf", "-tls1_3 -groups X25519", "TLSv1.3", "SERVER.test", &roots,
     4096}, /* HelloRetryRequest */
    {__LINE__, "leaf", "-tls1_3 -groups P-384", "TLSv1.3", "server.test", &roots, 500},
    {__LINE__, "leaf", "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3", "server.test", &roots,
     4096},
    {__LINE__, "leaf", "-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", "TLSv1.3", "server.test", &roots,
     4096},
    {__LINE__, "leaf", "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2", "server.test", &roots,
     4096},
    {__LINE__, "leaf", "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2", "server.test", &roots,
     4096},
    {__LINE__, "leaf", "-tls1_3 -num_tickets 9", "TLSv1.3", "server.test", &roots, 4096},
    {__LINE__, "p384", "-tls1_3", "TLSv1.3", "server.test", &roots, 4096},
    {__LINE__, "rsa", "-tls1_2", "TLSv1.2", "server.test", &roots, 4096},
    {__LINE__, "rsa", "-tls1_3", "TLSv1.3", "server.test", &roots, 4096},
    {__LINE__, "viaica", "-tls1_3 -cert_chain viaica.chain", "TLSv1.3", "server.test", &roots, 4096},
    {__LINE__, "kube", "", "TLSv1.3", "127.0.0.1", &kube_roots, 4096},
    {__LINE__, "kube", "-tls1_2", "TLSv1.2", "server.test", &kube_roots, 4096},
};

static void exchange(const struct exchange *x)
{
    static struct tls t;
    struct x509_demand d = tlspeer_demand(x->host);
    size_t n, used = crypto_heap_used();
    struct tlspeer p = tlspeer_start(x->cert, x->options);
    enum err e;

    assert_int_equal(tls_start(&t, x->roots, &d), OK);
    tlspeer_handshake(&t, &p, x->piece);
    if (t.state != TLS_OPEN)
        fail_msg("line %d: %s: %s", x->line, err_name(t.fault.code), t.fault.text);
    assert_string_equal(tls_version(&t), x->version);
    assert_int_equal(write_all(&t, &p, SPAN_LIT(REQUEST), TLS_SECRET), OK);
    e = read_answer(&t, &p, x->piece, &n);
    if (e != ERR_CLOSED || n < 500)
        fail_msg("line %d: %s after %zu bytes", x->line, err_name(e), n);
    assert_int_equal(t.state, TLS_CLOSED);
    assert_true(t.peer_closed);
    assert_int_equal(tls_write(&t, SPAN_LIT("x"), TLS_PUBLIC, &n), ERR_CLOSED);
    assert_int_equal(tls_recheck(&t, now_s + 86400, TIME_TRUSTED), OK);
    assert_int_equal(tls_recheck(&t, now_s + 86400LL * 4000, TIME_TRUSTED), ERR_TLS_EXPIRED);
    assert_int_equal(t.state, TLS_FAILED);
    tls_stop(&t);
    tls_stop(&t);
    tlspeer_stop(&p);
    assert_int_equal(crypto_heap_used(), used);
}

static void test_exchange(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(exchanges); i++)
        exchange(&exchanges[i]);
    print_message("heap: peak %zu of %d bytes with one connection at a time\n", crypto_heap_peak(), HEAP);
}

static const struct {
    int line;
    const char *cert, *options, *host;
    const struct x509_roots *roots;
    int64_t days;
    enum time_quality quality;
    enum err want;
} refusals[] = {
    {__LINE__, "leaf", "", "server.test", &other_roots, 0, TIME_TRUSTED, ERR_TLS_ROOT},
    {__LINE__, "leaf", "-tls1_2", "server.test", &other_roots, 0, TIME_TRUSTED, ERR_TLS_ROOT},
    {__LINE__, "viaica", "", "server.test", &roots, 0, TIME_TRUSTED,
     ERR_TLS_ROOT}, /* without its intermediate */
    {__LINE__, "selfsigned", "", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS_ROOT},
    {__LINE__, "leaf", "", "another.test", &roots, 0, TIME_TRUSTED, ERR_TLS_NAME},
    {__LINE__, "leaf", "", "127.0.0.2", &roots, 0, TIME_TRUSTED, ERR_TLS_NAME},
    {__LINE__, "leaf", "", "server.test", &roots, 31, TIME_TRUSTED, ERR_TLS_EXPIRED},
    {__LINE__, "leaf", "", "server.test", &roots, 31, TIME_FLOOR, ERR_TLS_EXPIRED},
    {__LINE__, "leaf", "", "server.test", &roots, -1, TIME_TRUSTED, ERR_TLS_FUTURE},
    {__LINE__, "leaf", "", "server.test", &roots, -1, TIME_HINT, ERR_TLS_FUTURE},
    {__LINE__, "leaf", "", "server.test", &roots, -20000, TIME_FLOOR, OK},
    {__LINE__, "noserver", "", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS_USAGE},
    {__LINE__, "nosign", "", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS_USAGE},
    {__LINE__, "v1", "", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS_PROFILE},
    {__LINE__, "leaf", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256", "server.test", &roots, 0, TIME_TRUSTED,
     ERR_TLS},
    {__LINE__, "rsa", "-tls1_2 -cipher AES128-GCM-SHA256", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS},
    {__LINE__, "rsa", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", "server.test", &roots, 0, TIME_TRUSTED,
     ERR_TLS},
    {__LINE__, "rsa", "-tls1_1 -cipher ALL:@SECLEVEL=0", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS},
    {__LINE__, "leaf", "-tls1_3 -groups P-521", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS},
    {__LINE__, "ed", "", "server.test", &roots, 0, TIME_TRUSTED,
     ERR_TLS}, /* it has no signature algorithm that we offer */
    {__LINE__, "leaf", "-psk 01 -nocert", "server.test", &roots, 0, TIME_TRUSTED, ERR_TLS},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        static struct tls t;
        struct x509_demand d = tlspeer_demand(refusals[i].host);
        struct tlspeer p = tlspeer_start(refusals[i].cert, refusals[i].options);
        size_t used = crypto_heap_used(), n = 99;

        d.now_s += 86400 * refusals[i].days;
        d.quality = refusals[i].quality;
        assert_int_equal(tls_start(&t, refusals[i].roots, &d), OK);
        tlspeer_handshake(&t, &p, 4096);
        if (t.fault.code != refusals[i].want || t.state != (refusals[i].want == OK ? TLS_OPEN : TLS_FAILED))
            fail_msg("line %d: %s: %s", refusals[i].line, err_name(t.fault.code), t.fault.text);
        if (refusals[i].want != OK) {
            assert_true(t.fault.text[0] != '\0');
            assert_int_equal(tls_write(&t, SPAN_LIT("x"), TLS_PUBLIC, &n), refusals[i].want);
            assert_int_equal(tls_recheck(&t, now_s, TIME_TRUSTED), ERR_STATE);
            assert_int_equal(tls_trust(&t, &roots, &d), ERR_STATE);
        }
        tls_stop(&t);
        tlspeer_stop(&p);
        assert_int_equal(crypto_heap_used(), used);
    }
}

/* Captured: public bytes may be said, secrets may not; then trust or not. */
static void capture(const char *options, const struct x509_roots *with, const char *host, enum err want)
{
    static struct tls t;
    struct x509_demand d = tlspeer_demand(host);
    struct tlspeer p = tlspeer_start("leaf", options);
    size_t n = 99;

    assert_int_equal(tls_start(&t, NULL, &d), OK);
    tlspeer_handshake(&t, &p, 4096);
    assert_int_equal(t.state, TLS_CAPTURED);
    assert_false(t.trusted);
    assert_int_equal(write_all(&t, &p, SPAN_LIT("GET / HTTP/1.0\r\n"), TLS_PUBLIC), OK);
    assert_int_equal(tls_write(&t, SPAN_LIT("X: secret\r\n"), TLS_SECRET, &n), ERR_STATE);
    assert_int_equal(n, 99);
    assert_int_equal(t.state, TLS_CAPTURED);
    assert_int_equal(tls_recheck(&t, now_s, TIME_TRUSTED), ERR_STATE);
    assert_int_equal(tls_trust(&t, with, &d), want);
    assert_int_equal(t.state, want == OK ? TLS_OPEN : TLS_FAILED);
    assert_int_equal(t.trusted, want == OK);
    assert_int_equal(tls_trust(&t, with, &d), ERR_STATE);
    assert_int_equal(write_all(&t, &p, SPAN_LIT("X: secret\r\n\r\n"), TLS_SECRET), want);
    if (want == OK)
        assert_int_equal(read_answer(&t, &p, 4096, &n), ERR_CLOSED);
    tls_stop(&t);
    tlspeer_stop(&p);
}

static void test_capture(void **state)
{
    size_t used = crypto_heap_used();

    (void)state;
    capture("-tls1_3", &roots, "server.test", OK);
    capture("-tls1_2", &roots, "server.test", OK);
    capture("-tls1_3", &other_roots, "server.test", ERR_TLS_ROOT);
    capture("-tls1_2", &other_roots, "server.test", ERR_TLS_ROOT);
    capture("-tls1_3", &roots, "another.test", ERR_TLS_NAME);
    assert_int_equal(crypto_heap_used(), used);
}

static void test_states(void **state)
{
    static struct tls t;
    struct x509_demand d = tlspeer_demand("server.test");
    uint8_t byte;
    size_t n = 99;

    (void)state;
    tls_stop(&t);
    assert_int_equal(tls_step(&t), TLS_IDLE);
    assert_int_equal(tls_send_peek(&t).n, 0);
    assert_int_equal(tls_recv(&t, SPAN_LIT("x")), 0);
    assert_int_equal(tls_write(&t, SPAN_LIT("x"), TLS_PUBLIC, &n), ERR_STATE);
    assert_int_equal(tls_read(&t, &byte, 1, &n), ERR_STATE);
    assert_int_equal(tls_trust(&t, &roots, &d), ERR_STATE);
    assert_int_equal(tls_recheck(&t, now_s, TIME_TRUSTED), ERR_STATE);
    tls_close(&t);
    assert_string_equal(tls_version(&t), "");
    assert_int_equal(tls_start(&t, &roots, &d), OK);
    assert_int_equal(tls_start(&t, &roots, &d), ERR_STATE);
    assert_int_equal(tls_write(&t, SPAN_LIT("x"), TLS_PUBLIC, &n), ERR_STATE);
    assert_int_equal(tls_read(&t, &byte, 1, &n), ERR_STATE);
    assert_int_equal(tls_trust(&t, &roots, &d), ERR_STATE);
    assert_int_equal(n, 99);
    tls_stop(&t);
    assert_int_equal(t.state, TLS_IDLE);
}

/* Two connections at once, as in a race: how much heap they take at most. */
static void test_two_at_once(void **state)
{
    static struct tls a, b;
    struct x509_demand d = tlspeer_demand("127.0.0.1");
    struct tlspeer pa = tlspeer_start("kube", "-tls1_3"), pb = tlspeer_start("kube", "-tls1_2");
    size_t n;

    (void)state;
    assert_int_equal(tls_start(&a, &kube_roots, &d), OK);
    assert_int_equal(tls_start(&b, &kube_roots, &d), OK);
    for (unsigned i = 0; i < 20000 && (tls_step(&a) == TLS_HANDSHAKE || tls_step(&b) == TLS_HANDSHAKE); i++) {
        tlspeer_pump(&a, &pa, 4096);
        tlspeer_pump(&b, &pb, 4096);
    }
    assert_int_equal(a.state, TLS_OPEN);
    assert_int_equal(b.state, TLS_OPEN);
    assert_int_equal(write_all(&a, &pa, SPAN_LIT(REQUEST), TLS_SECRET), OK);
    assert_int_equal(read_answer(&a, &pa, 4096, &n), ERR_CLOSED);
    tls_close(&b);
    assert_true(tls_send_peek(&b).n > 0); /* close_notify */
    tls_stop(&a);
    tls_stop(&b);
    tlspeer_stop(&pa);
    tlspeer_stop(&pb);
    print_message("heap: peak %zu of %d bytes with two connections at once\n", crypto_heap_peak(), HEAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),  cmocka_unit_test(test_exchange),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_capture), cmocka_unit_test(test_two_at_once),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
