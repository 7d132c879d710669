/*
 * test_httpreq.c - requests on a BMC's host link (net/httpreq.c): what is whole, what is refused and with which status, at every cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/httpreq.h"

#define HOST "Host: bmc\r\n"

static const struct {
    int line;
    const char *text;
    unsigned status;
} vectors[] = {
    {__LINE__, "GET /bundle HTTP/1.1\r\n" HOST "\r\n", 200},
    {__LINE__, "GET /bundle HTTP/1.0\r\n\r\n", 200},
    {__LINE__, "GET /bundle HTTP/1.0\r\n" HOST "\r\n", 200},
    {__LINE__, "GET /bundle HTTP/1.0\r\n" HOST HOST "\r\n", 400},
    {__LINE__, "HEAD /status HTTP/1.1\r\nhOsT:bmc\r\nAccept: */*\r\n\r\n", 200},
    {__LINE__, "PUT /joined HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd", 200},
    {__LINE__, "PUT /joined HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200},
    {__LINE__, "PUT /joined HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcd", 0},
    {__LINE__, "GET /bundle HTTP/1.1\r\n" HOST, 0},
    {__LINE__, "", 0},
    {__LINE__, "GET /bundle HTTP/1.1\r\n\r\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", 400},
    {__LINE__, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
    {__LINE__, "PUT / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
    {__LINE__, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", 400},
    {__LINE__, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 81\r\n\r\n", 413},
    {__LINE__, "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 501},
    {__LINE__, "POST /joined HTTP/1.1\r\n", 405},
    {__LINE__, "DELETE /bundle HTTP/1.1\r\n", 405},
    {__LINE__, "get /bundle HTTP/1.1\r\n", 405},
    {__LINE__, " /bundle HTTP/1.1\r\n", 400},
    {__LINE__, "GET http://bmc/bundle HTTP/1.1\r\n", 400},
    {__LINE__, "GET bundle HTTP/1.1\r\n", 400},
    {__LINE__, "GET  /bundle HTTP/1.1\r\n", 400},
    {__LINE__, "GET /a b HTTP/1.1\r\n", 400},
    {__LINE__, "GET /bundle\r\n", 400},
    {__LINE__, "GET /bundle HTTP/2.0\r\n", 505},
    {__LINE__, "GET /bundle HTTP/1.1\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\r\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\nHost : bmc\r\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\nHost\r\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\n folded\r\n", 400},
    {__LINE__, "GET /bundle HTTP/1.1\r\n: x\r\n", 400},
    {__LINE__, "GET /\x01 HTTP/1.1\r\n", 400},
    {__LINE__, "GET /\xff HTTP/1.1\r\n", 400},
    {__LINE__, "GET /0123456789012345678901234567890123456789012345678901234567890123 HTTP/1.1\r\n", 404},
};

static void test_vectors(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct span text = span_str(vectors[i].text);

        for (size_t cut = 0; cut <= text.n; cut++) {
            struct httpreq r;
            unsigned status;

            httpreq_init(&r);
            status = httpreq_feed(&r, span_sub(text, 0, cut));
            if (status == 0)
                status = httpreq_feed(&r, span_sub(text, cut, text.n));
            if (status != vectors[i].status)
                fail_msg("line %d, cut at %zu: %u", vectors[i].line, cut, status);
        }
    }
}

static void test_fields(void **unused)
{
    struct httpreq r;

    (void)unused;
    httpreq_init(&r);
    assert_int_equal(
        httpreq_feed(
            &r, SPAN_LIT("PUT /joined HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1")),
        200);
    assert_int_equal(r.method, HTTPREQ_PUT);
    assert_string_equal(r.path, "/joined");
    assert_true(span_is(span_of(r.body, r.body_n), "abc"));
}

/* A line and a head that have no end are refused while they still come in. */
static void test_bounds(void **unused)
{
    struct httpreq r;
    unsigned status = 0;
    size_t n = 0;

    (void)unused;
    httpreq_init(&r);
    for (; status == 0; n++)
        status = httpreq_feed(&r, SPAN_LIT("G"));
    assert_int_equal(status, 414);
    assert_in_range(n, 1, HTTPREQ_LINE_MAX + 1);
    httpreq_init(&r);
    assert_int_equal(httpreq_feed(&r, SPAN_LIT("GET / HTTP/1.1\r\n")), 0);
    for (n = 0, status = 0; status == 0; n++)
        status = httpreq_feed(&r, SPAN_LIT("a: b\r\n"));
    assert_int_equal(status, 431);
    assert_in_range(n, 1, HTTPREQ_HEAD_MAX / 6 + 1);
}

static void test_answers(void **unused)
{
    uint8_t mem[256];
    struct buf b = BUF_OF(mem);

    (void)unused;
    httpreq_answer_put(&b, 200, "application/json", 12, NULL);
    assert_true(span_is(buf_span(&b),
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n"
                        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"));
    b.n = 0;
    httpreq_answer_put(&b, 405, NULL, 0, "GET, HEAD");
    assert_true(span_find_str(buf_span(&b), "Allow: GET, HEAD\r\n") < b.n);
    b.n = 0;
    httpreq_answer_put(&b, 204, NULL, 0, NULL);
    assert_int_equal(span_find_str(buf_span(&b), "Content-Length"), b.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests_name("httpreq", tests, NULL, NULL);
}
