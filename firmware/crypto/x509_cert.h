/*
 * x509_cert.h - our own reading of a certificate, beside mbedTLS': the parts that mbedTLS does not check or show.
 *
 * Pure: no allocation, no mbedTLS. Strict DER: definite, shortest lengths and nothing behind the certificate.
 */
#ifndef JOINBOOT_CRYPTO_X509_CERT_H
#define JOINBOOT_CRYPTO_X509_CERT_H

#include "firmware/crypto/x509.h"

enum x509_ext {
    X509_SKI,
    X509_KEY_USAGE,
    X509_SAN,
    X509_BASIC_CONSTRAINTS,
    X509_NAME_CONSTRAINTS,
    X509_AKI,
    X509_POLICY_CONSTRAINTS,
    X509_EXT_KEY_USAGE,
    X509_AIA,
    X509_EXTS
};

/* Points into the DER. */
struct x509_cert {
    unsigned version; /* 1, 2 or 3 */
    struct span serial;
    struct span issuer, subject; /* contents of the Name; empty for the empty name */
    struct span spki;            /* with its tag and length */
    bool has[X509_EXTS];
    bool critical[X509_EXTS];
    struct span ext[X509_EXTS]; /* contents of the OCTET STRING */
    /* Read from extensions: */
    bool ca;
    bool has_path_len;
    uint16_t key_usage; /* bit 0 of the standard is 0x8000 here; 0xffff if there is no extension */
};

enum { X509_KU_DIGITAL_SIGNATURE = 0x8000, X509_KU_CERT_SIGN = 0x0400 };

/* ERR_TLS_PROFILE if it is not a certificate in strict DER, has one extension twice, or a known extension is malformed. */
enum err x509_cert_read(struct span der, struct x509_cert *ret) MUST_USE;

/* Cuts the first DER element off *rest. *ret_value is its contents; *ret_whole (may be NULL) the element with tag and length. ERR_TLS_PROFILE. */
enum err x509_der_next(struct span *rest, uint8_t *ret_tag, struct span *ret_value,
                       struct span *ret_whole) MUST_USE;

/* Cuts the base64 text of the next CERTIFICATE block (RFC 7468) off *rest. False if there is none. *ret_whole: it has an end line. */
bool x509_pem_next(struct span *rest, struct span *ret_text, bool *ret_whole);

/* True if the certificate has an extendedKeyUsage that is well-formed and names this OID (contents, without tag and length). */
bool x509_eku_has(const struct x509_cert *c, struct span oid);

/* One certificate of a verified path, 0 the leaf, `top` the root: everything about it but signature, time, key strength and name. The reason
 * goes to f. ERR_TLS_USAGE or ERR_TLS_PROFILE. */
enum err x509_rules(const struct x509_cert *c, unsigned depth, unsigned top, struct fault *f) MUST_USE;

/* True if a subjectAltName of the leaf is the demanded peer. */
bool x509_name_matches(const struct x509_cert *leaf, const struct x509_demand *demand);
/* Appends the leaf's DNS names and IP addresses for a message, printable, joined by commas. */
void x509_name_put(struct buf *ret, const struct x509_cert *leaf);

#endif
