/*
 * errors.c - `errors`: the table of firmware/base/errors.def for operators.
 */
#include "firmware/base/json.h"
#include "tools/joinctl/tool.h"

static void put_member(struct buf *b, const char *name, const char *text, const char *behind)
{
    json_put_string(b, span_str(name));
    buf_str(b, ":");
    json_put_string(b, span_str(text));
    buf_str(b, behind);
}

static int print_json(enum err first, enum err last)
{
    static char text[64 * 1024];
    struct buf b = BUF_OF(text);
    for (unsigned i = first; i <= (unsigned)last; i++) {
        buf_str(&b, i == (unsigned)first ? "[{" : ",\n {");
        put_member(&b, "name", err_name((enum err)i), ",");
        put_member(&b, "explanation", err_explain((enum err)i), ",");
        put_member(&b, "remedy", err_remedy((enum err)i), "}");
    }
    buf_str(&b, "]\n");
    (void)fwrite(text, 1, b.n, stdout);
    return tool_end();
}

int errors_run(struct tool *t)
{
    bool bad;
    bool json = tool_wants_json(t, &bad);
    enum err e = ERR_COUNT;
    if (bad)
        return TOOL_USAGE;
    if (t->file_count > 0) {
        e = err_by_name(t->file[0]);
        if (e == ERR_COUNT)
            return tool_usage(t, "there is no error %s", t->file[0]);
    }
    if (json)
        return e == ERR_COUNT ? print_json((enum err)(OK + 1), (enum err)(ERR_COUNT - 1)) : print_json(e, e);
    if (e != ERR_COUNT) {
        (void)printf("%s\n  what  %s\n  next  %s\n", err_name(e), err_explain(e), err_remedy(e));
        return tool_end();
    }
    for (unsigned i = OK + 1; i < ERR_COUNT; i++)
        (void)printf("%-36s %s\n", err_name((enum err)i), err_explain((enum err)i));
    return tool_end();
}
