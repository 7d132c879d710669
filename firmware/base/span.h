/*
 * span.h - bytes with a length, and a bounded writer. The only ways in which bytes travel between modules.
 *
 * Invariant of struct buf: n <= cap, and once `overflow` is set nothing more is written, so a caller checks once at the end.
 */
#ifndef JOINBOOT_BASE_SPAN_H
#define JOINBOOT_BASE_SPAN_H

#include "firmware/base/base.h"

struct span {
    const uint8_t *p;
    size_t n;
};

struct buf {
    uint8_t *p;
    size_t n;
    size_t cap;
    bool overflow;
};

/* A span over a string literal or array of char with its terminating zero left out. */
#define SPAN_LIT(s) ((struct span){(const uint8_t *)("" s), sizeof(s) - 1})

/* A buf over a local or static array. */
#define BUF_OF(array) ((struct buf){.p = (uint8_t *)(array), .cap = sizeof(array)})

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span){(const uint8_t *)p, n};
}

/* A span over a zero-terminated string. */
struct span span_str(const char *s);

bool span_eq(struct span a, struct span b);

/* Compares with a zero-terminated string. */
bool span_is(struct span a, const char *s);

/* ASCII case-insensitive comparison with a zero-terminated string. */
bool span_is_nocase(struct span a, const char *s);

bool span_starts(struct span a, const char *prefix);
bool span_ends(struct span a, const char *suffix);

/* The part from `off` of at most `n` bytes; clipped to the span, so never out of bounds. */
struct span span_sub(struct span a, size_t off, size_t n);

/* Index of the first byte `c`, or a.n if there is none. */
size_t span_find(struct span a, uint8_t c);

/* Index of the first occurrence of a zero-terminated text, or a.n if there is none. */
size_t span_find_str(struct span a, const char *text);

/* Without leading and trailing spaces, tabs, CR and LF. */
struct span span_trim(struct span a);

/* Cuts the bytes before the first `sep` off *rest and returns them; *rest starts behind `sep`. Without one: all of it, *rest empty. */
struct span span_cut(struct span *rest, uint8_t sep);

/* Copies into a zero-terminated array. ERR_LIMIT if it does not fit or holds a zero byte. */
enum err span_to_cstr(struct span a, char *ret_s, size_t cap) MUST_USE;

void buf_put(struct buf *b, struct span s);
void buf_str(struct buf *b, const char *s);
void buf_u8(struct buf *b, uint8_t v);
/* snprintf-like: only %s %d %u %x %c %zu %02x %lld %llu %% and precision are relied upon. Needs one spare byte behind the text. */
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->p, b->n};
}

/* Wipes memory that held a secret; never optimised away. */
void wipe(void *p, size_t n);

/* Constant-time comparison: time depends on n only. */
bool equal_ct(const void *a, const void *b, size_t n);

#endif
