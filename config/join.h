/*
 * join.h - kubeadm's JoinConfiguration (kubeadm.k8s.io/v1beta4), complete: every field, its defaults and rules (KUBEADM.md, Validation).
 * Strings are spans into the arena of the YAML tree.
 */
#ifndef JOINBOOT_CONFIG_JOIN_H
#define JOINBOOT_CONFIG_JOIN_H

#include "config/yaml.h"
#include "firmware/base/ip.h"

enum { JOIN_ARGS_MAX = 64, JOIN_TAINTS_MAX = 32, JOIN_HASHES_MAX = 16, JOIN_WORDS_MAX = 32 };

struct join_arg {
    struct span name, value;
};

struct join_taint {
    struct span key, value, effect;
};

struct join_words {
    struct span item[JOIN_WORDS_MAX];
    unsigned count;
};

struct join_timeouts {
    uint64_t control_plane_component_health_check_ms, kubelet_health_check_ms, kubernetes_api_call_ms,
        etcd_api_call_ms, tls_bootstrap_ms, discovery_ms, upgrade_manifests_ms;
};

struct join {
    /* nodeRegistration */
    struct span name; /* empty: the document has none */
    struct span cri_socket;
    struct join_taint taints[JOIN_TAINTS_MAX];
    unsigned taint_count;
    bool taints_given;
    struct join_arg kubelet_args[JOIN_ARGS_MAX]; /* in the document's order */
    unsigned kubelet_arg_count;
    struct join_words ignore_preflight_errors;
    struct span image_pull_policy;
    bool image_pull_serial;
    /* discovery */
    bool has_bootstrap_token, has_file;
    struct span endpoint;      /* apiServerEndpoint as written */
    struct span endpoint_host; /* without brackets */
    struct ip endpoint_ip;     /* if it is a literal */
    uint16_t endpoint_port;
    struct span token;
    uint8_t ca_hashes[JOIN_HASHES_MAX][32];
    struct span ca_hash_text[JOIN_HASHES_MAX];
    unsigned ca_hash_count;
    bool unsafe_skip_ca;
    struct span kubeconfig_path;
    struct span tls_bootstrap_token;
    /* the rest */
    struct span ca_cert_path;
    bool has_control_plane;
    struct span advertise_address;
    uint16_t bind_port;
    struct span certificate_key;
    bool dry_run;
    struct join_words skip_phases;
    bool has_patches;
    struct span patches_directory;
    struct join_timeouts timeouts;
    /* positions that later refusals name */
    const struct yaml_node *node_ip; /* the value of kubeletExtraArgs' node-ip, or NULL */
    const struct yaml_node *root;
};

/* Reads and checks one document of kubeadm.k8s.io/v1beta4 whose kind is JoinConfiguration; values that get a default or another form lie in
 * the arena. ERR_CONFIG_FIELD, ERR_CONFIG_KIND, ERR_LIMIT with line, column and path; ERR_NOMEM. */
enum err join_read(const struct yaml_node *doc, struct arena *arena, struct join *ret,
                   struct fault *f) MUST_USE;

/* Refuses what is valid but what the agent cannot honour: control plane (ERR_CONFIG_CONTROL_PLANE), a URL in discovery.file, a relative patches.directory, skipPhases, dryRun,
 * what join_supported.h refuses of kubeletExtraArgs and ignorePreflightErrors (ERR_CONFIG_UNSUPPORTED,
 * ERR_CONFIG_FIELD), unsafeSkipCAVerification without permission (ERR_CONFIG_UNSAFE). */
enum err join_supported(const struct join *j, bool permit_unsafe_skip_ca, struct fault *f) MUST_USE;

/* The addresses of kubeletExtraArgs' node-ip: none (count 0) if the document has no such argument, one, or two of different families in the
 * order in which they are written. Anything else, also a space, is ERR_CONFIG_FIELD. */
enum err join_node_ips(const struct join *j, struct ip ret[static 2], unsigned *ret_count,
                       struct fault *f) MUST_USE;

/* The document as JSON with kubeadm's field names and defaults filled in, as `kubeadm config migrate` would. What kubeadm takes from the
 * machine that it runs on is left out: nodeRegistration.name and advertiseAddress, if the document has none. */
void join_put_json(const struct join *j, struct buf *ret);

#endif
