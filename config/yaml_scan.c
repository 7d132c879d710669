/*
 * yaml_scan.c - the bytes of a YAML stream, before libyaml sees them.
 *
 * Accepted bytes: tab, LF, CR before LF, U+0020..U+007E, U+00A0 and above without U+2028, U+2029, U+FEFF and noncharacters; in UTF-8.
 *
 * kubeadm cuts a stream at each line that begins with `---` before a YAML parser reads the parts, so a part that holds only comments
 * is a faulty document to it and nothing at all to libyaml. A part that begins with `{` it reads twice, as YAML and as JSON. Both are
 * settled here: every part must have content, markers stand alone on their line, and a part that begins with `{` must be JSON.
 */
#include "config/yaml_scan.h"

#include "config/stricter.h"
#include "firmware/base/json.h"

struct scan {
    struct span text;
    struct fault *f;
    size_t part;  /* where the current part begins */
    bool marker;  /* the current part stands behind a `---` line */
    bool lines;   /* it has a line */
    bool content; /* it has a line that is neither blank nor a comment */
    unsigned docs;
};

static enum err bad(const struct scan *s, size_t at, const char *what)
{
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < at && i < s->text.n; i++) {
        uint8_t c = s->text.p[i];
        if (c == '\n') {
            line++;
            column = 1;
        } else if ((c & 0xc0) != 0x80) {
            column++;
        }
    }
    return fault_at(s->f, ERR_CONFIG_SYNTAX, line, column, "", "%s", what);
}

/* Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7) and its code point, or 0. */
static size_t decode(const uint8_t *p, size_t n, uint32_t *ret)
{
    uint8_t c = p[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (len == 0 || len > n)
        return 0;
    uint32_t v = len == 1 ? c : (uint32_t)(c & (0x7f >> len));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3f);
    }
    if ((len == 3 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
        (len == 4 && (v < 0x10000 || v > 0x10ffff)))
        return 0;
    *ret = v;
    return len;
}

static bool is_break(uint32_t c)
{
    return c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || (c & 0xfffe) == 0xfffe;
}

static enum err check_char(const struct scan *s, size_t at, uint32_t c)
{
    if (c == '\r') {
        bool lf_next = at + 1 < s->text.n && s->text.p[at + 1] == '\n';
        return lf_next ? OK : bad(s, at, "a carriage return without a line feed" STRICTER("line-break"));
    }
    if (c == '\\' && at + 1 < s->text.n && s->text.p[at + 1] == '/')
        return bad(s, at, "\\/ is an escape to some readers only" STRICTER("slash-escape"));
    if (is_break(c))
        return bad(s, at,
                   "a line break other than LF or CRLF (U+0085, U+2028, U+2029)" STRICTER("line-break"));
    if (c == 0xfeff)
        return bad(s, at, "a byte order mark (U+FEFF)" STRICTER("byte-order-mark"));
    return is_control(c) ? bad(s, at, "a control character" STRICTER("control-character")) : OK;
}

static enum err check_bytes(const struct scan *s)
{
    if (s->text.n >= 2 &&
        ((s->text.p[0] == 0xff && s->text.p[1] == 0xfe) || (s->text.p[0] == 0xfe && s->text.p[1] == 0xff)))
        return bad(s, 0, "UTF-16 text; write UTF-8" STRICTER("utf-16"));
    for (size_t i = 0; i < s->text.n;) {
        uint32_t c = 0;
        size_t len = decode(s->text.p + i, s->text.n - i, &c);
        if (len == 0)
            return bad(s, i, "not UTF-8");
        enum err e = check_char(s, i, c);
        if (e != OK)
            return e;
        i += len;
    }
    return OK;
}

static enum err check_json(const struct scan *s, struct span part)
{
    struct json j;
    json_init(&j, part);
    enum json_event ev;
    do {
        ev = json_next(&j);
    } while (ev != JSON_END && ev != JSON_ERROR);
    if (ev == JSON_END)
        return OK;
    return bad(s, s->part, "a document that begins with { must be JSON" STRICTER("flow-root"));
}

/* A part ends at `end`: behind its last line. */
static enum err end_part(struct scan *s, size_t end)
{
    if (!s->content && (s->lines || s->marker))
        return bad(s, s->part, "a document without content" STRICTER("empty-document"));
    if (!s->content)
        return OK;
    s->docs++;
    struct span part = span_trim(span_sub(s->text, s->part, end - s->part));
    return part.n > 0 && part.p[0] == '{' ? check_json(s, part) : OK;
}

static enum err marker_line(struct scan *s, size_t at, struct span line, size_t next)
{
    struct span rest = span_sub(line, 3, line.n);
    struct span trimmed = span_trim(rest);
    bool spaced = rest.n == 0 || rest.p[0] == ' ' || rest.p[0] == '\t';
    if (trimmed.n > 0 && trimmed.p[0] != '#')
        return bad(s, at, "--- must stand alone on its line");
    if (!spaced && trimmed.n > 0)
        return bad(s, at, "--- must stand alone on its line" STRICTER("separator"));
    enum err e = end_part(s, at);
    if (e != OK)
        return e;
    s->part = next;
    s->marker = true;
    s->lines = s->content = false;
    return OK;
}

static enum err one_line(struct scan *s, size_t at, struct span line, size_t next)
{
    if (span_starts(line, "---"))
        return marker_line(s, at, line, next);
    if (span_starts(line, "..."))
        return bad(s, at, "the document end marker ... is refused" STRICTER("document-end"));
    if (span_starts(line, "%"))
        return bad(s, at, "a line that begins with % is refused" STRICTER("directive"));
    struct span trimmed = span_trim(line);
    s->lines = true;
    if (trimmed.n > 0 && trimmed.p[0] != '#')
        s->content = true;
    return OK;
}

enum err yaml_scan(struct span text, unsigned *ret_docs, struct fault *f)
{
    struct scan s = {.text = text, .f = f};
    enum err e = check_bytes(&s);
    for (size_t at = 0; e == OK && at < text.n;) {
        struct span rest = span_sub(text, at, text.n - at);
        struct span line = span_sub(rest, 0, span_find(rest, '\n'));
        size_t next = at + line.n + (line.n < rest.n ? 1 : 0);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        e = one_line(&s, at, line, next);
        at = next;
    }
    if (e == OK)
        e = end_part(&s, text.n);
    if (e == OK)
        *ret_docs = s.docs;
    return e;
}

bool yaml_scan_is_text(struct span decoded)
{
    for (size_t i = 0; i < decoded.n;) {
        uint32_t c = 0;
        size_t len = decode(decoded.p + i, decoded.n - i, &c);
        if (len == 0 || is_break(c) || is_control(c) || c == 0xfeff)
            return false;
        i += len;
    }
    return true;
}
