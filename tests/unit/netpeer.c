/*
 * netpeer.c - the scripted link of netpeer.h.
 */
#include "tests/unit/netpeer.h"

#include "tests/unit/frames.h"

struct netpeer netpeer;
const uint8_t netpeer_mac[6] = {2, 0, 0, 0, 0, 1};
const uint8_t netpeer_other[6] = {2, 0, 0, 0, 0, 9};

static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

struct packet {
    size_t n;
    uint8_t bytes[1600];
};

static struct packet in[NETPEER_QUEUE], out[NETPEER_QUEUE];
static unsigned in_first, in_count, out_first, out_count;

void netpeer_inject(struct span frame)
{
    struct packet *p = &in[(in_first + in_count) % NETPEER_QUEUE];
    if (in_count == NETPEER_QUEUE || frame.n > sizeof(p->bytes))
        __builtin_trap();
    memcpy(p->bytes, frame.p, frame.n);
    p->n = frame.n;
    in_count++;
}

static unsigned board_count(void *ctx)
{
    (void)ctx;
    return 1;
}

static enum err board_info(void *ctx, unsigned nic, struct board_nic *ret)
{
    (void)ctx;
    *ret = (struct board_nic){.name = "fake", .mtu = 1500, .carrier = netpeer.carrier};
    memcpy(ret->mac, netpeer_mac, 6);
    return nic == 0 ? OK : ERR_LINK_NONE;
}

static enum err board_open(void *ctx, unsigned nic)
{
    (void)ctx;
    return nic == 0 ? OK : ERR_LINK_NONE;
}

static void board_close(void *ctx, unsigned nic)
{
    (void)ctx;
    (void)nic;
}

static enum err board_send(void *ctx, unsigned nic, struct span frame)
{
    struct packet *p = &out[(out_first + out_count) % NETPEER_QUEUE];
    (void)ctx;
    (void)nic;
    if (out_count == NETPEER_QUEUE || frame.n > sizeof(p->bytes))
        return ERR_IO;
    memcpy(p->bytes, frame.p, frame.n);
    p->n = frame.n;
    out_count++;
    return OK;
}

static size_t board_recv(void *ctx, unsigned nic, uint8_t *ret, size_t cap)
{
    const struct packet *p = &in[in_first % NETPEER_QUEUE];
    (void)ctx;
    (void)nic;
    if (in_count == 0 || p->n > cap)
        return 0;
    memcpy(ret, p->bytes, p->n);
    in_first++;
    in_count--;
    return p->n;
}

const struct board netpeer_board = {
    .name = "netpeer",
    .nic_count = board_count,
    .nic_info = board_info,
    .nic_open = board_open,
    .nic_close = board_close,
    .nic_send = board_send,
    .nic_recv = board_recv,
};

void netpeer_reset(void)
{
    in_count = 0;
    out_count = 0;
    netpeer = (struct netpeer){.carrier = true, .now_ms = 1000, .server_count = 1};
    netpeer.servers[0] = (struct netpeer_server){
        .mac = {2, 0, 0, 0, 0, 2},
        .v4 = "10.0.0.1",
        .ll = "fe80::2",
        .lease = "10.0.0.50",
        .lease_s = 3600,
        .dns4 = "10.0.0.1",
        .prefix = "fd00:1::",
        .rdnss = "fe80::2",
        .lifetime_s = 1800,
        .rdnss_s = 600,
        .a = "10.0.0.80",
        .aaaa = "fd00:1::80",
    };
}

bool netpeer_run(unsigned ms, bool (*until)(const struct net_status *s))
{
    for (uint64_t end = netpeer.now_ms + ms;; netpeer.now_ms++) {
        struct net_status s;
        /* Answers arrive within the same millisecond, as on a real link. */
        for (unsigned i = 0; i < 16; i++) {
            (void)net_poll(netpeer.now_ms);
            if (out_count == 0 && in_count == 0)
                break;
            for (; out_count > 0; out_count--, out_first++)
                netpeer_serve(
                    span_of(out[out_first % NETPEER_QUEUE].bytes, out[out_first % NETPEER_QUEUE].n));
        }
        net_status(&s);
        if (until != NULL && until(&s))
            return true;
        if (netpeer.now_ms >= end)
            return false;
    }
}

void netpeer_start(enum net_dad policy, unsigned families)
{
    struct net_options o = {.dad = policy, .families = families};
    if (net_start(&netpeer_board, 0, &o, netpeer.now_ms) != OK)
        __builtin_trap();
}

struct net_status netpeer_status(void)
{
    struct net_status s;
    net_status(&s);
    return s;
}

void netpeer_claim6(const char *addr)
{
    uint8_t text[64], frame[200];
    struct buf m = BUF_OF(text), f = BUF_OF(frame);
    struct ip ip = frames_ip(addr), all = frames_ip("ff02::1");
    frames_na(&m, 0x20, &ip, netpeer_other);
    frames_icmp6(&f, netpeer_other, all_nodes_mac, &ip, &all, 255, buf_span(&m));
    netpeer_inject(buf_span(&f));
}

void netpeer_claim4(const char *addr)
{
    uint8_t frame[100];
    struct buf f = BUF_OF(frame);
    struct ip ip = frames_ip(addr), target = frames_ip("10.0.0.1");
    frames_arp(&f, netpeer_other, broadcast, 1, netpeer_other, &ip, &target);
    netpeer_inject(buf_span(&f));
}

bool netpeer_v4_ready(const struct net_status *s)
{
    return net_family_ready(s, FAMILY_V4, true);
}

bool netpeer_v6_ready(const struct net_status *s)
{
    return net_family_ready(s, FAMILY_V6, true);
}

bool netpeer_both_ready(const struct net_status *s)
{
    return netpeer_v4_ready(s) && netpeer_v6_ready(s);
}

bool netpeer_dad_done(const struct net_status *s)
{
    return netpeer_both_ready(s) && net_dad_done(s);
}

bool netpeer_is_duplicate(const struct net_status *s)
{
    return s->duplicate;
}

bool netpeer_is(const struct ip *ip, const char *text)
{
    struct ip want = frames_ip(text);
    return ip_eq(ip, &want);
}

bool netpeer_has_addr6(const struct net_status *s, const char *text)
{
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++) {
        if (s->v6[i].state != NET_ADDR_NONE && netpeer_is(&s->v6[i].prefix.addr, text))
            return true;
    }
    return false;
}

int netpeer_setup(void **unused)
{
    (void)unused;
    netpeer_reset();
    return 0;
}

int netpeer_teardown(void **unused)
{
    (void)unused;
    net_stop();
    net_stop();
    return 0;
}
