/*
 * dns.h - resolves one name in both families at once: A and AAAA queries leave together (RFC 8305 section 3). Static slots with a generation,
 * because lwIP's queries cannot be cancelled: a late answer to a cancelled query is dropped.
 */
#ifndef JOINBOOT_NET_DNS_H
#define JOINBOOT_NET_DNS_H

#include "firmware/base/ip.h"

enum { DNS_ADDRS_MAX = 8, DNS_QUERIES_MAX = 4 };

enum dns_answer { DNS_PENDING = 0, DNS_FOUND, DNS_NONE, DNS_FAILED };

struct dns_result {
    enum dns_answer a, aaaa;
    struct ip addrs[DNS_ADDRS_MAX]; /* in order of arrival */
    unsigned count;
};

/* Starts a query; an address literal is answered at once. *ret_query is a handle. ERR_NOMEM: all slots busy; ERR_DNS: no server known. */
enum err dns_start(struct span host, uint64_t now_ms, unsigned *ret_query) MUST_USE;
/* The state so far; it may be read before both families answered. */
void dns_result(unsigned query, struct dns_result *ret);
void dns_cancel(unsigned query);

#endif
