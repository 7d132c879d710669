/*
 * hash.h - SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). Works at any time, without crypto_start(), and allocates nothing.
 */
#ifndef JOINBOOT_CRYPTO_HASH_H
#define JOINBOOT_CRYPTO_HASH_H

#include "firmware/base/span.h"

enum { HASH_SIZE = 32 };

enum err hash_sha256(struct span data, uint8_t ret[static HASH_SIZE]) MUST_USE;
enum err hash_hmac_sha256(struct span key, struct span data, uint8_t ret[static HASH_SIZE]) MUST_USE;

/* The same over parts, as if they were joined. */
enum err hash_sha256_parts(const struct span *parts, unsigned count, uint8_t ret[static HASH_SIZE]) MUST_USE;
enum err hash_hmac_sha256_parts(struct span key, const struct span *parts, unsigned count,
                                uint8_t ret[static HASH_SIZE]) MUST_USE;

#endif
