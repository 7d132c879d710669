/*
 * x509_roots.c - trusted roots from PEM (RFC 7468) and DER; see x509.h.
 */
#include "firmware/crypto/x509_cert.h"

#include <mbedtls/x509_crt.h>

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/heap.h"

/* Readable by us and by mbedTLS, so that no later check of a peer fails because of a root. */
static enum err readable(struct span der)
{
    size_t failures = heap_failures();
    mbedtls_x509_crt crt;
    struct x509_cert c;
    int bad;

    if (!crypto_started())
        return ERR_STATE;
    if (x509_cert_read(der, &c) != OK || c.version != 3 || !c.ca || c.has[X509_NAME_CONSTRAINTS])
        return ERR_TLS_ROOT;
    mbedtls_x509_crt_init(&crt);
    bad = mbedtls_x509_crt_parse_der_nocopy(&crt, der.p, der.n);
    mbedtls_x509_crt_free(&crt);
    if (bad != 0 && heap_failures() != failures)
        return ERR_NOMEM;
    return bad == 0 ? OK : ERR_TLS_ROOT;
}

enum err x509_roots_add_der(struct x509_roots *roots, struct span der)
{
    enum err e = readable(der);

    if (e != OK)
        return e;
    if (roots->count == X509_ROOTS_MAX)
        return ERR_LIMIT;
    roots->ders[roots->count++] = der;
    return OK;
}

bool x509_pem_next(struct span *rest, struct span *ret_text, bool *ret_whole)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    size_t at = span_find_str(*rest, begin), to;

    if (at == rest->n)
        return false;
    *rest = span_sub(*rest, at + sizeof(begin) - 1, rest->n);
    to = span_find_str(*rest, end);
    *ret_whole = to < rest->n;
    *ret_text = span_sub(*rest, 0, to);
    *rest = span_sub(*rest, to + (*ret_whole ? sizeof(end) - 1 : 0), rest->n);
    return true;
}

static enum err add_block(struct x509_roots *roots, struct span text, struct buf *storage)
{
    struct buf der = {.p = storage->p + storage->n, .cap = storage->cap - storage->n};
    enum err e = text_b64(span_trim(text), true, &der);

    if (e != OK)
        return e == ERR_LIMIT ? ERR_LIMIT : ERR_TLS_ROOT;
    e = x509_roots_add_der(roots, buf_span(&der));
    storage->n += der.n;
    return e;
}

enum err x509_roots_add_pem(struct x509_roots *roots, struct span pem, struct buf *storage)
{
    const unsigned count = roots->count;
    const size_t n = storage->n;
    struct span text;
    bool whole;
    enum err e = OK;

    while (e == OK && x509_pem_next(&pem, &text, &whole))
        e = whole ? add_block(roots, text, storage) : ERR_TLS_ROOT;
    if (e == OK && roots->count == count)
        e = ERR_TLS_ROOT;
    if (e != OK) {
        roots->count = count;
        storage->n = n;
    }
    return e;
}
