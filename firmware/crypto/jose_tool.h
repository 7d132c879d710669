/*
 * jose_tool.h - the signer's half of jose.h: linked into joinctl and tests, never into the agent.
 */
#ifndef JOINBOOT_CRYPTO_JOSE_TOOL_H
#define JOINBOOT_CRYPTO_JOSE_TOOL_H

#include "firmware/crypto/jose.h"

/* Appends the private JWK, with d. */
void jose_secret_put(struct buf *ret, const struct jose_secret *key);
/* As jose_key_parse(), but with a `d`, which must belong to x and y, and allowed to sign. ERR_INPUT otherwise. */
enum err jose_secret_parse(struct span jwk, struct jose_secret *ret) MUST_USE;
/* The same for a device key, that bundles are sealed to: `alg`, `use` and `key_ops` must allow ECDH-ES. */
enum err jose_device_parse(struct span jwk, struct jose_key *ret) MUST_USE;
enum err jose_device_secret_parse(struct span jwk, struct jose_secret *ret) MUST_USE;
/* ES256 over the bytes: r || s. ERR_INPUT if d is not in [1, n-1]. */
enum err jose_es256_sign(const struct jose_secret *key, struct span data,
                         uint8_t ret_sig[static JOSE_SIG]) MUST_USE;
/* Appends header.payload.signature, with the header of jose_header_put(). ERR_LIMIT if ret is too small (it may then hold a part). */
enum err jose_sign_compact(const struct jose_secret *key, const char *typ, struct span payload,
                           struct buf *ret) MUST_USE;

#endif
