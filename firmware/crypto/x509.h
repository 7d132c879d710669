/*
 * x509.h - certificates: roots, pins, and the one function that decides whether a peer's chain is good (RFC 5280, RFC 6125).
 *
 * The decision closes what mbedTLS leaves open: X.509 v3 only, subjectAltName required (common names are ignored; an IP address only matches
 * an iPAddress entry), a CA is no leaf and a leaf is no root, keyUsage and extendedKeyUsage serverAuth on the leaf, EKU on CAs respected,
 * ECDSA P-256/P-384 or RSA >= 2048 with SHA-256 or better, unknown critical extensions and name constraints refused, strict DER.
 * What it accepts although stricter readers do not is listed with reasons in tests/unit/limbo-list.inc.
 *
 * crypto_start() must have been called; ERR_STATE otherwise.
 */
#ifndef JOINBOOT_CRYPTO_X509_H
#define JOINBOOT_CRYPTO_X509_H

#include "firmware/base/fault.h"
#include "firmware/base/ip.h"
#include "firmware/crypto/hash.h"

enum { X509_ROOTS_MAX = 16, X509_CHAIN_MAX = 6, X509_DER_MAX = 8192 };

enum time_quality { TIME_FLOOR, TIME_HINT, TIME_TRUSTED };

/* What a peer must be and when. At TIME_FLOOR "not yet valid" is tolerated and expiry is judged against `now_s` as a lower bound. */
struct x509_demand {
    char host[254]; /* DNS name as in the URL; used if ip.family is FAMILY_NONE, and for SNI */
    struct ip ip;
    int64_t now_s;
    enum time_quality quality;
};

/* Trusted roots, in memory that lives as long as they are used. Zeroed: none. */
struct x509_roots {
    struct span ders[X509_ROOTS_MAX]; /* each a certificate in DER */
    unsigned count;
};

/* Reads the CERTIFICATE blocks of PEM text (RFC 7468) and adds each; DER goes to `storage`. All or none: on an error roots and storage are as
 * before. ERR_TLS_ROOT if there is no block, or one cannot be read or is no CA; ERR_LIMIT if they are too many or too large; ERR_NOMEM. */
enum err x509_roots_add_pem(struct x509_roots *roots, struct span pem, struct buf *storage) MUST_USE;
/* Adds one certificate, without copying. The same errors. */
enum err x509_roots_add_der(struct x509_roots *roots, struct span der) MUST_USE;

/* Checks a chain (leaf first, DER) against roots; the first reason to refuse it goes to f (which may be NULL).
 * ERR_TLS_ROOT: no path to a root; _EXPIRED, _FUTURE: a certificate of the path; _USAGE: not for a TLS server; _NAME: not the peer that is
 * demanded; _PROFILE: malformed, or algorithm, key or extension that is not accepted. ERR_NOMEM says nothing about the chain. */
enum err x509_check(const struct span *chain, unsigned count, const struct x509_roots *roots,
                    const struct x509_demand *demand, struct fault *f) MUST_USE;

/* SHA-256 over the SubjectPublicKeyInfo in DER: kubeadm's pin (RFC 7469 section 2.4). ERR_TLS_PROFILE if the certificate cannot be read. */
enum err x509_spki_sha256(struct span der, uint8_t ret[static HASH_SIZE]) MUST_USE;

/* True if the certificate may act as a CA: v3 and basicConstraints CA:TRUE. */
bool x509_is_ca(struct span der);

#endif
