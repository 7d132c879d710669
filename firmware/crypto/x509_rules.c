/*
 * x509_rules.c - what each certificate of a path must and must not say (RFC 5280 section 4.2, and the TLS server profile of x509.h).
 *
 * A root was chosen by the operator, or by a pin: of it only what decides is checked. Sections in brackets are those of RFC 5280.
 */
#include "firmware/crypto/x509_cert.h"

enum { SEQUENCE = 0x30, OID = 0x06, SERIAL_MAX = 20 };

/* id-kp-serverAuth and anyExtendedKeyUsage [4.2.1.12]. */
static const struct span server_auth = {(const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x03\x01", 8};
static const struct span any_usage = {(const uint8_t *)"\x55\x1d\x25\x00", 4};

/* True if the extension is well-formed and holds `a` or `b`. */
static bool usage_has(struct span ext, struct span a, struct span b)
{
    struct span list, oid;
    uint8_t tag;
    bool found = false;

    if (x509_der_next(&ext, &tag, &list, NULL) != OK || tag != SEQUENCE || ext.n != 0)
        return false;
    while (list.n > 0) {
        if (x509_der_next(&list, &tag, &oid, NULL) != OK || tag != OID)
            return false;
        found = found || span_eq(oid, a) || span_eq(oid, b);
    }
    return found;
}

bool x509_eku_has(const struct x509_cert *c, struct span oid)
{
    return c->has[X509_EXT_KEY_USAGE] && usage_has(c->ext[X509_EXT_KEY_USAGE], oid, oid);
}

/* A number from 1 to 2^159-1 in its shortest form [4.1.2.2]. */
static bool good_serial(struct span s)
{
    if (s.n == 0 || s.n > SERIAL_MAX || s.p[0] >= 0x80)
        return false;
    return s.p[0] != 0 || (s.n > 1 && s.p[1] >= 0x80);
}

/* Extensions that a certificate may not have as it has them. */
static const char *bad_extension(const struct x509_cert *c, bool root)
{
    if (c->critical[X509_SKI])
        return "critical subjectKeyIdentifier"; /* [4.2.1.2] */
    if (c->critical[X509_AKI])
        return "critical authorityKeyIdentifier"; /* [4.2.1.1] */
    if (c->critical[X509_AIA])
        return "critical authorityInfoAccess"; /* [4.2.2.1] */
    /* Not evaluated, so a CA that has them could certify names outside of them; a leaf may not have them [4.2.1.10]. */
    if (c->has[X509_NAME_CONSTRAINTS])
        return "nameConstraints, which are not evaluated";
    if (c->has[X509_POLICY_CONSTRAINTS] && !root)
        return "policyConstraints, which are not evaluated"; /* [4.2.1.11] */
    return NULL;
}

static enum err leaf_rules(const struct x509_cert *c, struct fault *f)
{
    if (c->ca)
        return fault_set(f, ERR_TLS_USAGE, "the server's certificate is a CA's");
    if (c->has_path_len)
        return fault_set(f, ERR_TLS_PROFILE, "the server's certificate has a path length but is no CA's");
    if ((c->key_usage & X509_KU_DIGITAL_SIGNATURE) == 0)
        return fault_set(f, ERR_TLS_USAGE, "keyUsage of the server's certificate lacks digitalSignature");
    if (c->has[X509_KEY_USAGE] && (c->key_usage & X509_KU_CERT_SIGN) != 0)
        return fault_set(f, ERR_TLS_USAGE,
                         "keyUsage of the server's certificate has keyCertSign, but it is no CA's");
    if (!c->has[X509_EXT_KEY_USAGE] || !usage_has(c->ext[X509_EXT_KEY_USAGE], server_auth, server_auth))
        return fault_set(f, ERR_TLS_USAGE, "extendedKeyUsage of the server's certificate lacks serverAuth");
    if (usage_has(c->ext[X509_EXT_KEY_USAGE], any_usage, any_usage))
        return fault_set(f, ERR_TLS_USAGE, "extendedKeyUsage of the server's certificate allows everything");
    if (c->subject.n == 0 && c->has[X509_SAN] && !c->critical[X509_SAN])
        return fault_set(f, ERR_TLS_PROFILE,
                         "subjectAltName is not critical although the subject is empty"); /* [4.2.1.6] */
    return OK;
}

static enum err ca_rules(const struct x509_cert *c, bool root, struct fault *f)
{
    if (!c->ca)
        return fault_set(f, ERR_TLS_ROOT, "a certificate above the server's is no CA's");
    if (!root && !c->critical[X509_BASIC_CONSTRAINTS])
        return fault_set(f, ERR_TLS_PROFILE,
                         "an intermediate CA's basicConstraints are not critical"); /* [4.2.1.9] */
    if ((c->key_usage & X509_KU_CERT_SIGN) == 0)
        return fault_set(f, ERR_TLS_USAGE, "keyUsage of a CA above the server lacks keyCertSign");
    if (c->has[X509_EXT_KEY_USAGE] && !usage_has(c->ext[X509_EXT_KEY_USAGE], server_auth, any_usage))
        return fault_set(f, ERR_TLS_USAGE,
                         "a CA above the server may not certify TLS servers (extendedKeyUsage)");
    if (c->subject.n == 0)
        return fault_set(f, ERR_TLS_PROFILE, "a CA above the server has no name"); /* [4.1.2.6] */
    return OK;
}

enum err x509_rules(const struct x509_cert *c, unsigned depth, unsigned top, struct fault *f)
{
    const char *bad = bad_extension(c, depth == top);

    if (c->version != 3)
        return fault_set(f, ERR_TLS_PROFILE, "an X.509 v%u certificate", c->version);
    if (bad != NULL)
        return fault_set(f, ERR_TLS_PROFILE, "a certificate has %s", bad);
    if (c->issuer.n == 0)
        return fault_set(f, ERR_TLS_PROFILE, "a certificate's issuer has no name"); /* [4.1.2.4] */
    if (depth != top && !good_serial(c->serial))
        return fault_set(f, ERR_TLS_PROFILE, "a certificate's serial number is not positive or too long");
    return depth == 0 ? leaf_rules(c, f) : ca_rules(c, depth == top, f);
}
