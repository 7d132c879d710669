/*
 * fuzz_jose.c - any bytes as a JWK and as a compact JWS.
 *
 * Besides memory errors it looks for broken promises: a key that was read is the same after writing and reading it again, the parts of a JWS
 * lie in it and are base64url, and mbedTLS' heap is as it was.
 */
#include <stdlib.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/jose.h"
#include "firmware/crypto/rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void must(bool promise)
{
    if (!promise)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static _Alignas(16) uint8_t heap[64 * 1024];
    uint8_t noise[64];

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 37);
    must(rng_add(span_of(noise, sizeof(noise)), 512) == OK);
    must(crypto_start(heap, sizeof(heap)) == OK);
    return 0;
}

static void split(struct span jws)
{
    struct jose_compact c;
    uint8_t *room;

    if (jose_split(jws, &c) != OK)
        return;
    must(c.header.n + c.payload.n + c.signature.n + 2 == jws.n &&
         c.signing_input.n == c.header.n + 1 + c.payload.n);
    room = malloc(jws.n);
    must(room != NULL);
    for (unsigned i = 0; i < 3; i++) {
        struct buf b = {.p = room, .cap = jws.n};

        must(text_b64url(i == 0 ? c.header : i == 1 ? c.payload : c.signature, &b) == OK);
    }
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jose_key key, again;
    uint8_t text[256];
    struct buf b = BUF_OF(text);
    size_t used = crypto_heap_used();

    split(span_of(data, size));
    if (jose_key_parse(span_of(data, size), &key) == OK) {
        jose_key_put(&b, &key);
        must(jose_key_parse(buf_span(&b), &again) == OK && memcmp(&key, &again, sizeof(key)) == 0);
    }
    must(crypto_heap_used() == used);
    return 0;
}
