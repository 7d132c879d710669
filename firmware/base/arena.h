/*
 * arena.h - memory from one caller-owned block, freed all at once.
 *
 * Invariant: used <= cap; every piece is aligned to 16 bytes. `peak` is the most that was ever used, for `make size` and budgets.
 */
#ifndef JOINBOOT_BASE_ARENA_H
#define JOINBOOT_BASE_ARENA_H

#include "firmware/base/span.h"

struct arena {
    uint8_t *p;
    size_t used;
    size_t cap;
    size_t peak;
    size_t calls;   /* allocations since the last reset */
    size_t fail_at; /* for tests: the allocation with this number (1 = first) fails; 0 never */
};

/* Makes an arena over `cap` bytes at p, which must be 16-byte aligned. */
void arena_init(struct arena *a, void *p, size_t cap);

/* n zeroed bytes, or NULL if there is no room. n may be 0. */
void *arena_take(struct arena *a, size_t n) MUST_USE;

/* A copy of the span with a zero byte behind it (not counted in ret->n). ERR_NOMEM if there is no room. */
enum err arena_copy(struct arena *a, struct span s, struct span *ret) MUST_USE;

/* Forgets and wipes everything. */
void arena_reset(struct arena *a);

/* Returns to an earlier value of a->used; wipes what lay above. */
void arena_rewind(struct arena *a, size_t used);

#endif
