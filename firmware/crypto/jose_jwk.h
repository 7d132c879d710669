/*
 * jose_jwk.h - the reader behind jose_key_parse() and jose_secret_parse().
 */
#ifndef JOINBOOT_CRYPTO_JOSE_JWK_H
#define JOINBOOT_CRYPTO_JOSE_JWK_H

#include "firmware/crypto/jose.h"

/* `private`: there must be a `d`, which goes to ret_d; else there must be none and ret_d may be NULL. That d fits x and y is not checked. */
enum err jose_jwk_read(struct span jwk, bool private, struct jose_key *ret, uint8_t ret_d[32]) MUST_USE;

#endif
