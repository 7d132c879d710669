/*
 * base64.c - base64 (RFC 4648 section 4) and base64url without padding (RFC 7515 section 2). Part of text.h.
 *
 * A value has exactly one accepted text: spare bits must be zero, so no byte of a signed text can be changed without changing what it says.
 */
#include "firmware/base/text.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int digit(uint8_t c, bool is_url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (is_url ? '-' : '+'))
        return 62;
    if (c == (is_url ? '_' : '/'))
        return 63;
    return -1;
}

/* Two to four digits to one to three bytes. */
static enum err group(struct span s, bool is_url, struct buf *ret)
{
    uint32_t v = 0;
    if (s.n < 2 || s.n > 4)
        return ERR_INPUT;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit(s.p[i], is_url);
        if (d < 0)
            return ERR_INPUT;
        v = v << 6 | (uint32_t)d;
    }
    v <<= 6 * (4 - s.n);
    uint8_t bytes[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    /* The bits behind the last whole byte. */
    if ((s.n == 2 && (v & 0xffff) != 0) || (s.n == 3 && (v & 0xff) != 0))
        return ERR_INPUT;
    buf_put(ret, span_of(bytes, s.n - 1));
    return ret->overflow ? ERR_LIMIT : OK;
}

enum err text_b64url(struct span s, struct buf *ret)
{
    struct buf b = *ret;
    if (b.overflow)
        return ERR_LIMIT;
    while (s.n > 0) {
        enum err e = group(span_sub(s, 0, 4), true, &b);
        if (e != OK)
            return e;
        s = span_sub(s, 4, s.n);
    }
    *ret = b;
    return OK;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum err text_b64(struct span s, bool lines, struct buf *ret)
{
    struct buf b = *ret;
    bool ended = false;
    if (b.overflow)
        return ERR_LIMIT;
    while (s.n > 0) {
        if (lines && is_blank(s.p[0])) {
            s = span_sub(s, 1, s.n);
            continue;
        }
        struct span four = span_sub(s, 0, 4);
        if (ended || four.n != 4)
            return ERR_INPUT;
        s = span_sub(s, 4, s.n);
        while (four.n > 2 && four.p[four.n - 1] == '=') {
            four.n--;
            ended = true;
        }
        enum err e = group(four, false, &b);
        if (e != OK)
            return e;
    }
    *ret = b;
    return OK;
}

static void put(struct buf *ret, struct span s, const char *digits, bool pad)
{
    for (size_t i = 0; i < s.n; i += 3) {
        struct span three = span_sub(s, i, 3);
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < three.n ? three.p[k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            if (k <= three.n)
                buf_u8(ret, (uint8_t)digits[v >> (18 - 6 * k) & 63]);
            else if (pad)
                buf_u8(ret, '=');
        }
    }
}

void text_b64url_put(struct buf *ret, struct span s)
{
    put(ret, s, url, false);
}

void text_b64_put(struct buf *ret, struct span s)
{
    put(ret, s, standard, true);
}
