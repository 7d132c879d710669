/*
 * arena.c - one caller-owned block, handed out from the front.
 */
#include "firmware/base/arena.h"

enum { ALIGN = 16 };

void arena_init(struct arena *a, void *p, size_t cap)
{
    *a = (struct arena){.p = p, .cap = cap};
}

void *arena_take(struct arena *a, size_t n)
{
    a->calls++;
    if (a->fail_at != 0 && a->calls == a->fail_at)
        return NULL;
    size_t room = a->cap - a->used;
    if (n > room || (ALIGN - n % ALIGN) % ALIGN > room - n)
        return NULL;
    uint8_t *p = a->p + a->used;
    a->used += n + (ALIGN - n % ALIGN) % ALIGN;
    if (a->peak < a->used)
        a->peak = a->used;
    if (n > 0)
        memset(p, 0, n);
    return p;
}

enum err arena_copy(struct arena *a, struct span s, struct span *ret)
{
    if (s.n == SIZE_MAX)
        return ERR_NOMEM;
    uint8_t *p = arena_take(a, s.n + 1);
    if (!p)
        return ERR_NOMEM;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *ret = span_of(p, s.n);
    return OK;
}

void arena_reset(struct arena *a)
{
    arena_rewind(a, 0);
    a->calls = 0;
}

void arena_rewind(struct arena *a, size_t used)
{
    if (used >= a->used)
        return;
    wipe(a->p + used, a->used - used);
    a->used = used;
}
