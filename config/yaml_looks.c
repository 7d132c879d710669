/*
 * yaml_looks.c - the implicit types of YAML 1.1 (yaml.org/type: null, bool, int, float, timestamp, merge) and the few more of 1.2.
 *
 * Deliberately a little wider than any one reader: words in any mixture of case, underscores anywhere in a number, base 60.
 */
#include "config/yaml_looks.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool any_of(struct span s, const char *const *words)
{
    for (; *words; words++) {
        if (span_is_nocase(s, *words))
            return true;
    }
    return false;
}

/* The rest behind bytes that are in `set`. */
static struct span skip(struct span s, const char *set)
{
    while (s.n > 0 && s.p[0] != 0 && strchr(set, s.p[0]))
        s = span_sub(s, 1, s.n);
    return s;
}

/* 0x1F, 0b10, 0o17 */
static bool looks_prefixed(struct span s)
{
    if (s.n < 2 || s.p[0] != '0')
        return false;
    struct span digits = span_sub(s, 2, s.n);
    switch (s.p[1]) {
    case 'x':
    case 'X':
        return skip(digits, "0123456789abcdefABCDEF_").n == 0;
    case 'b':
    case 'B':
    case 'o':
    case 'O':
        return skip(digits, "+-01234567_").n == 0;
    default:
        return false;
    }
}

/* 12, 1_000, 1.5, .5, 1e3, 1.5e+3 */
static bool looks_decimal(struct span s)
{
    struct span rest = skip(s, "0123456789_");
    size_t digits = s.n - rest.n;
    if (rest.n > 0 && rest.p[0] == '.') {
        struct span fraction = span_sub(rest, 1, rest.n);
        rest = skip(fraction, "0123456789_");
        digits += fraction.n - rest.n;
    }
    if (digits == 0)
        return false;
    if (rest.n > 0 && (rest.p[0] == 'e' || rest.p[0] == 'E')) {
        rest = span_sub(rest, 1, rest.n);
        if (rest.n > 0 && (rest.p[0] == '+' || rest.p[0] == '-'))
            rest = span_sub(rest, 1, rest.n);
        rest = skip(rest, "0123456789_");
    }
    return rest.n == 0;
}

/* 1:30, 190:20:30.15: base 60, of at most two digits behind each colon */
static bool looks_base60(struct span s)
{
    struct span rest = skip(s, "0123456789_");
    if (rest.n == s.n || rest.n == 0 || rest.p[0] != ':')
        return false;
    while (rest.n > 0 && rest.p[0] == ':') {
        struct span part = span_sub(rest, 1, rest.n);
        rest = skip(part, "0123456789");
        if (part.n == rest.n || part.n - rest.n > 2)
            return false;
    }
    return rest.n == 0 || (rest.p[0] == '.' && skip(span_sub(rest, 1, rest.n), "0123456789_").n == 0);
}

static bool looks_number(struct span s)
{
    static const char *const special[] = {".inf", ".nan", NULL};
    if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-'))
        s = span_sub(s, 1, s.n);
    if (s.n == 0 || (!is_digit(s.p[0]) && s.p[0] != '.'))
        return false;
    return looks_prefixed(s) || looks_decimal(s) || looks_base60(s) || any_of(s, special);
}

/* 2001-12-14, 2001-12-14t21:59:43 */
static bool looks_time(struct span s)
{
    if (s.n < 8 || s.p[4] != '-')
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (!is_digit(s.p[i]))
            return false;
    }
    struct span month = span_sub(s, 5, s.n), rest = skip(month, "0123456789");
    if (rest.n == month.n || rest.n == 0 || rest.p[0] != '-')
        return false;
    struct span day = span_sub(rest, 1, rest.n);
    rest = skip(day, "0123456789");
    return rest.n < day.n && (rest.n == 0 || strchr("Tt \t", rest.p[0]));
}

enum yaml_look yaml_looks(struct span plain)
{
    static const char *const nulls[] = {"", "~", "null", NULL};
    static const char *const bools[] = {"y", "n", "yes", "no", "on", "off", "true", "false", NULL};
    if (any_of(plain, nulls))
        return YAML_LOOKS_NULL;
    if (any_of(plain, bools))
        return YAML_LOOKS_BOOL;
    if (span_is(plain, "<<") || span_is(plain, "="))
        return YAML_LOOKS_MERGE;
    if (looks_number(plain))
        return YAML_LOOKS_NUMBER;
    return looks_time(plain) ? YAML_LOOKS_TIME : YAML_LOOKS_STRING;
}
