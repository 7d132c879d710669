/*
 * rng.h - the one random source of the process: collects a board's noise, tests it, conditions it, and runs a DRBG.
 *
 * Noise passes the repetition-count and adaptive-proportion tests of NIST SP 800-90B section 4.4, is hashed together (SHA-256) with a device
 * secret, the stored seed and timer jitter, and seeds an HMAC_DRBG (SP 800-90A section 10.1.2). Nothing is given out before 256 credited bits.
 */
#ifndef JOINBOOT_CRYPTO_RNG_H
#define JOINBOOT_CRYPTO_RNG_H

#include "firmware/base/span.h"

enum { RNG_SEED_SIZE = 32 };

/* Starts anew: forgets all state. */
void rng_init(void);
/* Adds noise with the entropy that the board claims for it in bits. Failing health tests credit nothing (ERR_ENTROPY). */
enum err rng_add(struct span noise, uint32_t claimed_bits) MUST_USE;
/* Adds bytes that are credited nothing (serial number, clock, stored seed). */
void rng_mix(struct span data);
/* True once 256 bits are credited. */
bool rng_ready(void);
/* Random bytes. ERR_ENTROPY before rng_ready(). */
enum err rng_bytes(uint8_t *ret, size_t n) MUST_USE;
/* A random number for things that may not fail (TCP ports); 0 before rng_ready(). */
uint32_t rng_u32(void);
/* The next stored seed: to be made durable *before* anything else is drawn. */
enum err rng_next_seed(uint8_t ret[static RNG_SEED_SIZE]) MUST_USE;

#endif
