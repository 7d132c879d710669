/*
 * httpreq.c - the reader of httpreq.h, a line at a time. A line ends in CRLF; a bare LF or CR is refused, since readers differ about it.
 */
#include "net/httpreq.h"

#include "firmware/base/text.h"

enum { REQUEST_LINE, REQUEST_FIELDS, REQUEST_BODY };

void httpreq_init(struct httpreq *r)
{
    *r = (struct httpreq){.method = HTTPREQ_GET};
}

static bool httpreq_is_target(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
            return false;
    }
    return s.n > 0 && s.p[0] == '/';
}

/* RFC 9112 section 3: method SP target SP version. */
static unsigned httpreq_request_line(struct httpreq *r, struct span line)
{
    static const char *const methods[] = {
        [HTTPREQ_GET] = "GET", [HTTPREQ_HEAD] = "HEAD", [HTTPREQ_PUT] = "PUT"};
    struct span method = span_cut(&line, ' '), target = span_cut(&line, ' ');
    size_t i = 0;

    if (!span_is(line, "HTTP/1.1") && !span_is(line, "HTTP/1.0"))
        return span_starts(line, "HTTP/") ? 505 : 400;
    if (!httpreq_is_target(target))
        return 400;
    while (i < COUNT(methods) && !span_is(method, methods[i]))
        i++;
    if (i == COUNT(methods))
        return method.n ? 405 : 400;
    if (span_to_cstr(target, r->path, sizeof(r->path)) != OK)
        return 404;
    r->method = (enum httpreq_method)i;
    r->needs_host = span_is(line, "HTTP/1.1");
    r->state = REQUEST_FIELDS;
    return 0;
}

static bool httpreq_is_token(struct span s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!alnum && (c == 0 || strchr(marks, c) == NULL))
            return false;
    }
    return s.n > 0;
}

static unsigned httpreq_length(struct httpreq *r, struct span value)
{
    uint64_t n = 0;

    if (r->has_length || text_u64(value, UINT32_MAX, &n) != OK)
        return 400;
    r->has_length = true;
    r->left = (size_t)n;
    return n > HTTPREQ_BODY_MAX ? 413 : 0;
}

static unsigned httpreq_field(struct httpreq *r, struct span line)
{
    bool colon = span_find(line, ':') < line.n;
    struct span name = span_cut(&line, ':'), value = span_trim(line);

    if (!colon || !httpreq_is_token(name))
        return 400;
    if (span_is_nocase(name, "content-length"))
        return httpreq_length(r, value);
    if (span_is_nocase(name, "transfer-encoding"))
        return 501;
    if (span_is_nocase(name, "host")) {
        if (r->has_host)
            return 400;
        r->has_host = true;
    }
    return 0;
}

static unsigned httpreq_head_end(struct httpreq *r)
{
    if (r->needs_host && !r->has_host)
        return 400;
    if (r->method != HTTPREQ_PUT && r->left > 0)
        return 400;
    r->state = REQUEST_BODY;
    return r->left == 0 ? 200 : 0;
}

static unsigned httpreq_line(struct httpreq *r)
{
    struct span line = span_of(r->line, r->line_n);

    r->line_n = 0;
    if (r->state == REQUEST_LINE)
        return httpreq_request_line(r, line);
    return line.n == 0 ? httpreq_head_end(r) : httpreq_field(r, line);
}

/* One byte of the head. A CR stands only in front of an LF. */
static unsigned httpreq_head_byte(struct httpreq *r, uint8_t c)
{
    bool cr = r->line_n > 0 && r->line[r->line_n - 1] == '\r';

    if (++r->head_n > HTTPREQ_HEAD_MAX)
        return 431;
    if (c == '\n' && cr) {
        r->line_n--;
        return httpreq_line(r);
    }
    if (cr || c == '\n' || (c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
        return 400;
    if (r->line_n == HTTPREQ_LINE_MAX)
        return r->state == REQUEST_LINE ? 414 : 431;
    r->line[r->line_n++] = (char)c;
    return 0;
}

unsigned httpreq_feed(struct httpreq *r, struct span data)
{
    unsigned status = 0;

    for (size_t i = 0; i < data.n && status == 0; i++) {
        if (r->state != REQUEST_BODY) {
            status = httpreq_head_byte(r, data.p[i]);
        } else {
            r->body[r->body_n++] = data.p[i];
            status = --r->left == 0 ? 200 : 0;
        }
    }
    return status;
}

static const char *httpreq_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < COUNT(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "";
}

void httpreq_answer_put(struct buf *ret, unsigned status, const char *type, size_t length, const char *allow)
{
    buf_fmt(ret, "HTTP/1.1 %u %s\r\n", status, httpreq_reason(status));
    if (type)
        buf_fmt(ret, "Content-Type: %s\r\n", type);
    if (allow)
        buf_fmt(ret, "Allow: %s\r\n", allow);
    if (status != 204)
        buf_fmt(ret, "Content-Length: %u\r\n", (unsigned)length);
    buf_str(ret, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
}
