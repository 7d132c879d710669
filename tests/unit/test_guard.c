/*
 * test_guard.c - which frames reach the stack: good ones, one rule broken at a time, and whole corpora of odd packets (JOINBOOT_CORPORA).
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/guard.h"
#include "net/ndp.h"
#include "tests/unit/frames.h"

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static uint8_t frame_text[2048], message_text[512];
static struct buf frame, message;

static void fresh(void)
{
    frame = BUF_OF(frame_text);
    message = BUF_OF(message_text);
}

/* The verdict on a block of exactly the frame's size, so that ASan sees a read past its end. */
static bool verdict(struct span f)
{
    size_t n = f.n < GUARD_FRAME_MIN ? GUARD_FRAME_MIN : f.n;
    uint8_t *copy = calloc(1, n);
    struct ndp_claim claim;
    struct ndp_ra ra;
    memcpy(copy, f.p, f.n);
    bool ok = guard_frame(span_of(copy, n));
    ndp_read_claim(span_of(copy, n), &claim);
    (void)ndp_read_ra(span_of(copy, n), &ra);
    free(copy);
    return ok;
}

static bool passes(void)
{
    return verdict(buf_span(&frame));
}

static void make_ra(void)
{
    struct ip from = frames_ip("fe80::2"), to = frames_ip("ff02::1");
    fresh();
    frames_ra(&message, 0x40, 1800, peer);
    frames_ra_prefix(&message, "fd00:1::", 0xc0, 3600, 1800);
    frames_ra_rdnss(&message, "fd00:1::53", 600);
    frames_icmp6(&frame, peer, all_nodes_mac, &from, &to, 255, buf_span(&message));
}

enum { IP6 = 14, ICMP = 54 };

static void test_ra(void **unused)
{
    (void)unused;
    make_ra();
    assert_true(passes());
    static const struct {
        const char *why;
        size_t off;
        uint8_t value;
    } rows[] = {
        {"hop limit 254: a router forwarded it", IP6 + 7, 254},
        {"code", ICMP + 1, 1},
        {"source not link-local", IP6 + 8, 0xfd},
        {"source multicast", IP6 + 8, 0xff},
        {"MAC of a group", 6, 3},
        {"version", IP6, 0x40},
        {"source option length 0", ICMP + 16 + 1, 0},
        {"source option length 2", ICMP + 16 + 1, 2},
        {"group as link-layer address", ICMP + 16 + 2, 1},
        {"prefix option length 3", ICMP + 24 + 1, 3},
        {"prefix option length 0", ICMP + 24 + 1, 0},
        {"prefix length 129", ICMP + 24 + 2, 129},
        {"RDNSS length 2", ICMP + 56 + 1, 2},
        {"RDNSS longer than the packet", ICMP + 56 + 1, 5},
        {"next header", IP6 + 6, 59},
        {"payload length", IP6 + 4, 1},
        {"redirect", ICMP, 137},
        {"router solicitation", ICMP, 133},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        make_ra();
        frame.p[rows[i].off] = rows[i].value;
        if (passes())
            fail_msg("passed: %s", rows[i].why);
    }
    make_ra();
    for (size_t n = 0; n < frame.n; n++)
        assert_false(verdict(span_of(frame.p, n))); /* cut: the payload length no longer fits */
}

/* An RDNSS option without a single address. */
static void test_empty_rdnss(void **unused)
{
    struct ip from = frames_ip("fe80::2"), to = frames_ip("ff02::1");
    (void)unused;
    fresh();
    frames_ra(&message, 0, 1800, peer);
    frames_u32(&message, 0x19010000);
    frames_u32(&message, 600);
    frames_icmp6(&frame, peer, all_nodes_mac, &from, &to, 255, buf_span(&message));
    assert_false(passes());
}

static void test_nd(void **unused)
{
    struct ip ll = frames_ip("fe80::2"), mine = frames_ip("fe80::1"), group = frames_ip("ff02::1:ff00:1"),
              none = frames_ip("::"), all = frames_ip("ff02::1");
    (void)unused;
    fresh();
    frames_ns(&message, &mine, NULL);
    frames_icmp6(&frame, peer, us, &none, &group, 255, buf_span(&message));
    assert_true(passes());
    fresh(); /* a probe with a source option */
    frames_ns(&message, &mine, peer);
    frames_icmp6(&frame, peer, us, &none, &group, 255, buf_span(&message));
    assert_false(passes());
    fresh(); /* a probe by unicast */
    frames_ns(&message, &mine, NULL);
    frames_icmp6(&frame, peer, us, &none, &mine, 255, buf_span(&message));
    assert_false(passes());
    fresh(); /* for a group */
    frames_ns(&message, &group, peer);
    frames_icmp6(&frame, peer, us, &ll, &group, 255, buf_span(&message));
    assert_false(passes());
    fresh();
    frames_na(&message, 0x20, &ll, peer);
    frames_icmp6(&frame, peer, all_nodes_mac, &ll, &all, 255, buf_span(&message));
    assert_true(passes());
    fresh(); /* solicited to everybody */
    frames_na(&message, 0x60, &ll, peer);
    frames_icmp6(&frame, peer, all_nodes_mac, &ll, &all, 255, buf_span(&message));
    assert_false(passes());
    fresh(); /* from nobody */
    frames_na(&message, 0x20, &ll, peer);
    frames_icmp6(&frame, peer, all_nodes_mac, &none, &all, 255, buf_span(&message));
    assert_false(passes());
    fresh();
    frames_na(&message, 0x20, &ll, peer);
    frames_icmp6(&frame, peer, us, &ll, &mine, 64, buf_span(&message));
    assert_false(passes());
}

static void test_ipv4(void **unused)
{
    struct ip a = frames_ip("10.0.0.2"), b = frames_ip("10.0.0.1");
    static const struct {
        const char *why;
        size_t off;
        uint8_t value;
    } rows[] = {
        {"options", 14, 0x46},
        {"short header", 14, 0x44},
        {"version", 14, 0x55},
        {"total longer", 16, 0xff},
        {"total shorter than header", 17, 19},
        {"more fragments", 20, 0x20},
        {"fragment offset", 21, 1},
        {"multicast source", 26, 224},
        {"broadcast source", 26, 255},
        {"protocol", 23, 4},
        {"UDP length longer", 38, 1},
        {"UDP length 7", 39, 7},
        {"VLAN", 12, 0x81},
        {"802.3 length", 12, 0},
    };
    (void)unused;
    for (size_t i = 0; i <= COUNT(rows); i++) {
        fresh();
        frames_udp(&frame, peer, us, &a, &b, 53, 50000,
                   SPAN_LIT("payload that is long enough to fill the frame"));
        if (i < COUNT(rows))
            frame.p[rows[i].off] = rows[i].value;
        if (passes() != (i == COUNT(rows)))
            fail_msg("%s", i < COUNT(rows) ? rows[i].why : "good frame refused");
    }
    for (unsigned type = 0; type < 256; type++) {
        fresh();
        buf_u8(&message, (uint8_t)type);
        for (unsigned i = 0; i < 27; i++)
            buf_u8(&message, 0);
        frames_ipv4(&frame, peer, us, &a, &b, 1, buf_span(&message));
        assert_int_equal(passes(), type != 5);
    }
}

static void test_icmp6_types(void **unused)
{
    struct ip a = frames_ip("fe80::2"), b = frames_ip("fe80::1");
    (void)unused;
    for (unsigned type = 0; type < 256; type++) {
        fresh();
        frames_u32(&message, type << 24);
        frames_u32(&message, 1280);
        for (unsigned i = 0; i < 40; i++)
            buf_u8(&message, 0);
        frames_icmp6(&frame, peer, us, &a, &b, 255, buf_span(&message));
        assert_int_equal(passes(), type < 133 || type > 137);
    }
    fresh(); /* Packet Too Big below the minimum MTU of IPv6 */
    frames_u32(&message, 2u << 24);
    frames_u32(&message, 1279);
    for (unsigned i = 0; i < 40; i++)
        buf_u8(&message, 0);
    frames_icmp6(&frame, peer, us, &a, &b, 255, buf_span(&message));
    assert_false(passes());
}

static void tcp(const uint8_t *options, size_t n, unsigned header_words)
{
    struct ip a = frames_ip("10.0.0.2"), b = frames_ip("10.0.0.1");
    fresh();
    frames_u16(&message, 443);
    frames_u16(&message, 50000);
    frames_u32(&message, 1);
    frames_u32(&message, 1);
    buf_u8(&message, (uint8_t)(header_words << 4));
    buf_u8(&message, 0x12);
    frames_u16(&message, 8192);
    frames_u32(&message, 0);
    buf_put(&message, span_of(options, n));
    frames_ipv4(&frame, peer, us, &a, &b, 6, buf_span(&message));
}

static void test_tcp_options(void **unused)
{
    static const struct {
        const char *why;
        uint8_t options[8];
        unsigned words;
        bool good;
    } rows[] = {
        {"MSS", {2, 4, 5, 0xb4, 1, 1, 1, 0}, 7, true},
        {"none", {0}, 5, true},
        {"end first", {0, 9, 9, 9}, 6, true},
        {"length 0", {2, 0, 5, 0xb4}, 6, false},
        {"length 1", {2, 1, 5, 0xb4}, 6, false},
        {"past the header", {2, 8, 5, 0xb4}, 6, false},
        {"kind without length", {1, 1, 1, 2}, 6, false},
        {"header 4", {0}, 4, false},
        {"header past the packet", {1, 1, 1, 1, 1, 1, 1, 1}, 8, false},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tcp(rows[i].options, sizeof(rows[i].options), rows[i].words);
        if (passes() != rows[i].good)
            fail_msg("%s", rows[i].why);
    }
}

static void test_arp(void **unused)
{
    struct ip a = frames_ip("10.0.0.2"), b = frames_ip("10.0.0.1");
    static const struct {
        size_t off;
        uint8_t value;
    } rows[] = {{15, 2}, {16, 9}, {18, 8}, {19, 16}, {21, 3}, {21, 0}, {22, 1}, {28, 224}};
    (void)unused;
    for (size_t i = 0; i <= COUNT(rows); i++) {
        fresh();
        frames_arp(&frame, peer, us, 2, peer, &a, &b);
        if (i < COUNT(rows))
            frame.p[rows[i].off] = rows[i].value;
        assert_int_equal(passes(), i == COUNT(rows));
    }
}

static void test_extension_headers(void **unused)
{
    (void)unused;
    /* Whatever stands in the place of ICMPv6 but TCP, UDP, and hop-by-hop before MLD: dropped. */
    for (unsigned next = 0; next < 256; next++) {
        make_ra();
        frame.p[IP6 + 6] = (uint8_t)next;
        bool good = next == 58;
        if (next != 6 && next != 17)
            assert_int_equal(passes(), good);
    }
    struct ip a = frames_ip("fe80::2"), b = frames_ip("ff02::1");
    static const struct {
        const char *why;
        uint8_t head[8];
        unsigned type;
        bool good;
    } rows[] = {
        {"MLD query", {58, 0, 5, 2, 0, 0, 1, 0}, 130, true},
        {"echo behind it", {58, 0, 5, 2, 0, 0, 1, 0}, 128, false},
        {"ND behind it", {58, 0, 5, 2, 0, 0, 1, 0}, 134, false},
        {"option past the header", {58, 0, 5, 5, 0, 0, 1, 0}, 130, false},
        {"header past the packet", {58, 9, 5, 2, 0, 0, 1, 0}, 130, false},
        {"another header behind it", {44, 0, 5, 2, 0, 0, 1, 0}, 130, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh();
        buf_put(&message, span_of(rows[i].head, 8));
        frames_u32(&message, rows[i].type << 24);
        for (unsigned z = 0; z < 20; z++)
            buf_u8(&message, 0);
        frames_icmp6(&frame, peer, all_nodes_mac, &a, &b, 255, buf_span(&message));
        frame.p[IP6 + 6] = 0;
        memcpy(frame.p + ICMP, rows[i].head, 8); /* where the checksum was written */
        if (passes() != rows[i].good)
            fail_msg("%s", rows[i].why);
    }
}

/* No byte of a good frame can be changed so that the guard or the readers touch memory outside it. */
static void test_bytes(void **unused)
{
    (void)unused;
    make_ra();
    for (size_t off = 12; off < frame.n; off++) {
        uint8_t old = frame.p[off];
        for (unsigned v = 0; v < 256; v++) {
            frame.p[off] = (uint8_t)v;
            (void)passes();
        }
        frame.p[off] = old;
    }
}

static unsigned corpus_passed, corpus_dropped;

static void corpus_frame(void *ctx, struct span f)
{
    (void)ctx;
    if (verdict(f))
        corpus_passed++;
    else
        corpus_dropped++;
    for (size_t n = 0; n < f.n && n < 120; n++)
        (void)verdict(span_of(f.p, n));
}

static struct span slurp(const char *dir, const char *name)
{
    char path[512];
    static uint8_t file[4 << 20];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return (struct span){0};
    size_t n = fread(file, 1, sizeof(file), f);
    (void)fclose(f);
    return span_of(file, n);
}

static const char *corpora(void)
{
    const char *dir = getenv("JOINBOOT_CORPORA");
    return dir != NULL ? dir : "../shared/corpora";
}

static void test_corpus(void **unused)
{
    char path[400];
    unsigned files = 0;
    (void)unused;
    (void)snprintf(path, sizeof(path), "%s/frames", corpora());
    DIR *dir = opendir(path);
    if (dir == NULL)
        skip();
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        files += frames_pcap(slurp(path, e->d_name), corpus_frame, NULL) > 0;
    (void)closedir(dir);
    print_message("%u captures: %u frames passed, %u dropped\n", files, corpus_passed, corpus_dropped);
    assert_true(files > 300 && corpus_passed > 100 && corpus_dropped > 1000);
}

static void test_seeds(void **unused)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {
        {"arp/arp_req.bin", true},     {"icmp/icmp_ping.bin", true}, {"ipv6/neighbor_solicitation.bin", true},
        {"ipv6/router_adv.bin", true}, {"tcp/tcp_syn.bin", true},    {"udp/udp_port_5000.bin", true},
    };
    char path[400];
    (void)unused;
    (void)snprintf(path, sizeof(path), "%s/dhcp-nd-dns-seeds/lwip", corpora());
    if (slurp(path, rows[0].name).n == 0)
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span f = slurp(path, rows[i].name);
        bool ok = verdict(f);
        print_message("%s: %s\n", rows[i].name, ok ? "passes" : "dropped");
        assert_int_equal(ok, rows[i].good);
        for (size_t n = 0; n < f.n; n++)
            (void)verdict(span_of(f.p, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ra),          cmocka_unit_test(test_empty_rdnss),
        cmocka_unit_test(test_nd),          cmocka_unit_test(test_ipv4),
        cmocka_unit_test(test_icmp6_types), cmocka_unit_test(test_tcp_options),
        cmocka_unit_test(test_arp),         cmocka_unit_test(test_extension_headers),
        cmocka_unit_test(test_bytes),       cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
