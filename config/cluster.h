/*
 * cluster.h - kubeadm's ClusterConfiguration (kubeadm.k8s.io/v1beta4), complete: every field, its defaults and rules (KUBEADM.md, Validation).
 * Strings are spans into the arena of the YAML tree, lists arrays in that arena.
 */
#ifndef JOINBOOT_CONFIG_CLUSTER_H
#define JOINBOOT_CONFIG_CLUSTER_H

#include "config/join.h"

enum { CLUSTER_LIST_MAX = 64 };

struct cluster_words {
    struct span *item;
    unsigned count;
};

struct cluster_args {
    struct join_arg *item; /* in the document's order */
    unsigned count;
};

struct cluster_volume {
    struct span name, host_path, mount_path, path_type;
    bool read_only;
};

struct cluster_env {
    struct span name, value;
    bool has_field; /* valueFrom.fieldRef */
    struct span field_api, field_path;
};

struct cluster_gate {
    struct span name;
    bool on;
};

struct cluster_volumes {
    struct cluster_volume *item;
    unsigned count;
};

struct cluster_envs {
    struct cluster_env *item;
    unsigned count;
};

struct cluster_component {
    struct cluster_args args;
    struct cluster_volumes volumes;
    struct cluster_envs envs;
};

struct cluster_image {
    struct span repository, tag; /* empty: the cluster's own */
};

/* "pod or service subnet": one or two prefixes of different families, in the document's order. */
struct cluster_subnets {
    struct span text; /* as written; empty: none */
    struct ip_prefix prefix[2];
    unsigned count;
    unsigned families; /* FAMILIES_* bits */
};

struct cluster_etcd {
    bool has_local, has_external;
    struct cluster_image image;
    struct span data_dir;
    struct cluster_args args;
    struct cluster_envs envs;
    struct cluster_words server_sans, peer_sans;
    struct cluster_words endpoints, http_endpoints;
    struct span ca_file, cert_file, key_file;
};

struct cluster {
    struct span name; /* clusterName; has nothing to do with NodeJoin's cluster */
    struct span
        kubernetes_version; /* with a "v"; empty: none, and kubeadm asks the internet for the newest */
    unsigned version_minor; /* of v1.N; 0 without a version */
    struct span
        control_plane_endpoint; /* as written; empty: none, and no control-plane node can join later */
    struct span endpoint_host;  /* of it, without brackets */
    struct ip endpoint_ip;      /* if it is a literal */
    uint16_t endpoint_port;     /* of it; 0: none is written, and kubeadm takes bindPort */
    struct cluster_subnets pods, services;
    bool allocates_node_cidrs;           /* false if the controller manager's allocate-node-cidrs is false */
    unsigned node_mask_v4, node_mask_v6; /* node-cidr-mask-size-ipv4 and -ipv6; defaults 24 and 64 */
    struct span dns_domain;
    struct cluster_component api_server, controller_manager, scheduler;
    struct cluster_words cert_sans;
    struct cluster_etcd etcd;
    struct cluster_image dns;
    bool dns_disabled, proxy_disabled;
    struct span certificates_dir, image_repository, encryption_algorithm;
    struct cluster_gate *gates;
    unsigned gate_count;
    uint64_t certificate_validity_ms, ca_certificate_validity_ms;
    const struct yaml_node *root; /* NULL: all values are defaults */
};

/* Reads and checks one document of kubeadm.k8s.io/v1beta4 whose kind is ClusterConfiguration. doc NULL: kubeadm's defaults. ERR_CONFIG_FIELD,
 * ERR_LIMIT with line, column and path; ERR_NOMEM. */
enum err cluster_read(const struct yaml_node *doc, struct arena *arena, struct cluster *ret,
                      struct fault *f) MUST_USE;

/* The value of the last argument of this name, as the program would take it; empty if there is none. */
struct span cluster_arg(const struct cluster_args *args, const char *name);

/* The document as JSON with kubeadm's field names and defaults filled in, as `kubeadm config migrate` would. kubernetesVersion is left out if
 * the document has none: kubeadm asks the internet for it. bind_port is the one that a controlPlaneEndpoint without a port gets. */
void cluster_put_json(const struct cluster *c, uint16_t bind_port, struct buf *ret);

#endif
