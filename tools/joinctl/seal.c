/*
 * seal.c - `unseal`, and reading the device keys that bundles are sealed to.
 */
#include "config/enrol_tool.h"
#include "tools/joinctl/tool.h"

int seal_load_key(struct tool *t, const char *file, struct jose_key *ret, struct machine *ret_machine,
                  bool *ret_has_machine)
{
    struct span text;
    if (!tool_read(t, file, TOOL_JWK_MAX, &text))
        return TOOL_USAGE;
    enum err e =
        text.n > TOOL_JWK_MAX ? ERR_LIMIT : enrol_read(span_trim(text), ret, ret_machine, ret_has_machine);
    if (e == OK)
        return TOOL_YES;
    (void)fault_set(&t->fault, e, "neither an enrolment record nor the JWK of a public P-256 key");
    return tool_refuse(t, file, e);
}

/* A device's private key: the area of an image, or a JWK. */
static int load_secret(struct tool *t, const char *file, struct jose_secret *ret)
{
    struct span text;
    if (!tool_read(t, file, TOOL_JWK_MAX, &text))
        return TOOL_USAGE;
    enum err e = text.n == BOARD_KEY_SIZE ? enrol_area_read(text.p, ret)
                 : text.n > TOOL_JWK_MAX  ? ERR_LIMIT
                                          : jose_device_secret_parse(span_trim(text), ret);
    if (e == OK)
        return TOOL_YES;
    if (e != ERR_DEVICE_KEY)
        (void)fault_set(&t->fault, e, "neither a device key nor a private P-256 key as JWK");
    return tool_refuse(t, file, e);
}

static enum err open_bundle(struct tool *t, struct span text, const struct jose_secret *key,
                            struct bundle *ret)
{
    const struct verified *v;
    enum err e = verify_bundle(text, &t->site, &t->arena, &v, &t->fault);
    if (e == OK)
        e = bundle_parse(v, &t->arena, ret, &t->fault);
    if (e == OK && !ret->closed)
        return fault_set(&t->fault, ERR_CONFIG_KIND,
                         "the documents are in clear: joinctl verify --payload prints them");
    return e == OK ? bundle_open(v, key, &t->arena, ret, &t->fault) : e;
}

int seal_open(struct tool *t)
{
    static struct bundle bundle;
    struct jose_secret key;
    struct span text;
    if (!t->option[OPTION_SITE] || !t->option[OPTION_KEY])
        return tool_usage(t, "--site and --key are needed");
    int code = verify_load_site(t, t->option[OPTION_SITE]);
    if (code == TOOL_YES)
        code = load_secret(t, t->option[OPTION_KEY], &key);
    if (code != TOOL_YES)
        return code;
    enum err e = OK;
    if (tool_read(t, t->file[0], LIMIT_BUNDLE, &text))
        e = open_bundle(t, text, &key, &bundle);
    else
        code = TOOL_USAGE;
    wipe(&key, sizeof(key));
    if (code != TOOL_YES)
        return code;
    if (e != OK)
        return tool_refuse(t, t->file[0], e);
    (void)fwrite(bundle.kubeadm_yaml.p, 1, bundle.kubeadm_yaml.n, stdout);
    return tool_end();
}
