/*
 * x509_client.c - see x509_client.h.
 */
#include "firmware/crypto/x509_client.h"

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/heap.h"
#include "firmware/crypto/x509_cert.h"
#include "firmware/crypto/x509_mbed.h"

enum { SEQUENCE = 0x30, SET = 0x31, OID = 0x06 };

/* id-kp-clientAuth (RFC 5280 section 4.2.1.12), id-at-commonName (appendix A.1). */
static const struct span client_auth = {(const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x03\x02", 8};
static const struct span common_name_oid = {(const uint8_t *)"\x55\x04\x03", 3};

/* The common name in a Name: SEQUENCE of SET of SEQUENCE { OID, text }. Empty if there is not exactly one. */
static struct span common_name(struct span name)
{
    struct span set, pair, oid, text, found = {0};
    unsigned count = 0;
    uint8_t tag;

    while (name.n > 0) {
        if (x509_der_next(&name, &tag, &set, NULL) != OK || tag != SET)
            return (struct span){0};
        while (set.n > 0) {
            if (x509_der_next(&set, &tag, &pair, NULL) != OK || tag != SEQUENCE ||
                x509_der_next(&pair, &tag, &oid, NULL) != OK || tag != OID ||
                x509_der_next(&pair, &tag, &text, NULL) != OK)
                return (struct span){0};
            if (!span_eq(oid, common_name_oid))
                continue;
            found = text;
            count++;
        }
    }
    return count == 1 ? found : (struct span){0};
}

static enum err first_certificate(struct span pem, struct buf *scratch, struct span *ret_der)
{
    struct buf der = {.p = scratch->p + scratch->n, .cap = scratch->cap - scratch->n};
    struct span text;
    bool whole;

    if (!x509_pem_next(&pem, &text, &whole) || !whole || text_b64(span_trim(text), true, &der) != OK)
        return ERR_RESUME_CERT;
    scratch->n += der.n;
    *ret_der = buf_span(&der);
    return OK;
}

static enum err verify(struct span der, const struct x509_roots *roots, int64_t now_s,
                       enum time_quality quality, struct fault *f)
{
    mbedtls_x509_crt leaf, trusted;
    uint32_t flags = 0;
    int bad;

    mbedtls_x509_crt_init(&leaf);
    mbedtls_x509_crt_init(&trusted);
    crypto_set_time(now_s);
    bad = mbedtls_x509_crt_parse_der_nocopy(&leaf, der.p, der.n);
    for (unsigned i = 0; i < roots->count && bad == 0; i++)
        bad = mbedtls_x509_crt_parse_der_nocopy(&trusted, roots->ders[i].p, roots->ders[i].n);
    if (bad == 0)
        bad = mbedtls_x509_crt_verify_with_profile(&leaf, &trusted, NULL, &x509_profile, NULL, &flags, NULL,
                                                   NULL);
    mbedtls_x509_crt_free(&leaf);
    mbedtls_x509_crt_free(&trusted);
    if (bad == 0)
        return OK;
    if (quality == TIME_FLOOR)
        flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_FUTURE;
    if (bad == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags == 0)
        return OK;
    if (bad == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags == MBEDTLS_X509_BADCERT_EXPIRED)
        return fault_set(f, ERR_RESUME_EXPIRED, "the node's client certificate");
    if (flags == MBEDTLS_X509_BADCERT_FUTURE)
        return fault_set(f, ERR_RESUME_CERT, "the certificate is not valid yet");
    return fault_set(f, ERR_RESUME_CERT, "the certificate is not by the cluster's CA");
}

static enum err check(struct span pem, struct span ca_pem, const char *name, int64_t now_s,
                      enum time_quality quality, struct buf *scratch, struct fault *f)
{
    struct x509_roots roots = {.count = 0};
    struct x509_cert c;
    struct span der;

    if (first_certificate(pem, scratch, &der) != OK || x509_cert_read(der, &c) != OK)
        return fault_set(f, ERR_RESUME_CERT, "the certificate cannot be read");
    if (x509_roots_add_pem(&roots, ca_pem, scratch) != OK)
        return fault_set(f, ERR_RESUME_CERT, "the cluster's CA certificate cannot be read");
    if (c.version != 3 || c.ca || !x509_eku_has(&c, client_auth))
        return fault_set(f, ERR_RESUME_CERT, "it is no client's certificate");
    if (!span_is(common_name(c.subject), name))
        return fault_set(f, ERR_RESUME_CERT, "the certificate is not for %s", name);
    return verify(der, &roots, now_s, quality, f);
}

enum err x509_client_check(struct span pem, struct span ca_pem, const char *name, int64_t now_s,
                           enum time_quality quality, struct buf *scratch, struct fault *f)
{
    size_t failures = heap_failures();
    struct fault why = {0};
    enum err e;

    if (!crypto_started())
        return fault_set(f, ERR_STATE, "crypto is not started");
    e = check(pem, ca_pem, name, now_s, quality, scratch, &why);
    if (e != OK && heap_failures() != failures)
        return fault_set(f, ERR_NOMEM, "no memory to check the client certificate");
    return e == OK ? OK : fault_set(f, e, "%s", why.text);
}
