/*
 * yamlout.c - scalar styles of the libyaml-like emitter behind kubeadm: plain if that reads back as the same string,
 * double quotes for what would be a number or a word, single quotes for indicators, a literal block for lines.
 */
#include "firmware/kube/yamlout.h"

enum { FOLD_COLUMN = 80 };

enum style { PLAIN, SINGLE, DOUBLE, LITERAL };

/* What decides the style, found in one pass. */
struct looks {
    bool lines;   /* holds a line feed */
    bool special; /* holds a tab or a character outside the BMP, which only double quotes can say */
    bool edge;    /* begins or ends with a space or a line feed */
    bool trailing_space;
    bool space_break; /* a space before a line feed */
    bool break_space; /* a space behind a line feed */
    bool indicator;   /* would mean something else without quotes */
};

/* Length of the UTF-8 sequence that a byte starts. */
static size_t width(uint8_t c)
{
    if (c < 0x80)
        return 1;
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Characters that every reader and writer on the way passes through unchanged. */
static bool passes(struct span s, size_t i)
{
    uint8_t c = s.p[i];
    size_t w = width(c);

    if (w == 1)
        return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t';
    if (c < 0xc2 || c > 0xf4 || s.n - i < w)
        return false;
    if (w == 2)
        return c != 0xc2 || s.p[i + 1] > 0xa0; /* C1 controls, NEL, NBSP */
    if (w == 3 && c == 0xe2 && s.p[i + 1] == 0x80)
        return s.p[i + 2] != 0xa8 && s.p[i + 2] != 0xa9; /* LS, PS */
    if (w == 3 && c == 0xed)
        return s.p[i + 1] < 0xa0; /* surrogates */
    if (w == 3 && c == 0xef)      /* BOM and noncharacters */
        return (s.p[i + 1] != 0xbb || s.p[i + 2] != 0xbf) && (s.p[i + 1] != 0xbf || s.p[i + 2] < 0xbe);
    return true;
}

static bool blank_or_end(struct span s, size_t i)
{
    return i >= s.n || s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n';
}

static bool indicates(struct span s, size_t i)
{
    static const char first[] = "#,[]{}&*!|>'\"%@`";
    uint8_t c = s.p[i];

    if (c == ':')
        return blank_or_end(s, i + 1);
    if (i > 0)
        return c == '#' && blank_or_end(s, i - 1);
    if (c == '?' || c == '-')
        return blank_or_end(s, i + 1);
    return memchr(first, c, sizeof(first) - 1) != NULL;
}

static bool look(struct span s, struct looks *ret)
{
    struct looks l = {.indicator = span_starts(s, "---") || span_starts(s, "...")};

    for (size_t i = 0; i < s.n; i += width(s.p[i])) {
        uint8_t c = s.p[i];
        if (!passes(s, i))
            return false;
        l.lines |= c == '\n';
        l.special |= c == '\t' || width(c) == 4;
        l.indicator |= indicates(s, i);
        bool edge = (c == ' ' || c == '\n') && (i == 0 || i + 1 == s.n);
        l.edge |= edge;
        l.trailing_space |= c == ' ' && i + 1 == s.n;
        l.break_space |= c == ' ' && i > 0 && s.p[i - 1] == '\n';
        l.space_break |= c == '\n' && i > 0 && s.p[i - 1] == ' ';
    }
    *ret = l;
    return true;
}

static enum err choose(struct span s, enum style *ret)
{
    struct looks l;
    enum yamlout_kind kind = yamlout_resolve(s);

    if (kind == YAMLOUT_UNSURE || !look(s, &l))
        return ERR_INPUT;
    if (l.lines)
        *ret = l.trailing_space || l.space_break || l.special ? DOUBLE : LITERAL;
    else if (kind == YAMLOUT_OTHER || l.special)
        *ret = DOUBLE;
    else
        *ret = l.edge || l.indicator ? SINGLE : PLAIN;
    return OK;
}

/* Characters since the last line feed. */
static size_t column(const struct buf *out)
{
    size_t n = 0;

    for (size_t i = out->n; i > 0 && out->p[i - 1] != '\n'; i--)
        n += (out->p[i - 1] & 0xc0) != 0x80;
    return n;
}

static void new_line(struct buf *out, unsigned indent)
{
    buf_u8(out, '\n');
    for (unsigned i = 0; i < indent; i++)
        buf_u8(out, ' ');
}

static void put_double(struct buf *out, struct span s, size_t i)
{
    uint8_t c = s.p[i];

    if (c == '\n' || c == '\t') {
        buf_str(out, c == '\n' ? "\\n" : "\\t");
    } else if (c == '"' || c == '\\') {
        buf_u8(out, '\\');
        buf_u8(out, c);
    } else if (width(c) == 4) {
        uint32_t v = (uint32_t)(c & 7) << 18 | (uint32_t)(s.p[i + 1] & 0x3f) << 12 |
                     (uint32_t)(s.p[i + 2] & 0x3f) << 6 | (uint32_t)(s.p[i + 3] & 0x3f);
        static const char hex[] = "0123456789ABCDEF";
        buf_str(out, "\\U");
        for (int shift = 28; shift >= 0; shift -= 4)
            buf_u8(out, (uint8_t)hex[v >> shift & 15]);
    } else {
        buf_put(out, span_sub(s, i, width(c)));
    }
}

/* One line in plain, single or double quotes; a space behind column 80 may become a fold. */
static void put_flow(struct buf *out, struct span s, enum style style, unsigned indent)
{
    bool spaces = false;

    for (size_t i = 0; i < s.n; i += width(s.p[i])) {
        if (s.p[i] == ' ') {
            bool inside = style == PLAIN || (i > 0 && i + 1 < s.n);
            bool pair = i + 1 < s.n && s.p[i + 1] == ' ';
            bool fold = !spaces && inside && column(out) > FOLD_COLUMN && (style == DOUBLE || !pair);
            spaces = true;
            if (!fold) {
                buf_u8(out, ' ');
                continue;
            }
            new_line(out, indent);
            if (pair)
                buf_u8(out, '\\');
            continue;
        }
        spaces = false;
        if (style == DOUBLE) {
            put_double(out, s, i);
            continue;
        }
        if (style == SINGLE && s.p[i] == '\'')
            buf_u8(out, '\'');
        buf_put(out, span_sub(s, i, width(s.p[i])));
    }
}

static void put_literal(struct buf *out, struct span s, unsigned indent)
{
    bool start = true;

    buf_u8(out, '|');
    if (s.p[0] == ' ' || s.p[0] == '\n')
        buf_u8(out, '2');
    if (s.p[s.n - 1] != '\n')
        buf_u8(out, '-');
    else if (s.n == 1 || s.p[s.n - 2] == '\n')
        buf_u8(out, '+');
    buf_u8(out, '\n');
    for (size_t i = 0; i < s.n; i++) {
        for (unsigned k = 0; start && s.p[i] != '\n' && k < indent; k++)
            buf_u8(out, ' ');
        buf_u8(out, s.p[i]);
        start = s.p[i] == '\n';
    }
    if (!start)
        buf_u8(out, '\n');
}

enum err yamlout_string(struct buf *out, struct span s, unsigned indent)
{
    enum style style;
    enum err e = choose(s, &style);

    if (e)
        return e;
    buf_u8(out, ' ');
    if (style == LITERAL) {
        put_literal(out, s, indent + 2);
        return OK;
    }
    const char *quote = style == SINGLE ? "'" : style == DOUBLE ? "\"" : "";
    buf_str(out, quote);
    put_flow(out, s, style, indent + 2);
    buf_str(out, quote);
    buf_u8(out, '\n');
    return OK;
}

enum err yamlout_key(struct buf *out, struct span key)
{
    enum style style;

    if (key.n == 0 || key.n > YAMLOUT_KEY_MAX || span_is(key, "<<") || yamlout_resolve(key) != YAMLOUT_STRING)
        return ERR_INPUT;
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] <= 0x20 || key.p[i] >= 0x7f)
            return ERR_INPUT;
    }
    enum err e = choose(key, &style);
    if (e)
        return e;
    const char *quote = style == SINGLE ? "'" : style == DOUBLE ? "\"" : "";
    buf_str(out, quote);
    for (size_t i = 0; i < key.n; i++) {
        if (style == SINGLE && key.p[i] == '\'')
            buf_u8(out, '\'');
        if (style == DOUBLE)
            put_double(out, key, i);
        else
            buf_u8(out, key.p[i]);
    }
    buf_str(out, quote);
    return OK;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The number that starts at i (0 if there is none), with a leading 1 if it continues a number already begun. */
static uint64_t run(struct span s, size_t i, bool goes_on, size_t *ret_end)
{
    uint64_t v = goes_on ? 1 : 0;

    while (i < s.n && is_digit(s.p[i]))
        v = v * 10 + (uint64_t)(s.p[i++] - '0');
    *ret_end = i;
    return v;
}

int yamlout_key_order(struct span a, struct span b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        uint8_t x = a.p[i], y = b.p[i];
        if (x == y)
            continue;
        if (is_letter(x) || is_letter(y))
            return is_letter(x) && is_letter(y) ? (int)x - (int)y : is_letter(y) ? -1 : 1;
        bool goes_on = false;
        for (size_t j = i; (x == '0' || y == '0') && j > 0 && is_digit(a.p[j - 1]); j--)
            goes_on |= a.p[j - 1] != '0';
        size_t a_end, b_end;
        uint64_t m = run(a, i, goes_on, &a_end), n = run(b, i, goes_on, &b_end);
        if (m != n)
            return m < n ? -1 : 1;
        return a_end != b_end ? (a_end < b_end ? -1 : 1) : (int)x - (int)y;
    }
    return a.n < b.n ? -1 : a.n > b.n ? 1 : 0;
}
