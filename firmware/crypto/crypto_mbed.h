/*
 * crypto_mbed.h - what the files that call mbedTLS and PSA share. Included by firmware/crypto/[a-z]*.c only.
 */
#ifndef JOINBOOT_CRYPTO_CRYPTO_MBED_H
#define JOINBOOT_CRYPTO_CRYPTO_MBED_H

#include <psa/crypto.h>

#include "firmware/crypto/crypto.h"

/* True after crypto_start(). */
bool crypto_started(void);

/* A user of PSA's key store with keys of its own (a TLS engine) begins and ends. mbedTLS forgets to destroy a key when memory runs out in the
 * middle of a TLS 1.3 handshake (ssl_tls13_keys.c); `failed` says that an allocation failed meanwhile, and then the key store is emptied
 * as soon as nobody uses it. */
void crypto_user_begin(void);
void crypto_user_end(bool failed);

/* The time of day that mbedTLS sees until the next call. mbedTLS has one clock per process, so x509.c sets it before each verification. */
void crypto_set_time(int64_t unix_s);

/* ERR_NOMEM, ERR_ENTROPY, or `other` for everything else that is not PSA_SUCCESS. */
enum err crypto_psa_err(psa_status_t status, enum err other) MUST_USE;

/* A public P-256 key for ECDSA with SHA-256; psa_destroy_key() it. `otherwise` if the point is not on the curve. */
enum err crypto_p256_public(const uint8_t xy[static 64], enum err otherwise, psa_key_id_t *ret) MUST_USE;

#endif
