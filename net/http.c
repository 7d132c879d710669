/*
 * http.c - the response reader of http.h: a state machine over lines and counted bytes (RFC 9112).
 *
 * Invariant: `done` is set only after a whole body of a known length, so an answer that was cut anywhere never looks complete.
 * Strict where leniency has been used to smuggle: lines end in CR LF, no white space before a colon, no folding, one Content-Length in plain
 * digits or one Transfer-Encoding "chunked", never both.
 */
#include "net/http.h"

#include "firmware/base/text.h"

enum http_state {
    HTTP_STATUS = 0,
    HTTP_HEADER,
    HTTP_LENGTH,
    HTTP_CHUNK,
    HTTP_DATA,
    HTTP_DATA_END,
    HTTP_TRAILER,
    HTTP_DONE,
    HTTP_BAD
};

enum { HTTP_CHUNK_DIGITS = 8 };

void http_init(struct http *h, struct buf *body, bool head_only)
{
    *h = (struct http){.body = body, .state = HTTP_STATUS, .head_only = head_only};
}

static bool http_is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.n > 0;
}

/* HTTP/1.1 SP 3DIGIT SP [reason] (RFC 9112 section 4). */
static enum err http_status_line(struct http *h, struct span line)
{
    uint64_t status = 0;
    struct span digits = span_sub(line, 9, 3);
    if (!span_starts(line, "HTTP/1.1 ") || digits.n != 3 || text_u64(digits, 599, &status) != OK ||
        status < 100)
        return ERR_HTTP_SYNTAX;
    if (line.n > 12 && line.p[12] != ' ')
        return ERR_HTTP_SYNTAX;
    h->status = (unsigned)status;
    h->state = HTTP_HEADER;
    return OK;
}

static bool http_has_token(struct span list, const char *token)
{
    while (list.n > 0) {
        if (span_is_nocase(span_trim(span_cut(&list, ',')), token))
            return true;
    }
    return false;
}

static enum err http_field(struct http *h, struct span name, struct span value)
{
    if (span_is_nocase(name, "content-length")) {
        if (h->has_length || text_u64(value, UINT32_MAX, &h->left) != OK)
            return ERR_HTTP_SYNTAX;
        h->has_length = true;
    } else if (span_is_nocase(name, "transfer-encoding")) {
        if (h->chunked || !span_is_nocase(value, "chunked"))
            return ERR_HTTP_SYNTAX;
        h->chunked = true;
    } else if (span_is_nocase(name, "content-encoding")) {
        if (!span_is_nocase(value, "identity"))
            return ERR_HTTP_SYNTAX;
    } else if (span_is_nocase(name, "date")) {
        int64_t date_s = 0;
        if (h->date_s == 0 && text_http_date(value, &date_s) == OK)
            h->date_s = date_s;
    } else if (span_is_nocase(name, "connection")) {
        h->close = h->close || http_has_token(value, "close");
    } else if (span_is_nocase(name, "location")) {
        if (h->location[0] != 0 || span_to_cstr(value, h->location, sizeof(h->location)) != OK)
            return ERR_HTTP_SYNTAX;
    }
    return OK;
}

static bool http_is_known(struct span name)
{
    static const char *const names[] = {"content-length", "transfer-encoding", "content-encoding",
                                        "date",           "connection",        "location"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is_nocase(name, names[i]))
            return true;
    }
    return false;
}

/* name ":" OWS value OWS (RFC 9112 section 5). `cut`: the line was longer than the buffer, which only fields of no interest may be. */
static enum err http_header_line(struct http *h, struct span line, bool cut, bool trailer)
{
    size_t colon = span_find(line, ':');
    struct span name = span_sub(line, 0, colon);
    struct span value = span_trim(span_sub(line, colon + 1, line.n));
    if (colon == line.n || !http_is_token(name))
        return ERR_HTTP_SYNTAX;
    for (size_t i = 0; i < value.n; i++) {
        if ((value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
            return ERR_HTTP_SYNTAX;
    }
    if (trailer)
        return OK; /* a trailer may not change what the head said (RFC 9110 section 6.5.1) */
    if (cut)
        return http_is_known(name) ? ERR_HTTP_SYNTAX : OK;
    return http_field(h, name, value);
}

static enum err http_finish(struct http *h)
{
    h->state = HTTP_DONE;
    h->done = true;
    return OK;
}

/* The empty line after the fields: how the body is delimited (RFC 9112 section 6.3). */
static enum err http_head_end(struct http *h)
{
    if (h->chunked && h->has_length)
        return ERR_HTTP_SYNTAX; /* the two readings of such an answer are how requests are smuggled */
    if (h->status < 200) {
        size_t head_n = h->head_n;
        if (h->status == 101 || h->chunked || h->has_length)
            return ERR_HTTP_SYNTAX;
        http_init(h, h->body, h->head_only);
        h->head_n = head_n; /* interim answers count against the same cap */
        return OK;
    }
    h->head = true;
    if (h->head_only || h->status == 204 || h->status == 304)
        return http_finish(h);
    if (h->chunked) {
        h->state = HTTP_CHUNK;
        return OK;
    }
    if (!h->has_length)
        return ERR_HTTP_SYNTAX;
    if (h->left > h->body->cap - h->body->n)
        return ERR_HTTP_SIZE;
    h->state = HTTP_LENGTH;
    return h->left == 0 ? http_finish(h) : OK;
}

static int http_hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* chunk-size [ chunk-ext ] (RFC 9112 section 7.1); extensions are skipped, and count against the cap of the head. */
static enum err http_chunk_line(struct http *h, struct span line)
{
    uint64_t size = 0;
    size_t n = 0;
    for (; n < line.n && http_hex(line.p[n]) >= 0; n++) {
        if (n == HTTP_CHUNK_DIGITS)
            return ERR_HTTP_SIZE;
        size = size * 16 + (uint64_t)http_hex(line.p[n]);
    }
    struct span ext = span_trim(span_sub(line, n, line.n));
    if (n == 0 || (ext.n > 0 && ext.p[0] != ';'))
        return ERR_HTTP_SYNTAX;
    if (size > h->body->cap - h->body->n)
        return ERR_HTTP_SIZE;
    h->left = size;
    h->state = size == 0 ? HTTP_TRAILER : HTTP_DATA;
    return OK;
}

static enum err http_line(struct http *h, struct span line, bool cut)
{
    switch (h->state) {
    case HTTP_STATUS:
        return cut ? ERR_HTTP_SYNTAX : http_status_line(h, line);
    case HTTP_HEADER:
        return line.n == 0 ? http_head_end(h) : http_header_line(h, line, cut, false);
    case HTTP_CHUNK:
        return cut ? ERR_HTTP_SYNTAX : http_chunk_line(h, line);
    case HTTP_DATA_END:
        h->state = HTTP_CHUNK;
        return line.n == 0 ? OK : ERR_HTTP_SYNTAX;
    case HTTP_TRAILER:
        return line.n == 0 ? http_finish(h) : http_header_line(h, line, cut, true);
    default:
        return ERR_STATE;
    }
}

static bool http_line_counts(const struct http *h, uint8_t c)
{
    if (h->state == HTTP_CHUNK)
        return http_hex(c) < 0 && c != '\r' && c != '\n'; /* sizes are paid for by the body's cap */
    return h->state != HTTP_DATA_END;
}

/* One byte of a line. line_n counts also what did not fit. */
static enum err http_line_byte(struct http *h, uint8_t c)
{
    if (http_line_counts(h, c) && ++h->head_n > HTTP_HEAD_MAX)
        return ERR_HTTP_SIZE;
    if (h->cr) {
        bool cut = h->line_n > sizeof(h->line);
        struct span line = span_of(h->line, cut ? sizeof(h->line) : h->line_n);
        if (c != '\n')
            return ERR_HTTP_SYNTAX;
        h->cr = false;
        h->line_n = 0;
        return http_line(h, line, cut);
    }
    if (c == '\n')
        return ERR_HTTP_SYNTAX;
    if (c == '\r') {
        h->cr = true;
        return OK;
    }
    if (h->line_n < sizeof(h->line))
        h->line[h->line_n] = (char)c;
    h->line_n++;
    return OK;
}

static size_t http_body_bytes(struct http *h, struct span data)
{
    size_t n = data.n < h->left ? data.n : (size_t)h->left;
    buf_put(h->body, span_sub(data, 0, n));
    h->left -= n;
    if (h->left == 0 && h->state == HTTP_DATA)
        h->state = HTTP_DATA_END;
    else if (h->left == 0)
        (void)http_finish(h);
    return n;
}

enum err http_feed(struct http *h, struct span data, size_t *ret_used)
{
    size_t off = 0;
    if (h->state == HTTP_BAD)
        return ERR_HTTP_SYNTAX;
    while (off < data.n && h->state != HTTP_DONE) {
        if (h->state == HTTP_LENGTH || h->state == HTTP_DATA) {
            off += http_body_bytes(h, span_sub(data, off, data.n));
            continue;
        }
        enum err e = http_line_byte(h, data.p[off++]);
        if (e != OK) {
            h->state = HTTP_BAD;
            return e;
        }
    }
    *ret_used = off;
    return OK;
}

static bool http_is_clean(const char *s)
{
    for (; *s; s++) {
        if (*s <= ' ' || *s == 0x7f)
            return false;
    }
    return true;
}

void http_get_put(struct buf *ret, const char *authority, const char *path, const char *accept,
                  const char *bearer)
{
    /* A line break in any of these would add header fields of somebody else's choice. */
    if (!http_is_clean(authority) || !http_is_clean(path) || !http_is_clean(accept) ||
        (bearer != NULL && !http_is_clean(bearer))) {
        ret->overflow = true;
        return;
    }
    buf_fmt(ret, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: joinboot\r\nAccept: %s\r\n", path, authority,
            accept);
    if (bearer != NULL)
        buf_fmt(ret, "Authorization: Bearer %s\r\n", bearer);
    buf_str(ret, "\r\n");
}

void http_post_put(struct buf *ret, const char *authority, const char *path, struct span json)
{
    if (!http_is_clean(authority) || !http_is_clean(path)) {
        ret->overflow = true;
        return;
    }
    buf_fmt(ret,
            "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: joinboot\r\nContent-Type: application/json\r\n"
            "Content-Length: %u\r\n\r\n",
            path, authority, (unsigned)json.n);
    buf_put(ret, json);
}
