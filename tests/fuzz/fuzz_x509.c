/*
 * fuzz_x509.c - any bytes as a certificate: our own reading of it, and the whole check of a chain that ends in it.
 *
 * Besides memory errors it looks for broken promises: nothing is accepted without a root that signed it, a refusal has its code in the
 * fault, and mbedTLS' heap is as it was.
 */
#include <stdlib.h>

#include "firmware/crypto/crypto.h"
#include "firmware/crypto/rng.h"
#include "firmware/crypto/x509_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void must(bool promise)
{
    if (!promise)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static _Alignas(16) uint8_t heap[128 * 1024];
    uint8_t noise[64];

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 37);
    must(rng_add(span_of(noise, sizeof(noise)), 512) == OK);
    must(crypto_start(heap, sizeof(heap)) == OK);
    return 0;
}

static void read_one(struct span der, const struct x509_demand *demand)
{
    uint8_t text[256];
    struct buf names = BUF_OF(text);
    struct x509_cert c;

    if (x509_cert_read(der, &c) != OK)
        return;
    for (unsigned depth = 0; depth < 3; depth++) {
        struct fault f = {0};
        enum err e = x509_rules(&c, depth, 2, &f);

        must(f.code == e);
    }
    (void)x509_name_matches(&c, demand);
    x509_name_put(&names, &c);
    must(x509_is_ca(der) == (c.ca && c.version == 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x509_demand demand = {.host = "server.test", .now_s = 1800000000, .quality = TIME_FLOOR};
    struct span der = span_of(data, size), chain[2] = {der, der};
    struct x509_roots roots = {0};
    uint8_t pin[HASH_SIZE], pem[8192];
    struct buf storage = BUF_OF(pem);
    struct fault f = {0};
    size_t used = crypto_heap_used();
    enum err e;

    read_one(der, &demand);
    (void)!x509_spki_sha256(der, pin);
    (void)!x509_roots_add_pem(&roots, der, &storage);
    e = x509_roots_add_der(&roots, der);
    must(e != OK || x509_is_ca(der));
    if (roots.count > 0) {
        e = x509_check(chain, 2, &roots, &demand, &f);
        must(e != OK && f.code == e); /* the only certificate is a CA's, which is no server's */
    }
    must(crypto_heap_used() == used);
    return 0;
}
