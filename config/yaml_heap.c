/*
 * yaml_heap.c - a first-fit heap on one block, for libyaml and nothing else.
 *
 * The block is a row of pieces without gaps; each begins with its size (header included, a multiple of 16) and whether it is in use.
 * Invariant: two free pieces never stand side by side. Freeing walks from the start: libyaml holds about twenty pieces at a time.
 */
#include "config/yaml_heap.h"

#include "firmware/base/limits.h"
#include "firmware/base/span.h"

struct piece {
    size_t size;
    size_t used;
};

enum { ALIGN = 16, HEADER = ALIGN };

_Static_assert(sizeof(struct piece) <= HEADER, "a piece's header fits in front of it");
_Static_assert(LIMIT_YAML_HEAP % ALIGN == 0, "pieces fill the heap");

static struct {
    uint8_t *block;
    size_t top; /* highest byte that was ever in use since the last reset */
    size_t used, peak;
    size_t calls, fail_at;
} heap;

static struct piece *piece_at(size_t off)
{
    return (struct piece *)(void *)(heap.block + off);
}

/* The offset of the piece that a pointer was handed out for. A pointer that is not one ends the process: memory is corrupt. */
static size_t offset_of(const void *p)
{
    for (size_t off = 0; off < LIMIT_YAML_HEAP; off += piece_at(off)->size) {
        if (heap.block + off + HEADER == (const uint8_t *)p && piece_at(off)->used)
            return off;
    }
    __builtin_trap();
}

/* Joins the piece at off with the free one behind it. */
static void join_next(size_t off)
{
    struct piece *p = piece_at(off);
    if (off + p->size < LIMIT_YAML_HEAP && !piece_at(off + p->size)->used)
        p->size += piece_at(off + p->size)->size;
}

/* Leaves `size` bytes at off and makes the rest a free piece. */
static void split(size_t off, size_t size)
{
    struct piece *p = piece_at(off);
    if (p->size - size < HEADER + ALIGN)
        return;
    *piece_at(off + size) = (struct piece){.size = p->size - size};
    p->size = size;
    join_next(off + size);
}

static void account(size_t off, size_t before)
{
    size_t size = piece_at(off)->size;
    heap.used = heap.used - before + size;
    if (heap.used > heap.peak)
        heap.peak = heap.used;
    if (off + size > heap.top)
        heap.top = off + size;
}

static bool refused(size_t n)
{
    heap.calls++;
    return heap.calls == heap.fail_at || n > LIMIT_YAML_HEAP - HEADER;
}

static size_t piece_size(size_t n)
{
    return (n + HEADER + ALIGN - 1) / ALIGN * ALIGN;
}

static void *take(size_t n)
{
    if (!heap.block) {
        heap.block = yaml_heap_block_take();
        if (!heap.block)
            return NULL;
        *piece_at(0) = (struct piece){.size = LIMIT_YAML_HEAP};
    }
    size_t size = piece_size(n);
    for (size_t off = 0; off < LIMIT_YAML_HEAP; off += piece_at(off)->size) {
        if (piece_at(off)->used || piece_at(off)->size < size)
            continue;
        piece_at(off)->used = 1;
        split(off, size);
        account(off, 0);
        return heap.block + off + HEADER;
    }
    return NULL;
}

void *yaml_heap_malloc(size_t n)
{
    return refused(n) ? NULL : take(n);
}

void yaml_heap_free(void *p)
{
    if (!p)
        return;
    size_t off = offset_of(p);
    heap.used -= piece_at(off)->size;
    piece_at(off)->used = 0;
    join_next(off);
    for (size_t prev = 0; prev < off; prev += piece_at(prev)->size) {
        if (prev + piece_at(prev)->size == off && !piece_at(prev)->used) {
            join_next(prev);
            return;
        }
    }
}

void *yaml_heap_realloc(void *p, size_t n)
{
    if (refused(n))
        return NULL;
    if (!p)
        return take(n);
    size_t off = offset_of(p), before = piece_at(off)->size, size = piece_size(n);
    if (before < size)
        join_next(off);
    if (piece_at(off)->size >= size) {
        split(off, size);
        account(off, before);
        return p;
    }
    account(off, before);
    uint8_t *moved = take(n);
    if (!moved)
        return NULL;
    memcpy(moved, p, before - HEADER);
    yaml_heap_free(p);
    return moved;
}

char *yaml_heap_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = yaml_heap_malloc(n);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void yaml_heap_reset(void)
{
    if (heap.block) {
        wipe(heap.block, heap.top);
        yaml_heap_block_give(heap.block);
    }
    heap.block = NULL;
    heap.top = heap.used = 0;
}

void yaml_heap_fail_at(size_t n)
{
    heap.calls = 0;
    heap.fail_at = n;
}

size_t yaml_heap_calls(void)
{
    return heap.calls;
}

size_t yaml_heap_used(void)
{
    return heap.used;
}

size_t yaml_heap_peak(void)
{
    return heap.peak;
}
