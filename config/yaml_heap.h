/*
 * yaml_heap.h - the heap that libyaml's allocator calls are renamed to when it is compiled: one block of LIMIT_YAML_HEAP bytes.
 */
#ifndef JOINBOOT_CONFIG_YAML_HEAP_H
#define JOINBOOT_CONFIG_YAML_HEAP_H

#include "firmware/base/base.h"

/* The four names of the C library, with its contracts, over the block. */
void *yaml_heap_malloc(size_t n);
void *yaml_heap_realloc(void *p, size_t n);
void yaml_heap_free(void *p);
char *yaml_heap_strdup(const char *s);

/* The block: taken at the first call that asks for memory, given back, wiped, by yaml_heap_reset. 16-byte aligned; NULL: there is none now. A static one
 * (yaml_block.c), unless the board defines these two, and lends memory that is idle meanwhile. */
void *yaml_heap_block_take(void);
void yaml_heap_block_give(void *p);

/* Forgets and wipes everything. Called after each stream. */
void yaml_heap_reset(void);

/* For tests: the n-th call from now on that asks for memory fails (1 = next); 0: none does. */
void yaml_heap_fail_at(size_t n);
/* Calls that asked for memory since the last yaml_heap_fail_at(). */
size_t yaml_heap_calls(void);
/* Bytes that are allocated now, and the most that ever were, block headers included. */
size_t yaml_heap_used(void);
size_t yaml_heap_peak(void);

#endif
