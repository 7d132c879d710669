/*
 * explain.c - `explain`: every check that a machine makes of a bundle, in the agent's order, until the first no.
 *
 * The agent's own functions answer; a row only says which errors mean that its check failed. Rows are in the order in which they are made.
 */
#include "config/join_supported.h"
#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "tools/joinctl/tool.h"

enum stage { VERIFY, PARSE, ACCEPT };

static const struct row {
    const char *name;
    const char *question;
    enum stage stage;
    enum err errors[4]; /* OK behind the last one */
} rows[] = {
    {"envelope", "it is a JWS in compact form", VERIFY, {ERR_CONFIG_ENVELOPE}},
    {"key", "it names a key that the site trusts", VERIFY, {ERR_CONFIG_KEY}},
    {"header", "its header is the one that this key demands", VERIFY, {ERR_CONFIG_HEADER}},
    {"signature", "the signature is by that key", VERIFY, {ERR_CONFIG_SIGNATURE}},
    {"syntax", "the payload is in the accepted YAML subset", PARSE, {ERR_CONFIG_SYNTAX, ERR_LIMIT}},
    {"documents",
     "it holds NodeJoin and kubeadm's documents of one role, in clear or sealed",
     PARSE,
     {ERR_CONFIG_KIND, ERR_CONFIG_SEALED}},
    {"fields", "every field is known and has a good value", PARSE, {ERR_CONFIG_FIELD}},
    {"seal",
     "what is sealed has the one form that is opened",
     PARSE,
     {ERR_SEAL_FORM, ERR_SEAL_TAG, ERR_SEAL_HEADER}},
    {"supported",
     "this version can do what it asks for",
     PARSE,
     {ERR_CONFIG_CONTROL_PLANE, ERR_CONFIG_INIT, ERR_CONFIG_UNSUPPORTED}},
    {"permitted", "the site permits what it asks for", PARSE, {ERR_CONFIG_UNSAFE, ERR_CONFIG_PERMIT}},
    {"binding", "it is for this machine", ACCEPT, {ERR_CONFIG_BINDING}},
    {"cluster", "it is for this site's cluster", ACCEPT, {ERR_CONFIG_CLUSTER}},
    {"sequence", "it is not older than the stored one", ACCEPT, {ERR_CONFIG_SEQUENCE}},
    {"same", "with an equal sequence it is the same bundle", ACCEPT, {ERR_CONFIG_EQUIVOCATION}},
    {"expiry", "it has not expired", ACCEPT, {ERR_CONFIG_EXPIRED}},
    {"issue", "it was not issued in the future", ACCEPT, {ERR_CONFIG_FUTURE}},
    {"sealing", "it is sealed, or the site takes documents in clear", ACCEPT, {ERR_SEAL_REQUIRED}},
};

struct explaining {
    struct tool *t;
    struct machine machine;
    bool has_digest;
    struct bundle parsed;
    bool is_parsed; /* `parsed` is what the bundle says, also if it is refused later */
    enum err refusal;
    size_t refused_row; /* COUNT(rows): none */
};

static bool add_mac(struct machine *m, struct span text)
{
    if (m->mac_count == BOARD_NICS_MAX || text_mac(text, m->macs[m->mac_count]) != OK)
        return false;
    m->mac_count++;
    return true;
}

/* uuid=..,serial=..,mac=.. */
static bool read_machine(struct span text, struct machine *m)
{
    while (text.n > 0) {
        struct span value = span_cut(&text, ',');
        struct span key = span_cut(&value, '=');
        if (span_is(key, "uuid") && !m->id.has_uuid && text_uuid(value, m->id.uuid) == OK)
            m->id.has_uuid = true;
        else if (span_is(key, "serial") && !m->id.serial[0] && value.n > 0 &&
                 span_to_cstr(value, m->id.serial, sizeof(m->id.serial)) == OK)
            continue;
        else if (!span_is(key, "mac") || !add_mac(m, value))
            return false;
    }
    return m->id.has_uuid || m->id.serial[0] || m->mac_count > 0;
}

static int read_options(struct explaining *x)
{
    struct tool *t = x->t;
    struct machine *m = &x->machine;
    const char *sequence = t->option[OPTION_STORED_SEQUENCE];
    const char *digest = t->option[OPTION_STORED_DIGEST];
    if (!t->option[OPTION_SITE] || !t->option[OPTION_AS])
        return tool_usage(t, "--site and --as are needed");
    if (!read_machine(span_str(t->option[OPTION_AS]), m))
        return tool_bad_option(t, "--as", "uuid=U,serial=S,mac=M, at least one of them");
    if (sequence && text_u64(span_str(sequence), UINT64_MAX, &m->stored_sequence) != OK)
        return tool_bad_option(t, "--stored-sequence", "a number without leading zeros");
    if (digest && (!sequence || text_hex(span_str(digest), m->stored_digest, HASH_SIZE) != OK))
        return tool_bad_option(t, "--stored-digest", "64 hex digits, and --stored-sequence beside it");
    m->has_stored = sequence != NULL;
    x->has_digest = digest != NULL;
    m->quality = TIME_TRUSTED;
    return tool_now(t, &m->now_s) ? TOOL_YES : TOOL_USAGE;
}

/* The row whose check failed with this error; for one that is in no row, the first row of the stage. */
static size_t row_of(enum stage stage, enum err e)
{
    size_t first = COUNT(rows);
    for (size_t i = COUNT(rows); i-- > 0;) {
        if (rows[i].stage != stage)
            continue;
        first = i;
        for (size_t k = 0; k < COUNT(rows[i].errors) && rows[i].errors[k] != OK; k++) {
            if (rows[i].errors[k] == e)
                return i;
        }
    }
    return first;
}

/* The agent's phases verify, parse, accept. */
static enum err ask(struct explaining *x, struct span bundle, enum stage *ret_stage)
{
    struct bundle *parsed = &x->parsed;
    const struct verified *v;
    struct tool *t = x->t;
    *ret_stage = VERIFY;
    enum err e = verify_bundle(bundle, &t->site, &t->arena, &v, &t->fault);
    if (e != OK)
        return e;
    *ret_stage = PARSE;
    e = bundle_parse(v, &t->arena, parsed, &t->fault);
    x->is_parsed = e == OK;
    if (e == OK)
        e = bundle_supported(parsed, BUNDLE_AGENT_CAN, t->site.permit_unsafe_skip_ca, &t->fault);
    if (e == OK && !parsed->closed)
        e = join_args_permitted(&parsed->join, span_str(t->site.permit_kubelet_args), &t->fault);
    if (e != OK)
        return e;
    *ret_stage = ACCEPT;
    if (!x->has_digest) /* without it nothing can be said about equal sequences */
        memcpy(x->machine.stored_digest, verified_digest(v), HASH_SIZE);
    return nodejoin_accept(&parsed->node, verified_digest(v), &t->site, &x->machine, &t->fault);
}

static const char *answer(const struct explaining *x, size_t row)
{
    return row < x->refused_row ? "yes" : row == x->refused_row ? "no" : "-";
}

static void print_text(const struct explaining *x)
{
    static char text[4096];
    struct buf b = BUF_OF(text);
    for (size_t i = 0; i < COUNT(rows); i++)
        (void)printf("%-4s %-10s %s\n", answer(x, i), rows[i].name, rows[i].question);
    if (x->refusal != OK)
        (void)printf("refused: %s\nnext: %s\n", err_name(x->refusal), err_remedy(x->refusal));
    else
        (void)printf("accepted\n");
    if (!x->is_parsed)
        return;
    tool_summary(&x->parsed, false, &b);
    (void)fwrite(text, 1, b.n, stdout);
    tool_notes("payload", &x->parsed);
}

static void print_json(const struct explaining *x)
{
    static char text[16 * 1024];
    struct buf b = BUF_OF(text);
    const struct fault *f = &x->t->fault;
    buf_fmt(&b, "{\"accepted\":%s,\"error\":", x->refusal == OK ? "true" : "false");
    json_put_string(&b, span_str(x->refusal == OK ? "" : err_name(x->refusal)));
    buf_str(&b, ",\"reason\":");
    json_put_string(&b, span_str(f->text));
    buf_str(&b, ",\"path\":");
    json_put_string(&b, span_str(f->path));
    buf_fmt(&b, ",\"line\":%u,\"column\":%u,\"checks\":[", (unsigned)f->line, (unsigned)f->column);
    for (size_t i = 0; i < COUNT(rows); i++)
        buf_fmt(&b, "%s{\"check\":\"%s\",\"answer\":\"%s\"}", i > 0 ? "," : "", rows[i].name, answer(x, i));
    buf_str(&b, "]");
    if (x->is_parsed) {
        buf_str(&b, ",\"asks\":");
        tool_summary(&x->parsed, true, &b);
        buf_str(&b, ",\"notes\":");
        tool_notes_json(&x->parsed, &b);
    }
    buf_str(&b, "}\n");
    (void)fwrite(text, 1, b.n, stdout);
}

int explain_run(struct tool *t)
{
    static struct explaining x;
    struct span bundle;
    enum stage stage;
    bool bad;
    bool json = tool_wants_json(t, &bad);
    x.t = t;
    if (bad)
        return TOOL_USAGE;
    int code = read_options(&x);
    if (code == TOOL_YES)
        code = verify_load_site(t, t->option[OPTION_SITE]);
    if (code != TOOL_YES)
        return code;
    if (!tool_read(t, t->file[0], LIMIT_BUNDLE, &bundle))
        return TOOL_USAGE;
    x.refusal = ask(&x, bundle, &stage);
    x.refused_row = x.refusal == OK ? COUNT(rows) : row_of(stage, x.refusal);
    if (json)
        print_json(&x);
    else
        print_text(&x);
    code = tool_end();
    return code == TOOL_YES && x.refusal != OK ? tool_refuse(t, t->file[0], x.refusal) : code;
}
