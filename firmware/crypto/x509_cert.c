/*
 * x509_cert.c - reads Certificate and Extensions of RFC 5280 section 4.1; see x509_cert.h.
 *
 *   Certificate ::= SEQUENCE { TBSCertificate, AlgorithmIdentifier, BIT STRING }
 *   TBSCertificate ::= SEQUENCE { [0] version, serial, signature, issuer, validity, subject, SubjectPublicKeyInfo, [1], [2], [3] extensions }
 *   Extension ::= SEQUENCE { OBJECT IDENTIFIER, BOOLEAN DEFAULT FALSE, OCTET STRING }
 */
#include "firmware/crypto/x509_cert.h"

enum {
    BOOLEAN = 0x01,
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OCTET_STRING = 0x04,
    OID = 0x06,
    SEQUENCE = 0x30,
    EXTENSIONS_MAX = 32
};
enum { VERSION = 0xa0, ISSUER_ID = 0x81, SUBJECT_ID = 0x82, EXTENSIONS = 0xa3 };

/* Those below id-ce (2.5.29) end in one byte; id-pe-authorityInfoAccess is 1.3.6.1.5.5.7.1.1. */
static const struct span oids[X509_EXTS] = {
    [X509_SKI] = {(const uint8_t *)"\x55\x1d\x0e", 3},
    [X509_KEY_USAGE] = {(const uint8_t *)"\x55\x1d\x0f", 3},
    [X509_SAN] = {(const uint8_t *)"\x55\x1d\x11", 3},
    [X509_BASIC_CONSTRAINTS] = {(const uint8_t *)"\x55\x1d\x13", 3},
    [X509_NAME_CONSTRAINTS] = {(const uint8_t *)"\x55\x1d\x1e", 3},
    [X509_AKI] = {(const uint8_t *)"\x55\x1d\x23", 3},
    [X509_POLICY_CONSTRAINTS] = {(const uint8_t *)"\x55\x1d\x24", 3},
    [X509_EXT_KEY_USAGE] = {(const uint8_t *)"\x55\x1d\x25", 3},
    [X509_AIA] = {(const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x01\x01", 8},
};

/* The length octets behind a tag: X.690 section 10.1, at most four of them. */
static enum err read_length(struct span s, size_t *ret_octets, size_t *ret_n)
{
    size_t octets, n = 0;

    if (s.n == 0)
        return ERR_TLS_PROFILE;
    if (s.p[0] < 0x80) {
        *ret_octets = 1;
        *ret_n = s.p[0];
        return OK;
    }
    octets = s.p[0] & 0x7f;
    if (octets == 0 || octets > 4 || octets > s.n - 1 || s.p[1] == 0)
        return ERR_TLS_PROFILE;
    for (size_t i = 1; i <= octets; i++)
        n = n << 8 | s.p[i];
    if (n < 0x80)
        return ERR_TLS_PROFILE;
    *ret_octets = octets + 1;
    *ret_n = n;
    return OK;
}

enum err x509_der_next(struct span *rest, uint8_t *ret_tag, struct span *ret_value, struct span *ret_whole)
{
    size_t octets, n;

    if (rest->n == 0 || (rest->p[0] & 0x1f) == 0x1f) /* no tag above 30 is in use */
        return ERR_TLS_PROFILE;
    if (read_length(span_sub(*rest, 1, rest->n), &octets, &n) != OK || n > rest->n - 1 - octets)
        return ERR_TLS_PROFILE;
    *ret_tag = rest->p[0];
    *ret_value = span_of(rest->p + 1 + octets, n);
    if (ret_whole != NULL)
        *ret_whole = span_of(rest->p, 1 + octets + n);
    *rest = span_of(rest->p + 1 + octets + n, rest->n - 1 - octets - n);
    return OK;
}

/* The next element if it has this tag. */
static enum err take(struct span *rest, uint8_t tag, struct span *ret_value)
{
    struct span peek = *rest, value;
    uint8_t got;

    if (x509_der_next(&peek, &got, &value, NULL) != OK || got != tag)
        return ERR_TLS_PROFILE;
    *rest = peek;
    *ret_value = value;
    return OK;
}

static bool has_tag(struct span s, uint8_t tag)
{
    return s.n > 0 && s.p[0] == tag;
}

static enum err read_boolean(struct span *rest, bool *ret)
{
    struct span v;

    if (take(rest, BOOLEAN, &v) != OK || v.n != 1 || (v.p[0] != 0 && v.p[0] != 0xff))
        return ERR_TLS_PROFILE;
    *ret = v.p[0] != 0;
    return OK;
}

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static enum err read_basic_constraints(struct span s, struct x509_cert *c)
{
    struct span v, n;

    if (take(&s, SEQUENCE, &v) != OK || s.n != 0)
        return ERR_TLS_PROFILE;
    if (has_tag(v, BOOLEAN) && read_boolean(&v, &c->ca) != OK)
        return ERR_TLS_PROFILE;
    if (v.n > 0) {
        if (take(&v, INTEGER, &n) != OK || n.n == 0 || n.n > 2 || n.p[0] >= 0x80)
            return ERR_TLS_PROFILE;
        c->has_path_len = true;
    }
    return v.n == 0 ? OK : ERR_TLS_PROFILE;
}

/* KeyUsage ::= BIT STRING of at most 9 named bits. */
static enum err read_key_usage(struct span s, struct x509_cert *c)
{
    struct span v;

    if (take(&s, BIT_STRING, &v) != OK || s.n != 0 || v.n < 2 || v.n > 3 || v.p[0] > 7)
        return ERR_TLS_PROFILE;
    c->key_usage = (uint16_t)(v.p[1] << 8 | (v.n == 3 ? v.p[2] : 0));
    return OK;
}

/* AuthorityInfoAccessSyntax ::= SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, GeneralName }, not empty. Nothing in it is ever followed. */
static enum err check_aia(struct span s)
{
    struct span list, item, v;
    uint8_t tag;

    if (take(&s, SEQUENCE, &list) != OK || s.n != 0 || list.n == 0)
        return ERR_TLS_PROFILE;
    while (list.n > 0)
        if (take(&list, SEQUENCE, &item) != OK || take(&item, OID, &v) != OK ||
            x509_der_next(&item, &tag, &v, NULL) != OK || item.n != 0 || (tag & 0xc0) != 0x80)
            return ERR_TLS_PROFILE;
    return OK;
}

static enum err read_extension(struct span ext, struct x509_cert *c, struct span *ret_oid)
{
    struct span value;
    bool critical = false;
    unsigned i = 0;

    if (take(&ext, OID, ret_oid) != OK || (has_tag(ext, BOOLEAN) && read_boolean(&ext, &critical) != OK) ||
        take(&ext, OCTET_STRING, &value) != OK || ext.n != 0)
        return ERR_TLS_PROFILE;
    while (i < X509_EXTS && !span_eq(*ret_oid, oids[i]))
        i++;
    if (i == X509_EXTS)
        return OK;
    c->has[i] = true;
    c->critical[i] = critical;
    c->ext[i] = value;
    switch ((enum x509_ext)i) {
    case X509_BASIC_CONSTRAINTS:
        return read_basic_constraints(value, c);
    case X509_KEY_USAGE:
        return read_key_usage(value, c);
    case X509_AIA:
        return check_aia(value);
    default:
        return OK;
    }
}

static enum err read_extensions(struct span s, struct x509_cert *c)
{
    struct span list, ext, seen[EXTENSIONS_MAX];
    unsigned n = 0;

    if (take(&s, SEQUENCE, &list) != OK || s.n != 0)
        return ERR_TLS_PROFILE;
    for (; list.n > 0; n++) {
        if (n == EXTENSIONS_MAX || take(&list, SEQUENCE, &ext) != OK ||
            read_extension(ext, c, &seen[n]) != OK)
            return ERR_TLS_PROFILE;
        for (unsigned i = 0; i < n;
             i++) /* of two extensions readers may see different ones (RFC 5280 section 4.2) */
            if (span_eq(seen[i], seen[n]))
                return ERR_TLS_PROFILE;
    }
    return OK;
}

static enum err read_tbs(struct span tbs, struct x509_cert *c)
{
    struct span v, number;
    uint8_t tag;

    c->version = 1;
    if (has_tag(tbs, VERSION)) {
        if (take(&tbs, VERSION, &v) != OK || take(&v, INTEGER, &number) != OK || v.n != 0 || number.n != 1 ||
            number.p[0] > 2)
            return ERR_TLS_PROFILE;
        c->version = number.p[0] + 1u;
    }
    if (take(&tbs, INTEGER, &c->serial) != OK || c->serial.n == 0 || take(&tbs, SEQUENCE, &v) != OK ||
        take(&tbs, SEQUENCE, &c->issuer) != OK || take(&tbs, SEQUENCE, &v) != OK ||
        take(&tbs, SEQUENCE, &c->subject) != OK || x509_der_next(&tbs, &tag, &v, &c->spki) != OK ||
        tag != SEQUENCE)
        return ERR_TLS_PROFILE;
    if (has_tag(tbs, ISSUER_ID) && take(&tbs, ISSUER_ID, &v) != OK)
        return ERR_TLS_PROFILE;
    if (has_tag(tbs, SUBJECT_ID) && take(&tbs, SUBJECT_ID, &v) != OK)
        return ERR_TLS_PROFILE;
    if (has_tag(tbs, EXTENSIONS) && (take(&tbs, EXTENSIONS, &v) != OK || read_extensions(v, c) != OK))
        return ERR_TLS_PROFILE;
    return tbs.n == 0 ? OK : ERR_TLS_PROFILE;
}

enum err x509_cert_read(struct span der, struct x509_cert *ret)
{
    struct x509_cert c = {.key_usage = 0xffff};
    struct span cert, tbs, v;

    if (der.n > X509_DER_MAX || take(&der, SEQUENCE, &cert) != OK || der.n != 0)
        return ERR_TLS_PROFILE;
    if (take(&cert, SEQUENCE, &tbs) != OK || take(&cert, SEQUENCE, &v) != OK ||
        take(&cert, BIT_STRING, &v) != OK || cert.n != 0)
        return ERR_TLS_PROFILE;
    if (read_tbs(tbs, &c) != OK)
        return ERR_TLS_PROFILE;
    *ret = c;
    return OK;
}

enum err x509_spki_sha256(struct span der, uint8_t ret[static HASH_SIZE])
{
    struct x509_cert c;
    enum err e = x509_cert_read(der, &c);

    return e == OK ? hash_sha256(c.spki, ret) : e;
}

bool x509_is_ca(struct span der)
{
    struct x509_cert c;

    return x509_cert_read(der, &c) == OK && c.version == 3 && c.ca;
}
