/*
 * x509_name.c - is this certificate the demanded peer's? RFC 6125 section 6.4, RFC 5280 section 4.2.1.6.
 *
 *   SubjectAltName ::= SEQUENCE OF GeneralName;  dNSName [2] IA5String;  iPAddress [7] OCTET STRING
 */
#include "firmware/crypto/x509_cert.h"

#include "firmware/base/text.h"

enum { SEQUENCE = 0x30, DNS_NAME = 0x82, IP_ADDRESS = 0x87 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool same_name(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

/* A wildcard is the whole left-most label, stands for exactly one label, and has at least two labels behind it: "*.com" would be everybody.
 * The host is a host name, so a pattern that is none (zero bytes, underscores, an inner asterisk) cannot match it. */
static bool dns_matches(struct span pattern, struct span host)
{
    bool wildcard = span_starts(pattern, "*.");
    size_t dot = span_find(host, '.');

    if (wildcard) {
        pattern = span_sub(pattern, 2, pattern.n);
        if (span_find(pattern, '.') == pattern.n || dot == host.n)
            return false;
        host = span_sub(host, dot + 1, host.n);
    }
    return same_name(pattern, host);
}

static bool ip_matches(struct span entry, const struct ip *ip)
{
    size_t n = ip->family == FAMILY_V4 ? 4 : 16;

    return entry.n == n && memcmp(entry.p, ip->b, n) == 0;
}

bool x509_name_matches(const struct x509_cert *leaf, const struct x509_demand *demand)
{
    struct span san = leaf->ext[X509_SAN], list, entry, host = span_str(demand->host);
    struct ip ip = demand->ip;
    bool found = false;
    uint8_t tag;

    /* An address that comes as text is still an address: a dNSName that looks like one is not it. */
    if (ip.family == FAMILY_NONE && ip_parse(host, &ip) != OK && !text_is_hostname(host))
        return false;
    if (!leaf->has[X509_SAN] || x509_der_next(&san, &tag, &list, NULL) != OK || tag != SEQUENCE || san.n != 0)
        return false;
    while (list.n > 0) {
        if (x509_der_next(&list, &tag, &entry, NULL) != OK)
            return false;
        if (tag == IP_ADDRESS && ip.family != FAMILY_NONE)
            found = found || ip_matches(entry, &ip);
        if (tag == DNS_NAME && ip.family == FAMILY_NONE)
            found = found || dns_matches(entry, host);
    }
    return found;
}

static void put_printable(struct buf *ret, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_u8(ret, s.p[i] > ' ' && s.p[i] < 0x7f ? s.p[i] : '?');
}

void x509_name_put(struct buf *ret, const struct x509_cert *leaf)
{
    struct span san = leaf->ext[X509_SAN], list, entry;
    char text[IP_TEXT_MAX];
    const char *comma = "";
    uint8_t tag;

    if (!leaf->has[X509_SAN] || x509_der_next(&san, &tag, &list, NULL) != OK || tag != SEQUENCE)
        return;
    while (list.n > 0 && x509_der_next(&list, &tag, &entry, NULL) == OK) {
        struct ip ip = {.family = entry.n == 4 ? FAMILY_V4 : FAMILY_V6};

        if (tag != DNS_NAME && (tag != IP_ADDRESS || (entry.n != 4 && entry.n != 16)))
            continue;
        buf_str(ret, comma);
        comma = ", ";
        if (tag == DNS_NAME) {
            put_printable(ret, entry);
        } else {
            memcpy(ip.b, entry.p, entry.n);
            buf_str(ret, ip_text(&ip, text));
        }
    }
}
