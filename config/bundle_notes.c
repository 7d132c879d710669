/*
 * bundle_notes.c - what kubeadm accepts without a word and what the operator of a dual-stack cluster will miss later.
 */
#include <stdarg.h>
#include <stdio.h>

#include "config/bundle.h"

struct notes {
    const struct bundle *b;
    struct bundle_note *list;
    unsigned count;
    struct ip ips[2]; /* node-ip */
    unsigned ip_count;
};

static void note(struct notes *n, const struct yaml_node *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void note(struct notes *n, const struct yaml_node *at, const char *fmt, ...)
{
    if (n->count == BUNDLE_NOTES_MAX)
        return;
    struct bundle_note *to = &n->list[n->count++];
    *to = (struct bundle_note){.line = at ? at->line : 0, .column = at ? at->column : 0};
    struct buf path = {.p = (uint8_t *)to->path, .cap = sizeof(to->path) - 1};
    if (at)
        yaml_path(at, &path);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(to->text, sizeof(to->text), fmt, args);
    va_end(args);
}

static const struct yaml_node *networking(const struct notes *n, const char *field)
{
    const struct yaml_node *map = yaml_get(n->b->cluster.root, "networking"), *v = yaml_get(map, field);
    return v ? v : map ? map : n->b->cluster.root;
}

static const char *families_text(unsigned families)
{
    return families == FAMILIES_BOTH ? "both families" : families == FAMILIES_V4 ? "IPv4" : "IPv6";
}

static unsigned node_families(const struct notes *n)
{
    unsigned families = 0;
    for (unsigned i = 0; i < n->ip_count; i++)
        families |= n->ips[i].family == FAMILY_V4 ? FAMILIES_V4 : FAMILIES_V6;
    return families;
}

/* Pods, services and the node's addresses are of the same families, the same one first. */
static void compare_families(struct notes *n)
{
    const struct cluster *cl = &n->b->cluster;
    unsigned node = node_families(n);
    if (cl->pods.count > 0 && cl->pods.families != cl->services.families)
        note(n, networking(n, "serviceSubnet"), "pods have %s and services %s: no dual-stack cluster",
             families_text(cl->pods.families), families_text(cl->services.families));
    if (cl->pods.count > 0 && node != 0 && node != cl->pods.families)
        note(n, n->b->join.node_ip, "node-ip has %s and podSubnet %s", families_text(node),
             families_text(cl->pods.families));
    else if (n->ip_count > 0 && cl->pods.count > 0 && n->ips[0].family != cl->pods.prefix[0].addr.family)
        note(n, n->b->join.node_ip, "node-ip and podSubnet begin with different families");
    if (cl->pods.count > 0 && cl->pods.families == cl->services.families &&
        cl->pods.prefix[0].addr.family != cl->services.prefix[0].addr.family)
        note(n, networking(n, "serviceSubnet"), "podSubnet and serviceSubnet begin with different families");
}

/* All of `inner` is in `outer`. */
static bool contains(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
    return outer->len <= inner->len && ip_in_prefix(&inner->addr, outer);
}

/* A service range inside podSubnet is set aside by the controller manager; a pod range inside serviceSubnet leaves nothing. */
static void compare_ranges(struct notes *n)
{
    const struct cluster *cl = &n->b->cluster;
    for (unsigned i = 0; i < cl->pods.count; i++) {
        for (unsigned k = 0; k < cl->services.count; k++) {
            if (contains(&cl->services.prefix[k], &cl->pods.prefix[i]))
                note(n, networking(n, "podSubnet"),
                     "podSubnet lies in serviceSubnet: no node can get a part of it");
        }
        for (unsigned k = 0; k < n->ip_count; k++) {
            if (ip_in_prefix(&n->ips[k], &cl->pods.prefix[i]))
                note(n, n->b->join.node_ip, "node-ip is inside podSubnet");
        }
    }
}

static bool has_san(const struct cluster *cl, const struct ip *ip)
{
    struct ip other;
    for (unsigned i = 0; i < cl->cert_sans.count; i++) {
        if (ip_parse(cl->cert_sans.item[i], &other) == OK && ip_eq(&other, ip))
            return true;
    }
    return false;
}

/* kubeadm puts the first service address of the first family into the API server's certificate, and of no other. */
static void look_at_sans(struct notes *n)
{
    const struct cluster *cl = &n->b->cluster;
    char text[IP_TEXT_MAX];
    if (cl->services.count < 2)
        return;
    const struct ip_prefix *second = &cl->services.prefix[1];
    struct ip ip = second->addr;
    unsigned size = ip.family == FAMILY_V4 ? 4 : 16;
    for (unsigned bit = second->len; bit < size * 8; bit++)
        ip.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    ip.b[size - 1] |= 1;
    if (!has_san(cl, &ip))
        note(n, networking(n, "serviceSubnet"),
             "the API server's certificate will not have %s; put it into apiServer.certSANs",
             ip_text(&ip, text));
}

static void look_at_init(struct notes *n)
{
    const struct bundle *b = n->b;
    if (b->cluster.control_plane_endpoint.n == 0)
        note(n, b->cluster.root, "without controlPlaneEndpoint no control-plane node can join later");
    if (b->cluster.kubernetes_version.n == 0)
        note(n, b->cluster.root, "without kubernetesVersion kubeadm asks the internet, and waits for it");
    for (unsigned i = 0; i < b->init.token_count; i++) {
        if (b->init.tokens[i].ttl_ms == 0)
            note(n, yaml_get(b->init.root, "bootstrapTokens"), "a token with ttl 0 never expires");
    }
    compare_families(n);
    compare_ranges(n);
    look_at_sans(n);
}

static void look_at_control_plane(struct notes *n)
{
    const struct join *j = &n->b->join;
    const struct yaml_node *at = yaml_get(j->root, "controlPlane");
    if (j->certificate_key.n == 0)
        note(n, at, "without certificateKey the cluster's CA keys must already be on the machine");
    if (j->advertise_address.n == 0)
        note(n, at,
             "without localAPIEndpoint.advertiseAddress kubeadm takes the address of the default route");
}

/* The families that NodeJoin requires are those that node-ip names. */
static void look_at_node(struct notes *n)
{
    unsigned node = node_families(n), required = n->b->node.families;
    if (node != 0 && (node & ~required))
        note(n, n->b->join.node_ip, "node-ip has %s and NodeJoin's families %s: nothing waits for the other",
             families_text(node), families_text(required));
    if (node != 0 && (required & ~node))
        note(n, n->b->join.node_ip, "NodeJoin requires %s and node-ip has %s", families_text(required),
             families_text(node));
}

unsigned bundle_notes(const struct bundle *b, struct bundle_note ret[static BUNDLE_NOTES_MAX])
{
    struct notes n = {.b = b, .list = ret};
    if (b->closed) /* nothing is known of the documents */
        return 0;
    if (join_node_ips(&b->join, n.ips, &n.ip_count, NULL) != OK)
        n.ip_count = 0;
    if (b->role == BUNDLE_INIT)
        look_at_init(&n);
    else if (b->role == BUNDLE_CONTROL_PLANE)
        look_at_control_plane(&n);
    if (b->node.root)
        look_at_node(&n);
    return n.count;
}
