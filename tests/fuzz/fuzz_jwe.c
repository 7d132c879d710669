/*
 * fuzz_jwe.c - any bytes as a sealed document, and as what is in one.
 *
 * The input is tried as a JWE in text. It is also cut in two, a header and the rest, which are put into the right form, so that the fuzzer comes as far
 * as the curve and the tag. Promises besides memory errors: nothing but what this key sealed is opened, on failure the buffer is as it was, and
 * mbedTLS' heap is as it was.
 */
#include <stdlib.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"
#include "firmware/crypto/jwe_parts.h"
#include "firmware/crypto/rng.h"

enum { ROOM = 8192, MARK = 0xa7 };

static struct jose_secret device;
static char kid[JOSE_THUMBPRINT_TEXT + 1];

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
    uint8_t noise[64], d[32] = {1};

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 37);
    must(rng_add(span_of(noise, sizeof(noise)), 512) == OK);
    must(crypto_start(heap, sizeof(heap)) == OK);
    must(jose_secret_of(d, &device) == OK);
    must(jose_thumbprint(&device.pub, kid) == OK);
    return 0;
}

/* No forgery succeeds; what is refused leaves nothing behind. */
static void try(struct span jwe)
{
    static uint8_t room[ROOM];
    struct buf out = {.p = room, .n = 1, .cap = sizeof(room)};
    char named[JOSE_THUMBPRINT_TEXT + 1];
    size_t used = crypto_heap_used();
    enum err looked = jwe_look(jwe, named), e;

    room[0] = MARK;
    e = jwe_open(jwe, &device, &out);
    must(e != OK && out.n == 1 && room[0] == MARK && crypto_heap_used() == used);
    must(looked == OK || looked == e);
}

/* Bytes 0 ... 63 are the ephemeral key, then the iv, then ciphertext and tag. */
static void try_parts(struct span s)
{
    static uint8_t text[ROOM], header_text[JWE_HEADER_MAX];
    struct buf b = BUF_OF(text), header = BUF_OF(header_text);
    struct jose_key epk;
    size_t n = s.n - 64 - JWE_IV - JWE_TAG;

    memcpy(epk.x, s.p, 32);
    memcpy(epk.y, s.p + 32, 32);
    jwe_header_put(&header, &epk, kid);
    text_b64url_put(&b, buf_span(&header));
    buf_str(&b, "..");
    text_b64url_put(&b, span_sub(s, 64, JWE_IV));
    buf_str(&b, ".");
    text_b64url_put(&b, span_sub(s, 64 + JWE_IV, n));
    buf_str(&b, ".");
    text_b64url_put(&b, span_sub(s, 64 + JWE_IV + n, JWE_TAG));
    must(!b.overflow);
    try(buf_span(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = span_of(data, size);

    try(s);
    if (size > 64 + JWE_IV + JWE_TAG && size < ROOM / 2)
        try_parts(s);
    return 0;
}
