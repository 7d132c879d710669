/*
 * summary.c - what a bundle asks for, and what is worth a thought about it. Secrets are named and never printed.
 */
#include "firmware/base/json.h"
#include "tools/joinctl/tool.h"

static const char secret[] = "<secret>";

void tool_notes(const char *file, const struct bundle *b)
{
    struct bundle_note notes[BUNDLE_NOTES_MAX];
    unsigned count = bundle_notes(b, notes);
    for (unsigned i = 0; i < count; i++) {
        (void)printf("note: %s:", tool_file_name(file));
        if (notes[i].line)
            (void)printf("%u:%u:", (unsigned)notes[i].line, (unsigned)notes[i].column);
        (void)printf("%s%s%s %s\n", notes[i].path[0] ? " " : "", notes[i].path, notes[i].path[0] ? ":" : "",
                     notes[i].text);
    }
}

void tool_notes_json(const struct bundle *b, struct buf *ret)
{
    struct bundle_note notes[BUNDLE_NOTES_MAX];
    unsigned count = bundle_notes(b, notes);
    buf_str(ret, "[");
    for (unsigned i = 0; i < count; i++) {
        buf_str(ret, i > 0 ? ",{\"path\":" : "{\"path\":");
        json_put_string(ret, span_str(notes[i].path));
        buf_str(ret, ",\"text\":");
        json_put_string(ret, span_str(notes[i].text));
        buf_str(ret, "}");
    }
    buf_str(ret, "]");
}

/* One line of text, or one member of an object. */
struct out {
    struct buf *b;
    bool json;
    bool first;
};

static void put(struct out *o, const char *name, struct span value)
{
    if (value.n == 0)
        return;
    if (!o->json) {
        buf_fmt(o->b, "     %-20s %.*s\n", name, (int)value.n, (const char *)value.p);
        return;
    }
    buf_fmt(o->b, "%s\"%s\":", o->first ? "" : ",", name);
    json_put_string(o->b, value);
    o->first = false;
}

static void put_secret(struct out *o, const char *name, struct span value)
{
    if (value.n > 0)
        put(o, name, span_str(secret));
}

static void put_node(struct out *o, const struct nodejoin *n)
{
    static const char *const families[] = {
        [FAMILIES_V4] = "ipv4", [FAMILIES_V6] = "ipv6", [FAMILIES_BOTH] = "ipv4,ipv6"};
    put(o, "node", span_str(n->name));
    put(o, "families", span_str(families[n->families]));
    put(o, "handOff", span_str(nodejoin_hand_off_name(n->hand_off)));
    put(o, "target", span_str(n->target_root));
    if (n->reset)
        put(o, "reset", SPAN_LIT("true"));
    if (n->format_state)
        put(o, "formatState", SPAN_LIT("true"));
    put(o, "sealedTo", span_str(n->sealed_to));
}

static void put_join(struct out *o, const struct join *j)
{
    put(o, "apiServerEndpoint", j->endpoint);
    put(o, "kubeConfigPath", j->kubeconfig_path);
    put_secret(o, "token", j->token);
    put_secret(o, "tlsBootstrapToken", j->tls_bootstrap_token);
    put(o, "advertiseAddress", j->advertise_address);
    put_secret(o, "certificateKey", j->certificate_key);
}

/* The first that is given; kubeadm makes up the others. */
static struct span first_token(const struct init *init)
{
    for (unsigned i = 0; i < init->token_count; i++) {
        if (init->tokens[i].token.n > 0)
            return init->tokens[i].token;
    }
    return (struct span){NULL, 0};
}

static void put_cluster(struct out *o, const struct bundle *b)
{
    const struct cluster *cl = &b->cluster;
    char masks[16];
    struct buf text = BUF_OF(masks);
    put_secret(o, "bootstrapTokens", first_token(&b->init));
    put(o, "kubernetesVersion", cl->kubernetes_version);
    put(o, "controlPlaneEndpoint", cl->control_plane_endpoint);
    put(o, "podSubnet", cl->pods.text);
    put(o, "serviceSubnet", cl->services.text);
    for (unsigned i = 0; i < cl->pods.count && cl->allocates_node_cidrs; i++)
        buf_fmt(&text, "%s/%u", i > 0 ? "," : "",
                cl->pods.prefix[i].addr.family == FAMILY_V4 ? cl->node_mask_v4 : cl->node_mask_v6);
    put(o, "nodeSubnets", buf_span(&text));
}

void tool_summary(const struct bundle *b, bool json, struct buf *ret)
{
    struct out o = {.b = ret, .json = json, .first = true};
    buf_str(ret, json ? "{" : "");
    put(&o, "role", span_str(bundle_role_name(b->role)));
    put_node(&o, &b->node);
    put_join(&o, &b->join);
    if (b->role == BUNDLE_INIT)
        put_cluster(&o, b);
    buf_str(ret, json ? "}" : "");
}
