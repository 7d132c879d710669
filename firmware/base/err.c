/*
 * err.c - the table behind err.h. The rows are in errors.def and nowhere else.
 */
#include "firmware/base/base.h"

struct row {
    const char *name;
    const char *explanation;
    const char *remedy;
};

static const struct row rows[ERR_COUNT] = {
    [OK] = {"ok", "no error", "nothing to do"},
#define ERR_ROW(symbol, name, explanation, remedy) [symbol] = {name, explanation, remedy},
#include "firmware/base/errors.def"
#undef ERR_ROW
};

static const struct row *row_of(enum err e)
{
    static const struct row unknown = {"internal.unknown", "an error number outside the table",
                                       "report this with the console output"};
    return (unsigned)e < ERR_COUNT ? &rows[e] : &unknown;
}

const char *err_name(enum err e)
{
    return row_of(e)->name;
}

const char *err_explain(enum err e)
{
    return row_of(e)->explanation;
}

const char *err_remedy(enum err e)
{
    return row_of(e)->remedy;
}

enum err err_by_name(const char *name)
{
    for (unsigned i = 0; i < ERR_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return (enum err)i;
    }
    return ERR_COUNT;
}
