/*
 * test_syslog.c - messages of RFC 5424 from journal lines, the ring in which they wait, and when they are sent after the hand-over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/agent/agent.h"
#include "net/kernel.h"

static struct syslog ring;

static void check_put(const char *line, int64_t time_s, const char *host, const char *want)
{
    char text[600];
    struct buf b = BUF_OF(text);

    syslog_put(span_str(line), time_s, span_str(host), &b);
    buf_u8(&b, 0);
    assert_string_equal(text, want);
}

static void test_put(void **unused)
{
    (void)unused;
    check_put("joinboot[0.412] fetch done ms=84 url=https://c/n.jws\n", 1795449597, "node-2",
              "<30>1 2026-11-23T15:59:57Z node-2 joinboot - fetch - done ms=84 url=https://c/n.jws");
    check_put("joinboot[0.412] fetch error code=http.status\n", 0, "-",
              "<27>1 - - joinboot - fetch - error code=http.status");
    check_put("joinboot[0.412] resume note text=\"a b\"\n", 0, "n",
              "<29>1 - n joinboot - resume - note text=\"a b\"");
    check_put("joinboot[0.412] link start\n", 0, "n", "<31>1 - n joinboot - link - start");
}

/* The oldest lines give way to new ones, whole, and are counted. */
static void test_ring(void **unused)
{
    uint8_t line[200];
    size_t kept;

    (void)unused;
    memset(&ring, 0, sizeof(ring));
    for (unsigned i = 0; i < 100; i++) {
        memset(line, 'a' + (int)(i % 26), sizeof(line));
        syslog_keep(&ring, 1000 + i, span_of(line, sizeof(line)));
    }
    kept = ring.used / 210;
    assert_int_equal(ring.used % 210, 0);
    assert_int_equal(kept, sizeof(ring.ring) / 210);
    assert_int_equal(ring.lost, 100 - kept);
    assert_int_equal(ring.ring[6] << 8 | ring.ring[7], 1000 + ring.lost);
    assert_int_equal(ring.ring[10], 'a' + (int)(ring.lost % 26));
}

/* A line that is longer than any journal line is cut. */
static void test_long(void **unused)
{
    static uint8_t line[LIMIT_JOURNAL_LINE + 100];

    (void)unused;
    memset(&ring, 0, sizeof(ring));
    syslog_keep(&ring, 1, span_of(line, sizeof(line)));
    assert_int_equal(ring.used, 10 + LIMIT_JOURNAL_LINE);
}

/* A kernel that owns the network: a carrier, sockets, and what was sent. */
static struct agent agent;
static struct {
    bool carrier, fails;
    int open;
    unsigned opened, sent;
    char last[200];
} kernel;

static enum err nic_info(void *ctx, unsigned nic, struct board_nic *ret)
{
    (void)ctx;
    *ret = (struct board_nic){.carrier = kernel.carrier};
    return nic == 0 ? OK : ERR_LINK_NONE;
}

static enum err datagram_open(const struct ip *server, uint16_t port, int *ret_id)
{
    (void)server;
    assert_int_equal(port, 514);
    kernel.open++;
    *ret_id = (int)++kernel.opened;
    return OK;
}

static enum err datagram_send(int id, struct span data)
{
    assert_int_equal(id, kernel.opened);
    if (kernel.fails)
        return ERR_IO;
    kernel.sent++;
    assert_int_equal(span_to_cstr(data, kernel.last, sizeof(kernel.last)), OK);
    return OK;
}

static void datagram_close(int id)
{
    (void)id;
    kernel.open--;
}

static void turns(unsigned ms)
{
    for (uint64_t end = agent.now_ms + ms; agent.now_ms < end; agent.now_ms++)
        syslog_turn(&agent);
}

static void hand_over(unsigned lines)
{
    static const struct board board = {.nic_info = nic_info};
    static const struct datagrams datagrams = {
        .open = datagram_open, .send = datagram_send, .close = datagram_close};
    static const struct host host = {.datagrams = &datagrams};
    char text[40];

    memset(&agent, 0, sizeof(agent));
    memset(&kernel, 0, sizeof(kernel));
    agent.board = &board;
    agent.host = &host;
    agent.now_ms = 5000;
    agent.handed_over = true;
    assert_int_equal(ip_parse(SPAN_LIT("10.0.0.1"), &agent.site.syslog), OK);
    agent.site.syslog_port = 514;
    for (unsigned i = 1; i <= lines; i++) {
        struct buf b = BUF_OF(text);

        buf_fmt(&b, "joinboot[1.000] joined note n=%u\n", i);
        syslog_keep(&agent.syslog, agent.now_ms, buf_span(&b));
    }
}

/* A kernel takes what is sent without a carrier and drops it. */
static void test_no_carrier(void **unused)
{
    (void)unused;
    hand_over(3);
    turns(5000);
    assert_int_equal(kernel.sent, 0);
    assert_in_range(syslog_wake_ms(&agent), agent.now_ms, agent.now_ms + 1000);
    kernel.carrier = true;
    for (unsigned i = 0; i < 2000 && kernel.sent < 2; i++)
        turns(1);
    assert_int_equal(kernel.sent, 2);
    assert_string_equal(kernel.last, "<29>1 - - joinboot - joined - note n=2");
    kernel.carrier = false;
    turns(5000);
    assert_int_equal(kernel.sent, 2);
    kernel.carrier = true;
    turns(2000);
    assert_int_equal(kernel.sent, 3);
    assert_string_equal(kernel.last, "<29>1 - - joinboot - joined - note n=3");
    assert_int_equal(syslog_wake_ms(&agent), UINT64_MAX);
}

/* What could not be sent is sent later, on another socket, and the old ones are given back. */
static void test_send_fails(void **unused)
{
    (void)unused;
    hand_over(1);
    kernel.carrier = kernel.fails = true;
    turns(5000);
    assert_int_equal(kernel.open, 0);
    assert_in_range(kernel.opened, 4, 6);
    kernel.fails = false;
    turns(1100);
    assert_int_equal(kernel.sent, 1);
    assert_int_equal(kernel.open, 1);
    assert_int_equal(agent.syslog.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_put), cmocka_unit_test(test_ring),
                                       cmocka_unit_test(test_long), cmocka_unit_test(test_no_carrier),
                                       cmocka_unit_test(test_send_fails)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
