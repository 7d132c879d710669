/*
 * values.c - durations, quantities and floats as Go and Kubernetes' apimachinery write them.
 */
#include "firmware/kube/values.h"

static const int64_t second_ns = 1000000000;

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Takes the digits at the front of *s; at most 15, so that doubles and 64 bits hold them exactly. */
static bool take_number(struct span *s, uint64_t *ret_v, size_t *ret_n)
{
    uint64_t v = 0;
    size_t n = 0;

    while (n < s->n && is_digit(s->p[n]))
        v = v * 10 + (uint64_t)(s->p[n++] - '0');
    if (n > 15)
        return false;
    *s = span_sub(*s, n, s->n);
    *ret_v = v;
    *ret_n = n;
    return true;
}

/* The unit at the front of *s in nanoseconds, 0 if there is none. A unit ends where a digit or a dot begins. */
static int64_t take_unit(struct span *s)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
                 {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000}};
    size_t n = 0;

    while (n < s->n && !is_digit(s->p[n]) && s->p[n] != '.')
        n++;
    struct span name = span_sub(*s, 0, n);
    *s = span_sub(*s, n, s->n);
    for (size_t i = 0; i < COUNT(units); i++) {
        if (span_is(name, units[i].name))
            return units[i].ns;
    }
    return 0;
}

enum err values_duration(struct span text, int64_t *ret_ns)
{
    const int64_t most = INT64_MAX / 2;
    bool negative = text.n > 0 && text.p[0] == '-';
    int64_t total = 0;

    if (text.n > 0 && (text.p[0] == '-' || text.p[0] == '+'))
        text = span_sub(text, 1, text.n);
    if (span_is(text, "0")) {
        *ret_ns = 0;
        return OK;
    }
    if (text.n == 0)
        return ERR_INPUT;
    while (text.n > 0) {
        uint64_t whole, part = 0;
        size_t n, part_n = 0;
        double scale = 1;
        if (!take_number(&text, &whole, &n))
            return ERR_INPUT;
        if (text.n > 0 && text.p[0] == '.') {
            text = span_sub(text, 1, text.n);
            if (!take_number(&text, &part, &part_n))
                return ERR_INPUT;
        }
        int64_t unit = take_unit(&text);
        if (n + part_n == 0 || unit == 0 || whole > (uint64_t)(most / unit))
            return ERR_INPUT;
        for (size_t i = 0; i < part_n; i++)
            scale *= 10;
        /* The same double arithmetic as Go's, so that it rounds the same way. */
        int64_t v = (int64_t)whole * unit + (int64_t)((double)part * ((double)unit / scale));
        if (v > most - total)
            return ERR_INPUT;
        total += v;
    }
    *ret_ns = negative ? -total : total;
    return OK;
}

/* value / one with its fraction, without trailing zeros. */
static void put_fraction(struct buf *ret, uint64_t value, uint64_t one)
{
    buf_fmt(ret, "%llu", (unsigned long long)(value / one));
    value %= one;
    if (value == 0)
        return;
    buf_u8(ret, '.');
    for (uint64_t place = one / 10; value != 0; place /= 10) {
        buf_u8(ret, (uint8_t)('0' + value / place));
        value %= place;
    }
}

void values_duration_put(struct buf *ret, int64_t ns)
{
    uint64_t v = ns < 0 ? (uint64_t)-ns : (uint64_t)ns;

    if (v == 0) {
        buf_str(ret, "0s");
        return;
    }
    if (ns < 0)
        buf_u8(ret, '-');
    if (v < (uint64_t)second_ns) {
        uint64_t one = v < 1000 ? 1 : v < 1000000 ? 1000 : 1000000;
        put_fraction(ret, v, one);
        buf_str(ret, one == 1 ? "ns" : one == 1000 ? "\xc2\xb5s" : "ms");
        return;
    }
    uint64_t minutes = v / (uint64_t)second_ns / 60;
    if (minutes >= 60)
        buf_fmt(ret, "%lluh", (unsigned long long)(minutes / 60));
    if (minutes > 0)
        buf_fmt(ret, "%llum", (unsigned long long)(minutes % 60));
    put_fraction(ret, v - minutes * 60 * (uint64_t)second_ns, (uint64_t)second_ns);
    buf_u8(ret, 's');
}

/* Powers of 1000 from n (10^-9) to E (10^18), and of 1024 from Ki to Ei. */
static const char *const decimal_units[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
static const char *const binary_units[] = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

/* Kubernetes keeps the text as it is unless the number ends in 000, which is then carried into the unit. */
static enum err put_decimal(struct buf *ret, uint64_t v, size_t unit)
{
    while (v % 1000 == 0) {
        v /= 1000;
        unit++;
    }
    if (unit >= COUNT(decimal_units))
        return ERR_INPUT;
    buf_fmt(ret, "%llu%s", (unsigned long long)v, decimal_units[unit]);
    return OK;
}

static enum err put_binary(struct buf *ret, uint64_t v, size_t unit)
{
    if (v >= (uint64_t)1 << 62 >> 10 * (unit + 1))
        return ERR_INPUT;
    while (v % 1024 == 0) {
        v /= 1024;
        unit++;
    }
    buf_fmt(ret, "%llu%s", (unsigned long long)v, binary_units[unit]);
    return OK;
}

static enum err put_zero(struct buf *ret)
{
    buf_u8(ret, '0');
    return OK;
}

enum err values_quantity(struct span text, struct buf *ret)
{
    uint64_t v;
    size_t n;

    if (text.n > 1 && text.p[0] == '0' && is_digit(text.p[1]))
        return ERR_INPUT;
    if (!take_number(&text, &v, &n) || n == 0)
        return ERR_INPUT;
    const bool zero = v == 0;
    for (size_t i = 0; i < COUNT(decimal_units); i++) {
        if (span_is(text, decimal_units[i]))
            return zero ? put_zero(ret) : put_decimal(ret, v, i);
    }
    for (size_t i = 0; i < COUNT(binary_units); i++) {
        if (span_is(text, binary_units[i]))
            return zero ? put_zero(ret) : put_binary(ret, v, i);
    }
    return ERR_INPUT;
}

enum err values_float(struct span text, struct buf *ret)
{
    uint64_t whole, part = 0;
    size_t n, part_n = 0, zeros = 0;
    bool negative = text.n > 0 && text.p[0] == '-';

    if (negative)
        text = span_sub(text, 1, text.n);
    if (text.n > 1 && text.p[0] == '0' && is_digit(text.p[1]))
        return ERR_INPUT;
    if (!take_number(&text, &whole, &n) || n == 0)
        return ERR_INPUT;
    if (text.n > 0 && text.p[0] == '.') {
        text = span_sub(text, 1, text.n);
        while (zeros < text.n && text.p[zeros] == '0')
            zeros++;
        if (!take_number(&text, &part, &part_n) || part_n == 0)
            return ERR_INPUT;
    }
    bool small = whole == 0 && part != 0 && zeros > 3;
    if (text.n > 0 || n + part_n > 15 || n > 6 || small || (negative && whole == 0 && part == 0))
        return ERR_INPUT;
    buf_fmt(ret, "%s%llu", negative ? "-" : "", (unsigned long long)whole);
    if (part == 0)
        return OK;
    while (part % 10 == 0)
        part /= 10;
    buf_u8(ret, '.');
    for (size_t i = 0; i < zeros; i++)
        buf_u8(ret, '0');
    buf_fmt(ret, "%llu", (unsigned long long)part);
    return OK;
}
