/*
 * verify.c - `verify`: the signature of a bundle, by the keys of a site or by one key.
 */
#include "tools/joinctl/tool.h"

int verify_load_site(struct tool *t, const char *file)
{
    struct span text;
    if (!tool_read(t, file, LIMIT_SITE, &text))
        return TOOL_USAGE;
    enum err e = site_parse(text, &t->site, &t->fault);
    return e == OK ? TOOL_YES : tool_refuse(t, file, e);
}

static int load_key(struct tool *t, const char *file)
{
    struct span text;
    if (!tool_read(t, file, TOOL_JWK_MAX, &text))
        return TOOL_USAGE;
    enum err e = text.n > TOOL_JWK_MAX ? ERR_LIMIT : jose_key_parse(span_trim(text), &t->site.keys[0]);
    if (e != OK) {
        (void)fault_set(&t->fault, e, "not the JWK of a public P-256 key");
        return tool_refuse(t, file, e);
    }
    t->site.key_count = 1;
    return TOOL_YES;
}

int verify_run(struct tool *t)
{
    const char *site = t->option[OPTION_SITE];
    const char *key = t->option[OPTION_KEY];
    const char *file = t->file[0];
    const struct verified *v;
    struct span bundle;
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    if ((site != NULL) == (key != NULL))
        return tool_usage(t, "either --site or --key is needed");
    int code = site ? verify_load_site(t, site) : load_key(t, key);
    if (code != TOOL_YES)
        return code;
    if (!tool_read(t, file, LIMIT_BUNDLE, &bundle))
        return TOOL_USAGE;
    enum err e = verify_bundle(bundle, &t->site, &t->arena, &v, &t->fault);
    if (e == OK)
        e = jose_thumbprint(&t->site.keys[verified_key(v)], kid);
    if (e != OK)
        return tool_refuse(t, file, e);
    if (t->option[OPTION_PAYLOAD]) {
        struct span payload = verified_payload(v);
        (void)fwrite(payload.p, 1, payload.n, stdout);
    } else {
        (void)printf("%s\n", kid);
    }
    return tool_end();
}
