/*
 * x509.c - x509_check(): mbedTLS builds and verifies the path, x509_rules() and x509_name_matches() judge its certificates.
 *
 * Reasons are given in a fixed order, so that each peer has one error: malformed, no path to a root, algorithm or key, time, usage and
 * profile (from the root down), name.
 */
#include "firmware/crypto/x509_cert.h"

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/heap.h"
#include "firmware/crypto/x509_mbed.h"

const mbedtls_x509_crt_profile x509_profile = {
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
                   MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    .allowed_pks = MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSA) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSASSA_PSS) |
                   MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY),
    .allowed_curves =
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1),
    .rsa_min_bitlen = 2048,
};

/* What mbedTLS' callback collects; it is called for each certificate of the path, from the root down to the leaf. */
struct path {
    const struct x509_demand *demand;
    enum err rule;      /* the first broken rule */
    struct fault fault; /* and its reason */
    uint32_t flags;     /* of all certificates */
    unsigned top;
    unsigned seen;
    bool odd_key;
};

static int on_path(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct path *p = ctx;
    struct x509_cert c;

    if (p->seen++ == 0)
        p->top = (unsigned)depth;
    p->flags |= *flags;
    p->odd_key = p->odd_key || mbedtls_pk_get_bitlen(&crt->pk) % 8 != 0;
    if (p->rule != OK)
        return 0;
    if (x509_cert_read(span_of(crt->raw.p, crt->raw.len), &c) != OK)
        p->rule = fault_set(&p->fault, ERR_TLS_PROFILE, "a certificate of the server's chain is malformed");
    else
        p->rule = x509_rules(&c, (unsigned)depth, p->top, &p->fault);
    return 0;
}

static void swap(struct span *a, struct span *b)
{
    struct span was = *a;

    *a = *b;
    *b = was;
}

/* Puts the issuer of each certificate behind it as far as names tell: mbedTLS only looks ahead, but a server may send its intermediates in
 * any order (RFC 8446 section 4.4.2). False if one of them is malformed. */
static bool put_in_order(const struct span *chain, unsigned count, struct span *ret)
{
    struct span subject[X509_CHAIN_MAX], issuer[X509_CHAIN_MAX];

    for (unsigned i = 0; i < count; i++) {
        struct x509_cert c;

        if (x509_cert_read(chain[i], &c) != OK)
            return false;
        ret[i] = chain[i];
        subject[i] = c.subject;
        issuer[i] = c.issuer;
    }
    for (unsigned i = 1; i < count; i++) {
        unsigned k = i;

        while (k < count && !span_eq(subject[k], issuer[i - 1]))
            k++;
        if (k == count)
            break;
        for (; k > i; k--) { /* the others keep their order */
            swap(&ret[k], &ret[k - 1]);
            swap(&subject[k], &subject[k - 1]);
            swap(&issuer[k], &issuer[k - 1]);
        }
    }
    return true;
}

static bool load(mbedtls_x509_crt *list, const struct span *ders, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (mbedtls_x509_crt_parse_der_nocopy(list, ders[i].p, ders[i].n) != 0)
            return false;
    return true;
}

static enum err bad_time(enum err e, const struct x509_demand *d, struct fault *f)
{
    uint8_t text[24];
    struct buf b = BUF_OF(text);

    text_time_put(&b, d->now_s);
    return fault_set(f, e, "a certificate of the server's chain %s at %.*s",
                     e == ERR_TLS_EXPIRED ? "has expired" : "is not valid yet", (int)b.n, (const char *)text);
}

/* The verdict on a path, in the order that the top of this file gives. */
static enum err judge(const struct path *p, struct fault *f)
{
    const uint32_t weak =
        MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY;
    uint32_t rest = p->flags & ~(weak | MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_EXPIRED |
                                 MBEDTLS_X509_BADCERT_FUTURE);

    /* A path of one certificate is a leaf that is itself among the roots: it would not need a CA at all. */
    if ((p->flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0 || p->seen < 2)
        return fault_set(f, ERR_TLS_ROOT, "no path from the server's certificate to a trusted root");
    if ((p->flags & weak) != 0 || rest != 0 || p->odd_key)
        return fault_set(
            f, ERR_TLS_PROFILE,
            "a key or signature in the server's chain is of a kind or size that is not accepted");
    if ((p->flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0)
        return bad_time(ERR_TLS_EXPIRED, p->demand, f);
    if ((p->flags & MBEDTLS_X509_BADCERT_FUTURE) != 0 && p->demand->quality != TIME_FLOOR)
        return bad_time(ERR_TLS_FUTURE, p->demand, f);
    return p->rule == OK ? OK : fault_set(f, p->rule, "%s", p->fault.text);
}

static enum err check_name(struct span der, const struct x509_demand *d, struct fault *f)
{
    uint8_t text[96];
    char address[IP_TEXT_MAX];
    struct buf names = BUF_OF(text);
    struct x509_cert leaf;

    if (x509_cert_read(der, &leaf) != OK)
        return fault_set(f, ERR_TLS_PROFILE, "the server's certificate is malformed");
    if (x509_name_matches(&leaf, d))
        return OK;
    x509_name_put(&names, &leaf);
    return fault_set(f, ERR_TLS_NAME, "wanted %s, the certificate is for %.*s%s",
                     d->ip.family == FAMILY_NONE ? d->host : ip_text(&d->ip, address), (int)names.n,
                     names.n == 0 ? "" : (const char *)text,
                     names.n == 0     ? "no host"
                     : names.overflow ? "..."
                                      : "");
}

static enum err verify_path(mbedtls_x509_crt *leaf, mbedtls_x509_crt *roots, const struct x509_demand *demand,
                            struct fault *f)
{
    struct path p = {.demand = demand};
    uint32_t flags = 0;
    int bad;

    crypto_set_time(demand->now_s);
    bad = mbedtls_x509_crt_verify_with_profile(leaf, roots, NULL, &x509_profile, NULL, &flags, on_path, &p);
    if (bad != 0 && bad != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        return fault_set(f, ERR_TLS_PROFILE, "the server's chain is too long or cannot be verified");
    return judge(&p, f);
}

static enum err check(const struct span *chain, unsigned count, const struct x509_roots *roots,
                      const struct x509_demand *demand, struct fault *f)
{
    mbedtls_x509_crt peer, trusted;
    struct span ordered[X509_CHAIN_MAX];
    enum err e;

    mbedtls_x509_crt_init(&peer);
    mbedtls_x509_crt_init(&trusted);
    if (!put_in_order(chain, count, ordered) || !load(&peer, ordered, count))
        e = fault_set(
            f, ERR_TLS_PROFILE,
            "a certificate of the server's chain is malformed or uses something that is not accepted");
    else if (!load(&trusted, roots->ders, roots->count))
        e = fault_set(f, ERR_TLS_ROOT, "a trusted root cannot be read");
    else
        e = verify_path(&peer, &trusted, demand, f);
    if (e == OK)
        e = check_name(chain[0], demand, f);
    mbedtls_x509_crt_free(&peer);
    mbedtls_x509_crt_free(&trusted);
    return e;
}

enum err x509_check(const struct span *chain, unsigned count, const struct x509_roots *roots,
                    const struct x509_demand *demand, struct fault *f)
{
    size_t failures = heap_failures();
    struct fault why = {0};
    enum err e;

    if (!crypto_started())
        return fault_set(f, ERR_STATE, "crypto is not started");
    if (count == 0 || count > X509_CHAIN_MAX)
        return fault_set(f, ERR_TLS_PROFILE, "the server sent %u certificates; 1 to %d are accepted", count,
                         X509_CHAIN_MAX);
    if (roots->count == 0)
        return fault_set(f, ERR_TLS_ROOT, "there is no trusted root");
    e = check(chain, count, roots, demand, &why);
    if (e != OK && heap_failures() != failures)
        return fault_set(f, ERR_NOMEM, "no memory to check the server's certificate");
    return e == OK ? OK : fault_set(f, e, "%s", why.text);
}
