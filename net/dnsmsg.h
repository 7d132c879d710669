/*
 * dnsmsg.h - DNS messages (RFC 1035) for one purpose: ask for the A or AAAA records of a host, and read them out of the answer. Pure.
 *
 * Names are compared without regard to case. Compression pointers are followed only backwards and a bounded number of times. CNAMEs are followed
 * inside the answer section (RFC 1034 section 3.6.2).
 */
#ifndef JOINBOOT_NET_DNSMSG_H
#define JOINBOOT_NET_DNSMSG_H

#include "firmware/base/ip.h"

enum { DNSMSG_QUERY_MAX = 12 + 255 + 4, DNSMSG_ADDRS_MAX = 8, DNSMSG_CNAMES_MAX = 8 };

enum dnsmsg_kind {
    DNSMSG_IGNORE,    /* not an answer to this question: a stranger's, or malformed */
    DNSMSG_ADDRESSES, /* at least one */
    DNSMSG_EMPTY,     /* the name is known not to have any (NXDOMAIN, or no data) */
    DNSMSG_REFUSED    /* this server cannot say: ask another one (SERVFAIL, REFUSED, truncated) */
};

struct dnsmsg_answer {
    enum dnsmsg_kind kind;
    struct ip addrs[DNSMSG_ADDRS_MAX];
    unsigned count;
};

/* Appends a query with recursion desired. host is a DNS name without a trailing dot. ERR_DNS if it cannot be one. */
enum err dnsmsg_put_query(struct buf *ret, uint16_t id, struct span host, enum family family) MUST_USE;
/* Reads an answer to the query with this id, host and family. */
void dnsmsg_read(struct span msg, uint16_t id, struct span host, enum family family,
                 struct dnsmsg_answer *ret);

#endif
