/*
 * fuzz_dns.c - DNS answers and DHCPv6 replies. The identifiers are taken from the input, so that answers get past their comparison.
 */
#include <stdlib.h>

#include "net/dhcp6.h"
#include "net/dnsmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct dnsmsg_answer a;
    struct dhcp6_reply r;

    if (size < 4)
        return 0;
    uint16_t id = (uint16_t)(data[0] << 8 | data[1]);
    for (enum family f = FAMILY_V4; f <= FAMILY_V6; f = (enum family)(f + 2)) {
        dnsmsg_read(span_of(data, size), id, SPAN_LIT("config.lab"), f, &a);
        if (a.count > DNSMSG_ADDRS_MAX || (a.kind == DNSMSG_ADDRESSES) != (a.count > 0))
            abort();
    }
    if (dhcp6_read_reply(span_of(data, size), (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3], mac,
                         &r) &&
        r.dns_count > DHCP6_DNS_MAX)
        abort();
    return 0;
}
