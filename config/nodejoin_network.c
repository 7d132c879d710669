/*
 * nodejoin_network.c - the map network of a NodeJoin document: static addresses, a router and DNS servers of each family.
 */
#include "config/nodejoin_fields.h"

static enum err read_address(const struct yaml_node *v, struct nodejoin_ctx *c)
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

static enum err read_addresses(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return nodejoin_list(v, NODEJOIN_ADDRS_MAX, read_address, c);
}

static enum err read_ip(const struct yaml_node *v, struct ip *ret, struct nodejoin_ctx *c)
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

static enum err read_gateway(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_ip(v, &c->net->gateway, c);
}

static enum err read_dns(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    enum err e = read_ip(v, &c->net->dns[c->net->dns_count], c);
    if (e == OK)
        c->net->dns_count++;
    return e;
}

static enum err read_dns_list(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return nodejoin_list(v, NODEJOIN_DNS_MAX, read_dns, c);
}

/* A gateway that no address can reach is a typing error that would look like a dead network. IPv6 routers are often link-local. */
static enum err check_gateway(const struct yaml_node *v, struct nodejoin_ctx *c)
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
                         struct nodejoin_ctx *c)
{
    static const struct nodejoin_field fields[] = {
        {"addresses", read_addresses}, {"gateway", read_gateway}, {"dns", read_dns_list}};
    c->net = net;
    c->family = family;
    enum err e = nodejoin_map(v, fields, COUNT(fields), c);
    if (e == OK && net->addr_count == 0)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, v, "addresses is missing");
    net->given = e == OK;
    return e == OK ? check_gateway(v, c) : e;
}

static enum err read_net4(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_net(v, &c->n->v4, FAMILY_V4, c);
}

static enum err read_net6(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    return read_net(v, &c->n->v6, FAMILY_V6, c);
}

enum err nodejoin_read_network(const struct yaml_node *v, struct nodejoin_ctx *c)
{
    static const struct nodejoin_field fields[] = {{"ipv4", read_net4}, {"ipv6", read_net6}};
    return nodejoin_map(v, fields, COUNT(fields), c);
}
