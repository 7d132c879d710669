/*
 * vector.h - for tables of vectors: a row knows its line, and a check that fails names that line.
 */
#ifndef JOINBOOT_TESTS_UNIT_VECTOR_H
#define JOINBOOT_TESTS_UNIT_VECTOR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* First member of a row. */
#define ROW .line = __LINE__

/* Fails the test with the row's line in this file. */
#define ROW_TRUE(row, condition)                                             \
    do {                                                                     \
        if (!(condition))                                                    \
            fail_msg("row at %s:%d: %s", __FILE__, (row)->line, #condition); \
    } while (0)

#endif
