/*
 * test_hash.c - SHA-256 and HMAC-SHA-256 against FIPS 180-4 and RFC 4231, and the heap under mbedTLS.
 */
#include "tests/unit/testcrypto.h"

#include <stdlib.h>

#include "firmware/crypto/hash.h"
#include "firmware/crypto/heap.h"

static void check_sha256(struct span data, const char *hex, int line)
{
    uint8_t out[HASH_SIZE];

    if (hash_sha256(data, out) != OK || memcmp(out, testcrypto_hex(hex).p, HASH_SIZE) != 0)
        fail_msg("line %d", line);
}

static void test_sha256(void **state)
{
    static uint8_t million[1000000];

    (void)state;
    check_sha256(span_of(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                 __LINE__);
    check_sha256(SPAN_LIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                 __LINE__);
    check_sha256(SPAN_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", __LINE__);
    memset(million, 'a', sizeof(million));
    check_sha256(span_of(million, sizeof(million)),
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", __LINE__);
}

static void test_parts(void **state)
{
    const struct span parts[] = {SPAN_LIT("a"), {NULL, 0}, SPAN_LIT("bc")};
    uint8_t whole[HASH_SIZE], joined[HASH_SIZE];

    (void)state;
    assert_int_equal(hash_sha256(SPAN_LIT("abc"), whole), OK);
    assert_int_equal(hash_sha256_parts(parts, COUNT(parts), joined), OK);
    assert_memory_equal(whole, joined, HASH_SIZE);
    assert_int_equal(hash_hmac_sha256(SPAN_LIT("key"), SPAN_LIT("abc"), whole), OK);
    assert_int_equal(hash_hmac_sha256_parts(SPAN_LIT("key"), parts, COUNT(parts), joined), OK);
    assert_memory_equal(whole, joined, HASH_SIZE);
}

/* RFC 4231 section 4. A key or data is one byte repeated, or text. */
static const struct {
    int line;
    uint8_t key_byte, data_byte;
    size_t key_n, data_n;
    const char *key, *data, *mac;
} rfc4231[] = {
    {__LINE__, 0x0b, 0, 20, 0, NULL, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {__LINE__, 0, 0, 0, 0, "Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {__LINE__, 0xaa, 0xdd, 20, 50, NULL, NULL,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {__LINE__, 0xaa, 0, 131, 0, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {__LINE__, 0xaa, 0, 131, 0, NULL,
     "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used "
     "by the HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static void test_hmac(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rfc4231); i++) {
        uint8_t key[131], data[50], out[HASH_SIZE];
        struct span k = span_of(key, rfc4231[i].key_n), d = span_of(data, rfc4231[i].data_n);

        memset(key, rfc4231[i].key_byte, sizeof(key));
        memset(data, rfc4231[i].data_byte, sizeof(data));
        if (rfc4231[i].key != NULL)
            k = span_str(rfc4231[i].key);
        if (rfc4231[i].data != NULL)
            d = span_str(rfc4231[i].data);
        if (hash_hmac_sha256(k, d, out) != OK ||
            memcmp(out, testcrypto_hex(rfc4231[i].mac).p, HASH_SIZE) != 0)
            fail_msg("vector of line %d", rfc4231[i].line);
    }
}

static void assert_filled(const uint8_t *p, size_t n, uint8_t with)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i], with);
}

/* Random allocations and frees: pieces are zeroed, aligned, do not overlap, and all memory comes back. */
static void test_heap_random(void **state)
{
    enum { SLOTS = 64, SIZE = 64 * 1024 };
    static _Alignas(16) uint8_t block[SIZE];
    uint8_t *slot[SLOTS] = {0};
    size_t size[SLOTS] = {0};
    unsigned failures = 0;

    (void)state;
    srand(1);
    assert_int_equal(heap_init(block + 1, sizeof(block) - 1), OK);
    for (unsigned round = 0; round < 200000; round++) {
        unsigned i = (unsigned)rand() % SLOTS;

        if (slot[i] != NULL) {
            assert_filled(slot[i], size[i], (uint8_t)i);
            heap_give(slot[i]);
            slot[i] = NULL;
            continue;
        }
        size[i] = 1 + (size_t)rand() % (round % 50 == 0 ? 9000 : 600);
        slot[i] = heap_take(size[i]);
        failures += slot[i] == NULL;
        if (slot[i] == NULL)
            continue;
        assert_int_equal((uintptr_t)slot[i] % 16, 0);
        assert_true(slot[i] > block && slot[i] + size[i] <= block + sizeof(block));
        assert_filled(slot[i], size[i], 0);
        memset(slot[i], (int)i, size[i]);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        heap_give(slot[i]);
    assert_int_equal(heap_used(), 0);
    assert_true(heap_peak() > 20000 && heap_peak() <= sizeof(block));
    print_message("heap: %u of 100000 allocations found no room, peak %zu\n", failures, heap_peak());
    assert_non_null(heap_take(sizeof(block) - 128)); /* all pieces were joined again */
}

static void test_heap_edges(void **state)
{
    static _Alignas(16) uint8_t block[4096];
    static const uint8_t secret[40] = "the last part lies behind the links";
    uint8_t *a, *b;

    (void)state;
    assert_int_equal(heap_init(block, 255), ERR_LIMIT);
    assert_int_equal(heap_init(NULL, 4096), ERR_LIMIT);
    assert_int_equal(heap_init(block, sizeof(block)), OK);
    assert_null(heap_take(0));
    assert_null(heap_take(sizeof(block)));
    assert_null(heap_take(SIZE_MAX));
    assert_null(heap_take(SIZE_MAX - 15));
    heap_give(NULL);
    heap_fail_at(2);
    a = heap_take(sizeof(secret));
    assert_non_null(a);
    assert_null(heap_take(10));
    b = heap_take(10);
    assert_non_null(b);
    memcpy(a, secret, sizeof(secret));
    heap_give(a);
    assert_null(memmem(block, sizeof(block), secret + 20, 12)); /* freed memory is wiped */
    heap_give(b);
    assert_int_equal(heap_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),      cmocka_unit_test(test_parts),      cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_heap_random), cmocka_unit_test(test_heap_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
