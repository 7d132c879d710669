/*
 * fuzz_lease.c - messages from DHCP servers and routers while leases are kept.
 *
 * The first byte chooses: a message alone, or a life of the lease with messages and time in any order. Besides memory errors it looks for broken
 * promises: the address is never another one, lifetimes lie in their order, and there is always a next step in time.
 */
#include <stdlib.h>

#include "net/lease_msg.h"
#include "net/slaac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1};

static void must(bool promise)
{
    if (!promise)
        abort();
}

/* Exactly as long as the message, so that ASan sees a read past its end. */
static uint8_t *exact(struct span s)
{
    uint8_t *copy = malloc(s.n ? s.n : 1);

    if (copy && s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

static void turns(struct lease *l, uint64_t now_ms)
{
    uint8_t bytes[LEASE_MESSAGE_MAX];
    enum lease_event e;
    struct ip to;
    unsigned n = 0;

    do {
        struct buf b = BUF_OF(bytes);
        e = lease_turn(l, now_ms, 0x01020304, &b, &to);
        must(!b.overflow && (e != LEASE_SEND || b.n == LEASE_MESSAGE_MAX));
    } while (e != LEASE_NOTHING && ++n < 8);
    must(n < 8 && lease_wake_ms(l) > now_ms);
    must(l->t1_ms <= l->t2_ms && l->t2_ms <= l->end_ms);
}

/* Steps of (what, length, bytes): time passes, or a message comes, which the fuzzer may leave to be completed to a likely one. */
static void live(struct span s)
{
    struct ip addr = {.family = FAMILY_V4, .b = {10, 0, 0, 50}},
              server = {.family = FAMILY_V4, .b = {10, 0, 0, 1}};
    struct lease_grant g = {.addr = addr, .server = server, .lease_s = 1000}, said;
    uint8_t message[LEASE_MESSAGE_MIN + 256] = {
        2, 1, 6, 0, 1, 2, 3, 4, [16] = 10, 0, 0, 50, [28] = 2, [33] = 1, [236] = 0x63, 0x82, 0x53, 0x63};
    uint64_t now_ms = 0;
    struct lease l;

    lease_begin(&l, us, &g, 0, 0);
    while (s.n >= 2) {
        struct span part = span_sub(s, 2, s.p[1]);
        if (s.p[0] % 2 == 0) {
            now_ms += (uint64_t)s.p[1] * 1000;
        } else {
            memcpy(message + LEASE_MESSAGE_MIN, part.p, part.n);
            uint8_t *copy = exact(span_of(message, LEASE_MESSAGE_MIN + part.n));
            (void)(copy ? lease_received(&l, now_ms, s.p[0], span_of(copy, LEASE_MESSAGE_MIN + part.n), &said)
                        : LEASE_NOTHING);
            free(copy);
            s = span_sub(s, part.n, s.n);
        }
        turns(&l, now_ms);
        must(ip_eq(&l.grant.addr, &addr) && lease_left_s(&l, now_ms) <= UINT32_MAX);
        s = span_sub(s, 2, s.n);
    }
}

static void advertise(struct span s)
{
    struct ip_prefix addr = {.addr = {.family = FAMILY_V6, .b = {0x20, 1, 0x0d, 0xb8, [15] = 1}}, .len = 64};
    struct ip router = {.family = FAMILY_V6, .b = {0xfe, 0x80, [15] = 1}};
    struct slaac slaac = {.addr_count = 0};
    struct slaac_ra ra;
    unsigned index = 0, n = 0;

    if (!slaac_read(s, &ra))
        return;
    must(ra.prefix_count <= SLAAC_PREFIXES_MAX && ra.rdnss_count <= NDP_RDNSS_MAX);
    slaac_add_addr(&slaac, &addr, 3600, 1800, 0);
    slaac_advertised(&slaac, &router, &ra, 1000);
    /* Nothing authenticates an advertisement: it cannot take away what is left. */
    must(slaac.addrs[0].valid_ms >= 3600000 && ip_eq(&slaac.addrs[0].prefix.addr, &addr.addr));
    while (slaac_turn(&slaac, 1000, &index) != SLAAC_NOTHING && n < 8)
        n++;
    must(n < 8 && slaac_wake_ms(&slaac) > 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lease_grant said;
    enum lease_type type;
    struct span s = span_of(data + 1, size ? size - 1 : 0);
    uint8_t *copy;

    if (size == 0)
        return 0;
    copy = exact(s);
    if (copy && data[0] % 3 == 0)
        (void)lease_msg_read(span_of(copy, s.n), 0x01020304, us, &type, &said);
    else if (copy && data[0] % 3 == 1)
        advertise(span_of(copy, s.n));
    else if (copy)
        live(span_of(copy, s.n));
    free(copy);
    return 0;
}
