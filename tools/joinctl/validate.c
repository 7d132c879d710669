/*
 * validate.c - `validate`: kubeadm documents without NodeJoin, as `kubeadm config validate` takes them.
 */
#include "tools/joinctl/tool.h"

enum { JSON_MAX = 512 * 1024 };

static int print_json(const struct tool *t, const struct bundle *b)
{
    static char text[JSON_MAX];
    struct buf out = BUF_OF(text);
    bundle_put_json(b, &out);
    buf_str(&out, "\n");
    if (out.overflow) {
        (void)fprintf(stderr, "joinctl %s: %s (%s)\n", t->command->name, err_explain(ERR_LIMIT),
                      err_name(ERR_LIMIT));
        return TOOL_USAGE;
    }
    (void)fwrite(text, 1, out.n, stdout);
    return tool_end();
}

int validate_run(struct tool *t)
{
    static struct bundle bundle;
    struct yaml_stream stream;
    const char *file = t->file[0];
    struct span text;
    bool bad;
    bool json = tool_wants_json(t, &bad);
    if (bad || !tool_read(t, file, LIMIT_YAML, &text))
        return TOOL_USAGE;
    enum err e = yaml_parse(text, &t->arena, &stream, &t->fault);
    if (e == OK)
        e = bundle_kubeadm(&stream, 0, &t->arena, &bundle, &t->fault);
    if (e != OK)
        return tool_refuse(t, file, e);
    if (json)
        return print_json(t, &bundle);
    (void)printf("ok\n");
    tool_notes(file, &bundle);
    return tool_end();
}
