/*
 * kubeletcfg.h - /var/lib/kubelet/config.yaml from the kubelet-config ConfigMap, byte for byte as kubeadm join writes it.
 *
 * kubeadm decodes the ConfigMap's text to the Go type KubeletConfiguration (kubelet.config.k8s.io/v1beta1), drops what it does
 * not know, fills in its defaults, forces rotateCertificates, marshals with sorted keys and merges instance-config.yaml.
 * The same happens here in one walk over a table of the type's fields (kubeletcfg_fields.c): the tree is read and written field
 * by field, and nothing else is kept. A value that kubeadm refuses, or whose rendering is not certain, is refused by its path.
 */
#ifndef JOINBOOT_KUBE_KUBELETCFG_H
#define JOINBOOT_KUBE_KUBELETCFG_H

#include "firmware/base/arena.h"
#include "firmware/base/fault.h"
#include "firmware/base/ip.h"
#include "firmware/kube/apiobj.h"

struct kubeletcfg_input {
    struct span text; /* the ConfigMap's `kubelet`, admitted by the gate (config/gate.h) */
    struct span
        patches; /* texts of kubeletcfg_patch.h with --- between them, admitted likewise; empty: none */
    struct span cri_socket; /* nodeRegistration.criSocket with its unix:// */
    bool resolved_active;   /* systemd-resolved manages /etc/resolv.conf */
    const struct apiobj_cluster
        *cluster; /* its minor decides which keys are known, the rest gives defaults */
};

/* What the agent itself needs to know of the configuration. */
struct kubeletcfg_facts {
    struct ip healthz;     /* where it answers; family NONE: 127.0.0.1 */
    uint16_t healthz_port; /* 0: nowhere */
    bool fail_swap_on;     /* kubelet's default is true */
    char dropped[96]; /* path of the first unknown key, which kubeadm drops with a warning; empty: none */
};

/* Appends the file to ret. The tree of the text lies in the arena, which is given back. ERR_KUBELET_CONFIG with path and position;
 * ERR_STATE if the text was not admitted; ERR_LIMIT if ret is too small; ERR_NOMEM. */
enum err kubeletcfg_render(const struct kubeletcfg_input *in, struct arena *arena, struct buf *ret,
                           struct kubeletcfg_facts *ret_facts, struct fault *f) MUST_USE;

#endif
