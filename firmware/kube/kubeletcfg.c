/*
 * kubeletcfg.c - what kubeadm changes in a KubeletConfiguration before it writes it: cmd/kubeadm/app/componentconfigs (Default, Mutate)
 * and phases/kubelet (the merge of instance-config.yaml).
 */
#include "firmware/kube/kubeletcfg.h"

#include "config/gate.h"
#include "firmware/base/ip.h"
#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/kube/kubeletcfg_patch.h"

#define API_VERSION "kubelet.config.k8s.io/v1beta1"

static const struct span fixed_presets[PRESET_COUNT] = {
    [PRESET_API_VERSION] = SPAN_LIT(API_VERSION),
    [PRESET_KIND] = SPAN_LIT("KubeletConfiguration"),
    [PRESET_TRUE] = SPAN_LIT("true"),
    [PRESET_FALSE] = SPAN_LIT("false"),
    [PRESET_STATIC_PODS] = SPAN_LIT("/etc/kubernetes/manifests"),
    [PRESET_AUTHORIZATION] = SPAN_LIT("Webhook"),
    [PRESET_HEALTHZ_ADDRESS] = SPAN_LIT("127.0.0.1"),
    [PRESET_HEALTHZ_PORT] = SPAN_LIT("10248"),
    [PRESET_CGROUP_DRIVER] = SPAN_LIT("systemd"),
};

/* The tenth address of the first service subnet; empty if the subnets cannot be read. */
static struct span cluster_dns(const char *subnets, char ret_text[static IP_TEXT_MAX])
{
    struct span rest = span_str(subnets);
    struct ip_prefix first, other;

    if (ip_prefix_parse(span_cut(&rest, ','), &first))
        return (struct span){0};
    while (rest.n > 0) {
        if (ip_prefix_parse(span_cut(&rest, ','), &other))
            return (struct span){0};
    }
    unsigned size = first.addr.family == FAMILY_V4 ? 4 : 16;
    if (first.len > size * 8 - 4)
        return (struct span){0};
    for (unsigned i = first.len; i < size * 8; i++)
        first.addr.b[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
    first.addr.b[size - 1] = (uint8_t)(first.addr.b[size - 1] + 10);
    return span_str(ip_text(&first.addr, ret_text));
}

/* certificatesDir/ca.crt without empty and "." parts, as Go's filepath.Join makes it; empty if the path is relative or has "..". */
static struct span client_ca(const char *dir, struct buf *text)
{
    struct span rest = span_str(dir);

    if (!span_starts(rest, "/"))
        return (struct span){0};
    while (rest.n > 0) {
        struct span part = span_cut(&rest, '/');
        if (span_is(part, ".."))
            return (struct span){0};
        if (part.n == 0 || span_is(part, "."))
            continue;
        buf_u8(text, '/');
        buf_put(text, part);
    }
    buf_str(text, "/ca.crt");
    return text->overflow ? (struct span){0} : buf_span(text);
}

static enum err check_document(const struct yaml_stream *s, struct fault *f)
{
    if (s->count != 1 || s->docs[0]->type != YAML_MAP)
        return fault_set(f, ERR_KUBELET_CONFIG, "kubelet-config must hold one KubeletConfiguration");
    const struct yaml_node *version = yaml_get(s->docs[0], "apiVersion"),
                           *kind = yaml_get(s->docs[0], "kind");
    if (!version || version->type != YAML_SCALAR || !span_is(version->value, API_VERSION))
        return yaml_fault(f, ERR_KUBELET_CONFIG, version ? version : s->docs[0],
                          "apiVersion must be " API_VERSION);
    if (!kind || kind->type != YAML_SCALAR || !span_is(kind->value, "KubeletConfiguration"))
        return yaml_fault(f, ERR_KUBELET_CONFIG, kind ? kind : s->docs[0],
                          "kind must be KubeletConfiguration");
    return OK;
}

static const struct yaml_node *given(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n = map && map->type == YAML_MAP ? yaml_get(map, key) : NULL;

    return n && !yaml_is_null(n) ? n : NULL;
}

/* The defaults that depend on the cluster must be there when they are needed. */
static enum err check_presets(const struct kubeletcfg_put *w, const struct yaml_node *root, struct fault *f)
{
    const struct yaml_node *ca = given(given(given(root, "authentication"), "x509"), "clientCAFile");

    if (!given(root, "clusterDNS") && w->preset[PRESET_CLUSTER_DNS].n == 0)
        return yaml_fault(f, ERR_KUBELET_CONFIG, root, "clusterDNS is missing and serviceSubnet gives none");
    if ((!ca || ca->value.n == 0) && w->preset[PRESET_CLIENT_CA].n == 0)
        return yaml_fault(f, ERR_KUBELET_CONFIG, root,
                          "clientCAFile is missing and certificatesDir gives none");
    return OK;
}

/* Reads what was rendered, so all types are right by now. */
static enum err read_facts(const struct yaml_node *root, const struct kubeletcfg_put *w,
                           struct kubeletcfg_facts *ret)
{
    const struct yaml_node *address = given(root, "healthzBindAddress"), *port = given(root, "healthzPort");
    const struct yaml_node *swap = given(root, "failSwapOn");
    struct kubeletcfg_facts facts = {.healthz_port = 10248, .fail_swap_on = true};
    uint64_t number;
    char path[sizeof(facts.dropped)];
    struct buf b = BUF_OF(path);

    /* The agent asks there, as kubeadm does, and has no name server of its own by then. */
    if (address && address->value.n > 0 && ip_parse(address->value, &facts.healthz) != OK)
        return yaml_fault(w->f, ERR_KUBELET_CONFIG, address, "must be an IP address");
    if (port && text_u64(port->value, UINT16_MAX, &number) == OK)
        facts.healthz_port = (uint16_t)number;
    if (swap)
        facts.fail_swap_on = span_is(swap->value, "true");
    if (w->dropped) {
        yaml_path(w->dropped, &b);
        struct span s = span_sub(buf_span(&b), 0, sizeof(path) - 1);
        if (span_to_cstr(s, facts.dropped, sizeof(facts.dropped)))
            facts.dropped[0] = 0;
    }
    *ret = facts;
    return OK;
}

/* kubeadm takes a text that begins with a brace for JSON, and does not read it as YAML in flow style. */
static bool is_broken_json(struct span text)
{
    struct json json;
    enum json_event event;

    if (!span_starts(span_trim(text), "{"))
        return false;
    json_init(&json, span_trim(text));
    do
        event = json_next(&json);
    while (event != JSON_END && event != JSON_ERROR);
    return event == JSON_ERROR;
}

static enum err parse(struct span text, struct arena *arena, struct yaml_stream *ret, struct fault *f)
{
    struct fault why = {0};

    if (is_broken_json(text))
        return fault_at(f, ERR_KUBELET_CONFIG, 1, 1, "", "a text that begins with { must be JSON");
    enum err e = yaml_parse(text, arena, ret, &why);

    if (e == OK)
        return check_document(ret, f);
    if (e == ERR_LIMIT || e == ERR_NOMEM)
        return fault_set(f, e, "kubelet-config: %s", why.text);
    return fault_at(f, ERR_KUBELET_CONFIG, why.line, why.column, why.path, "%s", why.text);
}

static enum err render(const struct kubeletcfg_input *in, struct arena *arena, struct buf *out,
                       struct kubeletcfg_facts *ret_facts, struct fault *f)
{
    char dns[IP_TEXT_MAX], ca[300];
    struct buf ca_text = BUF_OF(ca);
    struct kubeletcfg_put w = {.out = out, .f = f, .minor = in->cluster->minor};
    struct yaml_stream stream;
    unsigned count;

    enum err e = parse(in->text, arena, &stream, f);
    if (e)
        return e;
    memcpy(w.preset, fixed_presets, sizeof(w.preset));
    w.preset[PRESET_CLUSTER_DNS] = cluster_dns(in->cluster->service_subnet, dns);
    w.preset[PRESET_CLUSTER_DOMAIN] = span_str(in->cluster->dns_domain);
    w.preset[PRESET_CLIENT_CA] = client_ca(in->cluster->certificates_dir, &ca_text);
    if (in->cluster->local_cri_socket)
        w.preset[PRESET_RUNTIME_ENDPOINT] = in->cri_socket;
    if (in->resolved_active)
        w.preset[PRESET_RESOLV_CONF] = SPAN_LIT("/run/systemd/resolve/resolv.conf");
    if (in->patches.n > 0)
        e = kubeletcfg_patch(in->patches, arena, stream.docs[0], f);
    if (e)
        return e;
    e = kubeletcfg_put_struct(&w, &kubeletcfg_fields, stream.docs[0], 0, &count);
    if (!e)
        e = check_presets(&w, stream.docs[0], f);
    if (e)
        return e;
    if (out->overflow)
        return fault_set(f, ERR_LIMIT, "the kubelet configuration is too large");
    return read_facts(stream.docs[0], &w, ret_facts);
}

enum err kubeletcfg_render(const struct kubeletcfg_input *in, struct arena *arena, struct buf *ret,
                           struct kubeletcfg_facts *ret_facts, struct fault *f)
{
    size_t used = arena->used, start = ret->n;
    struct kubeletcfg_facts facts;

    if (!gate_admitted(in->text))
        return fault_set(f, ERR_STATE, "kubelet-config did not come from a verified peer");
    if (in->cri_socket.n == 0)
        return fault_set(f, ERR_KUBELET_CONFIG, "criSocket is empty");
    enum err e = render(in, arena, ret, &facts, f);
    arena_rewind(arena, used);
    if (e) {
        ret->n = start;
        return e;
    }
    *ret_facts = facts;
    return OK;
}
