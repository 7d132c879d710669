/*
 * base.h - the few macros and includes that every file may use.
 *
 * Nothing here has state. Layer L0: includes only the C library's freestanding headers and string.h.
 */
#ifndef JOINBOOT_BASE_BASE_H
#define JOINBOOT_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "firmware/base/err.h"

#define MUST_USE                __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define COUNT(array)            (sizeof(array) / sizeof((array)[0]))

#endif
