/*
 * join_check.c - what a single value of a JoinConfiguration may look like.
 */
#include "config/join_check.h"

#include "config/stricter.h"
#include "firmware/base/text.h"

static const char lower_alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool is_in(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c);
}

static bool only(struct span s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_in(s.p[i], set))
            return false;
    }
    return true;
}

/* [a-z0-9]{6}\.[a-z0-9]{16} */
enum err join_check_token(const struct yaml_node *n, struct span token, struct fault *f)
{
    bool good = token.n == 23 && token.p[6] == '.' && only(span_sub(token, 0, 6), lower_alnum) &&
                only(span_sub(token, 7, 16), lower_alnum);
    return good ? OK
                : yaml_fault(f, ERR_CONFIG_FIELD, n, "must be a bootstrap token: [a-z0-9]{6}.[a-z0-9]{16}");
}

enum err join_check_hash(const struct yaml_node *n, struct span text, uint8_t ret[static 32], struct fault *f)
{
    struct span hex = text;
    if (!span_is_nocase(span_cut(&hex, ':'), "sha256") || text_hex(hex, ret, 32) != OK)
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be sha256: and 64 hex digits" STRICTER("ca-cert-hash"));
    return OK;
}

enum err join_check_endpoint(const struct yaml_node *n, struct join *j, struct fault *f)
{
    if (ip_hostport_parse(j->endpoint, &j->endpoint_host, &j->endpoint_ip, &j->endpoint_port) != OK ||
        j->endpoint_port == 0 ||
        (j->endpoint_ip.family == FAMILY_NONE && !text_is_hostname(j->endpoint_host)))
        return yaml_fault(
            f, ERR_CONFIG_FIELD, n,
            "must be host:port with a DNS name, an IPv4 address or [IPv6], and a port of 1 to 65535" STRICTER(
                "endpoint"));
    return OK;
}

enum err join_check_name(const struct yaml_node *n, struct arena *arena, struct span *name, struct fault *f)
{
    for (size_t i = 0; i < name->n; i++) {
        uint8_t c = name->p[i];
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c >= 0x7f)
            return yaml_fault(f, ERR_CONFIG_FIELD, n, "a node's name is ASCII" STRICTER("name-ascii"));
    }
    struct span trimmed = span_trim(*name);
    uint8_t *lower = arena_take(arena, trimmed.n + 1);
    if (!lower)
        return fault_set(f, ERR_NOMEM, "no memory for the document");
    for (size_t i = 0; i < trimmed.n; i++)
        lower[i] = trimmed.p[i] >= 'A' && trimmed.p[i] <= 'Z' ? (uint8_t)(trimmed.p[i] | 0x20) : trimmed.p[i];
    *name = span_of(lower, trimmed.n);
    if (!text_is_subdomain(*name))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be a lower-case RFC 1123 subdomain (a-z, 0-9, - and .)");
    return OK;
}

enum err join_check_cri_socket(const struct yaml_node *n, struct arena *arena, struct span *socket,
                               struct fault *f)
{
    static const char scheme[] = "unix://";
    static const char path[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@";
    struct span whole = *socket;
    if (!span_starts(whole, "unix")) {
        struct buf b = {.p = arena_take(arena, sizeof(scheme) + whole.n), .cap = sizeof(scheme) + whole.n};
        if (!b.p)
            return fault_set(f, ERR_NOMEM, "no memory for the document");
        buf_str(&b, scheme);
        buf_put(&b, whole);
        whole = buf_span(&b);
    }
    struct span rest = span_sub(whole, sizeof(scheme) - 1, whole.n);
    if (!span_starts(whole, scheme) || !span_starts(rest, "/") || !only(rest, path))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be unix:// and an absolute path" STRICTER("cri-socket"));
    *socket = whole;
    return OK;
}

enum err join_check_ca_cert_path(const struct yaml_node *n, struct span path, struct fault *f)
{
    if (!span_starts(path, "/") || !span_ends(path, ".crt"))
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "must be an absolute path that ends in .crt");
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] < 0x20 || path.p[i] == 0x7f)
            return yaml_fault(f, ERR_CONFIG_FIELD, n,
                              "a path without control characters" STRICTER("control-character"));
    }
    return OK;
}

enum err join_check_pull_policy(const struct yaml_node *n, struct span policy, struct fault *f)
{
    if (span_is(policy, "Always") || span_is(policy, "IfNotPresent") || span_is(policy, "Never"))
        return OK;
    return yaml_fault(f, ERR_CONFIG_FIELD, n, "must be Always, IfNotPresent or Never");
}

/* An absolute path, or https://host[:port][/path], of plain characters. kubeadm itself wants the file to exist where it runs. */
enum err join_check_kubeconfig(const struct yaml_node *n, struct span path, struct fault *f)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~";
    if (span_starts(path, "/") && only(path, plain))
        return OK;
    if (!span_starts(path, "https://"))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be an absolute path or an https URL" STRICTER("discovery-file"));
    struct span rest = span_sub(path, strlen("https://"), path.n);
    struct span authority = span_cut(&rest, '/'), port = authority;
    struct span host = span_cut(&port, ':');
    uint64_t number = 0;
    bool port_good = host.n == authority.n || text_u64(port, UINT16_MAX, &number) == OK;
    if (!text_is_hostname(host) || !port_good || !only(rest, plain))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be https://host[:port]/path" STRICTER("discovery-file"));
    return OK;
}

enum err join_check_advertise(const struct yaml_node *n, struct arena *arena, struct span *address,
                              struct fault *f)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[IP_TEXT_MAX];
    struct ip ip;
    if (ip_parse(*address, &ip) != OK || !ip_is_usable(&ip) ||
        (ip.family == FAMILY_V6 && memcmp(ip.b, mapped, sizeof(mapped)) == 0))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be a global unicast address" STRICTER("advertise-address"));
    if (arena_copy(arena, span_str(ip_text(&ip, text)), address) != OK)
        return fault_set(f, ERR_NOMEM, "no memory for the document");
    return OK;
}

enum err join_check_certificate_key(const struct yaml_node *n, struct span key, struct fault *f)
{
    uint8_t bytes[32];
    enum err e = text_hex(key, bytes, sizeof(bytes));
    wipe(bytes, sizeof(bytes));
    return e == OK ? OK : yaml_fault(f, ERR_CONFIG_FIELD, n, "must be 64 hex digits");
}

/* A name and a value become one word of kubelet's command line and of the file kubeadm-flags.env: what would end that word, or what a shell
 * or systemd would read in another way, must not be in it. */
enum err join_check_arg(const struct yaml_node *n, const struct join_arg *arg, struct fault *f)
{
    static const char more[] = ".-_";
    if (arg->name.n == 0)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "an argument without a name");
    for (size_t i = 0; i < arg->name.n; i++) {
        if (!is_in(arg->name.p[i], alnum) && (i == 0 || !is_in(arg->name.p[i], more)))
            return yaml_fault(f, ERR_CONFIG_FIELD, n,
                              "an argument's name is [A-Za-z0-9._-], no - before it" STRICTER("kubelet-arg"));
    }
    for (size_t i = 0; i < arg->value.n; i++) {
        uint8_t c = arg->value.p[i];
        if (c <= 0x20 || c >= 0x7f || is_in(c, "\"'\\$`"))
            return yaml_fault(
                f, ERR_CONFIG_FIELD, n,
                "an argument's value has no space, quote, \\, $, ` or control" STRICTER("kubelet-arg"));
    }
    return OK;
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9], at most 63: a label's name or value */
static bool is_label(struct span s)
{
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return s.n > 0 && s.n <= 63 && only(s, inner) && is_in(s.p[0], alnum) && is_in(s.p[s.n - 1], alnum);
}

/* A qualified name: [prefix/]name */
static bool is_key(struct span key)
{
    bool prefixed = span_find(key, '/') < key.n;
    struct span prefix = prefixed ? span_cut(&key, '/') : key;
    return (!prefixed || text_is_subdomain(prefix)) && is_label(key);
}

bool join_check_label(struct span key, struct span value)
{
    return is_key(key) && (value.n == 0 || is_label(value));
}

/* A taint that the API server would refuse makes kubelet fail to register, long after kubeadm said yes. */
enum err join_check_taint(const struct yaml_node *n, const struct join_taint *taint, struct fault *f)
{
    if (!is_key(taint->key))
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "a taint's key is [prefix/]name" STRICTER("taint"));
    if (taint->value.n > 0 && !is_label(taint->value))
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "a taint's value is a label value" STRICTER("taint"));
    if (!span_is(taint->effect, "NoSchedule") && !span_is(taint->effect, "PreferNoSchedule") &&
        !span_is(taint->effect, "NoExecute"))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "a taint's effect is NoSchedule, PreferNoSchedule or NoExecute" STRICTER("taint"));
    return OK;
}
