/*
 * jwe_parts.h - the steps of jwe.h, shared by opening (jwe.c), sealing (jwe_tool.c) and tests.
 */
#ifndef JOINBOOT_CRYPTO_JWE_PARTS_H
#define JOINBOOT_CRYPTO_JWE_PARTS_H

#include "firmware/crypto/jwe.h"

enum { JWE_HEADER_MAX = 320, JWE_KEY = 32 };

/* Appends the protected header, not yet base64url. */
void jwe_header_put(struct buf *ret, const struct jose_key *epk, const char *kid);

/* Z of ECDH: the x-coordinate of d times the other side's point (RFC 7518 section 4.6, NIST SP 800-56A). ERR_SEAL_POINT if that is not on the curve. */
enum err jwe_agree(const uint8_t d[static 32], const struct jose_key *other,
                   uint8_t ret_z[static 32]) MUST_USE;

/* Concat KDF with SHA-256 for keys of at most 256 bits, which is one round (RFC 7518 section 4.6.2). alg, apu and apv without their lengths. */
enum err jwe_derive(const uint8_t z[static 32], struct span alg, struct span apu, struct span apv,
                    uint32_t bits, uint8_t ret_key[static JWE_KEY]) MUST_USE;

/* AES-GCM with a tag of 128 bits, in place: n bytes of plaintext, the tag behind them. `size` of the key: 16 or 32 bytes. */
enum err jwe_gcm_open(struct span key, const uint8_t iv[static JWE_IV], struct span aad, uint8_t *data,
                      size_t n) MUST_USE;
enum err jwe_gcm_seal(struct span key, const uint8_t iv[static JWE_IV], struct span aad, uint8_t *data,
                      size_t n) MUST_USE;

#endif
