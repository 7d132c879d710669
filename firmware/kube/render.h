/*
 * render.h - the five files of a worker join, byte for byte as kubeadm of the cluster's minor writes them.
 *
 * The order of enum render_file is kubeadm's order of writing. ca.crt is written only where there is none.
 */
#ifndef JOINBOOT_KUBE_RENDER_H
#define JOINBOOT_KUBE_RENDER_H

#include "config/join.h"
#include "firmware/kube/kubeconfig.h"
#include "firmware/kube/kubeletcfg.h"

enum render_file {
    RENDER_BOOTSTRAP, /* /etc/kubernetes/bootstrap-kubelet.conf: holds the token */
    RENDER_CA,        /* caCertPath, by default /etc/kubernetes/pki/ca.crt */
    RENDER_INSTANCE, /* /var/lib/kubelet/instance-config.yaml; not written if cluster->local_cri_socket is false */
    RENDER_CONFIG, /* /var/lib/kubelet/config.yaml */
    RENDER_FLAGS,  /* /var/lib/kubelet/kubeadm-flags.env */
    RENDER_FILES
};

enum { RENDER_NAME_MAX = 254 };

struct render_input {
    const struct join *join;
    const struct apiobj_cluster *cluster;
    struct span server; /* the server URL as cluster-info has it */
    struct span ca_pem; /* the CA bundle as cluster-info has it, every byte */
    struct kubeconfig_user user;
    struct span kubelet_config; /* the ConfigMap's text, admitted by the gate */
    struct span patches;        /* likewise; empty: none (kubeletcfg_patch.h) */
    const char *hostname;       /* the machine's host name, lower case */
    bool resolved_active;
    struct ip node_ips[2]; /* the acquired addresses, IPv4 first; used if the document has no node-ip */
    unsigned node_ip_count;
};

/* What there is to know of a file before it is written. */
struct render_facts {
    const char *path; /* in the input's memory or static */
    unsigned mode;
    bool secret;
    bool only_if_absent;
};

/* ERR_CONFIG_UNSUPPORTED if caCertPath is too long for `path_store`. */
enum err render_facts(enum render_file which, const struct join *join, char path_store[static 256],
                      struct render_facts *ret) MUST_USE;

/* The name under which kubelet registers: the argument hostname-override, else nodeRegistration.name, else the host name.
 * ERR_INPUT if there is none or it is too long. */
enum err render_node_name(const struct join *join, const char *hostname,
                          char ret[static RENDER_NAME_MAX]) MUST_USE;

/* Appends a file's content. The arena is used and given back; ret_kubelet is filled by RENDER_CONFIG only and may be NULL otherwise.
 * ERR_KUBELET_CONFIG; ERR_CONFIG_UNSUPPORTED for arguments that systemd would not pass on unchanged; ERR_LIMIT. */
enum err render_put(enum render_file which, const struct render_input *in, struct arena *arena,
                    struct buf *ret, struct kubeletcfg_facts *ret_kubelet, struct fault *f) MUST_USE;

#endif
