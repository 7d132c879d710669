/*
 * err.c - the table behind err.h. The rows are in errors.def and nowhere else.
 *
 * A row's three texts lie one behind the other, each with its zero byte, and the rows likewise: an offset of two bytes takes the place of three
 * pointers, which for this many rows is a page of flash.
 */
#include <stddef.h>

#include "firmware/base/base.h"

#define ROW(name, explanation, remedy) name "\0" explanation "\0" remedy
#define OK_ROW                         ROW("ok", "no error", "nothing to do")
#define UNKNOWN_ROW \
    ROW("internal.unknown", "an error number outside the table", "report this with the console output")

struct texts {
    char ok[sizeof(OK_ROW)];
    char unknown[sizeof(UNKNOWN_ROW)];
#define ERR_ROW(symbol, name, explanation, remedy) char symbol##_text[sizeof(ROW(name, explanation, remedy))];
#include "firmware/base/errors.def"
#undef ERR_ROW
};

static const struct texts texts = {
    .ok = OK_ROW,
    .unknown = UNKNOWN_ROW,
#define ERR_ROW(symbol, name, explanation, remedy) .symbol##_text = ROW(name, explanation, remedy),
#include "firmware/base/errors.def"
#undef ERR_ROW
};

static const uint16_t offsets[ERR_COUNT] = {
    [OK] = offsetof(struct texts, ok),
#define ERR_ROW(symbol, name, explanation, remedy) [symbol] = offsetof(struct texts, symbol##_text),
#include "firmware/base/errors.def"
#undef ERR_ROW
};

_Static_assert(sizeof(struct texts) <= UINT16_MAX, "offsets of two bytes");

static const char *text_of(enum err e, unsigned which)
{
    const char *s = (const char *)&texts +
                    ((unsigned)e < ERR_COUNT ? offsets[e] : (uint16_t)offsetof(struct texts, unknown));

    for (; which > 0; which--)
        s += strlen(s) + 1;
    return s;
}

const char *err_name(enum err e)
{
    return text_of(e, 0);
}

const char *err_explain(enum err e)
{
    return text_of(e, 1);
}

const char *err_remedy(enum err e)
{
    return text_of(e, 2);
}

enum err err_by_name(const char *name)
{
    for (unsigned i = 0; i < ERR_COUNT; i++) {
        if (strcmp(err_name((enum err)i), name) == 0)
            return (enum err)i;
    }
    return ERR_COUNT;
}
