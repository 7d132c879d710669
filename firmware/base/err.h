/*
 * err.h - the one error type of the whole project.
 *
 * Every error has a dotted name, a one-line explanation and a remedy for the operator; all three live in errors.def.
 * The same names appear on the console, in the boot journal, in `joinctl errors`, in documents and in tests.
 * 0 is OK. Names are stable; numbers are not and never leave the process.
 */
#ifndef JOINBOOT_BASE_ERR_H
#define JOINBOOT_BASE_ERR_H

enum err {
    OK = 0,
#define ERR_ROW(symbol, name, explanation, remedy) symbol,
#include "firmware/base/errors.def"
#undef ERR_ROW
    ERR_COUNT
};

/* The dotted name, for example "config.signature"; "ok" for OK. Never NULL; the string is static. */
const char *err_name(enum err e);

/* One line that says what happened. Never NULL; the string is static. */
const char *err_explain(enum err e);

/* One line that says what the operator does next. Never NULL; the string is static. */
const char *err_remedy(enum err e);

/* The error with this dotted name, or ERR_COUNT if there is none. */
enum err err_by_name(const char *name);

#endif
