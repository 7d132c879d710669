/*
 * sign.c - `sign`: a NodeJoin document and kubeadm's documents become a bundle.
 *
 * Both files are read as the agent reads them, so refusals have the positions of the operator's files. The payload is written anew from the
 * trees (emit.c), signed, and then verified and read again before anything is written.
 */
#include "firmware/base/text.h"
#include "firmware/crypto/jwe_tool.h"
#include "tools/joinctl/tool.h"

enum { PAYLOAD_MAX = 96 * 1024 };

/* What is being signed. The secret is wiped by sign_run. */
struct signing {
    struct tool *t;
    struct jose_secret key;
    struct yaml_node *node_doc;
    struct yaml_stream kubeadm;
    struct bundle bundle;
    bool seals;
    struct jose_key seal_to;
    struct machine machine; /* with has_machine: whose enrolment record seal_to is from */
    bool has_machine;
    int64_t now_s;
};

static int load_secret(struct signing *s, const char *file)
{
    struct span text;
    if (!tool_read(s->t, file, TOOL_JWK_MAX, &text))
        return TOOL_USAGE;
    enum err e = text.n > TOOL_JWK_MAX ? ERR_LIMIT : jose_secret_parse(span_trim(text), &s->key);
    if (e == OK)
        return TOOL_YES;
    (void)fault_set(&s->t->fault, e, "not a private P-256 key as JWK");
    return tool_refuse(s->t, file, e);
}

static int load_documents(struct signing *s, const char *file, struct yaml_stream *ret)
{
    struct span text;
    if (!tool_read(s->t, file, LIMIT_YAML, &text))
        return TOOL_USAGE;
    enum err e = yaml_parse(text, &s->t->arena, ret, &s->t->fault);
    return e == OK ? TOOL_YES : tool_refuse(s->t, file, e);
}

/* Sets a field of the node document to what an option says. */
static enum err set_field(struct signing *s, const char *name, struct span value, bool plain)
{
    struct yaml_node **link = &s->node_doc->child;
    while (*link && !span_is((*link)->key, name))
        link = &(*link)->next;
    struct yaml_node *n = *link;
    if (!n) {
        n = arena_take(&s->t->arena, sizeof(*n));
        if (!n || arena_copy(&s->t->arena, span_str(name), &n->key) != OK)
            return ERR_NOMEM;
        n->parent = s->node_doc;
        *link = n;
    }
    n->type = YAML_SCALAR;
    n->plain = plain;
    n->child = NULL;
    return arena_copy(&s->t->arena, value, &n->value);
}

static enum err set_time(struct signing *s, const char *name, int64_t unix_s)
{
    char text[32];
    struct buf b = BUF_OF(text);
    text_time_put(&b, unix_s);
    return set_field(s, name, buf_span(&b), false);
}

/* 90s, 30m, 24h, 7d. */
static enum err read_duration(struct span text, int64_t *ret_s)
{
    static const struct {
        uint8_t unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t n;
    if (text.n < 2 || text_u64(span_sub(text, 0, text.n - 1), 1000000, &n) != OK || n == 0)
        return ERR_INPUT;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (text.p[text.n - 1] != units[i].unit)
            continue;
        *ret_s = (int64_t)(n * units[i].seconds);
        return OK;
    }
    return ERR_INPUT;
}

/* --sequence and --valid in the place of the document's own fields. */
static int apply_options(struct signing *s)
{
    const char *sequence = s->t->option[OPTION_SEQUENCE];
    const char *valid = s->t->option[OPTION_VALID];
    enum err e = OK;
    if (sequence) {
        uint64_t n;
        if (text_u64(span_str(sequence), UINT64_MAX, &n) != OK)
            return tool_bad_option(s->t, "--sequence", "a number without leading zeros");
        e = set_field(s, "sequence", span_str(sequence), true);
    }
    if (e == OK && valid) {
        int64_t seconds;
        if (read_duration(span_str(valid), &seconds) != OK)
            return tool_bad_option(s->t, "--valid", "90s, 30m, 24h or 7d");
        e = set_time(s, "issuedAt", s->now_s);
        if (e == OK)
            e = set_time(s, "expiresAt", s->now_s + seconds);
    }
    return e == OK ? TOOL_YES : tool_refuse(s->t, s->t->option[OPTION_NODE], e);
}

/* The time window against the signer's clock: a bundle that no machine could accept is a mistake. */
static enum err check_window(struct signing *s)
{
    const struct nodejoin *n = &s->bundle.node;
    if (n->expires_s <= s->now_s)
        return yaml_fault(&s->t->fault, ERR_CONFIG_EXPIRED, yaml_get(n->root, "expiresAt"),
                          "the expiry has passed");
    if (n->issued_s > s->now_s)
        return yaml_fault(&s->t->fault, ERR_CONFIG_FUTURE, yaml_get(n->root, "issuedAt"),
                          "the time of issue is in the future");
    return OK;
}

/* Two files about two machines are a mistake that only a machine would notice, and too late. */
static enum err check_seal(struct signing *s)
{
    const struct nodejoin *n = &s->bundle.node;
    if (n->sealed.n > 0)
        return yaml_fault(&s->t->fault, ERR_CONFIG_SEALED, yaml_get(n->root, "sealed"),
                          "is made by --seal-to of the documents in --config");
    return s->has_machine ? nodejoin_bound(n, &s->machine, &s->t->fault) : OK;
}

static int read_node(struct signing *s)
{
    const char *file = s->t->option[OPTION_NODE];
    struct yaml_stream stream;
    int code = load_documents(s, file, &stream);
    if (code != TOOL_YES)
        return code;
    enum err e = OK;
    if (stream.count != 1 || stream.docs[0]->type != YAML_MAP)
        e = fault_set(&s->t->fault, ERR_CONFIG_KIND,
                      "exactly one NodeJoin document belongs here; the kubeadm document goes to --config");
    if (e != OK)
        return tool_refuse(s->t, file, e);
    s->node_doc = stream.docs[0];
    code = apply_options(s);
    if (code != TOOL_YES)
        return code;
    e = nodejoin_read(s->node_doc, &s->bundle.node, &s->t->fault);
    if (e == OK)
        e = check_window(s);
    if (e == OK)
        e = check_seal(s);
    return e == OK ? TOOL_YES : tool_refuse(s->t, file, e);
}

static int read_kubeadm(struct signing *s)
{
    const char *file = s->t->option[OPTION_CONFIG];
    struct fault *f = &s->t->fault;
    int code = load_documents(s, file, &s->kubeadm);
    if (code != TOOL_YES)
        return code;
    enum err e = bundle_kubeadm(&s->kubeadm, 0, &s->t->arena, &s->bundle, f);
    if (e == OK)
        e = bundle_check(&s->bundle, f);
    if (e == OK)
        e = bundle_supported(&s->bundle, BUNDLE_CAN_ALL, s->t->option[OPTION_PERMIT_UNSAFE] != NULL, f);
    return e == OK ? TOOL_YES : tool_refuse(s->t, file, e);
}

static void emit_kubeadm(const struct signing *s, struct buf *ret)
{
    for (unsigned i = 0; i < s->kubeadm.count; i++) {
        if (i > 0)
            buf_str(ret, "---\n");
        emit_document(s->kubeadm.docs[i], ret);
    }
}

/* What goes behind the seal is read again before: afterwards nobody but the machine can. */
static enum err check_emitted(struct signing *s, struct span text)
{
    static struct bundle again;
    struct yaml_stream stream;
    struct fault *f = &s->t->fault;
    enum err e = yaml_parse(text, &s->t->arena, &stream, f);
    return e == OK ? bundle_kubeadm(&stream, 0, &s->t->arena, &again, f) : e;
}

/* kubeadm's documents become two fields of NodeJoin: what they are sealed into, and the role, which a courier has to know. */
static enum err seal_documents(struct signing *s)
{
    struct arena *arena = &s->t->arena;
    struct buf plain = {.p = arena_take(arena, PAYLOAD_MAX), .cap = PAYLOAD_MAX};
    struct buf jwe = {.p = arena_take(arena, LIMIT_BUNDLE), .cap = LIMIT_BUNDLE};
    enum err e = plain.p && jwe.p ? OK : ERR_NOMEM;
    if (e != OK)
        return e;
    emit_kubeadm(s, &plain);
    e = plain.overflow ? ERR_LIMIT : check_emitted(s, buf_span(&plain));
    if (e == OK)
        e = jwe_seal(&s->seal_to, &plain, &jwe);
    if (e == OK)
        e = set_field(s, "role", span_str(bundle_role_name(s->bundle.role)), false);
    return e == OK ? set_field(s, "sealed", buf_span(&jwe), false) : e;
}

/* Signs the payload, then reads the result as an agent would that trusts this key. */
static enum err make_bundle(struct signing *s, struct buf *payload, struct buf *bundle)
{
    static struct bundle again;
    const struct verified *v;
    struct fault *f = &s->t->fault;
    enum err e = s->seals ? seal_documents(s) : OK;
    if (e != OK)
        return e;
    emit_document(s->node_doc, payload);
    if (!s->seals) {
        buf_str(payload, "---\n");
        emit_kubeadm(s, payload);
    }
    if (payload->overflow || payload->n > LIMIT_YAML)
        return fault_set(f, ERR_LIMIT, "the documents are larger than 64 KiB once every string is quoted");
    e = jose_sign_compact(&s->key, VERIFY_TYP_BUNDLE, buf_span(payload), bundle);
    if (e != OK)
        return e;
    s->t->site.keys[0] = s->key.pub;
    s->t->site.key_count = 1;
    e = verify_bundle(buf_span(bundle), &s->t->site, &s->t->arena, &v, f);
    return e == OK ? bundle_parse(v, &s->t->arena, &again, f) : e;
}

static int sign_and_write(struct signing *s, const char *out)
{
    struct buf payload = {.p = arena_take(&s->t->arena, PAYLOAD_MAX), .cap = PAYLOAD_MAX};
    struct buf bundle = {.p = arena_take(&s->t->arena, LIMIT_BUNDLE), .cap = LIMIT_BUNDLE};
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    char until[32];
    struct buf b = BUF_OF(until);
    enum err e = payload.p && bundle.p ? make_bundle(s, &payload, &bundle) : ERR_NOMEM;
    if (e == OK)
        e = jose_thumbprint(&s->key.pub, kid);
    if (e != OK)
        return tool_refuse(s->t, out, e);
    int code = tool_replace(out, 0644, buf_span(&bundle));
    if (code != TOOL_YES || strcmp(out, "-") == 0)
        return code;
    text_time_put(&b, s->bundle.node.expires_s);
    (void)printf("%s: %s, sequence %llu, until %.*s, key %s", out, s->bundle.node.name,
                 (unsigned long long)s->bundle.node.sequence, (int)b.n, until, kid);
    if (s->seals && jose_thumbprint(&s->seal_to, kid) == OK)
        (void)printf(", sealed to %s", kid);
    (void)printf("\n");
    tool_notes(s->t->option[OPTION_CONFIG], &s->bundle);
    return tool_end();
}

int sign_run(struct tool *t)
{
    static struct signing s;
    static const unsigned needed[] = {OPTION_KEY, OPTION_NODE, OPTION_CONFIG, OPTION_O};
    for (size_t i = 0; i < COUNT(needed); i++) {
        if (!t->option[needed[i]])
            return tool_usage(t, "one of --key, --node, --config and -o is missing");
    }
    s.t = t;
    if (!tool_now(t, &s.now_s))
        return TOOL_USAGE;
    int code = load_secret(&s, t->option[OPTION_KEY]);
    s.seals = t->option[OPTION_SEAL_TO] != NULL;
    if (code == TOOL_YES && s.seals)
        code = seal_load_key(t, t->option[OPTION_SEAL_TO], &s.seal_to, &s.machine, &s.has_machine);
    if (code == TOOL_YES)
        code = read_node(&s);
    if (code == TOOL_YES)
        code = read_kubeadm(&s);
    if (code == TOOL_YES)
        code = sign_and_write(&s, t->option[OPTION_O]);
    wipe(&s, sizeof(s));
    return code;
}
