/*
 * fuzz_url.c - URLs and Location headers: what is accepted is printed in a form that is accepted again as the same, and a redirect never leaves the
 * origin.
 */
#include <stdlib.h>

#include "firmware/base/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct url *u)
{
    uint8_t text[2 * URL_MAX];
    struct buf b = BUF_OF(text);
    struct url v;

    url_put(&b, u);
    if (b.overflow || url_parse(buf_span(&b), &v) != OK || strcmp(v.host, u->host) != 0 ||
        v.port != u->port || strcmp(v.path, u->path) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url base, u;

    if (url_parse(span_of(data, size), &u) == OK)
        same_again(&u);
    if (url_parse(SPAN_LIT("https://config.lab:8443/a/b?c"), &base) != OK)
        abort();
    if (url_redirect(&base, span_of(data, size), &u) != OK)
        return 0;
    same_again(&u);
    if (strcmp(u.host, "config.lab") != 0 || u.port != 8443)
        abort();
    return 0;
}
