/*
 * heap.c - see heap.h.
 *
 * The block is a row of pieces without gaps: [head 16][payload]... and a closing head that is always taken. Each head has its own size and
 * that of the piece before it, so that both neighbours are found in one step. Free pieces are also in a doubly linked list, whose
 * links lie in their payload. Invariant: sizes are multiples of 16, no two free pieces are neighbours, all free payload behind the links is zero.
 */
#include "firmware/crypto/heap.h"

enum { UNIT = 16, SIZE_MAX_BLOCK = 1 << 30, TAKEN = 0x7a6b, FREE = 0x1f2e };

struct head {
    uint32_t size; /* with the head */
    uint32_t prev; /* size of the piece before; 0 for the first */
    uint32_t mark;
    uint32_t unused;
};

struct links {
    struct head *next;
    struct head *prev;
};

_Static_assert(sizeof(struct head) == UNIT, "payload is aligned because heads are");
_Static_assert(sizeof(struct links) <= UNIT, "links fit into the smallest payload");

static struct {
    struct head *free;
    size_t used;
    size_t peak;
    size_t calls;
    size_t failures;
    size_t fail_at;
} heap;

static struct head *after(struct head *h)
{
    return (struct head *)(void *)((uint8_t *)h + h->size);
}

static struct head *before(struct head *h)
{
    return (struct head *)(void *)((uint8_t *)h - h->prev);
}

static struct links *links_of(struct head *h)
{
    return (struct links *)(void *)(h + 1);
}

static void list_add(struct head *h)
{
    h->mark = FREE;
    links_of(h)->next = heap.free;
    links_of(h)->prev = NULL;
    if (heap.free != NULL)
        links_of(heap.free)->prev = h;
    heap.free = h;
}

static void list_remove(struct head *h)
{
    struct links l = *links_of(h);

    if (l.prev != NULL)
        links_of(l.prev)->next = l.next;
    else
        heap.free = l.next;
    if (l.next != NULL)
        links_of(l.next)->prev = l.prev;
    memset(links_of(h), 0, sizeof(struct links));
}

enum err heap_init(void *p, size_t size)
{
    size_t skip = (UNIT - (uintptr_t)p % UNIT) % UNIT;
    struct head *first, *end;

    if (p == NULL || size < 256 || size > SIZE_MAX_BLOCK)
        return ERR_LIMIT;
    size = (size - skip) / UNIT * UNIT;
    memset(&heap, 0, sizeof(heap));
    first = (struct head *)(void *)((uint8_t *)p + skip);
    memset(first, 0, size);
    first->size = (uint32_t)(size - sizeof(*end));
    end = after(first);
    *end = (struct head){.size = 0, .prev = first->size, .mark = TAKEN};
    list_add(first);
    return OK;
}

/* Gives the end of a piece that is larger than needed back to the list. */
static void split(struct head *h, uint32_t size)
{
    struct head *rest;

    if (h->size - size < 2 * UNIT)
        return;
    rest = (struct head *)(void *)((uint8_t *)h + size);
    *rest = (struct head){.size = h->size - size, .prev = size};
    h->size = size;
    after(rest)->prev = rest->size;
    list_add(rest);
}

/* The first free piece with room for n bytes; *ret_size is what is needed of it. */
static struct head *find(size_t n, uint32_t *ret_size)
{
    struct head *h = heap.free;

    if (n > SIZE_MAX_BLOCK / 2)
        return NULL;
    *ret_size = (uint32_t)((n + UNIT - 1) / UNIT * UNIT + UNIT);
    while (h != NULL && h->size < *ret_size)
        h = links_of(h)->next;
    return h;
}

void *heap_take(size_t n)
{
    struct head *h;
    uint32_t size = 0;

    if (n == 0)
        return NULL;
    heap.calls++;
    h = heap.fail_at != 0 && --heap.fail_at == 0 ? NULL : find(n, &size);
    if (h == NULL) {
        heap.failures++;
        return NULL;
    }
    list_remove(h);
    split(h, size);
    h->mark = TAKEN;
    heap.used += h->size;
    if (heap.used > heap.peak)
        heap.peak = heap.used;
    return h + 1;
}

/* Makes one piece of two neighbours; the second one's head becomes zeroed payload. */
static struct head *join(struct head *h, struct head *next)
{
    h->size += next->size;
    memset(next, 0, sizeof(*next));
    after(h)->prev = h->size;
    return h;
}

void heap_give(void *p)
{
    struct head *h;

    if (p == NULL)
        return;
    h = (struct head *)p - 1;
    if (h->mark != TAKEN || after(h)->prev != h->size)
        __builtin_trap(); /* going on would hand the same memory out twice */
    heap.used -= h->size;
    h->mark = 0;
    wipe(p, h->size - sizeof(*h));
    if (after(h)->mark == FREE) {
        list_remove(after(h));
        h = join(h, after(h));
    }
    if (h->prev != 0 && before(h)->mark == FREE) {
        list_remove(before(h));
        h = join(before(h), h);
    }
    list_add(h);
}

size_t heap_used(void)
{
    return heap.used;
}

size_t heap_peak(void)
{
    return heap.peak;
}

size_t heap_calls(void)
{
    return heap.calls;
}

size_t heap_failures(void)
{
    return heap.failures;
}

void heap_fail_at(size_t n)
{
    heap.fail_at = n;
}
