/*
 * test_lease.c - keeping a DHCPv4 lease: when is what said to whom, which answers count, and what a hostile message does not do.
 */
#include "tests/unit/vector.h"

#include <stdlib.h>

#include "net/lease_msg.h"
#include "tests/unit/frames.h"

enum { FOR_EVER = -1, XID = 0x01020304 };

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1};
static struct lease lease;
static uint8_t sent_mem[LEASE_MESSAGE_MAX], answer_mem[1024];
static struct buf sent, answer;
static struct ip to;
static struct lease_grant said;

static struct lease_grant grant(uint32_t lease_s, uint32_t t1_s, uint32_t t2_s)
{
    return (struct lease_grant){.addr = frames_ip("10.0.0.50"),
                                .server = frames_ip("10.0.0.1"),
                                .router = frames_ip("10.0.0.1"),
                                .lease_s = lease_s,
                                .t1_s = t1_s,
                                .t2_s = t2_s};
}

static void begin(uint32_t lease_s)
{
    struct lease_grant g = grant(lease_s, 0, 0);

    lease_begin(&lease, us, &g, 0, 0);
}

static enum lease_event turn(uint64_t s)
{
    sent = BUF_OF(sent_mem);
    return lease_turn(&lease, s * 1000, XID, &sent, &to);
}

static bool sent_to(const char *where)
{
    struct ip ip = frames_ip(where);

    return ip_eq(&to, &ip);
}

static void option_u32(unsigned code, uint32_t v)
{
    buf_u8(&answer, (uint8_t)code);
    buf_u8(&answer, 4);
    frames_u32(&answer, v);
}

/* A server's message without the end of its options. */
static void open_answer(unsigned type, uint32_t xid, const uint8_t *mac, const char *addr, const char *server)
{
    static const uint8_t zeros[192];

    answer = BUF_OF(answer_mem);
    frames_u32(&answer, 0x02010600);
    frames_u32(&answer, xid);
    frames_u32(&answer, 0);
    frames_u32(&answer, 0);
    buf_put(&answer, span_of(frames_ip(addr).b, 4));
    frames_u32(&answer, 0);
    frames_u32(&answer, 0);
    buf_put(&answer, span_of(mac, 6));
    buf_put(&answer, span_of(zeros, 10));
    buf_put(&answer, span_of(zeros, 192));
    frames_u32(&answer, 0x63825363);
    buf_u8(&answer, 53);
    buf_u8(&answer, 1);
    buf_u8(&answer, (uint8_t)type);
    if (server) {
        buf_u8(&answer, 54);
        buf_u8(&answer, 4);
        buf_put(&answer, span_of(frames_ip(server).b, 4));
    }
}

static enum lease_event hear(uint64_t s)
{
    /* Exactly as long as the message, so that ASan sees a read past its end. */
    uint8_t *copy = malloc(answer.n);
    enum lease_event e;

    memcpy(copy, answer.p, answer.n);
    e = lease_received(&lease, s * 1000, 0, span_of(copy, answer.n), &said);
    free(copy);
    return e;
}

static enum lease_event acked(uint64_t s, unsigned type, const char *addr, const char *server)
{
    open_answer(type, XID, us, addr, server);
    if (type != LEASE_NAK)
        option_u32(51, 1000);
    buf_u8(&answer, 255);
    return hear(s);
}

static void test_times(void **unused)
{
    static const struct {
        int line;
        uint32_t lease_s, t1_s, t2_s;
        int64_t t1, t2, end;
    } rows[] = {
        {ROW, 1000, 0, 0, 500000, 875000, 1000000},
        {ROW, 120, 5, 20, 5000, 20000, 120000},
        {ROW, 120, 5, 0, 5000, 105000, 120000},    /* T1 alone */
        {ROW, 120, 110, 0, 60000, 105000, 120000}, /* T1 behind the T2 that would be */
        {ROW, 120, 20, 20, 60000, 105000, 120000}, /* T1 not before T2 */
        {ROW, 120, 5, 120, 60000, 105000, 120000}, /* T2 not before the end */
        {ROW, 120, 5, 400, 60000, 105000, 120000},
        {ROW, 120, 0, 20, 60000, 105000, 120000}, /* T2 alone */
        {ROW, 1, 0, 0, 500, 875, 1000},
        {ROW, UINT32_MAX - 1, 0, 0, 2147483647000, 3758096382250, 4294967294000},
        {ROW, UINT32_MAX, 5, 20, FOR_EVER, FOR_EVER, FOR_EVER},
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lease_grant g = grant(rows[i].lease_s, rows[i].t1_s, rows[i].t2_s);
        lease_begin(&lease, us, &g, 0, 0);
        ROW_TRUE(&rows[i], lease.t1_ms == (uint64_t)rows[i].t1);
        ROW_TRUE(&rows[i], lease.t2_ms / 1000 == (uint64_t)rows[i].t2 / 1000);
        ROW_TRUE(&rows[i], lease.end_ms == (uint64_t)rows[i].end);
    }
}

/* Machines that were switched on together do not renew together; T1 comes at most a sixteenth earlier. */
static void test_times_spread(void **unused)
{
    struct lease_grant g = grant(1000, 0, 0);
    uint64_t least = UINT64_MAX, most = 0;

    (void)unused;
    for (uint32_t random = 0; random < 100000; random += 777) {
        lease_begin(&lease, us, &g, 0, random);
        least = lease.t1_ms < least ? lease.t1_ms : least;
        most = lease.t1_ms > most ? lease.t1_ms : most;
    }
    assert_true(least >= 468750 && least < 470000 && most > 499000 && most <= 500000);
}

static void test_renews_by_unicast(void **unused)
{
    static const uint8_t expect[] = {1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0, 10, 0, 0, 50};
    static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 3, 61, 7,  1,  2,  0,   0,
                                      0,    0,    1,    55,   6,  1, 3, 6,  51, 58, 59, 255, 0};

    (void)unused;
    begin(1000);
    assert_int_equal(lease_wake_ms(&lease), 500000);
    assert_int_equal(turn(499), LEASE_NOTHING);
    assert_int_equal(turn(500), LEASE_SEND);
    assert_true(sent_to("10.0.0.1"));
    assert_int_equal(sent.n, LEASE_MESSAGE_MAX);
    assert_false(sent.overflow);
    assert_memory_equal(sent.p, expect, sizeof(expect));
    assert_memory_equal(sent.p + 28, us, 6);
    /* Neither a server identifier nor a requested address (RFC 2131 section 4.3.2). */
    assert_memory_equal(sent.p + 236, options, sizeof(options));
    assert_int_equal(turn(500), LEASE_NOTHING);
    assert_int_equal(acked(501, LEASE_ACK, "10.0.0.50", "10.0.0.1"), LEASE_RENEWED);
    /* Counted from the request, not from its answer. */
    assert_int_equal(lease.end_ms, 1500000);
    assert_int_equal(lease_left_s(&lease, 501000), 999);
    assert_int_equal(lease_wake_ms(&lease), 1000000);
    assert_true(lease.grant.router.family == FAMILY_V4);
}

/* Half of the time that is left, at least a minute, and never past the next state. */
static void test_retransmits(void **unused)
{
    static const uint64_t renewing[] = {5000, 6875, 7812, 8281, 8515, 8632};

    (void)unused;
    begin(10000);
    for (size_t i = 0; i < COUNT(renewing); i++) {
        assert_int_equal(lease_wake_ms(&lease) / 1000, renewing[i]);
        struct buf out = BUF_OF(sent_mem);
        assert_int_equal(lease_turn(&lease, lease_wake_ms(&lease), XID, &out, &to), LEASE_SEND);
    }
    assert_int_equal(lease_wake_ms(&lease) / 1000, 8692);
    assert_int_equal(turn(8750), LEASE_UNANSWERED);
    assert_int_equal(lease.state, LEASE_REBINDING);
    assert_int_equal(turn(8750), LEASE_SEND);
    assert_true(sent_to("255.255.255.255"));
    assert_memory_equal(sent.p + 12, "\x0a\x00\x00\x32", 4);
    assert_int_equal(lease_wake_ms(&lease) / 1000, 9375);
    assert_int_equal(turn(9375), LEASE_SEND);
    assert_int_equal(lease_wake_ms(&lease) / 1000, 9687);
    assert_int_equal(turn(9960), LEASE_SEND);
    assert_int_equal(lease_wake_ms(&lease) / 1000, 10000);
    assert_int_equal(turn(10000), LEASE_EXPIRED);
}

static void test_rebinds_with_another_server(void **unused)
{
    (void)unused;
    begin(1000);
    assert_int_equal(turn(500), LEASE_SEND);
    /* While one server is asked, another one's word does not count. */
    assert_int_equal(acked(501, LEASE_ACK, "10.0.0.50", "10.0.0.9"), LEASE_NOTHING);
    assert_int_equal(acked(501, LEASE_NAK, "0.0.0.0", "10.0.0.9"), LEASE_NOTHING);
    assert_int_equal(turn(875), LEASE_UNANSWERED);
    assert_int_equal(acked(875, LEASE_ACK, "10.0.0.50", "10.0.0.9"), LEASE_NOTHING);
    assert_int_equal(turn(875), LEASE_SEND);
    assert_int_equal(acked(876, LEASE_ACK, "10.0.0.50", "10.0.0.9"), LEASE_RENEWED);
    assert_int_equal(turn(1400), LEASE_SEND);
    assert_true(sent_to("10.0.0.9"));
}

/* A refusal, or another address, is told once for each of our messages and ends nothing. */
static void test_refused(void **unused)
{
    (void)unused;
    begin(1000);
    assert_int_equal(turn(500), LEASE_SEND);
    assert_int_equal(acked(501, LEASE_NAK, "0.0.0.0", "10.0.0.1"), LEASE_REFUSED);
    assert_true(said.server.b[3] == 1);
    assert_int_equal(acked(501, LEASE_NAK, "0.0.0.0", "10.0.0.1"), LEASE_NOTHING);
    assert_int_equal(lease.state, LEASE_RENEWING);
    assert_int_equal(lease.end_ms, 1000000);
    assert_int_equal(turn(875), LEASE_UNANSWERED);
    assert_int_equal(turn(875), LEASE_SEND);
    assert_int_equal(acked(876, LEASE_ACK, "10.0.0.51", "10.0.0.1"), LEASE_OTHER);
    assert_true(said.addr.b[3] == 51 && lease.grant.addr.b[3] == 50);
    /* One server says no, another one yes. */
    assert_int_equal(acked(876, LEASE_ACK, "10.0.0.50", "10.0.0.2"), LEASE_RENEWED);
}

/* After the end the same address is asked for, by INIT-REBOOT and by DISCOVER in turn, for ever, from nowhere and with a broadcast answer. */
static void test_lost(void **unused)
{
    static const uint8_t wanted[] = {53, 1, 3, 50, 4, 10, 0, 0, 50, 61};
    static const uint64_t pauses[] = {4000, 8000, 16000, 32000, 64000, 64000, 64000};
    uint64_t now = 1000000;

    (void)unused;
    begin(1000);
    assert_int_equal(turn(1000), LEASE_EXPIRED);
    for (size_t i = 0; i < COUNT(pauses); i++) {
        sent = BUF_OF(sent_mem);
        assert_int_equal(lease_turn(&lease, now, 0, &sent, &to), LEASE_SEND);
        assert_true(sent_to("255.255.255.255"));
        assert_memory_equal(sent.p + 10, "\x80\x00\x00\x00\x00\x00", 6);
        assert_int_equal(sent.p[242], i % 2 == 0 ? LEASE_REQUEST : LEASE_DISCOVER);
        assert_memory_equal(sent.p + 243, wanted + 3, 7);
        assert_int_equal(lease_wake_ms(&lease), now + pauses[i] - 1000);
        now = lease_wake_ms(&lease);
    }
    assert_int_equal(lease_left_s(&lease, now), 0);
}

static void test_lost_comes_back(void **unused)
{
    (void)unused;
    begin(1000);
    assert_int_equal(turn(1000), LEASE_EXPIRED);
    assert_int_equal(turn(1000), LEASE_SEND);
    assert_int_equal(acked(1000, LEASE_OFFER, "10.0.0.50", "10.0.0.9"), LEASE_NOTHING);
    assert_int_equal(acked(1001, LEASE_ACK, "10.0.0.50", "10.0.0.9"), LEASE_RENEWED);
    assert_int_equal(lease.state, LEASE_BOUND);
    assert_int_equal(lease.end_ms, 2000000);
}

static void test_lost_takes_only_its_own_offer(void **unused)
{
    static const uint8_t selecting[] = {53, 1, 3, 50, 4, 10, 0, 0, 50, 54, 4, 10, 0, 0, 9, 61};

    (void)unused;
    begin(1000);
    assert_int_equal(turn(1000), LEASE_EXPIRED);
    assert_int_equal(turn(1000), LEASE_SEND);
    assert_int_equal(turn(1010), LEASE_SEND);
    assert_int_equal(sent.p[242], LEASE_DISCOVER);
    assert_int_equal(acked(1010, LEASE_ACK, "10.0.0.50", "10.0.0.9"), LEASE_NOTHING);
    assert_int_equal(acked(1010, LEASE_OFFER, "10.0.0.51", "10.0.0.8"), LEASE_OTHER);
    assert_int_equal(turn(1010), LEASE_NOTHING);
    assert_int_equal(acked(1010, LEASE_OFFER, "10.0.0.50", "10.0.0.9"), LEASE_NOTHING);
    assert_int_equal(turn(1010), LEASE_SEND);
    assert_memory_equal(sent.p + 240, selecting, sizeof(selecting));
    assert_int_equal(acked(1011, LEASE_ACK, "10.0.0.50", "10.0.0.9"), LEASE_RENEWED);
}

static void test_not_asked_for(void **unused)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 2};

    (void)unused;
    begin(1000);
    assert_int_equal(acked(100, LEASE_ACK, "10.0.0.50", "10.0.0.1"), LEASE_NOTHING);
    assert_int_equal(turn(500), LEASE_SEND);
    open_answer(LEASE_ACK, XID + 1, us, "10.0.0.50", "10.0.0.1");
    option_u32(51, 1000);
    buf_u8(&answer, 255);
    assert_int_equal(hear(501), LEASE_NOTHING);
    open_answer(LEASE_ACK, XID, other, "10.0.0.50", "10.0.0.1");
    option_u32(51, 1000);
    buf_u8(&answer, 255);
    assert_int_equal(hear(501), LEASE_NOTHING);
    assert_int_equal(acked(501, LEASE_OFFER, "10.0.0.50", "10.0.0.1"), LEASE_NOTHING);
    assert_int_equal(acked(501, LEASE_ACK, "10.0.0.50", NULL), LEASE_NOTHING);
    assert_int_equal(acked(501, LEASE_ACK, "10.0.0.50", "10.0.0.1"), LEASE_RENEWED);
    assert_int_equal(acked(502, LEASE_ACK, "10.0.0.50", "10.0.0.1"), LEASE_NOTHING);
}

static void test_malformed(void **unused)
{
    static const struct {
        int line;
        const char *options;
        size_t n;
        bool good;
    } rows[] = {
        {ROW, "\x33\x04\x00\x00\x00\x78\xff", 7, true},
        {ROW, "\x00\x00\x33\x04\x00\x00\x00\x78\x00\xff", 10, true},
        {ROW, "\x33\x04\x00\x00\x00\x78\xff\x33", 8, true},              /* behind the end is padding */
        {ROW, "\x33\x04\x00\x00\x00\x78\xf0\x02\x01\x02\xff", 11, true}, /* an unknown option */
        {ROW, "\x33\x04\x00\x00\x00\x78", 6, false},                     /* no end */
        {ROW, "\x33\x04\x00\x00\x00\xff", 6, false},                     /* the end lies inside the option */
        {ROW, "\x33\x04\x00\x00\x00\x78\x33", 7, false},
        {ROW, "\x33\x04\x00\x00\x00\x78\x06\xff\x01", 9, false},
        {ROW, "\x33\x03\x00\x00\x78\xff", 6, false},                              /* a lease of 3 bytes */
        {ROW, "\x33\x04\x00\x00\x00\x00\xff", 7, false},                          /* a lease of no time */
        {ROW, "\xff", 1, false},                                                  /* no lease time */
        {ROW, "\x33\x04\x00\x00\x00\x78\x35\x01\x05\xff", 10, false},             /* the type twice */
        {ROW, "\x33\x04\x00\x00\x00\x78\x36\x04\x0a\x00\x00\x09\xff", 13, false}, /* the server twice */
        {ROW, "\x33\x04\x00\x00\x00\x78\x06\x03\x01\x02\x03\xff", 12, false},
        {ROW, "\x33\x04\x00\x00\x00\x78\x06\x00\xff", 9, false},
        {ROW, "\x33\x04\x00\x00\x00\x78\x03\x05\x01\x02\x03\x04\x05\xff", 14, false},
        {ROW, "\x33\x04\x00\x00\x00\x78\x3a\x02\x00\x05\xff", 11, false},
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(1000);
        assert_int_equal(turn(500), LEASE_SEND);
        open_answer(LEASE_ACK, XID, us, "10.0.0.50", "10.0.0.1");
        buf_put(&answer, span_of(rows[i].options, rows[i].n));
        ROW_TRUE(&rows[i], hear(501) == (rows[i].good ? LEASE_RENEWED : LEASE_NOTHING));
        ROW_TRUE(&rows[i], lease.state == (rows[i].good ? LEASE_BOUND : LEASE_RENEWING));
    }
}

/* Every prefix of a good message is read without a step beyond it, and refused. */
static void test_cut_short(void **unused)
{
    size_t whole;

    (void)unused;
    begin(1000);
    assert_int_equal(turn(500), LEASE_SEND);
    open_answer(LEASE_ACK, XID, us, "10.0.0.50", "10.0.0.1");
    option_u32(51, 1000);
    buf_u8(&answer, 255);
    whole = answer.n;
    for (size_t n = 1; n < whole; n++) {
        answer.n = n;
        assert_int_equal(hear(501), LEASE_NOTHING);
    }
    answer.n = whole;
    assert_int_equal(hear(501), LEASE_RENEWED);
}

static void test_takes_resolvers(void **unused)
{
    (void)unused;
    begin(1000);
    assert_int_equal(turn(500), LEASE_SEND);
    open_answer(LEASE_ACK, XID, us, "10.0.0.50", "10.0.0.1");
    option_u32(51, 1000);
    buf_u8(&answer, 6);
    buf_u8(&answer, 20);
    for (uint32_t i = 1; i <= 5; i++)
        frames_u32(&answer, 0x0a000000 + i);
    option_u32(3, 0x0a0000fe);
    buf_u8(&answer, 255);
    assert_int_equal(hear(501), LEASE_RENEWED);
    assert_int_equal(lease.grant.dns_count, LEASE_DNS_MAX);
    assert_true(lease.grant.dns[3].b[3] == 4 && lease.grant.router.b[3] == 0xfe);
    /* The next answer says nothing of them. */
    assert_int_equal(turn(1000), LEASE_SEND);
    assert_int_equal(acked(1001, LEASE_ACK, "10.0.0.50", "10.0.0.1"), LEASE_RENEWED);
    assert_int_equal(lease.grant.dns_count, LEASE_DNS_MAX);
    assert_true(lease.grant.router.b[3] == 0xfe);
}

static void test_for_ever(void **unused)
{
    (void)unused;
    begin(UINT32_MAX);
    assert_true(lease_wake_ms(&lease) == UINT64_MAX && lease_left_s(&lease, 5) == UINT32_MAX);
    assert_int_equal(turn(UINT32_MAX), LEASE_NOTHING);
    lease = (struct lease){.state = LEASE_NONE};
    assert_true(lease_wake_ms(&lease) == UINT64_MAX);
    assert_int_equal(turn(UINT32_MAX), LEASE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_times_spread),
        cmocka_unit_test(test_renews_by_unicast),
        cmocka_unit_test(test_retransmits),
        cmocka_unit_test(test_rebinds_with_another_server),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_lost_comes_back),
        cmocka_unit_test(test_lost_takes_only_its_own_offer),
        cmocka_unit_test(test_not_asked_for),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_takes_resolvers),
        cmocka_unit_test(test_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
