/*
 * span.c - spans and the bounded writer.
 */
#include <stdarg.h>
#include <stdio.h>

#include "firmware/base/span.h"

struct span span_str(const char *s)
{
    return span_of(s, strlen(s));
}

bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_is(struct span a, const char *s)
{
    return span_eq(a, span_str(s));
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool span_is_nocase(struct span a, const char *s)
{
    if (a.n != strlen(s))
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower((uint8_t)s[i]))
            return false;
    }
    return true;
}

bool span_starts(struct span a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.n >= n && span_is(span_sub(a, 0, n), prefix);
}

bool span_ends(struct span a, const char *suffix)
{
    size_t n = strlen(suffix);
    return a.n >= n && span_is(span_sub(a, a.n - n, n), suffix);
}

struct span span_sub(struct span a, size_t off, size_t n)
{
    if (off >= a.n)
        return (struct span){.p = a.p, .n = 0};
    if (n > a.n - off)
        n = a.n - off;
    return span_of(a.p + off, n);
}

size_t span_find(struct span a, uint8_t c)
{
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] == c)
            return i;
    }
    return a.n;
}

size_t span_find_str(struct span a, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < a.n && n <= a.n - i; i++) {
        if (memcmp(a.p + i, text, n) == 0)
            return i;
    }
    return a.n;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span a)
{
    while (a.n > 0 && is_blank(a.p[0]))
        a = span_of(a.p + 1, a.n - 1);
    while (a.n > 0 && is_blank(a.p[a.n - 1]))
        a.n--;
    return a;
}

struct span span_cut(struct span *rest, uint8_t sep)
{
    size_t at = span_find(*rest, sep);
    struct span head = span_sub(*rest, 0, at);
    *rest = at < rest->n ? span_of(rest->p + at + 1, rest->n - at - 1) : (struct span){.p = NULL, .n = 0};
    return head;
}

enum err span_to_cstr(struct span a, char *ret_s, size_t cap)
{
    if (a.n >= cap || span_find(a, 0) < a.n)
        return ERR_LIMIT;
    if (a.n > 0)
        memcpy(ret_s, a.p, a.n);
    ret_s[a.n] = 0;
    return OK;
}

void buf_put(struct buf *b, struct span s)
{
    if (b->overflow || s.n > b->cap - b->n) {
        b->overflow = true;
        return;
    }
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

void buf_str(struct buf *b, const char *s)
{
    buf_put(b, span_str(s));
}

void buf_u8(struct buf *b, uint8_t v)
{
    buf_put(b, span_of(&v, 1));
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    if (b->overflow)
        return;
    size_t room = b->cap - b->n;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(room > 0 ? (char *)b->p + b->n : NULL, room, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        b->overflow = true;
    else
        b->n += (size_t)n;
}

void wipe(void *p, size_t n)
{
    if (n > 0)
        memset(p, 0, n);
    /* The compiler must believe that the zeroes are read. */
    __asm__ volatile("" : : "r"(p) : "memory");
}

bool equal_ct(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < n; i++)
        difference = (uint8_t)(difference | (x[i] ^ y[i]));
    return difference == 0;
}
