/*
 * key.c - `keygen` and `thumbprint`: the site's signing keys as JWK (RFC 7517, RFC 7638).
 */
#include "config/enrol.h"
#include "tools/joinctl/tool.h"

/* The two lines that the site configuration needs of a public key. */
static enum err print_public(const struct jose_key *key)
{
    char text[512];
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text)};
    enum err e = jose_thumbprint(key, kid);
    if (e != OK)
        return e;
    jose_key_put(&b, key);
    if (b.overflow)
        return ERR_LIMIT;
    (void)printf("# thumbprint %s\ntrust = %.*s\n", kid, (int)b.n, text);
    return OK;
}

/* The area of a machine's image (config/enrol.h), or a private JWK. */
static enum err put_private(const struct jose_secret *key, bool device, struct buf *ret)
{
    uint8_t area[BOARD_KEY_SIZE];
    enum err e = OK;
    if (!device) {
        jose_secret_put(ret, key);
        buf_str(ret, "\n");
    } else {
        e = enrol_area_put(key->d, area);
        buf_put(ret, span_of(area, sizeof(area)));
        wipe(area, sizeof(area));
    }
    return e == OK && ret->overflow ? ERR_LIMIT : e;
}

static enum err print_device(const struct jose_key *key)
{
    char text[512];
    struct buf b = BUF_OF(text);
    jose_key_put(&b, key);
    (void)printf("%.*s\n", (int)b.n, text);
    return b.overflow ? ERR_LIMIT : OK;
}

int key_generate(struct tool *t)
{
    struct jose_secret key;
    char text[512];
    struct buf b = BUF_OF(text);
    const char *file = t->option[OPTION_OUT];
    bool device = t->option[OPTION_DEVICE] != NULL;
    if (!file)
        return tool_usage(t, "--out is missing");
    if (strcmp(file, "-") == 0)
        return tool_bad_option(t, "--out", "a file: a private key is not printed");
    int code = TOOL_USAGE;
    enum err e = jose_generate(&key);
    if (e == OK)
        e = put_private(&key, device, &b);
    if (e == OK)
        code = tool_create(file, 0600, buf_span(&b));
    if (e == OK && code == TOOL_YES)
        e = device ? print_device(&key.pub) : print_public(&key.pub);
    if (e != OK)
        (void)fprintf(stderr, "joinctl keygen: %s (%s)\n", err_explain(e), err_name(e));
    wipe(text, sizeof(text));
    wipe(&key, sizeof(key));
    if (e != OK)
        return TOOL_USAGE;
    return code == TOOL_YES ? tool_end() : code;
}

/* A thumbprint is of any key, whatever it is for. */
static enum err read_any(struct span jwk, struct jose_secret *ret)
{
    enum err e = jose_key_parse(jwk, &ret->pub);

    if (e == ERR_INPUT)
        e = jose_device_parse(jwk, &ret->pub);
    if (e == ERR_INPUT)
        e = jose_secret_parse(jwk, ret);
    return e == ERR_INPUT ? jose_device_secret_parse(jwk, ret) : e;
}

int key_thumbprint(struct tool *t)
{
    struct span text;
    struct jose_secret key;
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    if (!tool_read(t, t->file[0], TOOL_JWK_MAX, &text))
        return TOOL_USAGE;
    enum err e = text.n > TOOL_JWK_MAX ? ERR_LIMIT : read_any(span_trim(text), &key);
    if (e != OK)
        (void)fault_set(&t->fault, e, "not a JWK of a P-256 key");
    if (e == OK)
        e = jose_thumbprint(&key.pub, kid);
    wipe(&key, sizeof(key));
    if (e != OK)
        return tool_refuse(t, t->file[0], e);
    (void)printf("%s\n", kid);
    return tool_end();
}
