/*
 * fuzz_http.c - HTTP answers: whatever the pieces that they arrive in, the outcome is the same, and no body is longer than its cap.
 */
#include <stdlib.h>

#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 300 };

static struct http h;

static enum err read_in_pieces(struct span all, size_t piece, uint8_t ret_body[static CAP], struct buf *ret)
{
    *ret = (struct buf){.p = ret_body, .cap = CAP};
    http_init(&h, ret, false);
    for (size_t off = 0; off < all.n && !h.done;) {
        size_t used = 0;
        enum err e = http_feed(&h, span_sub(all, off, piece), &used);
        if (e != OK)
            return e;
        off += used;
    }
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t one[CAP], many[CAP];
    struct buf a, b;
    enum err whole = read_in_pieces(span_of(data, size), size, one, &a);
    bool done = h.done;
    unsigned status = h.status;
    enum err bytes = read_in_pieces(span_of(data, size), 1, many, &b);

    if (whole != bytes || done != h.done || status != h.status || a.overflow ||
        (done && !span_eq(buf_span(&a), buf_span(&b))))
        abort();
    return 0;
}
