/*
 * cluster_network.c - the networks of a cluster: subnets of pods and services, and the mask of each node's part.
 *
 * A controller manager gives each node one prefix of each family out of podSubnet: of 24 bits in IPv4 and 64 in IPv6, or of
 * node-cidr-mask-size-ipv4 and -ipv6. Its table of prefixes has room for 2^16, so podSubnet is at most 16 bits shorter.
 */
#include "config/cluster_fields.h"
#include "config/stricter.h"
#include "firmware/base/text.h"

enum {
    MASK_V4 = 24,
    MASK_V6 = 64,
    MASK_DIFFERENCE_MAX = 16,
    SERVICE_BITS_MAX = 20,
    PODS_MIN = 14,
    SERVICES_MIN = 10
};

static unsigned host_bits(const struct ip_prefix *p)
{
    return (p->addr.family == FAMILY_V4 ? 32u : 128u) - p->len;
}

static bool is_mapped(const struct ip *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return ip->family == FAMILY_V6 && memcmp(ip->b, mapped, sizeof(mapped)) == 0;
}

enum err cluster_subnets_parse(const struct yaml_node *n, struct cluster_subnets *s, struct fault *f)
{
    struct span rest = s->text;
    for (bool more = true; more; s->count++) {
        more = span_find(rest, ',') < rest.n;
        if (s->count == COUNT(s->prefix))
            return yaml_fault(f, ERR_CONFIG_FIELD, n, "at most two subnets, one of each family");
        struct ip_prefix *p = &s->prefix[s->count];
        if (ip_prefix_parse(span_cut(&rest, ','), p) != OK || is_mapped(&p->addr))
            return yaml_fault(
                f, ERR_CONFIG_FIELD, n,
                "must be address/length, or two of them with a comma and no space" STRICTER("subnet"));
        s->families |= p->addr.family == FAMILY_V4 ? FAMILIES_V4 : FAMILIES_V6;
    }
    if (s->count == 2 && s->families != FAMILIES_BOTH)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "two subnets must be of different families");
    return OK;
}

/* At least `least` addresses: kubeadm counts all of a prefix. */
static enum err check_size(const struct yaml_node *n, const struct cluster_subnets *s, unsigned least,
                           struct fault *f)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (host_bits(&s->prefix[i]) < 4)
            return yaml_fault(f, ERR_CONFIG_FIELD, n, "a subnet of fewer than %u addresses", least);
    }
    return OK;
}
_Static_assert(PODS_MIN <= 16 && PODS_MIN > 8 && SERVICES_MIN <= 16 && SERVICES_MIN > 8,
               "four bits of addresses are enough, three are not");

static enum err read_pods(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct cluster_subnets *s = join_at(c, off);
    enum err e = yaml_string(n, &s->text, c->f);
    if (e != OK || s->text.n == 0)
        return e;
    e = cluster_subnets_parse(n, s, c->f);
    return e == OK ? check_size(n, s, PODS_MIN, c->f) : e;
}

static enum err read_services(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct cluster_subnets *s = join_at(c, off);
    enum err e = yaml_string(n, &s->text, c->f);
    if (e != OK || s->text.n == 0)
        return e;
    e = cluster_subnets_parse(n, s, c->f);
    if (e == OK)
        e = check_size(n, s, SERVICES_MIN, c->f);
    for (unsigned i = 0; i < s->count && e == OK; i++) {
        if (host_bits(&s->prefix[i]) > SERVICE_BITS_MAX)
            e = yaml_fault(c->f, ERR_CONFIG_FIELD, n, "too large: at least /12 in IPv4 and /108 in IPv6");
    }
    return e;
}

enum err cluster_networking(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"serviceSubnet", read_services, offsetof(struct cluster, services)},
        {"podSubnet", read_pods, offsetof(struct cluster, pods)},
        {"dnsDomain", cluster_subdomain_at, offsetof(struct cluster, dns_domain)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

/* The last extraArgs item of this name. */
static const struct yaml_node *arg_node(const struct yaml_node *doc, const char *name)
{
    const struct yaml_node *list = yaml_get(yaml_get(doc, "controllerManager"), "extraArgs"), *found = NULL;
    struct span s;
    for (const struct yaml_node *n = list ? list->child : NULL; n; n = n->next) {
        if (yaml_get(n, "name") && yaml_string(yaml_get(n, "name"), &s, NULL) == OK && span_is(s, name))
            found = n;
    }
    return found ? found : doc;
}

static enum err read_mask(const struct cluster *cl, const struct yaml_node *doc, const char *name,
                          unsigned max, unsigned *mask, struct fault *f)
{
    struct span value = cluster_arg(&cl->controller_manager.args, name);
    uint64_t v = 0;
    if (value.n == 0)
        return OK;
    if (text_u64(value, max, &v) != OK)
        return yaml_fault(f, ERR_CONFIG_FIELD, arg_node(doc, name),
                          "must be a number of bits, at most %u" STRICTER("node-mask"), max);
    *mask = (unsigned)v;
    return OK;
}

static unsigned mask_of(const struct cluster *cl, const struct ip_prefix *p)
{
    return p->addr.family == FAMILY_V4 ? cl->node_mask_v4 : cl->node_mask_v6;
}

static bool fits(const struct ip_prefix *p, unsigned mask)
{
    return p->len <= mask && mask - p->len <= MASK_DIFFERENCE_MAX;
}

static enum err check_relation(const struct cluster *cl, const struct yaml_node *doc, struct fault *f)
{
    const struct yaml_node *n = yaml_get(yaml_get(doc, "networking"), "podSubnet");
    for (unsigned i = 0; i < cl->pods.count; i++) {
        const struct ip_prefix *p = &cl->pods.prefix[i];
        if (!fits(p, mask_of(cl, p)))
            return yaml_fault(f, ERR_CONFIG_FIELD, n,
                              "a /%u cannot be cut into a /%u for each node: 0 to 16 bits longer", p->len,
                              mask_of(cl, p));
    }
    return OK;
}

/* node-cidr-mask-size, of clusters with one family: kubeadm does not look at it, the controller manager does. */
static enum err check_one_mask(struct cluster *cl, const struct yaml_node *doc, struct fault *f)
{
    static const char name[] = "node-cidr-mask-size";
    bool v4 = cl->pods.families == FAMILIES_V4;
    if (cluster_arg(&cl->controller_manager.args, name).n == 0)
        return OK;
    if (cl->pods.families == FAMILIES_BOTH)
        return yaml_fault(f, ERR_CONFIG_FIELD, arg_node(doc, name),
                          "with two families it is -ipv4 and -ipv6, one for each" STRICTER("node-mask"));
    enum err e = read_mask(cl, doc, name, v4 ? 32 : 128, v4 ? &cl->node_mask_v4 : &cl->node_mask_v6, f);
    if (e == OK && !fits(&cl->pods.prefix[0], mask_of(cl, &cl->pods.prefix[0])))
        return yaml_fault(f, ERR_CONFIG_FIELD, arg_node(doc, name),
                          "must be 0 to 16 bits longer than podSubnet" STRICTER("node-mask"));
    return e;
}

enum err cluster_check_masks(struct cluster *cl, const struct yaml_node *doc, struct fault *f)
{
    const struct cluster_args *args = &cl->controller_manager.args;
    cl->node_mask_v4 = MASK_V4;
    cl->node_mask_v6 = MASK_V6;
    cl->allocates_node_cidrs = !span_is(cluster_arg(args, "allocate-node-cidrs"), "false");
    if (cl->pods.count == 0 || !cl->allocates_node_cidrs)
        return OK;
    enum err e = OK;
    if (cl->pods.families & FAMILIES_V4)
        e = read_mask(cl, doc, "node-cidr-mask-size-ipv4", 32, &cl->node_mask_v4, f);
    if (e == OK && (cl->pods.families & FAMILIES_V6))
        e = read_mask(cl, doc, "node-cidr-mask-size-ipv6", 128, &cl->node_mask_v6, f);
    if (e == OK)
        e = check_relation(cl, doc, f);
    return e == OK ? check_one_mask(cl, doc, f) : e;
}
