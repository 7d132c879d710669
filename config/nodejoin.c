/*
 * nodejoin.c - reads the NodeJoin document (SPEC.md).
 *
 * Invariant: a field that no row names is refused.
 */
#include "config/nodejoin.h"

#include "firmware/base/text.h"

struct ctx {
    struct nodejoin *n;
    struct nodejoin_network *net; /* the family that is being read */
    enum family family;
    struct fault *f;
};

struct field {
    const char *name;
    enum err (*read)(const struct yaml_node *v, struct ctx *c);
};

static enum err read_map(const struct yaml_node *map, const struct field *fields, size_t count, struct ctx *c)
{
    if (map->type != YAML_MAP)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, map, "must be a map");
    for (const struct yaml_node *v = map->child; v; v = v->next) {
        const struct field *field = NULL;
        for (size_t i = 0; i < count && !field; i++)
            field = span_is(v->key, fields[i].name) ? &fields[i] : NULL;
        if (!field)
            return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "unknown field");
        enum err e = field->read(v, c);
        if (e != OK)
            return e;
    }
    return OK;
}

/* A list's items, each through `read`. */
static enum err read_list(const struct yaml_node *list, unsigned max,
                          enum err (*read)(const struct yaml_node *v, struct ctx *c), struct ctx *c)
{
    unsigned count = 0;
    if (list->type != YAML_SEQ)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, list, "must be a list");
    for (const struct yaml_node *v = list->child; v; v = v->next) {
        if (++count > max)
            return yaml_fault(c->f, ERR_LIMIT, v, "more than %u items", max);
        enum err e = read(v, c);
        if (e != OK)
            return e;
    }
    return count > 0 ? OK : yaml_fault(c->f, ERR_CONFIG_FIELD, list, "must not be empty");
}

static enum err read_fixed(const struct yaml_node *v, const char *want, struct ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    return span_is(s, want) ? OK : yaml_fault(c->f, ERR_CONFIG_KIND, v, "must be %s", want);
}

static enum err read_api(const struct yaml_node *v, struct ctx *c)
{
    return read_fixed(v, "joinboot/v1alpha1", c);
}

static enum err read_kind(const struct yaml_node *v, struct ctx *c)
{
    return read_fixed(v, "NodeJoin", c);
}

static enum err read_dns_name(const struct yaml_node *v, char *ret, size_t cap, struct ctx *c)
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

static enum err read_name(const struct yaml_node *v, struct ctx *c)
{
    return read_dns_name(v, c->n->name, sizeof(c->n->name), c);
}

static enum err read_cluster(const struct yaml_node *v, struct ctx *c)
{
    return read_dns_name(v, c->n->cluster, sizeof(c->n->cluster), c);
}

static enum err read_uuid(const struct yaml_node *v, struct ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e == OK && text_uuid(s, c->n->uuid) != OK)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be a UUID: 8-4-4-4-12 hex digits");
    c->n->has_uuid = e == OK;
    return e;
}

static enum err read_serial(const struct yaml_node *v, struct ctx *c)
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

/* Six pairs of hex digits with colons. */
static enum err parse_mac(struct span s, uint8_t ret[static 6])
{
    for (size_t i = 0; i < 6; i++) {
        struct span pair = span_cut(&s, ':');
        if (text_hex(pair, ret + i, 1) != OK || (i < 5 && s.n == 0))
            return ERR_INPUT;
    }
    return s.n == 0 ? OK : ERR_INPUT;
}

static enum err read_mac(const struct yaml_node *v, struct ctx *c)
{
    static const uint8_t zero[6];
    struct span s;
    uint8_t mac[6];
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    if (s.n != 17 || parse_mac(s, mac) != OK || (mac[0] & 1) || memcmp(mac, zero, 6) == 0)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                          "must be a network card's MAC address such as 52:54:00:12:34:56");
    for (unsigned i = 0; i < c->n->mac_count; i++) {
        if (memcmp(mac, c->n->macs[i], 6) == 0)
            return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "the address is there twice");
    }
    memcpy(c->n->macs[c->n->mac_count++], mac, 6);
    return OK;
}

static enum err read_macs(const struct yaml_node *v, struct ctx *c)
{
    return read_list(v, NODEJOIN_MACS_MAX, read_mac, c);
}

static enum err read_binding(const struct yaml_node *v, struct ctx *c)
{
    static const struct field fields[] = {{"uuid", read_uuid}, {"serial", read_serial}, {"macs", read_macs}};
    enum err e = read_map(v, fields, COUNT(fields), c);
    if (e == OK && !v->child)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "needs at least one of uuid, serial and macs");
    return e;
}

static enum err read_sequence(const struct yaml_node *v, struct ctx *c)
{
    uint64_t n = 0;
    enum err e = yaml_u64(v, INT64_MAX, &n, c->f);
    if (e == OK && n == 0)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be at least 1");
    c->n->sequence = n;
    return e;
}

static enum err read_time(const struct yaml_node *v, int64_t *ret, struct ctx *c)
{
    struct span s;
    enum err e = yaml_string(v, &s, c->f);
    if (e == OK && text_time(s, ret) != OK)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                          "must be a time in UTC such as \"2026-11-23T04:50:51Z\"");
    return e;
}

static enum err read_issued(const struct yaml_node *v, struct ctx *c)
{
    return read_time(v, &c->n->issued_s, c);
}

static enum err read_expires(const struct yaml_node *v, struct ctx *c)
{
    return read_time(v, &c->n->expires_s, c);
}

static enum err read_family(const struct yaml_node *v, struct ctx *c)
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

static enum err read_families(const struct yaml_node *v, struct ctx *c)
{
    return read_list(v, 2, read_family, c);
}

static enum err read_address(const struct yaml_node *v, struct ctx *c)
{
    struct span s;
    struct ip_prefix p;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    unsigned bits = c->family == FAMILY_V4 ? 32 : 128;
    if (ip_prefix_parse(s, &p) != OK || p.addr.family != c->family || !ip_is_usable(&p.addr) || p.len == 0 ||
        p.len > bits)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v,
                          "must be address/length of this family, and usable on a machine");
    c->net->addrs[c->net->addr_count++] = p;
    return OK;
}

static enum err read_addresses(const struct yaml_node *v, struct ctx *c)
{
    return read_list(v, NODEJOIN_ADDRS_MAX, read_address, c);
}

static enum err read_ip(const struct yaml_node *v, struct ip *ret, struct ctx *c)
{
    struct span s;
    struct ip ip;
    enum err e = yaml_string(v, &s, c->f);
    if (e != OK)
        return e;
    if (ip_parse(s, &ip) != OK || ip.family != c->family || ip_is_zero(&ip) || ip_is_loopback(&ip) ||
        ip_is_multicast(&ip))
        return yaml_fault(c->f, ERR_CONFIG_FIELD, v, "must be an address of this family");
    *ret = ip;
    return OK;
}

static enum err read_gateway(const struct yaml_node *v, struct ctx *c)
{
    return read_ip(v, &c->net->gateway, c);
}

static enum err read_dns(const struct yaml_node *v, struct ctx *c)
{
    enum err e = read_ip(v, &c->net->dns[c->net->dns_count], c);
    if (e == OK)
        c->net->dns_count++;
    return e;
}

static enum err read_dns_list(const struct yaml_node *v, struct ctx *c)
{
    return read_list(v, NODEJOIN_DNS_MAX, read_dns, c);
}

/* A gateway that no address can reach is a typing error that would look like a dead network. IPv6 routers are often link-local. */
static enum err check_gateway(const struct yaml_node *v, struct ctx *c)
{
    const struct ip *g = &c->net->gateway;
    bool reached = g->family == FAMILY_NONE || (g->family == FAMILY_V6 && ip_is_link_local(g));
    for (unsigned i = 0; i < c->net->addr_count; i++) {
        if (ip_eq(g, &c->net->addrs[i].addr))
            return yaml_fault(c->f, ERR_CONFIG_FIELD, yaml_get(v, "gateway"), "is the machine's own address");
        reached = reached || ip_in_prefix(g, &c->net->addrs[i]);
    }
    return reached ? OK
                   : yaml_fault(c->f, ERR_CONFIG_FIELD, yaml_get(v, "gateway"),
                                "is in none of the addresses' prefixes");
}

static enum err read_net(const struct yaml_node *v, struct nodejoin_network *net, enum family family,
                         struct ctx *c)
{
    static const struct field fields[] = {
        {"addresses", read_addresses}, {"gateway", read_gateway}, {"dns", read_dns_list}};
    c->net = net;
    c->family = family;
    enum err e = read_map(v, fields, COUNT(fields), c);
    if (e == OK && net->addr_count == 0)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, v, "addresses is missing");
    net->given = e == OK;
    return e == OK ? check_gateway(v, c) : e;
}

static enum err read_net4(const struct yaml_node *v, struct ctx *c)
{
    return read_net(v, &c->n->v4, FAMILY_V4, c);
}

static enum err read_net6(const struct yaml_node *v, struct ctx *c)
{
    return read_net(v, &c->n->v6, FAMILY_V6, c);
}

static enum err read_network(const struct yaml_node *v, struct ctx *c)
{
    static const struct field fields[] = {{"ipv4", read_net4}, {"ipv6", read_net6}};
    return read_map(v, fields, COUNT(fields), c);
}

static enum err read_hand_off(const struct yaml_node *v, struct ctx *c)
{
    enum err e = yaml_string(v, &c->n->hand_off, c->f);
    if (e == OK && !span_is(c->n->hand_off, "supervise"))
        return yaml_fault(c->f, ERR_CONFIG_UNSUPPORTED, v, "must be supervise");
    return e;
}

static enum err read_sealed(const struct yaml_node *v, struct ctx *c)
{
    return yaml_fault(c->f, ERR_CONFIG_SEALED, v, "sealed documents are not read by this version");
}

static const struct field nodejoin_fields[] = {
    {"apiVersion", read_api},  {"kind", read_kind},         {"name", read_name},
    {"binding", read_binding}, {"cluster", read_cluster},   {"sequence", read_sequence},
    {"issuedAt", read_issued}, {"expiresAt", read_expires}, {"families", read_families},
    {"network", read_network}, {"handOff", read_hand_off},  {"sealed", read_sealed},
};

/* Another kind of document is named as such, not by its first strange field. */
static enum err check_kind(const struct yaml_node *doc, struct ctx *c)
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

enum err nodejoin_read(const struct yaml_node *doc, struct nodejoin *ret, struct fault *f)
{
    struct nodejoin n = {.hand_off = SPAN_LIT("supervise"), .root = doc};
    struct ctx c = {.n = &n, .f = f};
    enum err e = check_kind(doc, &c);
    if (e == OK)
        e = check_mandatory(doc, f);
    if (e == OK)
        e = read_map(doc, nodejoin_fields, COUNT(nodejoin_fields), &c);
    if (e == OK && n.expires_s <= n.issued_s)
        e = yaml_fault(f, ERR_CONFIG_FIELD, yaml_get(doc, "expiresAt"), "is not after issuedAt");
    if (e != OK)
        return e;
    if (n.families == 0)
        n.families = FAMILIES_BOTH;
    *ret = n;
    return OK;
}
