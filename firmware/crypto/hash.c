/*
 * hash.c - see hash.h. mbedTLS' SHA-256 is called directly, so that rng.c can hash before PSA, which needs random numbers, starts.
 */
#include "firmware/crypto/hash.h"

#include <mbedtls/sha256.h>

enum { BLOCK = 64 };

/* SHA-256 over an optional block (the keyed pad of HMAC) and the parts behind it. */
static enum err sha256(const uint8_t *block, const struct span *parts, unsigned count,
                       uint8_t ret[static HASH_SIZE])
{
    mbedtls_sha256_context c;
    uint8_t out[HASH_SIZE];
    int bad;

    mbedtls_sha256_init(&c);
    bad = mbedtls_sha256_starts(&c, 0);
    if (bad == 0 && block != NULL)
        bad = mbedtls_sha256_update(&c, block, BLOCK);
    for (unsigned i = 0; i < count && bad == 0; i++)
        bad = parts[i].n == 0 ? 0 : mbedtls_sha256_update(&c, parts[i].p, parts[i].n);
    if (bad == 0)
        bad = mbedtls_sha256_finish(&c, out);
    mbedtls_sha256_free(&c);
    if (bad == 0)
        memcpy(ret, out, sizeof(out));
    wipe(out, sizeof(out));
    return bad == 0 ? OK : ERR_STATE;
}

enum err hash_sha256_parts(const struct span *parts, unsigned count, uint8_t ret[static HASH_SIZE])
{
    return sha256(NULL, parts, count, ret);
}

enum err hash_hmac_sha256_parts(struct span key, const struct span *parts, unsigned count,
                                uint8_t ret[static HASH_SIZE])
{
    uint8_t pad[BLOCK] = {0}, inner[HASH_SIZE];
    struct span inner_part = span_of(inner, sizeof(inner));
    enum err e = OK;

    if (key.n > BLOCK)
        e = sha256(NULL, &key, 1, pad);
    else if (key.n > 0)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    if (e == OK)
        e = sha256(pad, parts, count, inner);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    if (e == OK)
        e = sha256(pad, &inner_part, 1, ret);
    wipe(pad, sizeof(pad));
    wipe(inner, sizeof(inner));
    return e;
}

enum err hash_sha256(struct span data, uint8_t ret[static HASH_SIZE])
{
    return hash_sha256_parts(&data, 1, ret);
}

enum err hash_hmac_sha256(struct span key, struct span data, uint8_t ret[static HASH_SIZE])
{
    return hash_hmac_sha256_parts(key, &data, 1, ret);
}
