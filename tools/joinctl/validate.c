/*
 * validate.c - `validate`: kubeadm documents without NodeJoin, as `kubeadm config validate` takes them.
 */
#include <unistd.h>

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

/* As kubeadm does: where it validates, a file of discovery has to be there. */
static enum err check_file(struct tool *t, const struct bundle *b)
{
    const struct yaml_node *at =
        yaml_get(yaml_get(yaml_get(b->join.root, "discovery"), "file"), "kubeConfigPath");
    char path[TOOL_PATH_MAX];
    if (!b->join.has_file || !span_starts(b->join.kubeconfig_path, "/"))
        return OK;
    if (span_to_cstr(b->join.kubeconfig_path, path, sizeof(path)) == OK && access(path, F_OK) == 0)
        return OK;
    return yaml_fault(&t->fault, ERR_CONFIG_FIELD, at, "is not on this machine, where kubeadm looks for it");
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
    if (e == OK)
        e = check_file(t, &bundle);
    if (e != OK)
        return tool_refuse(t, file, e);
    if (json)
        return print_json(t, &bundle);
    (void)printf("ok\n");
    tool_notes(file, &bundle);
    return tool_end();
}
