/*
 * validate.c - `validate`: kubeadm documents without NodeJoin, as `kubeadm config validate` takes them.
 */
#include "tools/joinctl/tool.h"

enum { JSON_MAX = 512 * 1024 };

static int print_json(const struct tool *t, const struct join *join)
{
    static char text[JSON_MAX];
    struct buf b = BUF_OF(text);
    buf_str(&b, "[");
    join_put_json(join, &b);
    buf_str(&b, "]\n");
    if (b.overflow) {
        (void)fprintf(stderr, "joinctl %s: %s (%s)\n", t->command->name, err_explain(ERR_LIMIT),
                      err_name(ERR_LIMIT));
        return TOOL_USAGE;
    }
    (void)fwrite(text, 1, b.n, stdout);
    return tool_end();
}

int validate_run(struct tool *t)
{
    static struct join join;
    struct yaml_stream stream;
    const struct yaml_node *doc;
    const char *file = t->file[0];
    struct span text;
    bool bad;
    bool json = tool_wants_json(t, &bad);
    if (bad || !tool_read(t, file, LIMIT_YAML, &text))
        return TOOL_USAGE;
    enum err e = yaml_parse(text, &t->arena, &stream, &t->fault);
    if (e == OK)
        e = join_select(&stream, 0, &doc, &t->fault);
    if (e == OK)
        e = join_read(doc, &t->arena, &join, &t->fault);
    if (e != OK)
        return tool_refuse(t, file, e);
    if (json)
        return print_json(t, &join);
    (void)printf("ok\n");
    return tool_end();
}
