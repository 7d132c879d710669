/*
 * verify.h - the signature, and nothing else, before anything is parsed. Only verify.c can make a struct verified.
 */
#ifndef JOINBOOT_CONFIG_VERIFY_H
#define JOINBOOT_CONFIG_VERIFY_H

#include "config/site.h"
#include "firmware/base/arena.h"

#define VERIFY_TYP_BUNDLE "joinboot-nodejoin+jws"

struct verified; /* incomplete on purpose */

/* Tries each trusted key on the exact bytes; the protected header must equal the one byte string of that key and VERIFY_TYP_BUNDLE. The decoded
 * payload lies in the arena. ERR_CONFIG_ENVELOPE, ERR_CONFIG_KEY (kid is of no trusted key), ERR_CONFIG_HEADER, ERR_CONFIG_SIGNATURE. */
enum err verify_bundle(struct span bundle, const struct site *site, struct arena *arena,
                       const struct verified **ret, struct fault *f) MUST_USE;

struct span verified_payload(const struct verified *v);
/* SHA-256 of what is signed: header, dot, payload. A bundle is known by it. */
const uint8_t *verified_digest(const struct verified *v);
/* Index of the trusted key in the site configuration. */
unsigned verified_key(const struct verified *v);

#endif
