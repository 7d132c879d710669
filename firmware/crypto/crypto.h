/*
 * crypto.h - brings the one instance of PSA and mbedTLS in this process to life on a random source and a fixed heap.
 */
#ifndef JOINBOOT_CRYPTO_CRYPTO_H
#define JOINBOOT_CRYPTO_CRYPTO_H

#include "firmware/base/span.h"

/* Gives mbedTLS its heap (caller-owned, lives for ever) and starts PSA. rng must have been seeded (rng.h) first, since PSA draws from it.
 * ERR_STATE if called twice, ERR_ENTROPY if the rng is not seeded, ERR_NOMEM if the heap is too small. */
enum err crypto_start(void *heap, size_t heap_size) MUST_USE;

/* Most bytes of the heap that were ever in use; for `make size` and tests. */
size_t crypto_heap_peak(void);
/* Bytes in use now; for leak tests. */
size_t crypto_heap_used(void);
/* Allocations so far; for tests. */
size_t crypto_heap_calls(void);
/* For tests: the n-th allocation from now on fails (1 = next); 0: none. */
void crypto_heap_fail_at(size_t n);

#endif
