/*
 * nodejoin.c - reads the NodeJoin document (SPEC.md).
 *
 * Invariant: a field that no row names is refused.
 */
#include "config/nodejoin.h"

#include "config/nodejoin_fields.h"
#include "firmware/base/text.h"
#include "firmware/crypto/jwe.h"

static const char *const hand_offs[] = {
    [NODEJOIN_SUPERVISE] = "supervise",
    [NODEJOIN_SWITCH_ROOT] = "switch-root",
    [NODEJOIN_ONE_SHOT] = "one-shot",
};

const char *nodejoin_hand_off_name(enum nodejoin_hand_off mode)
{
    return hand_offs[mode];
}

static enum err read_fixed(const struct yaml_node *v, const char *want, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    return span_is(s, want) ? OK : yaml_fault(c->f, ERR_CONFIG_KIND, v, "must be %s", want);
}

static enum err read_api(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_fixed(v, "joinboot/v1alpha1", c);
}

static enum err read_kind(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_fixed(v, "NodeJoin", c);
}

static enum err read_dns_name(const struct yaml_node *v, char *ret, size_t cap, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    if (!text_is_subdomain(s) || span_to_cstr(s, ret, cap) != OK)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                          "must be a lower-case RFC 1123 subdomain of at most %zu characters", cap - 1);
    return OK;
}

static enum err read_name(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_dns_name(v, c->n->name, sizeof(c->n->name), c);
}

static enum err read_cluster(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_dns_name(v, c->n->cluster, sizeof(c->n->cluster), c);
}

static enum err read_uuid(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e == OK && text_uuid(s, c->n->uuid) != OK)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be a UUID: 8-4-4-4-12 hex digits");
    c->n->has_uuid = e == OK;
    return e;
}

static enum err read_serial(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    bool good = s.n > 0 && span_to_cstr(s, c->n->serial, sizeof(c->n->serial)) == OK;
    for (size_t i = 0; i < s.n && good; i++)
        good = s.p[i] >= 0x20 && s.p[i] < 0x7f;
    return good ? OK
                : yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be 1 to %d printable ASCII characters",
                             BOARD_SERIAL_MAX - 1);
}

static enum err read_mac(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    static const uint8_t zero[6];
    struct span s;
    uint8_t mac[6];
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    if (text_mac(s, mac) != OK || (mac[0] & 1) || memcmp(mac, zero, 6) == 0)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                          "must be a network card's MAC address such as 52:54:00:12:34:56");
    for (unsigned i = 0; i < c->n->mac_count; i++) {
        if (memcmp(mac, c->n->macs[i], 6) == 0)
            return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "the address is there twice");
    }
    memcpy(c->n->macs[c->n->mac_count++], mac, 6);
    return OK;
}

static enum err read_macs(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return nodejoin_list(v, NODEJOIN_MACS_MAX, read_mac, c);
}

static enum err read_binding(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    static const struct nodejoin_field fields[] = {
        {"uuid", read_uuid}, {"serial", read_serial}, {"macs", read_macs}};
    enum err e = nodejoin_map(v, fields, COUNT(fields), c);
    if (e == OK && !v->child)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "needs at least one of uuid, serial and macs");
    return e;
}

static enum err read_sequence(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    uint64_t n = 0;
    enum err e = yaml_u64(v, INT64_MAX, &n, c->f);
    if (e == OK && n == 0)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be at least 1");
    c->n->sequence = n;
    return e;
}

static enum err read_time(const struct yaml_node *v, int64_t *ret, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e == OK && text_time(s, ret) != OK)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                          "must be a time in UTC such as \"2026-11-23T04:50:51Z\"");
    return e;
}

static enum err read_issued(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_time(v, &c->n->issued_s, c);
}

static enum err read_expires(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_time(v, &c->n->expires_s, c);
}

static enum err read_family(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    unsigned bit = span_is(s, "ipv4") ? FAMILIES_V4 : span_is(s, "ipv6") ? FAMILIES_V6 : 0;
    if (bit == 0 || (c->n->families & bit))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be ipv4 or ipv6, each once");
    c->n->families |= bit;
    return OK;
}

static enum err read_families(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return nodejoin_list(v, 2, read_family, c);
}

static enum err read_hand_off(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    for (size_t i = 0; i < COUNT(hand_offs); i++) {
        if (!span_is(s, hand_offs[i]))
            continue;
        c->n->hand_off = (enum nodejoin_hand_off)i;
        return OK;
    }
    return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be supervise, switch-root or one-shot");
}

static enum err read_reset(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return yaml_bool(v, &c->n->reset, c->f);
}

static enum err read_format_state(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return yaml_bool(v, &c->n->format_state, c->f);
}

static enum err read_role(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    for (unsigned i = 0; i < BUNDLE_ROLES; i++) {
        if (!span_is(s, bundle_role_name((enum bundle_role)i)))
            continue;
        c->n->has_role = true;
        c->n->role = (enum bundle_role)i;
        return OK;
    }
    return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be worker, control-plane or init");
}

/* Its form alone: a courier, which cannot open it, refuses what nobody could. */
static enum err read_sealed(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    enum err e = yaml_string(v, &c->n->sealed, c->f);
    if (e != OK)
        return e;
    e = jwe_look(c->n->sealed, c->n->sealed_to);
    return e == OK ? OK : yaml_fault(c->f, e, v, "nobody can open this");
}

static const struct nodejoin_field nodejoin_fields[] = {
    {"apiVersion", read_api},    {"kind", read_kind},
    {"name", read_name},         {"binding", read_binding},
    {"cluster", read_cluster},   {"sequence", read_sequence},
    {"issuedAt", read_issued},   {"expiresAt", read_expires},
    {"families", read_families}, {"network", nodejoin_read_network},
    {"handOff", read_hand_off},  {"target", nodejoin_read_target},
    {"reset", read_reset},       {"formatState", read_format_state},
    {"role", read_role},         {"sealed", read_sealed},
};

/* Another kind of document is named as such, not by its first strange field. */
static enum err check_kind(const struct yaml_node *doc, struct nodejoin_ctx *c)
{
    const struct yaml_node *api = yaml_get(doc, "apiVersion"), *kind = yaml_get(doc, "kind");
    if (doc->type != YAML_MAP || !api || !kind)
        return yaml_fault(c->f, ERR_CONFIG_KIND, doc,
                          "not a NodeJoin document: apiVersion or kind is missing");
    enum err e = read_kind(kind, c);
    return e == OK ? read_api(api, c) : e;
}

static enum err check_mandatory(const struct yaml_node *doc, struct fault *f)
{
    static const char *const names[] = {"name", "binding", "cluster", "sequence", "issuedAt", "expiresAt"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!yaml_get(doc, names[i]))
            return yaml_fault(f, ERR_CONFIG_FIELD, doc, "%s is missing", names[i]);
    }
    return OK;
}

/* Where to is said for switch-root only: anything else has no other root. */
static enum err check_target(const struct yaml_node *doc, const struct nodejoin *n, struct fault *f)
{
    bool wanted = n->hand_off == NODEJOIN_SWITCH_ROOT, given = n->target_root[0] != 0;
    if (wanted && !given)
        return yaml_fault(f, ERR_CONFIG_FIELD, doc, "handOff: switch-root needs target.root");
    if (given && !wanted)
        return yaml_fault(f, ERR_CONFIG_FIELD, yaml_get(doc, "target"), "is for handOff: switch-root only");
    return OK;
}

enum err nodejoin_read(const struct yaml_node *doc, struct nodejoin *ret, struct fault *f)
{
    struct nodejoin n = {.root = doc};
    struct nodejoin_ctx c = {.n = &n, .f = f};
    enum err e = check_kind(doc, &c);
    if (e == OK)
        e = check_mandatory(doc, f);
    if (e == OK)
        e = nodejoin_map(doc, nodejoin_fields, COUNT(nodejoin_fields), &c);
    if (e == OK && n.expires_s <= n.issued_s)
        e = yaml_fault(f, ERR_CONFIG_FIELD, yaml_get(doc, "expiresAt"), "is not after issuedAt");
    if (e == OK)
        e = check_target(doc, &n, f);
    /* A courier must know what it carries. */
    if (e == OK && n.sealed.n > 0 && !n.has_role)
        e = yaml_fault(f, ERR_CONFIG_FIELD, doc, "role is missing: sealed documents do not show theirs");
    if (e != OK)
        return e;
    if (n.families == 0)
        n.families = FAMILIES_BOTH;
    *ret = n;
    return OK;
}
