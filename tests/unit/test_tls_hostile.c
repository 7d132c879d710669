/*
 * test_tls_hostile.c - the TLS engine with answers that were recorded from a real server and then cut off, with memory that runs out at each
 * allocation, and with floods.
 */
#include "tests/unit/testcrypto.h"
#include "tests/unit/tlspeer.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "firmware/crypto/crypto.h"
#include "firmware/crypto/rng.h"

enum { HEAP = 64 * 1024 };

static struct x509_roots roots;

static int set_up(void **state)
{
    (void)state;
    testcrypto_start(HEAP);
    tlspeer_set_up();
    roots = tlspeer_roots("ca.pem");
    return 0;
}

/*
 * Replayed handshakes: with the same random numbers the same bytes of the server fit again.
 */

struct transcript {
    uint8_t bytes[8192];
    size_t n;
};

static void same_random_numbers(void)
{
    uint8_t noise[64];

    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 37);
    rng_init();
    assert_int_equal(rng_add(span_of(noise, sizeof(noise)), 512), OK);
}

static void record(struct tls *t, const struct x509_demand *d, const char *options, struct transcript *ret)
{
    struct tlspeer p = tlspeer_start("viaica", options);

    same_random_numbers();
    ret->n = 0;
    assert_int_equal(tls_start(t, &roots, d), OK);
    while (tls_step(t) == TLS_HANDSHAKE) {
        struct span out = tls_send_peek(t);
        uint8_t in[256];
        ssize_t n;

        assert_int_equal(write(p.sock, out.p, out.n), (ssize_t)out.n);
        tls_send_done(t, out.n);
        poll(&(struct pollfd){.fd = p.sock, .events = POLLIN}, 1, 1000);
        n = read(p.sock, in, sizeof(in));
        assert_true(n > 0 && ret->n + (size_t)n < sizeof(ret->bytes));
        assert_int_equal(tls_recv(t, span_of(in, (size_t)n)), (size_t)n);
        memcpy(ret->bytes + ret->n, in, (size_t)n);
        ret->n += (size_t)n;
    }
    assert_int_equal(t->state, TLS_OPEN);
    tls_stop(t);
    tlspeer_stop(&p);
}

/* Plays the bytes to a new engine, then the end of the transport. The fault's code. */
static enum err replay(struct tls *t, const struct x509_demand *d, struct span bytes)
{
    enum err e;

    same_random_numbers();
    e = tls_start(t, &roots, d);
    while (e == OK && tls_step(t) == TLS_HANDSHAKE) {
        size_t n = tls_recv(t, bytes);

        tls_send_done(t, tls_send_peek(t).n);
        bytes = span_sub(bytes, n, bytes.n);
        if (n == 0)
            tls_recv_eof(t);
    }
    if (e == OK)
        e = t->fault.code;
    return e;
}

static void fail_each_allocation(struct tls *t, const struct x509_demand *d, const struct transcript *good)
{
    const size_t stride = getenv("JOINBOOT_THOROUGH") != NULL ? 1 : 29;
    size_t used = crypto_heap_used(), calls, n;

    crypto_heap_fail_at(0);
    calls = crypto_heap_calls();
    assert_int_equal(replay(t, d, span_of(good->bytes, good->n)), OK);
    calls = crypto_heap_calls() - calls;
    tls_stop(t);
    for (n = 1; n <= calls; n += stride) {
        enum err e;

        crypto_heap_fail_at(n);
        e = replay(t, d, span_of(good->bytes, good->n));
        crypto_heap_fail_at(0);
        if (e != ERR_NOMEM && e != OK)
            fail_msg("allocation %zu: %s: %s", n, err_name(e), t->fault.text);
        if (e == OK && t->state != TLS_OPEN)
            fail_msg("allocation %zu: no error", n);
        tls_stop(t);
        if (crypto_heap_used() != used)
            fail_msg("allocation %zu: %zu bytes leaked", n, crypto_heap_used() - used);
    }
    print_message("each %zu. of %zu allocations of a handshake and check failed in turn\n", stride, calls);
}

static const char *const options[] = {"-tls1_3 -cert_chain viaica.chain", "-tls1_2 -cert_chain viaica.chain"};

/* After the handshake: the end without close_notify is an end that is not clean, and a forged record ends everything. */
static void cut_off_data(struct tls *t, const struct x509_demand *d, const struct transcript *good,
                         bool forged)
{
    static const uint8_t record_of_zeros[5 + 32] = {0x17, 3, 3, 0, 32};
    uint8_t byte;
    size_t n = 99;

    assert_int_equal(replay(t, d, span_of(good->bytes, good->n)), OK);
    assert_int_equal(t->state, TLS_OPEN);
    assert_int_equal(tls_read(t, &byte, 1, &n), OK);
    assert_int_equal(n, 0);
    if (forged)
        assert_int_equal(tls_recv(t, span_of(record_of_zeros, sizeof(record_of_zeros))),
                         sizeof(record_of_zeros));
    else
        tls_recv_eof(t);
    assert_int_equal(tls_read(t, &byte, 1, &n), forged ? ERR_TLS : ERR_CLOSED);
    assert_int_equal(t->state, forged ? TLS_FAILED : TLS_CLOSED);
    assert_false(t->peer_closed);
    assert_int_equal(tls_read(t, &byte, 1, &n), forged ? ERR_TLS : ERR_CLOSED);
    tls_stop(t);
}

static void test_cut_off(void **state)
{
    static struct tls t;
    static struct transcript good;
    struct x509_demand d = tlspeer_demand("server.test");

    (void)state;
    for (size_t i = 0; i < COUNT(options); i++) {
        record(&t, &d, options[i], &good);
        for (size_t n = 0; n < good.n; n += n < 200 ? 1 : 23) { /* cut off anywhere: never open */
            enum err e = replay(&t, &d, span_of(good.bytes, n));

            if (e != ERR_CLOSED || t.state != TLS_FAILED)
                fail_msg("cut at %zu: %s", n, err_name(e));
            tls_stop(&t);
        }
        cut_off_data(&t, &d, &good, false);
        cut_off_data(&t, &d, &good, true);
    }
}

static void test_allocation_failures(void **state)
{
    static struct tls t;
    static struct transcript good;
    struct x509_demand d = tlspeer_demand("server.test");

    (void)state;
    for (size_t i = 0; i < COUNT(options); i++) {
        record(&t, &d, options[i], &good);
        fail_each_allocation(&t, &d, &good);
    }
}

/* Warnings, empty records and junk before the handshake: each turn eats at most what fits into the engine's buffer. */
static void test_floods(void **state)
{
    static const struct {
        const char *name;
        uint8_t record[8];
        size_t n;
    } floods[] = {
        {"warning no_renegotiation", {0x15, 3, 3, 0, 2, 1, 100}, 7},
        {"warning user_canceled", {0x15, 3, 3, 0, 2, 1, 90}, 7},
        {"change_cipher_spec", {0x14, 3, 3, 0, 1, 1}, 6},
        {"empty handshake record", {0x16, 3, 3, 0, 0}, 5},
        {"empty application data", {0x17, 3, 3, 0, 0}, 5},
        {"plain http", {'H', 'T', 'T', 'P', '/', '1', '.', '1'}, 8},
        {"zeros", {0}, 8},
    };
    static uint8_t bytes[TLS_IN_SIZE];
    static struct tls t;
    struct x509_demand d = tlspeer_demand("server.test");

    (void)state;
    for (size_t i = 0; i < COUNT(floods); i++) {
        unsigned turns = 0;

        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = floods[i].record[k % floods[i].n];
        assert_int_equal(tls_start(&t, &roots, &d), OK);
        while (turns < 50 && tls_step(&t) == TLS_HANDSHAKE) {
            assert_true(tls_recv(&t, span_of(bytes, sizeof(bytes) / floods[i].n * floods[i].n)) <=
                        TLS_IN_SIZE);
            tls_send_done(&t, tls_send_peek(&t).n);
            turns++;
        }
        assert_true(t.state == TLS_FAILED ? t.fault.code == ERR_TLS : turns == 50);
        print_message("%s: %u turns, %s\n", floods[i].name, turns,
                      t.state == TLS_FAILED ? t.fault.text : "still waiting");
        tls_stop(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_floods),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
