/*
 * yamlout_resolve.c - which plain texts are not strings to go-yaml v2.
 *
 * The resolver looks at the first byte, then in a table of words, then tries timestamps, integers (with 0x, 0o, 0b and
 * leading-zero octal, underscores dropped first) and floats. Base-60 numbers are strings to it, but are quoted
 * on the way out for the sake of other readers, so they count as YAMLOUT_OTHER here.
 */
#include "firmware/kube/yamlout.h"

enum { NUMBER_MAX = 64 };

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(struct span s)
{
    static const char *const words[] = {"",     "~",     "y",     "Y",     "yes",   "Yes",   "YES",  "true",
                                        "True", "TRUE",  "on",    "On",    "ON",    "n",     "N",    "no",
                                        "No",   "NO",    "false", "False", "FALSE", "off",   "Off",  "OFF",
                                        "null", "Null",  "NULL",  ".nan",  ".NaN",  ".NAN",  ".inf", ".Inf",
                                        ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_is(s, words[i]))
            return true;
    }
    return false;
}

/* How many digits, from *at on; moves *at behind them. */
static size_t digits(struct span s, size_t *at)
{
    size_t start = *at;

    while (*at < s.n && is_digit(s.p[*at]))
        (*at)++;
    return *at - start;
}

/* Starts like YYYY-M-D. Only dates that certainly exist and have nothing behind them are told apart. */
static enum yamlout_kind timestamp(struct span s)
{
    size_t at = 0;
    unsigned month, day;

    if (digits(s, &at) != 4 || at == s.n || s.p[at] != '-')
        return YAMLOUT_STRING;
    size_t m = ++at;
    size_t mn = digits(s, &at);
    if (mn < 1 || mn > 2 || at == s.n || s.p[at] != '-')
        return YAMLOUT_STRING;
    size_t d = ++at;
    size_t dn = digits(s, &at);
    if (dn < 1)
        return YAMLOUT_STRING;
    month = mn == 1 ? (unsigned)(s.p[m] - '0') : (unsigned)((s.p[m] - '0') * 10 + s.p[m + 1] - '0');
    day = dn == 1 ? (unsigned)(s.p[d] - '0') : (unsigned)((s.p[d] - '0') * 10 + s.p[d + 1] - '0');
    if (dn <= 2 && at == s.n && month >= 1 && month <= 12 && day >= 1 && day <= 28)
        return YAMLOUT_OTHER;
    return YAMLOUT_UNSURE;
}

/* [-+]? digits (: 0-59)+ (. digits)?, underscores among the digits. */
static bool base60(struct span s)
{
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    unsigned groups = 0;

    if (at >= s.n || !is_digit(s.p[at]))
        return false;
    while (at < s.n && (is_digit(s.p[at]) || s.p[at] == '_'))
        at++;
    while (at < s.n && s.p[at] == ':') {
        size_t group = ++at;
        size_t n = digits(s, &at);
        if (n < 1 || n > 2 || (n == 2 && s.p[group] > '5'))
            return false;
        groups++;
    }
    if (groups == 0)
        return false;
    if (at < s.n && s.p[at] == '.') {
        at++;
        while (at < s.n && (is_digit(s.p[at]) || s.p[at] == '_'))
            at++;
    }
    return at == s.n;
}

/* 0x, 0o and 0b with digits behind: an integer if it fits 64 bits. */
static enum yamlout_kind prefixed(struct span s)
{
    size_t sign = s.p[0] == '-' || s.p[0] == '+' ? 1 : 0;
    uint8_t top = '1';
    size_t most = 62, never = 65;
    bool hex = false;

    if (s.n < sign + 2 || s.p[sign] != '0')
        return YAMLOUT_STRING;
    switch (s.p[sign + 1] | 0x20) {
    case 'x':
        hex = true;
        most = 15;
        never = 17;
        break;
    case 'o':
        top = '7';
        most = 20;
        never = 23;
        break;
    case 'b':
        break;
    default:
        return YAMLOUT_STRING;
    }
    struct span rest = span_sub(s, sign + 2, s.n);
    if (rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+'))
        return YAMLOUT_UNSURE; /* the resolver's extra reading of 0b takes a second sign */
    size_t zeros = 0;
    for (size_t i = 0; i < rest.n; i++) {
        if (hex ? !is_hex(rest.p[i]) : (rest.p[i] < '0' || rest.p[i] > top))
            return YAMLOUT_STRING;
        zeros += zeros == i && rest.p[i] == '0';
    }
    if (rest.n == 0 || rest.n - zeros >= never)
        return YAMLOUT_STRING;
    return rest.n - zeros <= most ? YAMLOUT_OTHER : YAMLOUT_UNSURE;
}

/* [-+]? (. digits | digits (. digits?)?) ([eE] [-+]? digits)? */
static enum yamlout_kind decimal(struct span s)
{
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    size_t whole = digits(s, &at);

    if (at < s.n && s.p[at] == '.') {
        at++;
        size_t part = digits(s, &at);
        if (whole == 0 && part == 0)
            return YAMLOUT_STRING;
    } else if (whole == 0) {
        return YAMLOUT_STRING;
    }
    if (at == s.n)
        return YAMLOUT_OTHER;
    if (s.p[at] != 'e' && s.p[at] != 'E')
        return YAMLOUT_STRING;
    at++;
    if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
        at++;
    size_t exponent = digits(s, &at);
    if (exponent == 0 || at != s.n)
        return YAMLOUT_STRING;
    return exponent <= 2 ? YAMLOUT_OTHER : YAMLOUT_UNSURE; /* a range error would make it a string */
}

/* An integer or float, underscores dropped. */
static enum yamlout_kind number(struct span s)
{
    uint8_t plain[NUMBER_MAX];
    struct buf b = BUF_OF(plain);
    bool alphabet = true;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        alphabet = alphabet && (is_hex(c) || c == '_' || c == '.' || c == '+' || c == '-' ||
                                (c | 0x20) == 'x' || (c | 0x20) == 'o');
        if (c != '_')
            buf_u8(&b, c);
    }
    if (!alphabet)
        return YAMLOUT_STRING;
    if (b.overflow)
        return YAMLOUT_UNSURE;
    enum yamlout_kind kind = prefixed(buf_span(&b));
    return kind == YAMLOUT_STRING ? decimal(buf_span(&b)) : kind;
}

enum yamlout_kind yamlout_resolve(struct span s)
{
    if (is_word(s))
        return YAMLOUT_OTHER;
    uint8_t first = s.p[0];
    if (first == '.') /* underscores are not dropped here, but some of them are read as part of the number */
        return span_find(s, '_') < s.n && number(s) != YAMLOUT_STRING ? YAMLOUT_UNSURE : decimal(s);
    if (!is_digit(first) && first != '-' && first != '+')
        return YAMLOUT_STRING;
    if (base60(s))
        return YAMLOUT_OTHER;
    enum yamlout_kind kind = timestamp(s);
    return kind == YAMLOUT_STRING ? number(s) : kind;
}
