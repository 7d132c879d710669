/*
 * cluster_check.c - what a single value of a ClusterConfiguration may look like.
 */
#include "config/cluster_fields.h"
#include "config/stricter.h"
#include "firmware/base/text.h"

/* The oldest control plane that kubeadm of the newest supported minor still deploys: its own minor less one. */
enum { MINOR_MIN = 35 };

enum err cluster_path_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    const struct span *path = join_at(c, off);
    enum err e = cluster_text_at(n, c, off);
    if (e == OK && path->n > 0 && !span_starts(*path, "/"))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be an absolute path");
    return e;
}

static bool is_lower_alnum(uint8_t ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

static bool is_alnum(uint8_t ch)
{
    return is_lower_alnum(ch) || (ch >= 'A' && ch <= 'Z');
}

/* Groups of [a-z0-9] with one separator between two of them: ".", "_", "__" or any number of "-". */
static bool is_path_component(struct span s)
{
    for (size_t i = 0; i < s.n;) {
        size_t letters = i;
        while (i < s.n && is_lower_alnum(s.p[i]))
            i++;
        if (i == letters)
            return false;
        size_t begin = i;
        while (i < s.n && s.p[i] == '-')
            i++;
        if (i == begin && i < s.n && s.p[i] == '.')
            i++;
        for (size_t most = begin + 2;
             i < most && i < s.n && s.p[i] == '_' && (i == begin || s.p[i - 1] == '_');)
            i++;
        if (i == s.n)
            return i == begin;
        if (i == begin)
            return false;
    }
    return false;
}

/* Labels of letters, digits and inner "-" between dots. */
static bool is_registry_name(struct span host)
{
    for (bool more = true; more;) {
        more = span_find(host, '.') < host.n;
        struct span label = span_cut(&host, '.');
        for (size_t i = 0; i < label.n; i++) {
            if (!is_alnum(label.p[i]) && (label.p[i] != '-' || i == 0 || i == label.n - 1))
                return false;
        }
        if (label.n == 0)
            return false;
    }
    return true;
}

/* A host of a registry: labels of letters, digits and "-" between dots, or [IPv6]; then :port. */
static bool is_registry(struct span s)
{
    struct ip ip;
    if (span_starts(s, "[")) {
        size_t end = span_find(s, ']');
        struct span inner = span_sub(s, 1, end > 0 ? end - 1 : 0);
        if (end == s.n || ip_parse(inner, &ip) != OK || ip.family != FAMILY_V6)
            return false;
        s = span_sub(s, end + 1, s.n);
    } else {
        size_t end = span_find(s, ':');
        struct span host = span_sub(s, 0, end);
        if (!is_registry_name(host))
            return false;
        s = span_sub(s, end, s.n);
    }
    if (s.n == 0)
        return true;
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.p[0] == ':' && s.n > 1;
}

/* What may stand in front of "/name:tag" in a reference to an image. */
enum err cluster_repository_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct span *repository = join_at(c, off), rest;
    enum err e = yaml_string(n, repository, c->f);
    if (e != OK || repository->n == 0)
        return e;
    rest = *repository;
    bool more = span_find(rest, '/') < rest.n;
    struct span first = span_cut(&rest, '/');
    bool good = is_registry(first) || is_path_component(first);
    while (good && more) {
        more = span_find(rest, '/') < rest.n;
        good = is_path_component(span_cut(&rest, '/'));
    }
    return good ? OK
                : yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                             "must be an image repository such as registry.example/path");
}

/* [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */
enum err cluster_tag_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    const struct span *tag = join_at(c, off);
    enum err e = join_string_at(n, c, off);
    bool good = tag->n <= 128;
    for (size_t i = 0; e == OK && i < tag->n && good; i++) {
        uint8_t ch = tag->p[i];
        good = is_alnum(ch) || ch == '_' || (i > 0 && (ch == '.' || ch == '-'));
    }
    return e != OK || good
               ? e
               : yaml_fault(c->f, ERR_CONFIG_FIELD, n, "no tag of an image" STRICTER("image-tag"));
}

enum err cluster_algorithm_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const char *const names[] = {"", "RSA-2048", "RSA-3072", "RSA-4096", "ECDSA-P256", "ECDSA-P384"};
    const struct span *s = join_at(c, off);
    enum err e = join_string_at(n, c, off);
    for (size_t i = 0; e == OK && i < COUNT(names); i++) {
        if (span_is(*s, names[i]))
            return OK;
    }
    return e != OK ? e
                   : yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                                "must be RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384");
}

enum err cluster_subdomain_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    const struct span *s = join_at(c, off);
    enum err e = join_string_at(n, c, off);
    if (e == OK && s->n > 0 && !text_is_subdomain(*s))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a lower-case RFC 1123 subdomain");
    return e;
}

/* An address, a subdomain, or a subdomain behind "*." */
static enum err check_san(const struct yaml_node *n, struct span name, struct fault *f)
{
    struct ip ip;
    struct span behind = span_starts(name, "*.") ? span_sub(name, 2, name.n) : name;
    if (text_is_subdomain(behind) || ip_parse(name, &ip) == OK)
        return OK;
    return yaml_fault(f, ERR_CONFIG_FIELD, n,
                      "must be an address, or a DNS name in lower case, also *.name" STRICTER("san"));
}

enum err cluster_sans_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    const struct cluster_words *sans = join_at(c, off);
    enum err e = cluster_words_at(n, c, off);
    const struct span *san = sans->item;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next)
        e = check_san(v, *san++, c->f);
    return e;
}

/* In the arena. kubeadm's lower case is Unicode's; of other letters than these none passes the check behind it here. */
static enum err lower(struct span *s, const struct join_ctx *c)
{
    uint8_t *p = arena_take(c->arena, s->n + 1);
    if (!p)
        return fault_set(c->f, ERR_NOMEM, "no memory for the document");
    for (size_t i = 0; i < s->n; i++)
        p[i] = s->p[i] >= 'A' && s->p[i] <= 'Z' ? (uint8_t)(s->p[i] | 0x20) : s->p[i];
    *s = span_of(p, s->n);
    return OK;
}

enum err cluster_lower_sans_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct cluster_words *sans = join_at(c, off);
    enum err e = cluster_words_at(n, c, off);
    struct span *san = sans->item;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next, san++) {
        e = lower(san, c);
        if (e == OK)
            e = check_san(v, *san, c->f);
    }
    return e;
}

/* Dot-separated identifiers of [0-9A-Za-z-] (semver.org 2.0.0, 9 and 10); in a pre-release a number has no leading zero. */
static bool are_identifiers(struct span s, bool numbers_are_short)
{
    for (bool more = true; more;) {
        more = span_find(s, '.') < s.n;
        struct span id = span_cut(&s, '.');
        bool number = true;
        for (size_t i = 0; i < id.n; i++) {
            if (!is_alnum(id.p[i]) && id.p[i] != '-')
                return false;
            number = number && id.p[i] >= '0' && id.p[i] <= '9';
        }
        if (id.n == 0 || (number && numbers_are_short && id.n > 1 && id.p[0] == '0'))
            return false;
    }
    return true;
}

/* v1.36.2, 1.36.2-rc.1+build; numbers as they stand in it, *ret_pre if it is a pre-release. */
static bool is_version(struct span s, uint64_t ret_numbers[static 3], bool *ret_pre)
{
    if (span_starts(s, "v"))
        s = span_sub(s, 1, s.n);
    size_t plus = span_find(s, '+');
    if (plus < s.n && !are_identifiers(span_sub(s, plus + 1, s.n), false))
        return false;
    s = span_sub(s, 0, plus);
    size_t minus = span_find(s, '-');
    *ret_pre = minus < s.n;
    if (minus < s.n && !are_identifiers(span_sub(s, minus + 1, s.n), true))
        return false;
    s = span_sub(s, 0, minus);
    for (size_t i = 0; i < 3; i++) {
        if (text_u64(span_cut(&s, '.'), UINT16_MAX, &ret_numbers[i]) != OK)
            return false;
    }
    return s.n == 0;
}

/* latest, stable-1, stable-1.36 */
static bool is_label(struct span s)
{
    return span_starts(s, "stable") || span_starts(s, "latest") || span_starts(s, "release/") ||
           span_starts(s, "ci/");
}

enum err cluster_version(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct cluster *cl = c->at;
    uint64_t v[3] = {0};
    bool pre = false;
    enum err e = join_string_at(n, c, off);
    if (e != OK || cl->kubernetes_version.n == 0)
        return e;
    if (is_label(cl->kubernetes_version))
        return yaml_fault(
            c->f, ERR_CONFIG_FIELD, n,
            "what this label means is asked on the internet; write the version" STRICTER("version-label"));
    if (!is_version(cl->kubernetes_version, v, &pre))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a version such as v1.36.2");
    if (v[0] != 1)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a version 1" STRICTER("version-major"));
    if (v[1] < MINOR_MIN || (v[1] == MINOR_MIN && v[2] == 0 && pre))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "kubeadm creates clusters of v1.%d.0 and later",
                          MINOR_MIN);
    if (!span_starts(cl->kubernetes_version, "v")) {
        struct buf b = {.p = arena_take(c->arena, cl->kubernetes_version.n + 1),
                        .cap = cl->kubernetes_version.n + 1};
        if (!b.p)
            return fault_set(c->f, ERR_NOMEM, "no memory for the document");
        buf_str(&b, "v");
        buf_put(&b, cl->kubernetes_version);
        cl->kubernetes_version = buf_span(&b);
    }
    cl->version_minor = (unsigned)v[1];
    return OK;
}

/* host, host:port, IPv4, IPv4:port, IPv6, [IPv6]:port */
static bool read_endpoint(struct cluster *cl)
{
    struct span s = cl->control_plane_endpoint;
    if (ip_parse(s, &cl->endpoint_ip) == OK) {
        cl->endpoint_host = s;
        return true;
    }
    cl->endpoint_ip.family = FAMILY_NONE;
    cl->endpoint_host = s;
    if (text_is_subdomain(s))
        return true;
    if (ip_hostport_parse(s, &cl->endpoint_host, &cl->endpoint_ip, &cl->endpoint_port) != OK ||
        cl->endpoint_port == 0)
        return false;
    return cl->endpoint_ip.family != FAMILY_NONE || text_is_subdomain(cl->endpoint_host);
}

enum err cluster_endpoint(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct cluster *cl = c->at;
    enum err e = join_string_at(n, c, off);
    if (e != OK || cl->control_plane_endpoint.n == 0 || read_endpoint(cl))
        return e;
    return yaml_fault(
        c->f, ERR_CONFIG_FIELD, n,
        "must be host, host:port, an address or [IPv6]:port; names in lower case" STRICTER("endpoint"));
}

/* The gates that kubeadm of the supported minors knows; all others are gone in 1.37. */
static const char gate_that_stays[] = "RootlessControlPlane";
enum { GATES_GONE = 37 };

enum err cluster_gates(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const char *const known[] = {"NodeLocalCRISocket", "PublicKeysECDSA", gate_that_stays};
    struct cluster *cl = c->at;
    (void)off;
    enum err e = n->type == YAML_MAP ? OK : join_map(n, NULL, 0, c);
    if (e != OK)
        return e;
    cl->gates = arena_take(c->arena, COUNT(known) * sizeof(*cl->gates));
    if (!cl->gates)
        return fault_set(c->f, ERR_NOMEM, "no memory for the document");
    for (const struct yaml_node *v = n->child; v; v = v->next) {
        size_t i = 0;
        while (i < COUNT(known) && !span_is(v->key, known[i]))
            i++;
        if (i == COUNT(known))
            return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "kubeadm has no such feature gate");
        struct cluster_gate *gate = &cl->gates[cl->gate_count++];
        gate->name = v->key;
        e = yaml_bool(v, &gate->on, c->f);
        if (e != OK)
            return e;
    }
    return OK;
}

enum err cluster_check_gates(const struct cluster *cl, const struct yaml_node *doc, struct fault *f)
{
    if (cl->version_minor < GATES_GONE)
        return OK;
    for (unsigned i = 0; i < cl->gate_count; i++) {
        if (!span_is(cl->gates[i].name, gate_that_stays))
            return yaml_fault(f, ERR_CONFIG_FIELD, yaml_get(doc, "featureGates"),
                              "kubeadm of v1.%u has no such feature gate", cl->version_minor);
    }
    return OK;
}
