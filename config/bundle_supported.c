/*
 * bundle_supported.c - what is valid, but beyond what a machine or this version can do.
 */
#include "config/bundle.h"

#include "config/join_supported.h"
#include "config/versions.h"

static enum err check_role(const struct bundle *b, unsigned can, struct fault *f)
{
    if (b->role == BUNDLE_CONTROL_PLANE && !(can & BUNDLE_CAN_CONTROL_PLANE))
        return yaml_fault(f, ERR_CONFIG_CONTROL_PLANE,
                          b->closed ? yaml_get(b->node.root, "role") : yaml_get(b->join.root, "controlPlane"),
                          "this document joins a control-plane node");
    const struct yaml_node *root = b->cluster.root ? b->cluster.root : b->init.root;
    if (b->role == BUNDLE_INIT && !(can & BUNDLE_CAN_INIT))
        return yaml_fault(f, ERR_CONFIG_INIT,
                          b->closed ? yaml_get(b->node.root, "role") : yaml_get(root, "kind"),
                          "this document creates a cluster");
    return OK;
}

static enum err check_node(const struct nodejoin *n, unsigned can, struct fault *f)
{
    const struct {
        const char *field;
        bool wanted;
        enum bundle_ability ability;
    } rows[] = {
        {"handOff", n->hand_off == NODEJOIN_SWITCH_ROOT, BUNDLE_CAN_SWITCH_ROOT},
        {"handOff", n->hand_off == NODEJOIN_ONE_SHOT, BUNDLE_CAN_ONE_SHOT},
        {"reset", n->reset, BUNDLE_CAN_RESET},
        {"formatState", n->format_state, BUNDLE_CAN_FORMAT_STATE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].wanted && !(can & (unsigned)rows[i].ability))
            return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(n->root, rows[i].field),
                              "not on this machine, with this version");
    }
    return OK;
}

/* A cluster that is to be made is of a supported minor; what an existing one is of, it says itself. */
static enum err check_version(const struct cluster *cl, struct fault *f)
{
    char version[32];
    if (cl->version_minor == 0)
        return OK;
    if (span_to_cstr(cl->kubernetes_version, version, sizeof(version)))
        version[0] = 0;
    return versions_check(cl->version_minor, version, (struct span){0}, f);
}

/* A node keeps what lies below these two; another place would be empty at the next boot. */
static enum err check_places(const struct cluster *cl, struct fault *f)
{
    const struct yaml_node *local = yaml_get(yaml_get(cl->root, "etcd"), "local");
    if (cl->etcd.has_local && !span_is(cl->etcd.data_dir, "/var/lib/etcd"))
        return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(local, "dataDir"),
                          "a node keeps etcd's data in /var/lib/etcd only");
    if (!span_is(cl->certificates_dir, "/etc/kubernetes/pki"))
        return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(cl->root, "certificatesDir"),
                          "a node keeps certificates in /etc/kubernetes/pki only");
    return OK;
}

/* kubeadm itself acts on the documents of the other roles: what it can do is supported, but for arguments that no kubelet starts with. */
static enum err check_kubeadm(const struct bundle *b, bool permit_unsafe_skip_ca, struct fault *f)
{
    const struct yaml_node *token = yaml_get(yaml_get(b->join.root, "discovery"), "bootstrapToken");
    enum err e = b->role == BUNDLE_INIT ? check_places(&b->cluster, f) : OK;
    if (e == OK && b->role == BUNDLE_INIT)
        e = check_version(&b->cluster, f);
    if (e != OK)
        return e;
    if (b->join.dry_run)
        return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(b->join.root, "dryRun"),
                          "the agent joins or does not");
    if (b->join.unsafe_skip_ca && !permit_unsafe_skip_ca)
        return yaml_fault(f, ERR_CONFIG_UNSAFE, yaml_get(token, "unsafeSkipCAVerification"),
                          "the site does not permit unsafeSkipCAVerification");
    if (b->join.has_file)
        return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(yaml_get(b->join.root, "discovery"), "file"),
                          "only workers; use bootstrapToken");
    return join_args_supported(&b->join, f);
}

enum err bundle_supported(const struct bundle *b, unsigned can, bool permit_unsafe_skip_ca, struct fault *f)
{
    enum err e = check_role(b, can, f);
    if (e == OK)
        e = check_node(&b->node, can, f);
    if (e != OK || b->closed)
        return e;
    return b->role == BUNDLE_WORKER ? join_supported(&b->join, permit_unsafe_skip_ca, f)
                                    : check_kubeadm(b, permit_unsafe_skip_ca, f);
}
