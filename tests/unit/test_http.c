/*
 * test_http.c - the response reader: each vector is fed whole, byte by byte, and cut at every byte (never complete).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/http.h"

enum { BODY_CAP = 64 };

struct vector {
    const char *name, *text;
    enum err expect;
    unsigned status;
    const char *body, *rest;
};

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct vector vectors[] = {
    {"length", HEAD "Content-Length: 5\r\n\r\nhello", OK, 200, "hello", ""},
    {"length, rest", HEAD "content-length:5\r\n\r\nhelloHTTP/1.1 404", OK, 200, "hello", "HTTP/1.1 404"},
    {"empty", HEAD "Content-Length: 0\r\n\r\n", OK, 200, "", ""},
    {"no reason", "HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx", OK, 404, "x", ""},
    {"no reason, no space", "HTTP/1.1 404\r\nContent-Length: 1\r\n\r\nx", OK, 404, "x", ""},
    {"chunked", HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", OK, 200, "hello!",
     ""},
    {"chunked, rest", HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nrest", OK, 200, "x", "rest"},
    {"chunk extensions", HEAD "Transfer-Encoding: Chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", OK,
     200, "hello", ""},
    {"chunk extension, space", HEAD "Transfer-Encoding: chunked\r\n\r\n5 ;a\r\nhello\r\n0\r\n\r\n", OK, 200,
     "hello", ""},
    {"chunk upper hex, zeros", HEAD "Transfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n", OK,
     200, "0123456789", ""},
    {"trailers", HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n",
     OK, 200, "x", ""},
    {"interim",
     "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Early\r\n\r\n" HEAD "Content-Length: 1\r\n\r\nx", OK,
     200, "x", ""},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\nrest", OK, 204, "", "rest"},
    {"not modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", OK, 304, "", ""},
    {"identity", HEAD "Content-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", OK, 200, "x", ""},

    {"both", HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"both, other order", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ERR_HTTP_SYNTAX, 0,
     NULL, NULL},
    {"two lengths", HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"length list", HEAD "Content-Length: 5, 5\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"length sign", HEAD "Content-Length: +5\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"length negative", HEAD "Content-Length: -5\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"length hex", HEAD "Content-Length: 0x5\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"length empty", HEAD "Content-Length:\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"length huge", HEAD "Content-Length: 18446744073709551617\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"no length", HEAD "Connection: close\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"gzip coding", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"chunked twice", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"gzip content", HEAD "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL,
     NULL},
    {"space before colon", HEAD "Content-Length : 5\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"folding", HEAD "X: a\r\n b\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"no colon", HEAD "Xyz\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"empty name", HEAD ": x\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"control in value", HEAD "X: a\001b\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"CR without LF ends no head", HEAD "Content-Length: 1\r\n\rYx", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"space in a name", HEAD "Content-Length: 1\r\nBad Name: x\r\n\r\nx", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"bare CR", HEAD "X: a\rb\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"HTTP/2", "HTTP/2 200 OK\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"not HTTP", "SSH-2.0-OpenSSH\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"status short", "HTTP/1.1 20\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"status long", "HTTP/1.1 2000 OK\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"status low", "HTTP/1.1 099 OK\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"status high", "HTTP/1.1 600 OK\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"switching", "HTTP/1.1 101 Switching\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"interim with length", "HTTP/1.1 100 C\r\nContent-Length: 1\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"chunk not hex", HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"chunk empty size", HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"chunk sign", HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"chunk 0x", HEAD "Transfer-Encoding: chunked\r\n\r\n0x1\r\n", ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"chunk longer than said", HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", ERR_HTTP_SYNTAX,
     0, NULL, NULL},
    {"bad trailer", HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", ERR_HTTP_SYNTAX, 0, NULL,
     NULL},
    {"two locations", "HTTP/1.1 302 F\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
     ERR_HTTP_SYNTAX, 0, NULL, NULL},
    {"too large", HEAD "Content-Length: 65\r\n\r\n", ERR_HTTP_SIZE, 0, NULL, NULL},
    {"chunk too large", HEAD "Transfer-Encoding: chunked\r\n\r\n41\r\n", ERR_HTTP_SIZE, 0, NULL, NULL},
    {"chunks too large", HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3d\r\n", ERR_HTTP_SIZE, 0, NULL,
     NULL},
    {"chunk size overflow", HEAD "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\n", ERR_HTTP_SIZE, 0,
     NULL, NULL},
};

static struct http h;
static uint8_t body[BODY_CAP];

static enum err feed(struct span all, size_t step, struct buf *b, size_t *ret_used)
{
    size_t off = 0;
    *ret_used = 0;
    while (off < all.n && !h.done) {
        /* A copy of its own, so that ASan sees a read past the piece. */
        struct span piece = span_sub(all, off, step);
        uint8_t *copy = malloc(piece.n);
        size_t used = 0;
        memcpy(copy, piece.p, piece.n);
        enum err e = http_feed(&h, span_of(copy, piece.n), &used);
        free(copy);
        if (e != OK)
            return e;
        assert_true(used == piece.n || h.done);
        off += used;
    }
    *ret_used = off;
    assert_true(b->n <= BODY_CAP && !b->overflow);
    return OK;
}

static void run(const struct vector *v, size_t step)
{
    struct buf b = BUF_OF(body);
    size_t used = 0;
    http_init(&h, &b, false);
    enum err e = feed(span_str(v->text), step, &b, &used);
    if (e != v->expect || (e == OK && (!h.done || h.status != v->status)))
        fail_msg("%s (step %zu): %s, done %d, status %u", v->name, step, err_name(e), h.done, h.status);
    if (e != OK) {
        assert_false(h.done);
        assert_int_not_equal(http_feed(&h, SPAN_LIT("\r\n"), &used), OK); /* an error stays */
        return;
    }
    assert_true(span_is(buf_span(&b), v->body));
    assert_true(span_is(span_sub(span_str(v->text), used, SIZE_MAX / 2), v->rest));
}

static void test_vectors(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        run(&vectors[i], 4096);
        run(&vectors[i], 1);
        run(&vectors[i], 2);
        run(&vectors[i], 7);
    }
}

static void test_cut_is_never_done(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct span all = span_str(vectors[i].text);
        size_t whole = all.n - (vectors[i].rest ? strlen(vectors[i].rest) : 0);
        for (size_t cut = 0; cut < whole; cut++) {
            struct buf b = BUF_OF(body);
            size_t used = 0;
            http_init(&h, &b, false);
            enum err e = feed(span_sub(all, 0, cut), 4096, &b, &used);
            assert_false(h.done);
            assert_true(e == OK || e == vectors[i].expect);
        }
    }
}

static void test_fields(void **unused)
{
    struct buf b = BUF_OF(body);
    size_t used = 0;
    (void)unused;
    http_init(&h, &b, false);
    assert_int_equal(
        http_feed(
            &h,
            SPAN_LIT(
                "HTTP/1.1 302 Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: Sun, 06 Nov 1999 08:49:37 GMT\r\n"
                "LOCATION: /next \r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n"),
            &used),
        OK);
    assert_true(h.done && h.head && h.close);
    assert_int_equal(h.status, 302);
    assert_int_equal(h.date_s, 784111777);
    assert_string_equal(h.location, "/next");
    http_init(&h, &b, true);
    assert_int_equal(http_feed(&h, SPAN_LIT(HEAD "Content-Length: 5000\r\nDate: yesterday\r\n\r\n"), &used),
                     OK);
    assert_true(h.done);
    assert_int_equal(h.date_s, 0);
    /* A trailer changes nothing that the head said. */
    b = BUF_OF(body);
    http_init(&h, &b, false);
    assert_int_equal(
        http_feed(
            &h,
            SPAN_LIT(HEAD
                     "Transfer-Encoding: chunked\r\n\r\n0\r\nLocation: /evil\r\nConnection: close\r\n\r\n"),
            &used),
        OK);
    assert_true(h.done && !h.close);
    assert_string_equal(h.location, "");
}

static void test_long_lines(void **unused)
{
    static uint8_t text[3 * HTTP_HEAD_MAX];
    (void)unused;
    /* A field of no interest may be longer than the line buffer; one of interest may not. */
    for (unsigned known = 0; known < 2; known++) {
        struct buf out = BUF_OF(text);
        struct buf b = BUF_OF(body);
        size_t used = 0;
        buf_str(&out, HEAD);
        buf_str(&out, known ? "Connection: " : "Content-Security-Policy: ");
        for (unsigned i = 0; i < 2000; i++)
            buf_u8(&out, 'a');
        buf_str(&out, "\r\nContent-Length: 1\r\n\r\nx");
        http_init(&h, &b, false);
        assert_int_equal(http_feed(&h, buf_span(&out), &used), known ? ERR_HTTP_SYNTAX : OK);
        assert_int_equal(h.done, !known);
    }
}

/* The head, interim answers, chunk extensions and trailers are bounded together. */
static void test_head_cap(void **unused)
{
    static const char *const starts[] = {
        HEAD,
        "",
        "HTTP/1.1 100 C\r\n\r\n" HEAD,
        HEAD "Transfer-Encoding: chunked\r\n\r\n",
        HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n",
    };
    static const char *const repeats[] = {"X: yyyyyyyyyyyyyyyyyyy\r\n", "HTTP/1.1 100 C\r\n\r\n", "X: y\r\n",
                                          "0;x\r\n", "X: y\r\n"};
    (void)unused;
    for (size_t i = 0; i < COUNT(starts); i++) {
        struct buf b = BUF_OF(body);
        size_t used = 0;
        enum err e = OK;
        unsigned n = 0;
        http_init(&h, &b, false);
        e = http_feed(&h, span_str(starts[i]), &used);
        assert_int_equal(e, OK);
        const char *again = i == 3 ? "1;xxxxxxxxxxxx\r\n" : repeats[i];
        for (n = 0; e == OK && n < 2 * HTTP_HEAD_MAX; n++) {
            e = http_feed(&h, span_str(again), &used);
            if (e == OK && i == 3) {
                b.n = 0;
                e = http_feed(&h, SPAN_LIT("x\r\n"), &used);
            }
        }
        assert_int_equal(e, ERR_HTTP_SIZE);
        assert_true(n < HTTP_HEAD_MAX);
    }
}

static void test_request(void **unused)
{
    uint8_t text[256];
    struct buf b = BUF_OF(text);
    (void)unused;
    http_get_put(&b, "a:1", "/p?q", "application/json", "tok");
    assert_true(span_is(
        buf_span(&b), "GET /p?q HTTP/1.1\r\nHost: a:1\r\nUser-Agent: joinboot\r\nAccept: application/json\r\n"
                      "Authorization: Bearer tok\r\n\r\n"));
    b = BUF_OF(text);
    http_get_put(&b, "a", "/", "*/*", NULL);
    assert_true(
        span_is(buf_span(&b), "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: joinboot\r\nAccept: */*\r\n\r\n"));
    static const char *const bad[][4] = {{"a b", "/", "*", NULL},
                                         {"a", "/\r\nX: y", "*", NULL},
                                         {"a", "/", "x\n", NULL},
                                         {"a", "/", "*", "t\r\nX: y"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        b = BUF_OF(text);
        http_get_put(&b, bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
        assert_true(b.overflow && b.n == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_cut_is_never_done),
        cmocka_unit_test(test_fields),   cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_head_cap), cmocka_unit_test(test_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
