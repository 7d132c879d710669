/*
 * ip.h - IPv4 and IPv6 addresses and prefixes as values, and their text form (RFC 4291 section 2.2, RFC 5952, RFC 4632).
 */
#ifndef JOINBOOT_BASE_IP_H
#define JOINBOOT_BASE_IP_H

#include "firmware/base/span.h"

enum family { FAMILY_NONE = 0, FAMILY_V4 = 4, FAMILY_V6 = 6 };

/* Bit set of families. */
enum { FAMILIES_V4 = 1, FAMILIES_V6 = 2, FAMILIES_BOTH = 3 };

/* Network byte order; IPv4 uses b[0..3]. There is no zone. Compare with ip_eq only. */
struct ip {
    enum family family;
    uint8_t b[16];
};

struct ip_prefix {
    struct ip addr;
    uint8_t len; /* 0..32 or 0..128 */
};

#define IP_TEXT_MAX 48 /* longest text of an address or prefix with its zero */

bool ip_eq(const struct ip *a, const struct ip *b);
bool ip_is_zero(const struct ip *a);
bool ip_is_loopback(const struct ip *a);
bool ip_is_link_local(const struct ip *a);
bool ip_is_multicast(const struct ip *a);
/* Neither zero, loopback, link-local, multicast, IPv4 broadcast nor IPv4-mapped. */
bool ip_is_usable(const struct ip *a);
bool ip_in_prefix(const struct ip *a, const struct ip_prefix *p);

/* Strict: dotted decimal without leading zeros, or RFC 4291 text without zone; nothing before or behind. ERR_INPUT otherwise. */
enum err ip_parse(struct span text, struct ip *ret) MUST_USE;
/* address/len. ERR_INPUT otherwise. */
enum err ip_prefix_parse(struct span text, struct ip_prefix *ret) MUST_USE;
/* host:port, [v6]:port; host may be a DNS name (then ret_ip->family is FAMILY_NONE). *ret_host without brackets. ERR_INPUT otherwise. */
enum err ip_hostport_parse(struct span text, struct span *ret_host, struct ip *ret_ip,
                           uint16_t *ret_port) MUST_USE;

/* RFC 5952 text, zero-terminated; returns ret_text. */
const char *ip_text(const struct ip *a, char ret_text[static IP_TEXT_MAX]);
const char *ip_prefix_text(const struct ip_prefix *p, char ret_text[static IP_TEXT_MAX]);

#endif
