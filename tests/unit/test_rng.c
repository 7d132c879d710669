/*
 * test_rng.c - the random source: nothing before 256 credited bits, health tests, and that every input changes the output.
 */
#include "tests/unit/testcrypto.h"

#include <stdlib.h>

#include "firmware/crypto/crypto.h"
#include "firmware/crypto/hash.h"
#include "firmware/crypto/rng.h"

/* Reproducible noise that looks random. */
static struct span noise(unsigned seed, size_t n)
{
    static uint8_t store[8192];
    uint8_t block[HASH_SIZE];

    assert_true(n <= sizeof(store));
    for (size_t i = 0; i < n; i += HASH_SIZE) {
        unsigned in[2] = {seed, (unsigned)i};

        assert_int_equal(hash_sha256(span_of(in, sizeof(in)), block), OK);
        memcpy(store + i, block, n - i < HASH_SIZE ? n - i : HASH_SIZE);
    }
    return span_of(store, n);
}

static void test_nothing_before_256_bits(void **state)
{
    static uint8_t heap[4096];
    uint8_t out[32], untouched[32];

    (void)state;
    rng_init();
    memset(out, 0xee, sizeof(out));
    memset(untouched, 0xee, sizeof(untouched));
    assert_int_equal(rng_bytes(out, sizeof(out)), ERR_ENTROPY);
    assert_int_equal(crypto_start(heap, sizeof(heap)), ERR_ENTROPY);
    assert_int_equal(rng_add(noise(1, 32), 255), OK);
    rng_mix(noise(2, 64)); /* credited nothing */
    assert_false(rng_ready());
    assert_int_equal(rng_bytes(out, sizeof(out)), ERR_ENTROPY);
    assert_int_equal(rng_next_seed(out), ERR_ENTROPY);
    assert_int_equal(rng_u32(), 0);
    assert_memory_equal(out, untouched, sizeof(out));
    assert_int_equal(rng_add(noise(3, 1), 1), OK);
    assert_true(rng_ready());
    assert_int_equal(rng_bytes(out, sizeof(out)), OK);
    assert_memory_not_equal(out, untouched, sizeof(out));
}

static void test_claims_are_capped(void **state)
{
    (void)state;
    rng_init();
    assert_int_equal(rng_add(noise(1, 16), UINT32_MAX), OK); /* 16 bytes are at most 128 bits */
    assert_false(rng_ready());
    assert_int_equal(rng_add(noise(2, 16), 4096), OK);
    assert_true(rng_ready());
}

static void test_stuck_source(void **state)
{
    static const uint8_t stuck[4096] = {0};

    (void)state;
    rng_init();
    assert_int_equal(rng_add(span_of(stuck, sizeof(stuck)), 256), ERR_ENTROPY);
    assert_false(rng_ready());
    rng_init();
    for (unsigned i = 0; i < 400; i++) { /* one byte at a time: runs are seen across calls */
        enum err e = rng_add(span_of(stuck, 1), 8);

        assert_int_equal(e, i < 4 ? OK : ERR_ENTROPY);
    }
    assert_false(rng_ready());
}

static void test_biased_source(void **state)
{
    uint8_t biased[2048];

    (void)state;
    memcpy(biased, noise(7, sizeof(biased)).p, sizeof(biased));
    for (size_t i = 0; i < sizeof(biased); i += 2)
        biased[i] = 0x41; /* half of all bytes, never two in a row: only the proportion test sees it */
    for (size_t i = 1; i < sizeof(biased); i += 2)
        biased[i] |= 0x80;
    rng_init();
    assert_int_equal(rng_add(span_of(biased, sizeof(biased)), 8 * sizeof(biased)), ERR_ENTROPY);
    assert_false(rng_ready());
    rng_init(); /* the same bytes are fine for a source that claims half a bit each */
    assert_int_equal(rng_add(span_of(biased, sizeof(biased)), sizeof(biased) / 2), OK);
    assert_true(rng_ready());
}

/* Good noise passes at every claim, and a failing piece does not spoil later ones for ever. */
static void test_good_source(void **state)
{
    static const uint8_t stuck[16] = {0};

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        rng_init();
        assert_int_equal(rng_add(noise(i, 512), 4096 >> (i % 8)), OK);
    }
    rng_init();
    assert_int_equal(rng_add(span_of(stuck, sizeof(stuck)), 128), ERR_ENTROPY);
    assert_int_equal(rng_add(noise(1, 64), 512), OK);
    assert_true(rng_ready());
}

static void start_with(unsigned seed, struct span mixed)
{
    rng_init();
    rng_mix(mixed);
    assert_int_equal(rng_add(noise(seed, 64), 512), OK);
}

static void test_inputs_change_output(void **state)
{
    uint8_t a[48], b[48];

    (void)state;
    start_with(1, SPAN_LIT("serial"));
    assert_int_equal(rng_bytes(a, sizeof(a)), OK);
    start_with(1, SPAN_LIT("serial"));
    assert_int_equal(rng_bytes(b, sizeof(b)), OK);
    assert_memory_equal(a, b, sizeof(a));
    start_with(1, SPAN_LIT("another"));
    assert_int_equal(rng_bytes(b, sizeof(b)), OK);
    assert_memory_not_equal(a, b, sizeof(a));
    start_with(2, SPAN_LIT("serial"));
    assert_int_equal(rng_bytes(b, sizeof(b)), OK);
    assert_memory_not_equal(a, b, sizeof(a));
    start_with(1, SPAN_LIT("serial"));
    rng_mix(SPAN_LIT("late")); /* after the DRBG runs */
    assert_int_equal(rng_bytes(b, sizeof(b)), OK);
    assert_memory_not_equal(a, b, sizeof(a));
    start_with(1, SPAN_LIT("serial"));
    assert_int_equal(rng_add(noise(9, 8), 64), OK);
    assert_int_equal(rng_bytes(b, sizeof(b)), OK);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void test_no_repetition(void **state)
{
    enum { N = 4096 };
    static uint32_t seen[N];
    uint8_t seed_a[RNG_SEED_SIZE], seed_b[RNG_SEED_SIZE];
    static uint8_t large[70000];
    unsigned ones = 0;

    (void)state;
    start_with(1, SPAN_LIT(""));
    assert_int_equal(rng_next_seed(seed_a), OK);
    assert_int_equal(rng_next_seed(seed_b), OK);
    assert_memory_not_equal(seed_a, seed_b, sizeof(seed_a));
    for (unsigned i = 0; i < N; i++)
        seen[i] = rng_u32();
    for (unsigned i = 0; i < N; i++)
        for (unsigned k = 0; k < i; k++)
            if (seen[i] == seen[k] && i - k < 3)
                fail_msg("%u and %u are equal", k, i);
    assert_int_equal(rng_bytes(large, sizeof(large)), OK); /* more than one request's worth */
    for (size_t i = 0; i < sizeof(large); i++)
        ones += (unsigned)__builtin_popcount(large[i]);
    assert_true(ones > 278000 && ones < 282000);
    assert_memory_not_equal(large, large + 65536, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_before_256_bits),
        cmocka_unit_test(test_claims_are_capped),
        cmocka_unit_test(test_stuck_source),
        cmocka_unit_test(test_biased_source),
        cmocka_unit_test(test_good_source),
        cmocka_unit_test(test_inputs_change_output),
        cmocka_unit_test(test_no_repetition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
