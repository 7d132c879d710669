/*
 * test_dhcp6.c - stateless DHCPv6 messages, and the quarantine of servers and routers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/dhcp6.h"
#include "net/ndp.h"
#include "net/quarantine.h"
#include "tests/unit/frames.h"

enum { XID = 0xabcdef };

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1};

static uint8_t text[256];
static struct buf b;

static void option(unsigned code, struct span data)
{
    frames_u16(&b, code);
    frames_u16(&b, (unsigned)data.n);
    buf_put(&b, data);
}

static const uint8_t duid[10] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1};

static void begin(unsigned type, uint32_t xid)
{
    b = BUF_OF(text);
    frames_u32(&b, type << 24 | xid);
    option(1, span_of(duid, sizeof(duid)));
    option(2, SPAN_LIT("server"));
}

static bool reads(struct dhcp6_reply *ret)
{
    /* Exactly as long as the message, so that ASan sees a read past its end. */
    uint8_t *copy = malloc(b.n > 0 ? b.n : 1);
    memcpy(copy, b.p, b.n);
    bool ok = dhcp6_read_reply(span_of(copy, b.n), XID, us, ret);
    free(copy);
    return ok;
}

static void test_request(void **unused)
{
    static const uint8_t expect[] = {11, 0xab, 0xcd, 0xef, 0, 1, 0, 10, 0, 3,  0, 1, 2, 0, 0, 0,
                                     0,  1,    0,    6,    0, 4, 0, 23, 0, 32, 0, 8, 0, 2, 0, 5};
    (void)unused;
    b = BUF_OF(text);
    dhcp6_put_request(&b, XID, us, 5);
    assert_true(b.n <= DHCP6_MESSAGE_MAX && span_eq(buf_span(&b), span_of(expect, sizeof(expect))));
}

static void test_reply(void **unused)
{
    struct ip dns[5];
    struct dhcp6_reply r;
    (void)unused;
    begin(7, XID);
    b.cap = sizeof(text);
    frames_u16(&b, 23);
    frames_u16(&b, 80);
    for (unsigned i = 0; i < 5; i++) {
        dns[i] = (struct ip){.family = FAMILY_V6, .b = {0xfd, [15] = (uint8_t)i}};
        buf_put(&b, span_of(dns[i].b, 16));
    }
    assert_true(reads(&r));
    assert_int_equal(r.dns_count, DHCP6_DNS_MAX);
    assert_true(ip_eq(&r.dns[3], &dns[3]));
    assert_int_equal(r.refresh_s, 86400);
    option(32, SPAN_LIT("\0\0\0\1"));
    assert_true(reads(&r));
    assert_int_equal(r.refresh_s, 600); /* no server makes us ask every second */
    size_t whole = b.n;
    for (b.n = 0; b.n < whole; b.n++) {
        bool boundary = b.n == 4 + 14 + 10 || b.n == 4 + 14 + 10 + 84; /* options that end are whole */
        assert_int_equal(reads(&r), boundary);
    }
}

static void test_refused(void **unused)
{
    struct dhcp6_reply r = {.dns_count = 77};
    (void)unused;
    begin(2, XID);
    assert_false(reads(&r)); /* not a reply */
    begin(7, XID + 1);
    assert_false(reads(&r));
    begin(7, XID);
    text[4 + 4 + 9] = 2; /* for another client */
    assert_false(reads(&r));
    begin(7, XID);
    b.n = 4 + 14; /* no server identifier */
    assert_false(reads(&r));
    begin(7, XID);
    option(13, SPAN_LIT("\0\1no"));
    assert_false(reads(&r));
    begin(7, XID);
    option(13, SPAN_LIT("\0\0fine"));
    option(23, SPAN_LIT("short"));
    assert_true(reads(&r));
    assert_int_equal(r.dns_count, 0);
}

static void test_quarantine(void **unused)
{
    static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa}, mac_b[6] = {2, 0, 0, 0, 0, 0xb};
    struct quarantine q = {.next_note = 0};
    struct ip a = frames_ip("10.0.0.66"), c = frames_ip("10.0.0.67"), honest = frames_ip("10.0.0.1");
    (void)unused;
    quarantine_note(&q, &a, mac_a);
    quarantine_note(&q, &honest, mac_b);
    assert_false(quarantine_holds(&q, &a, mac_a, 0));
    uint64_t now = 1000;
    for (unsigned strike = 0; strike < 12; strike++) {
        uint64_t time = (uint64_t)QUARANTINE_FIRST_MS << strike;
        time = time < QUARANTINE_MAX_MS ? time : QUARANTINE_MAX_MS;
        quarantine_strike(&q, &a, now);
        assert_true(quarantine_holds(&q, &a, mac_a, now + time - 1));
        assert_true(quarantine_holds(&q, &a, mac_b, now + time - 1));
        assert_true(quarantine_holds(&q, &c, mac_a, now + time - 1)); /* another address, the same card */
        assert_false(quarantine_holds(&q, &honest, mac_b, now));
        assert_false(quarantine_holds(&q, &a, mac_a, now + time));
        now += time;
    }
    now += QUARANTINE_FORGET_MS;
    quarantine_strike(&q, &a, now);
    assert_false(quarantine_holds(&q, &a, mac_a, now + QUARANTINE_FIRST_MS)); /* forgotten: it begins anew */
    for (uint8_t i = 0; i < 40; i++) {
        struct ip many = {.family = FAMILY_V4, .b = {10, 9, 0, i}};
        quarantine_strike(&q, &many, now + i);
        assert_true(quarantine_holds(&q, &many, us, now + i));
        assert_false(quarantine_holds(
            &q, &many, us, now + i + QUARANTINE_FIRST_MS)); /* a first failure, whose entry it got */
        struct ip before = {.family = FAMILY_V4, .b = {10, 9, 0, (uint8_t)(i - 1)}};
        assert_int_equal(quarantine_holds(&q, &before, us, now + i), i > 0);
    }
    assert_false(quarantine_holds(&q, &honest, mac_b, now + 40));
}

static void test_dhcp4_server(void **unused)
{
    struct ip from = frames_ip("10.0.0.1"), to = frames_ip("10.0.0.2"), server;
    uint8_t payload[300] = {2, 1, 6}, frame[400], mac[6];
    (void)unused;
    memcpy(payload + 240, "\65\1\2\66\4\12\0\0\6\377", 10);
    struct buf f = BUF_OF(frame);
    frames_udp(&f, us, us, &from, &to, 67, 68, span_of(payload, sizeof(payload)));
    assert_true(ndp_read_dhcp4(buf_span(&f), &server, mac));
    assert_true(server.b[3] == 6);
    payload[243] = 50; /* without an identifier it is the sender */
    f = BUF_OF(frame);
    frames_udp(&f, us, us, &from, &to, 67, 68, span_of(payload, sizeof(payload)));
    assert_true(ndp_read_dhcp4(buf_span(&f), &server, mac) && ip_eq(&server, &from));
    for (size_t n = 0; n < f.n; n++) {
        uint8_t *copy = malloc(n + 1);
        memcpy(copy, f.p, n);
        uint8_t *exact = realloc(copy, n > 0 ? n : 1);
        (void)ndp_read_dhcp4(span_of(exact, n), &server, mac);
        free(exact);
    }
    f = BUF_OF(frame);
    frames_udp(&f, us, us, &from, &to, 68, 67, span_of(payload, sizeof(payload)));
    assert_false(ndp_read_dhcp4(buf_span(&f), &server, mac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),      cmocka_unit_test(test_reply),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_quarantine),
        cmocka_unit_test(test_dhcp4_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
