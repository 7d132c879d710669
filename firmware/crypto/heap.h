/*
 * heap.h - memory for mbedTLS from one caller-owned block: first fit, neighbours joined when freed, everything wiped when freed.
 *
 * Used instead of mbedTLS' own buffer allocator because that one can neither report its peak without its debug code nor let a chosen
 * allocation fail, and leaves secrets in freed memory. Not for our own code, which allocates nothing.
 */
#ifndef JOINBOOT_CRYPTO_HEAP_H
#define JOINBOOT_CRYPTO_HEAP_H

#include "firmware/base/span.h"

/* Takes the block over, for ever or until the next heap_init. At least 256 bytes; alignment is made here. ERR_LIMIT if it is too small. */
enum err heap_init(void *p, size_t size) MUST_USE;

/* n zeroed bytes, 16-byte aligned; NULL if there is no room or before heap_init. n of 0 gives NULL. */
void *heap_take(size_t n);
/* NULL is allowed. A pointer that heap_take did not give, or a second free of the same one, stops the process. */
void heap_give(void *p);

/* Bytes in use with their headers: now, and at most since heap_init. */
size_t heap_used(void);
size_t heap_peak(void);
/* Allocations since heap_init, and how many of them found no room (n of 0 is not counted). mbedTLS reports some of the latter as other
 * errors, such as a bad signature: whoever calls it compares this count before and after. */
size_t heap_calls(void);
size_t heap_failures(void);
/* For tests: the n-th allocation from now on fails (1 = next); 0: none. */
void heap_fail_at(size_t n);

#endif
