/*
 * test_syslog.c - messages of RFC 5424 from journal lines, and the ring in which they wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/agent/syslog.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_put), cmocka_unit_test(test_ring),
                                       cmocka_unit_test(test_long)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
