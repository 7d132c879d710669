/*
 * init.c - an InitConfiguration from its YAML tree.
 *
 * Invariant: a field that no row names is refused. Without a token kubeadm makes one at random, of all usages, for 24 hours.
 */
#include "config/init.h"

#include "config/cluster_fields.h"
#include "config/join_check.h"
#include "config/stricter.h"

enum { TTL_MS = 24 * 3600 * 1000 };

static enum err read_token(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    const struct span *token = join_at(c, off);
    enum err e = join_string_at(n, c, off);
    return e == OK ? join_check_token(n, *token, c->f) : e;
}

static enum err read_ttl(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    return join_duration_at(n, c, off);
}

/* kubeadm of the supported minors fills in a ttl first, and then refuses both. */
static enum err refuse_expires(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "excludes ttl, which kubeadm fills in; write ttl");
}

static bool has_word(const struct cluster_words *words, const char *word)
{
    for (unsigned i = 0; i < words->count; i++) {
        if (span_is(words->item[i], word))
            return true;
    }
    return false;
}

static enum err check_usages(const struct yaml_node *n, const struct init_token *token, struct fault *f)
{
    const struct yaml_node *usages = yaml_get(n, "usages");
    for (unsigned i = 0; i < token->usages.count; i++) {
        if (!span_is(token->usages.item[i], "signing") && !span_is(token->usages.item[i], "authentication"))
            return yaml_fault(f, ERR_CONFIG_FIELD, usages, "must be signing and authentication");
    }
    if (token->usages.count > 0 && !has_word(&token->usages, "authentication"))
        return yaml_fault(f, ERR_CONFIG_FIELD, usages, "lacks authentication, which the groups need");
    return OK;
}

/* system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9] */
static bool is_group(struct span s)
{
    static const char prefix[] = "system:bootstrappers:";
    if (!span_starts(s, prefix))
        return false;
    struct span rest = span_sub(s, sizeof(prefix) - 1, s.n);
    bool letter = false;
    for (size_t i = 0; i < rest.n; i++) {
        uint8_t ch = rest.p[i];
        letter = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
        if (!letter && ch != ':' && ch != '-')
            return false;
    }
    return letter && rest.n <= 256;
}

static enum err check_groups(const struct yaml_node *n, const struct init_token *token, struct fault *f)
{
    for (unsigned i = 0; i < token->groups.count; i++) {
        if (!is_group(token->groups.item[i]))
            return yaml_fault(f, ERR_CONFIG_FIELD, yaml_get(n, "groups"),
                              "must be system:bootstrappers: and [a-z0-9:-], a letter or digit last");
    }
    return OK;
}

static enum err read_one(const struct yaml_node *n, const struct join_ctx *c, struct init_token *token)
{
    static const struct join_field fields[] = {
        {"token", read_token, offsetof(struct init_token, token)},
        {"description", cluster_text_at, offsetof(struct init_token, description)},
        {"ttl", read_ttl, offsetof(struct init_token, ttl_ms)},
        {"expires", refuse_expires, 0},
        {"usages", cluster_words_at, offsetof(struct init_token, usages)},
        {"groups", cluster_words_at, offsetof(struct init_token, groups)},
    };
    token->ttl_ms = TTL_MS;
    enum err e = cluster_map_at(n, c, token, fields, COUNT(fields));
    if (e == OK)
        e = check_usages(n, token, c->f);
    return e == OK ? check_groups(n, token, c->f) : e;
}

static enum err read_tokens(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    struct init *init = c->owner;
    void *items = NULL;
    enum err e = cluster_list(n, c, sizeof(*init->tokens), &items, &init->token_count);
    struct init_token *token = init->tokens = items;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next)
        e = read_one(v, c, token++);
    return e;
}

static const struct join_field init_rows[] = {
    {"apiVersion", join_type_meta, 0},
    {"kind", join_type_meta, 0},
    {"bootstrapTokens", read_tokens, 0},
    {"dryRun", join_bool_at, offsetof(struct join, dry_run)},
    {"nodeRegistration", join_node_registration, 0},
    {"localAPIEndpoint", join_local_endpoint, 0},
    {"certificateKey", join_certificate_key, offsetof(struct join, certificate_key)},
    {"skipPhases", join_words_at, offsetof(struct join, skip_phases)},
    {"patches", join_patches, 0},
    {"timeouts", join_timeouts, 0},
};

enum err init_read(const struct yaml_node *doc, struct arena *arena, struct init *ret, struct join *ret_join,
                   struct fault *f)
{
    struct init init = {.root = doc};
    struct join j = {.root = doc, .has_control_plane = true};
    const struct join_ctx c = {.j = &j, .at = &j, .owner = &init, .arena = arena, .f = f};
    join_begin(&j);
    enum err e = doc ? join_map(doc, init_rows, COUNT(init_rows), &c) : OK;
    if (e == OK && init.token_count == 0) {
        init.tokens = arena_take(arena, sizeof(*init.tokens));
        init.token_count = 1;
        if (!init.tokens)
            return fault_set(f, ERR_NOMEM, "no memory for the document");
        init.tokens[0].ttl_ms = TTL_MS;
    }
    if (e != OK)
        return e;
    join_end(&j);
    *ret = init;
    *ret_join = j;
    return OK;
}
