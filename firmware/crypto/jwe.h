/*
 * jwe.h - the one form of JWE (RFC 7516) that joinboot uses: compact, ECDH-ES on P-256 (RFC 7518 section 4.6), A256GCM.
 *
 *   BASE64URL(header) ".." BASE64URL(iv) "." BASE64URL(ciphertext) "." BASE64URL(tag)
 *
 * The encrypted key is empty (direct agreement), iv has 12 bytes, tag 16. The header is one exact byte string with three slots of 43 characters:
 *
 *   {"alg":"ECDH-ES","enc":"A256GCM","epk":{"crv":"P-256","kty":"EC","x":"X","y":"Y"},"kid":"KID"}
 *
 * X and Y are the sender's ephemeral key, KID is the recipient's RFC 7638 thumbprint. apu and apv are absent and so empty.
 */
#ifndef JOINBOOT_CRYPTO_JWE_H
#define JOINBOOT_CRYPTO_JWE_H

#include "firmware/crypto/jose.h"

enum { JWE_IV = 12, JWE_TAG = 16 };

/* What can be said without the key: form, header, and to whom it is sealed. Nothing is computed with epk. ERR_SEAL_FORM (parts, base64url,
 * encrypted key, iv), ERR_SEAL_TAG (its length), ERR_SEAL_HEADER. */
enum err jwe_look(struct span jwe, char ret_kid[static JOSE_THUMBPRINT_TEXT + 1]) MUST_USE;

/* Appends the plaintext. On failure *ret is as it was, and nothing of the plaintext is left behind its end. ret needs room for the plaintext
 * and JWE_TAG bytes more: ERR_LIMIT. Besides jwe_look()'s: ERR_SEAL_RECIPIENT (kid is of another key), ERR_SEAL_POINT (epk is not on the
 * curve), ERR_SEAL_CHANGED (header, iv, ciphertext or tag is not what was sealed), ERR_NOMEM, ERR_STATE before crypto_start(). */
enum err jwe_open(struct span jwe, const struct jose_secret *key, struct buf *ret) MUST_USE;

#endif
