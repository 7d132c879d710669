/*
 * render.c - what cmd/kubeadm/app/cmd/phases/join/kubelet.go and phases/kubelet/flags.go write on a worker.
 */
#include "firmware/kube/render.h"

#include "firmware/base/text.h"
#include "firmware/kube/yamlout.h"

#define BOOTSTRAP_PATH "/etc/kubernetes/bootstrap-kubelet.conf"
#define CONFIG_PATH    "/var/lib/kubelet/config.yaml"

enum { TAINTS_MAX = 2048 };

static const struct render_facts files[RENDER_FILES] = {
    [RENDER_BOOTSTRAP] = {.path = BOOTSTRAP_PATH, .mode = 0600, .secret = true},
    [RENDER_CA] = {.path = "/etc/kubernetes/pki/ca.crt", .mode = 0644, .only_if_absent = true},
    [RENDER_INSTANCE] = {.path = "/var/lib/kubelet/instance-config.yaml", .mode = 0644},
    [RENDER_CONFIG] = {.path = CONFIG_PATH, .mode = 0644},
    [RENDER_FLAGS] = {.path = "/var/lib/kubelet/kubeadm-flags.env", .mode = 0644},
};

enum err render_facts(enum render_file which, const struct join *join, char path_store[static 256],
                      struct render_facts *ret)
{
    struct render_facts facts = files[which];

    if (which == RENDER_CA && join->ca_cert_path.n > 0) {
        if (span_to_cstr(join->ca_cert_path, path_store, 256))
            return ERR_CONFIG_UNSUPPORTED;
        facts.path = path_store;
    }
    *ret = facts;
    return OK;
}

/* The last argument of this name, as kubeadm takes it. */
static const struct join_arg *argument(const struct join *join, const char *name)
{
    for (unsigned i = join->kubelet_arg_count; i > 0; i--) {
        if (span_is(join->kubelet_args[i - 1].name, name))
            return &join->kubelet_args[i - 1];
    }
    return NULL;
}

enum err render_node_name(const struct join *join, const char *hostname, char ret[static RENDER_NAME_MAX])
{
    const struct join_arg *override = argument(join, "hostname-override");
    struct span name = override ? override->value : join->name.n > 0 ? join->name : span_str(hostname);

    if (name.n == 0 || span_to_cstr(name, ret, RENDER_NAME_MAX))
        return ERR_INPUT;
    return OK;
}

/* One line "KEY: value" whose key stands at `column`. */
static void line(struct buf *out, const char *lead, const char *key, struct span value, unsigned column,
                 enum err *e)
{
    buf_str(out, lead);
    buf_str(out, key);
    buf_u8(out, ':');
    if (!*e)
        *e = yamlout_string(out, value, column);
}

static enum err put_bootstrap(const struct render_input *in, struct arena *arena, struct buf *out,
                              struct fault *f)
{
    const struct span user = in->user.name.n ? in->user.name : SPAN_LIT("tls-bootstrap-token-user");
    const struct span context =
        in->user.name.n ? in->user.context : SPAN_LIT("tls-bootstrap-token-user@kubernetes");
    const struct span cluster = span_str(in->cluster->name);
    const size_t cap = in->ca_pem.n / 3 * 4 + 4;
    enum err e = OK;
    struct buf ca = {.p = arena_take(arena, cap), .cap = cap};

    if (!ca.p)
        return fault_set(f, ERR_NOMEM, "the CA bundle is too large");
    text_b64_put(&ca, in->ca_pem);
    buf_str(out, "apiVersion: v1\nclusters:\n- cluster:\n");
    line(out, "    ", "certificate-authority-data", buf_span(&ca), 4, &e);
    line(out, "    ", "server", in->server, 4, &e);
    line(out, "  ", "name", cluster, 2, &e);
    buf_str(out, "contexts:\n- context:\n");
    line(out, "    ", "cluster", cluster, 4, &e);
    line(out, "    ", "user", user, 4, &e);
    line(out, "  ", "name", context, 2, &e);
    line(out, "", "current-context", context, 0, &e);
    buf_str(out, "kind: Config\nusers:\n");
    line(out, "- ", "name", user, 2, &e);
    buf_str(out, "  user:\n");
    line(out, "    ", "token", in->user.token, 4, &e);
    return e ? fault_set(f, ERR_API_SYNTAX, "the cluster's name or server cannot be written as kubeadm would")
             : OK;
}

/* Go's %q of printable ASCII. */
static bool put_quoted(struct buf *out, struct span s)
{
    buf_u8(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x20 || s.p[i] >= 0x7f)
            return false;
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_u8(out, '\\');
        buf_u8(out, s.p[i]);
    }
    buf_u8(out, '"');
    return true;
}

static enum err put_instance(const struct render_input *in, struct buf *out, struct fault *f)
{
    buf_str(out, "containerRuntimeEndpoint: ");
    if (!put_quoted(out, in->join->cri_socket))
        return fault_set(f, ERR_CONFIG_UNSUPPORTED, "criSocket has characters other than printable ASCII");
    buf_u8(out, '\n');
    return OK;
}

static enum err put_config(const struct render_input *in, struct arena *arena, struct buf *out,
                           struct kubeletcfg_facts *ret_kubelet, struct fault *f)
{
    const struct kubeletcfg_input k = {.text = in->kubelet_config,
                                       .patches = in->patches,
                                       .cri_socket = in->join->cri_socket,
                                       .resolved_active = in->resolved_active,
                                       .cluster = in->cluster};
    struct kubeletcfg_facts facts;
    enum err e = kubeletcfg_render(&k, arena, out, &facts, f);

    if (!e && ret_kubelet)
        *ret_kubelet = facts;
    return e;
}

/* kubelet's arguments beyond the fixed ones, in kubeadm's order: its own (sorted, unless the document overrides them), then the
 * document's as they stand, then a node-ip that was filled in. */
struct args {
    struct join_arg arg[JOIN_ARGS_MAX + 4];
    unsigned count;
    char name[RENDER_NAME_MAX];
    char node_ip[2 * IP_TEXT_MAX];
    uint8_t taints[TAINTS_MAX];
};

/* v1.Taint's text: key=value:effect, with parts left out where they are empty. */
static void put_taint(struct buf *out, const struct join_taint *t)
{
    buf_put(out, t->key);
    if (t->value.n > 0) {
        buf_u8(out, '=');
        buf_put(out, t->value);
    }
    if (t->value.n > 0 || t->effect.n > 0)
        buf_u8(out, ':');
    buf_put(out, t->effect);
}

static void add(struct args *a, struct span name, struct span value)
{
    a->arg[a->count++] = (struct join_arg){.name = name, .value = value};
}

static enum err collect(const struct render_input *in, struct args *a, struct fault *f)
{
    const struct join *join = in->join;
    struct buf taints = BUF_OF(a->taints);
    struct buf ips = {.p = (uint8_t *)a->node_ip, .cap = sizeof(a->node_ip)};
    char text[IP_TEXT_MAX];

    a->count = 0;
    if (render_node_name(join, in->hostname, a->name))
        return fault_set(f, ERR_CONFIG_UNSUPPORTED, "there is no usable node name");
    if (!in->cluster->local_cri_socket && !argument(join, "container-runtime-endpoint"))
        add(a, SPAN_LIT("container-runtime-endpoint"), join->cri_socket);
    if (strcmp(a->name, in->hostname) != 0 && !argument(join, "hostname-override"))
        add(a, SPAN_LIT("hostname-override"), span_str(a->name));
    for (unsigned i = 0; i < join->taint_count; i++) {
        buf_str(&taints, i ? "," : "");
        put_taint(&taints, &join->taints[i]);
    }
    if (taints.overflow)
        return fault_set(f, ERR_LIMIT, "the taints are too long");
    if (join->taint_count > 0 && !argument(join, "register-with-taints"))
        add(a, SPAN_LIT("register-with-taints"), buf_span(&taints));
    for (unsigned i = 0; i < join->kubelet_arg_count; i++)
        add(a, join->kubelet_args[i].name, join->kubelet_args[i].value);
    for (unsigned i = 0; i < in->node_ip_count && i < COUNT(in->node_ips); i++)
        buf_fmt(&ips, "%s%s", i ? "," : "", ip_text(&in->node_ips[i], text));
    if (!argument(join, "node-ip") && ips.n > 0)
        add(a, SPAN_LIT("node-ip"), buf_span(&ips));
    return OK;
}

/* systemd splits the variable at white space and takes quotes and backslashes as its own; kubelet would get something else. */
static enum err put_arg(struct buf *out, const struct join_arg *arg, struct fault *f)
{
    const struct span parts[] = {SPAN_LIT("--"), arg->name, SPAN_LIT("="), arg->value};

    for (size_t k = 0; k < COUNT(parts); k++) {
        for (size_t i = 0; i < parts[k].n; i++) {
            uint8_t c = parts[k].p[i];
            if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\'' || c == '\\')
                return fault_set(f, ERR_CONFIG_UNSUPPORTED,
                                 "kubelet argument %.*s has a space, quote or backslash",
                                 (int)(arg->name.n > 60 ? 60 : arg->name.n), (const char *)arg->name.p);
        }
        buf_put(out, parts[k]);
    }
    return OK;
}

static enum err put_flags(const struct render_input *in, struct buf *out, struct fault *f)
{
    struct args a;
    enum err e = collect(in, &a, f);

    buf_str(out, "KUBELET_KUBEADM_ARGS=\"");
    for (unsigned i = 0; i < a.count && !e; i++) {
        buf_str(out, i ? " " : "");
        e = put_arg(out, &a.arg[i], f);
    }
    buf_str(out, "\"\n");
    return e;
}

enum err render_put(enum render_file which, const struct render_input *in, struct arena *arena,
                    struct buf *ret, struct kubeletcfg_facts *ret_kubelet, struct fault *f)
{
    size_t used = arena->used, start = ret->n;
    enum err e = ERR_STATE;

    switch (which) {
    case RENDER_BOOTSTRAP:
        e = put_bootstrap(in, arena, ret, f);
        break;
    case RENDER_CA:
        buf_put(ret, in->ca_pem);
        e = OK;
        break;
    case RENDER_INSTANCE:
        e = put_instance(in, ret, f);
        break;
    case RENDER_CONFIG:
        e = put_config(in, arena, ret, ret_kubelet, f);
        break;
    case RENDER_FLAGS:
        e = put_flags(in, ret, f);
        break;
    case RENDER_FILES:
        break;
    }
    arena_rewind(arena, used);
    if (!e && ret->overflow)
        e = fault_set(f, ERR_LIMIT, "%s is too large", files[which].path);
    if (e)
        ret->n = start;
    return e;
}
