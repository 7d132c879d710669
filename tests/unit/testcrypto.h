/*
 * testcrypto.h - what the tests of firmware/crypto share.
 */
#ifndef JOINBOOT_TESTS_UNIT_TESTCRYPTO_H
#define JOINBOOT_TESTS_UNIT_TESTCRYPTO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/base/span.h"

/* Seeds rng from the kernel and starts crypto on a heap of `size` bytes (at most 1 MiB). Fails the program if it cannot. */
void testcrypto_start(size_t size);

/* Text of a corpus file below $JOINBOOT_CORPORA (default ../shared/corpora), or an empty span if it is not there. Stays until exit. */
struct span testcrypto_corpus(const char *name);

/* Bytes of a hex string; stays until the next 8 calls. */
struct span testcrypto_hex(const char *hex);

/* Runs a shell command; fails the test if its status is not 0. */
void testcrypto_sh(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A whole file; fails the test if it cannot be read. Stays until exit. */
struct span testcrypto_file(const char *path);

/* A fresh directory below $TMPDIR, removed at exit. */
const char *testcrypto_dir(void);

/* The DER of the CERTIFICATE blocks of PEM text; how many. Fails the test if there are more than `max`. The DER stays until exit. */
unsigned testcrypto_pem(struct span pem, unsigned max, struct span *ret_ders);

#endif
