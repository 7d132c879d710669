/*
 * fuzz_httpreq.c - HTTP requests (net/httpreq.c), whole and in two parts: the verdict is the same.
 */
#include <stdlib.h>

#include "net/httpreq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct httpreq whole, parts;
    size_t cut = size ? data[0] % size : 0;
    unsigned a, b;

    httpreq_init(&whole);
    httpreq_init(&parts);
    a = httpreq_feed(&whole, span_of(data, size));
    b = httpreq_feed(&parts, span_of(data, cut));
    if (b == 0)
        b = httpreq_feed(&parts, span_of(data + cut, size - cut));
    if (a != b || whole.body_n > HTTPREQ_BODY_MAX || strlen(whole.path) >= sizeof(whole.path))
        abort();
    if (a == 200 && (whole.path[0] != '/' || memcmp(whole.body, parts.body, whole.body_n) != 0))
        abort();
    return 0;
}
