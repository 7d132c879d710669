/*
 * json_text.c - the strings of json.h: escapes decoded (RFC 8259 section 7), compared, written, and found by a path.
 */
#include "firmware/base/json.h"
#include "firmware/base/text.h"

static void put_utf8(struct buf *ret, uint32_t c)
{
    if (c < 0x80) {
        buf_u8(ret, (uint8_t)c);
        return;
    }
    if (c < 0x800) {
        buf_u8(ret, (uint8_t)(0xc0 | c >> 6));
    } else if (c < 0x10000) {
        buf_u8(ret, (uint8_t)(0xe0 | c >> 12));
        buf_u8(ret, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    } else {
        buf_u8(ret, (uint8_t)(0xf0 | c >> 18));
        buf_u8(ret, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_u8(ret, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    }
    buf_u8(ret, (uint8_t)(0x80 | (c & 0x3f)));
}

/* The UTF-16 code unit of a \uXXXX at the start of s. */
static enum err unit(struct span s, uint32_t *ret)
{
    uint8_t bytes[2];
    if (!span_starts(s, "\\u") || text_hex(span_sub(s, 2, 4), bytes, sizeof(bytes)) != OK)
        return ERR_INPUT;
    *ret = (uint32_t)bytes[0] << 8 | bytes[1];
    return OK;
}

/* \uXXXX or a pair of surrogates, cut off *s. A surrogate alone has no UTF-8 and would be another string to every reader. */
static enum err unicode(struct span *s, uint32_t *ret)
{
    uint32_t high;
    uint32_t low;
    if (unit(*s, &high) != OK)
        return ERR_INPUT;
    *s = span_sub(*s, 6, s->n);
    if (high < 0xd800 || high > 0xdfff) {
        *ret = high;
        return OK;
    }
    if (high > 0xdbff || unit(*s, &low) != OK || low < 0xdc00 || low > 0xdfff)
        return ERR_INPUT;
    *s = span_sub(*s, 6, s->n);
    *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return OK;
}

/* One character as UTF-8 bytes, cut off *s. */
static enum err character(struct span *s, struct buf *ret)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (s->p[0] != '\\') {
        buf_u8(ret, s->p[0]);
        *s = span_sub(*s, 1, s->n);
        return OK;
    }
    if (s->n < 2)
        return ERR_INPUT;
    if (s->p[1] == 'u') {
        uint32_t c = 0;
        enum err e = unicode(s, &c);
        if (e == OK)
            put_utf8(ret, c);
        return e;
    }
    const char *found = memchr(from, s->p[1], sizeof(from) - 1);
    if (!found)
        return ERR_INPUT;
    buf_u8(ret, (uint8_t)to[found - from]);
    *s = span_sub(*s, 2, s->n);
    return OK;
}

enum err json_unescape(struct span raw, struct buf *ret)
{
    struct buf b = *ret;
    while (raw.n > 0) {
        enum err e = character(&raw, &b);
        if (e != OK)
            return e;
    }
    if (b.overflow)
        return ERR_LIMIT;
    *ret = b;
    return OK;
}

bool json_is(struct span raw, const char *text)
{
    struct span rest = span_str(text);
    while (raw.n > 0) {
        uint8_t bytes[4];
        struct buf b = BUF_OF(bytes);
        if (character(&raw, &b) != OK || !span_eq(buf_span(&b), span_sub(rest, 0, b.n)))
            return false;
        rest = span_sub(rest, b.n, rest.n);
    }
    return rest.n == 0;
}

/* Where json_get is: path[0..matched) are the keys of the objects around, and each level's key was seen once. */
struct search {
    struct json json;
    const char *const *path;
    unsigned matched;
    uint32_t seen;
    struct span found;
    bool is_found;
};

/* A key: is it the path's next one? Only keys of the object that is the value of the path so far count. */
static enum err search_key(struct search *s)
{
    if (s->json.depth != s->matched + 1 || !s->path[s->matched] || !json_is(s->json.raw, s->path[s->matched]))
        return OK;
    if (s->seen >> s->matched & 1u)
        return ERR_INPUT;
    s->seen |= UINT32_C(1) << s->matched;
    s->matched++;
    return OK;
}

/* The beginning of a value, or the end of a container. */
static enum err search_value(struct search *s, enum json_event event)
{
    bool opens = event == JSON_OBJECT || event == JSON_ARRAY;
    bool ends = event == JSON_OBJECT_END || event == JSON_ARRAY_END;
    unsigned outside = s->json.depth - (opens ? 1u : 0u);
    if (s->matched == 0 || outside != s->matched)
        return OK;
    if (!s->path[s->matched] && !ends) {
        if (event != JSON_STRING)
            return ERR_INPUT;
        s->found = s->json.raw;
        s->is_found = true;
    }
    if (!opens)
        s->matched--;
    return OK;
}

enum err json_get(struct span doc, const char *const path[], struct buf *ret, bool *ret_found)
{
    struct search s = {.path = path};
    enum err e = OK;
    json_init(&s.json, doc);
    for (;;) {
        enum json_event event = json_next(&s.json);
        if (event == JSON_ERROR)
            return s.json.error;
        if (event == JSON_END)
            break;
        e = event == JSON_KEY ? search_key(&s) : search_value(&s, event);
        if (e != OK)
            return e;
    }
    if (s.is_found)
        e = json_unescape(s.found, ret);
    if (e == OK)
        *ret_found = s.is_found;
    return e;
}

void json_put_string(struct buf *ret, struct span s)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    buf_u8(ret, '"');
    for (size_t i = 0; i < s.n; i++) {
        const char *found = memchr(plain, s.p[i], sizeof(plain) - 1);
        if (found) {
            buf_u8(ret, '\\');
            buf_u8(ret, (uint8_t)letter[found - plain]);
        } else if (s.p[i] < 0x20 || s.p[i] == 0x7f) {
            buf_fmt(ret, "\\u%04x", s.p[i]);
        } else {
            buf_u8(ret, s.p[i]);
        }
    }
    buf_u8(ret, '"');
}
