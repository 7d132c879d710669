/*
 * versions.h - the Kubernetes minors that this agent joins machines to, and which kubelet may join which cluster.
 *
 * One table says what is supported; a minor that has no row is refused. The agent's files are compared with those of kubeadm 1.36 by every test
 * run, and with another minor's by `make test-kube KUBE=1.NN`.
 */
#ifndef JOINBOOT_CONFIG_VERSIONS_H
#define JOINBOOT_CONFIG_VERSIONS_H

#include "firmware/base/fault.h"

/* What kubeadm of a minor does otherwise than its neighbours. Fields of KubeletConfiguration are in kubeletcfg_fields.c. */
struct versions_minor {
    unsigned minor;       /* of 1.minor */
    bool cri_socket_gate; /* obeys the cluster's featureGates.NodeLocalCRISocket */
    bool v1beta3;         /* reads kubeadm.k8s.io/v1beta3 */
};

/* The row of 1.minor, or NULL: it is not supported. */
const struct versions_minor *versions_find(unsigned minor);

/* "[v]1.MINOR.PATCH" with a pre-release or build behind it, also with "Kubernetes " before it as `kubelet --version` prints it, and with white
 * space around it. ERR_INPUT. */
enum err versions_read(struct span text, unsigned *ret_minor) MUST_USE;

/* The cluster has a row, and the kubelet is neither newer than the cluster nor more than three minors older (Kubernetes' version skew policy). An
 * empty kubelet text: not known, only the cluster is judged. `cluster` is its whole version, for the message. ERR_VERSION_SKEW. */
enum err versions_check(unsigned cluster_minor, const char *cluster, struct span kubelet,
                        struct fault *f) MUST_USE;

#endif
