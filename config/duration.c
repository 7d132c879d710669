/*
 * duration.c - [-+]?([0-9]*(\.[0-9]*)?unit)+ with the units ns, us, ms, s, m, h; or 0. Go keeps nanoseconds in 63 bits.
 */
#include "config/duration.h"

enum { FRACTION_DIGITS = 9 };

struct unit {
    const char *name;
    uint64_t ns;
};

/* Longer names first where one begins like another. Both letters that Unicode has for micro are in use. */
static const struct unit units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000},
    {"\xce\xbcs", 1000},
    {"ms", 1000000},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the front as a number below 2^63. */
static enum err take_number(struct span *s, uint64_t *ret)
{
    uint64_t v = 0;
    for (; s->n > 0 && is_digit(s->p[0]); *s = span_sub(*s, 1, s->n)) {
        if (v > (INT64_MAX - 9) / 10)
            return ERR_INPUT;
        v = v * 10 + (uint64_t)(s->p[0] - '0');
    }
    *ret = v;
    return OK;
}

/* Digits behind a point, as billionths; *ret_long if there are more digits than that and one of them is not 0. */
static uint64_t take_fraction(struct span *s, bool *ret_long)
{
    uint64_t v = 0;
    unsigned digits = 0;
    for (; s->n > 0 && is_digit(s->p[0]); *s = span_sub(*s, 1, s->n)) {
        if (digits < FRACTION_DIGITS) {
            v = v * 10 + (uint64_t)(s->p[0] - '0');
            digits++;
        } else if (s->p[0] != '0') {
            *ret_long = true;
        }
    }
    for (; digits < FRACTION_DIGITS; digits++)
        v *= 10;
    return v;
}

static const struct unit *take_unit(struct span *s)
{
    size_t n = 0;
    while (n < s->n && !is_digit(s->p[n]) && s->p[n] != '.')
        n++;
    struct span name = span_sub(*s, 0, n);
    for (size_t i = 0; i < COUNT(units); i++) {
        if (span_is(name, units[i].name)) {
            *s = span_sub(*s, n, s->n);
            return &units[i];
        }
    }
    return NULL;
}

/* One number with its unit; *ret_fine if it has parts below a nanosecond. */
static enum err take_part(struct span *s, uint64_t *ret_ns, bool *ret_fine)
{
    uint64_t whole = 0, billionths = 0;
    size_t before = s->n;
    enum err e = take_number(s, &whole);
    if (e != OK)
        return e;
    size_t digits = before - s->n;
    if (s->n > 0 && s->p[0] == '.') {
        *s = span_sub(*s, 1, s->n);
        before = s->n;
        billionths = take_fraction(s, ret_fine);
        digits += before - s->n;
    }
    const struct unit *unit = digits > 0 ? take_unit(s) : NULL;
    if (!unit || whole > INT64_MAX / unit->ns)
        return ERR_INPUT;
    uint64_t fraction = billionths / 1000 * unit->ns / 1000000; /* at most 10^6 times 3.6 * 10^12 */
    if (billionths % 1000 != 0 || billionths / 1000 * unit->ns % 1000000 != 0)
        *ret_fine = true;
    *ret_ns = whole * unit->ns + fraction;
    return *ret_ns > INT64_MAX ? ERR_INPUT : OK;
}

enum err duration_parse(struct span text, uint64_t *ret_ms)
{
    uint64_t total = 0;
    bool negative = text.n > 0 && text.p[0] == '-', fine = false;
    if (negative || (text.n > 0 && text.p[0] == '+'))
        text = span_sub(text, 1, text.n);
    if (text.n == 0)
        return ERR_INPUT;
    if (span_is(text, "0"))
        text.n = 0;
    while (text.n > 0) {
        uint64_t part = 0;
        enum err e = take_part(&text, &part, &fine);
        if (e != OK)
            return e;
        if (part > INT64_MAX - total)
            return ERR_INPUT;
        total += part;
    }
    if (negative || fine || total % 1000000 != 0)
        return ERR_LIMIT;
    *ret_ms = total / 1000000;
    return OK;
}

/* Seconds with as many digits behind the point as are needed. */
static void put_seconds(struct buf *ret, uint64_t ms)
{
    unsigned fraction = (unsigned)(ms % 1000), width = 3;
    buf_fmt(ret, "%llu", (unsigned long long)(ms / 1000));
    while (fraction > 0 && fraction % 10 == 0) {
        fraction /= 10;
        width--;
    }
    if (fraction > 0)
        buf_fmt(ret, ".%0*u", (int)width, fraction);
    buf_str(ret, "s");
}

void duration_put(struct buf *ret, uint64_t ms)
{
    if (ms > 0 && ms < 1000) {
        buf_fmt(ret, "%llums", (unsigned long long)ms);
        return;
    }
    uint64_t minutes = ms / 60000;
    if (minutes >= 60)
        buf_fmt(ret, "%lluh", (unsigned long long)(minutes / 60));
    if (minutes > 0)
        buf_fmt(ret, "%llum", (unsigned long long)(minutes % 60));
    put_seconds(ret, ms % 60000);
}
