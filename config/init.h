/*
 * init.h - kubeadm's InitConfiguration (kubeadm.k8s.io/v1beta4), complete.
 *
 * All of it but the bootstrap tokens is also in a JoinConfiguration, with the same names, defaults and rules: nodeRegistration, localAPIEndpoint,
 * certificateKey, dryRun, skipPhases, patches, timeouts. These parts are read into a struct join without discovery.
 */
#ifndef JOINBOOT_CONFIG_INIT_H
#define JOINBOOT_CONFIG_INIT_H

#include "config/cluster.h"

struct init_token {
    struct span token; /* secret; empty: kubeadm makes one */
    struct span description;
    uint64_t ttl_ms; /* 0: for ever */
    struct cluster_words usages,
        groups; /* none: kubeadm's own, for signing and authentication of a joining node */
};

struct init {
    struct init_token *tokens; /* in the arena; at least one */
    unsigned token_count;
    const struct yaml_node *root; /* NULL: all values are defaults */
};

/* Reads and checks one document of kubeadm.k8s.io/v1beta4 whose kind is InitConfiguration. doc NULL: kubeadm's defaults. *ret_join gets the parts
 * that both kinds have: name, cri_socket, taints, kubelet_args, advertise_address, bind_port, certificate_key, timeouts and so on;
 * has_control_plane is true. Errors as join_read's. */
enum err init_read(const struct yaml_node *doc, struct arena *arena, struct init *ret, struct join *ret_join,
                   struct fault *f) MUST_USE;

/* The document as JSON with kubeadm's field names and defaults filled in, as `kubeadm config migrate` would, without what kubeadm takes from the
 * machine that it runs on or makes up: nodeRegistration.name, advertiseAddress, a random token. */
void init_put_json(const struct init *i, const struct join *j, struct buf *ret);

#endif
