/*
 * jose_jwk.h - the reader behind jose_key_parse() and what jose_tool.h parses.
 */
#ifndef JOINBOOT_CRYPTO_JOSE_JWK_H
#define JOINBOOT_CRYPTO_JOSE_JWK_H

#include "firmware/crypto/jose.h"

/* ES256 with a public and with a private key, ECDH-ES with a public and with a private one. */
enum jose_jwk_purpose { JOSE_JWK_VERIFY, JOSE_JWK_SIGN, JOSE_JWK_SEAL, JOSE_JWK_UNSEAL };

/* Where the purpose wants a private key there must be a `d`, which goes to ret_d; else there must be none and ret_d may be NULL. That d fits x and y
 * is not checked. If `alg`, `use` or `key_ops` are there, each must allow the purpose. ERR_INPUT otherwise; ERR_STATE before crypto_start(). */
enum err jose_jwk_read(struct span jwk, enum jose_jwk_purpose purpose, struct jose_key *ret,
                       uint8_t ret_d[32]) MUST_USE;

#endif
