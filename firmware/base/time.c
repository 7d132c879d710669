/*
 * time.c - calendar times in UTC: RFC 3339 with whole seconds and HTTP's IMF-fixdate (RFC 9110 section 5.6.7). Part of text.h.
 */
#include "firmware/base/text.h"

enum { DAY_S = 86400 };

static const int64_t LAST_S = 253402300799; /* 9999-12-31T23:59:59Z */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(int year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29u : days[month - 1];
}

/* Days from 0000-01-01 to the first day of a year, in the Gregorian calendar extended backwards. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;
    return year * 365 + past / 4 - past / 100 + past / 400 + (year > 0 ? 1 : 0);
}

int64_t text_civil(int year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second)
{
    int64_t days = days_before_year(year) - days_before_year(1970) + (int64_t)day - 1;
    for (unsigned m = 1; m < month; m++)
        days += days_in(year, m);
    return days * DAY_S + (int64_t)hour * 3600 + (int64_t)minute * 60 + (int64_t)second;
}

/* Exactly s.n digits; ERR_INPUT unless low <= v <= high. */
static enum err number(struct span s, unsigned low, unsigned high, unsigned *ret)
{
    unsigned v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return ERR_INPUT;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    if (s.n == 0 || v < low || v > high)
        return ERR_INPUT;
    *ret = v;
    return OK;
}

/* hh:mm:ss at the start of s. */
static enum err clock_of(struct span s, unsigned last_second, unsigned ret[static 3])
{
    if (s.n < 8 || s.p[2] != ':' || s.p[5] != ':')
        return ERR_INPUT;
    if (number(span_sub(s, 0, 2), 0, 23, &ret[0]) != OK || number(span_sub(s, 3, 2), 0, 59, &ret[1]) != OK)
        return ERR_INPUT;
    return number(span_sub(s, 6, 2), 0, last_second, &ret[2]);
}

enum err text_time(struct span s, int64_t *ret_unix_s)
{
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hms[3];
    if (s.n != 20 || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' || s.p[19] != 'Z')
        return ERR_INPUT;
    if (number(span_sub(s, 0, 4), 1970, 9999, &year) != OK || number(span_sub(s, 5, 2), 1, 12, &month) != OK)
        return ERR_INPUT;
    if (number(span_sub(s, 8, 2), 1, days_in((int)year, month), &day) != OK ||
        clock_of(span_sub(s, 11, 8), 59, hms) != OK)
        return ERR_INPUT;
    *ret_unix_s = text_civil((int)year, month, day, hms[0], hms[1], hms[2]);
    return OK;
}

void text_time_put(struct buf *ret, int64_t unix_s)
{
    if (unix_s < 0)
        unix_s = 0;
    if (unix_s > LAST_S)
        unix_s = LAST_S;
    int64_t days = unix_s / DAY_S;
    unsigned second = (unsigned)(unix_s % DAY_S);
    int year = 1970 + (int)(days / 366);
    while (text_civil(year + 1, 1, 1, 0, 0, 0) <= unix_s)
        year++;
    days -= text_civil(year, 1, 1, 0, 0, 0) / DAY_S;
    unsigned month = 1;
    while (days >= days_in(year, month))
        days -= days_in(year, month++);
    buf_fmt(ret, "%04d-%02u-%02uT%02u:%02u:%02uZ", year, month, (unsigned)days + 1, second / 3600,
            second / 60 % 60, second % 60);
}

/* 1-based position of a three-letter name in `names`, 0 if it is not there. */
static unsigned name_index(struct span s, const char *names)
{
    for (unsigned i = 0; names[3 * i]; i++) {
        if (span_eq(s, span_of(names + 3 * i, 3)))
            return i + 1;
    }
    return 0;
}

enum err text_http_date(struct span s, int64_t *ret_unix_s)
{
    static const char shape[] = "***, ** *** **** ******** GMT";
    unsigned day;
    unsigned year;
    unsigned hms[3];
    if (s.n != sizeof(shape) - 1)
        return ERR_INPUT;
    for (size_t i = 0; i < s.n; i++) {
        if (shape[i] != '*' && s.p[i] != (uint8_t)shape[i])
            return ERR_INPUT;
    }
    unsigned weekday = name_index(span_sub(s, 0, 3), "ThuFriSatSunMonTueWed"); /* 1970-01-01 was a Thursday */
    unsigned month = name_index(span_sub(s, 8, 3), "JanFebMarAprMayJunJulAugSepOctNovDec");
    if (weekday == 0 || month == 0 || number(span_sub(s, 12, 4), 1970, 9999, &year) != OK)
        return ERR_INPUT;
    if (number(span_sub(s, 5, 2), 1, days_in((int)year, month), &day) != OK ||
        clock_of(span_sub(s, 17, 8), 60, hms) != OK)
        return ERR_INPUT;
    if ((text_civil((int)year, month, day, 0, 0, 0) / DAY_S) % 7 != (int64_t)weekday - 1)
        return ERR_INPUT;
    *ret_unix_s = text_civil((int)year, month, day, hms[0], hms[1], hms[2]);
    return OK;
}
