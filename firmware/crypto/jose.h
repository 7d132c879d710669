/*
 * jose.h - the small part of JOSE that joinboot uses: JWS compact (RFC 7515) with ES256 (RFC 7518 section 3.4, r||s), JWK thumbprints
 * (RFC 7638), and the detached HS256 signature of a bootstrap token (Kubernetes' cluster-info).
 */
#ifndef JOINBOOT_CRYPTO_JOSE_H
#define JOINBOOT_CRYPTO_JOSE_H

#include "firmware/crypto/hash.h"

enum { JOSE_SIG = 64, JOSE_THUMBPRINT_TEXT = 43 };

/* A public key on P-256. x and y are big-endian. */
struct jose_key {
    uint8_t x[32];
    uint8_t y[32];
};

/* Reads {"kty":"EC","crv":"P-256","x":"..","y":".."} in any order. If `alg`, `use` or `key_ops` are there they must allow ES256
 * verification; other members are ignored, but not `d` or `k`: a private key has no business here. No member twice, no escapes in names or
 * values. The point must lie on the curve. ERR_INPUT otherwise; ERR_STATE before crypto_start(). RFC 7517, RFC 7518 section 6.2. */
enum err jose_key_parse(struct span jwk, struct jose_key *ret) MUST_USE;
/* Appends the JWK in RFC 7638's canonical form {"crv":..,"kty":..,"x":..,"y":..}. */
void jose_key_put(struct buf *ret, const struct jose_key *key);
/* base64url(SHA-256(canonical JWK)), 43 characters and a zero. */
enum err jose_thumbprint(const struct jose_key *key, char ret[static JOSE_THUMBPRINT_TEXT + 1]) MUST_USE;

/* A key pair on P-256. Whoever holds one wipes it. */
struct jose_secret {
    struct jose_key pub;
    uint8_t d[32];
};
/* A new pair from rng.h. ERR_STATE before crypto_start(), ERR_NOMEM, ERR_ENTROPY. */
enum err jose_generate(struct jose_secret *ret) MUST_USE;
/* The pair of a private number. ERR_INPUT unless it is from 1 to n - 1; ERR_STATE, ERR_NOMEM. */
enum err jose_secret_of(const uint8_t d[static 32], struct jose_secret *ret) MUST_USE;

/* True for base64url without padding and without spare bits (which would give one value several texts); not for an empty text. */
bool jose_is_b64url(struct span s) MUST_USE;

/* The three parts of a compact JWS, as text that points into the JWS. */
struct jose_compact {
    struct span header;
    struct span payload;
    struct span signature;
    struct span signing_input; /* header.payload */
};
/* ERR_CONFIG_ENVELOPE unless there are exactly three non-empty parts, each base64url without padding and without spare bits. */
enum err jose_split(struct span jws, struct jose_compact *ret) MUST_USE;

/* Appends the one exact protected header {"alg":"ES256","kid":"<thumbprint>","typ":"<typ>"} of a key and a kind of object, base64url. */
enum err jose_header_put(struct buf *ret, const struct jose_key *key, const char *typ) MUST_USE;

/* ES256 over the exact bytes. ERR_CONFIG_SIGNATURE if it does not verify or the key is not a point of the curve; r or s of 0 or >= n are
 * refused. ERR_NOMEM, ERR_STATE before crypto_start(). */
enum err jose_es256_verify(const struct jose_key *key, struct span data,
                           const uint8_t sig[static JOSE_SIG]) MUST_USE;

/* Kubernetes' detached JWS (KUBEADM.md, Discovery): `jws` must equal h..sig with h = base64url of exactly {"alg":"HS256","kid":"<id>"} and
 * sig = base64url(HMAC-SHA-256(secret, h "." base64url(content))). Compared as whole strings in constant time. `scratch` holds the signing
 * input behind what it has already: at least 4/3 of content plus 128 bytes; it is left as it was. ERR_DISCOVER_JWS if the JWS differs,
 * ERR_INPUT if id and secret are not [a-z0-9]{6} and [a-z0-9]{16}, ERR_LIMIT if scratch is too small. */
enum err jose_hs256_detached(struct span jws, struct span token_id, struct span secret, struct span content,
                             struct buf *scratch) MUST_USE;

#endif
