/*
 * apiobj.h - readers for the API server's JSON answers that a joining node needs: ConfigMaps, a Node, and Status objects.
 *
 * Every answer comes with its HTTP status. 401 is ERR_API_UNAUTHORIZED, 403 ERR_API_FORBIDDEN, anything else unexpected
 * ERR_API_STATUS with the server's message; an answer that cannot be read is ERR_API_SYNTAX.
 */
#ifndef JOINBOOT_KUBE_APIOBJ_H
#define JOINBOOT_KUBE_APIOBJ_H

#include "firmware/base/arena.h"
#include "firmware/base/fault.h"

struct apiobj_answer {
    unsigned status; /* HTTP */
    struct span body;
    const char *what; /* for faults, such as "ConfigMap kube-system/kubelet-config" */
};

/* The part of kubeadm's ClusterConfiguration that a worker needs, with kubeadm's defaults filled in. */
struct apiobj_cluster {
    char name[254];   /* clusterName */
    char version[32]; /* kubernetesVersion, such as v1.36.2 */
    unsigned minor;   /* of 1.minor */
    char certificates_dir[256];
    char service_subnet[128];
    char dns_domain[254];
    char endpoint[300];    /* controlPlaneEndpoint; empty: none, and no control-plane node can join */
    bool local_cri_socket; /* not switched off by featureGates.NodeLocalCRISocket, where that is obeyed */
};

/* 200 is OK; else the error that the status means, with the message of the Status object. */
enum err apiobj_status(const struct apiobj_answer *a, struct fault *f) MUST_USE;

/* Appends data[key] of a ConfigMap to ret. ERR_API_SYNTAX if the key is missing or the value empty; ERR_LIMIT. */
enum err apiobj_configmap(const struct apiobj_answer *a, const char *key, struct buf *ret,
                          struct fault *f) MUST_USE;

/* kubeadm-config: data.ClusterConfiguration goes to `text`, is admitted by the gate and read with YAML in the arena,
 * which is given back. The caller vouches that the answer came from a verified peer. kubeadm cannot join without this ConfigMap, so
 * it is not optional here. ERR_API_SYNTAX with path; ERR_VERSION_SKEW if the version is none or not one that is supported. */
enum err apiobj_cluster(const struct apiobj_answer *a, struct buf *text, struct arena *arena,
                        struct apiobj_cluster *ret, struct fault *f) MUST_USE;

/* nodes/NAME: OK for 404, and for a Node whose condition Ready is not True (kubeadm goes on there, too). ERR_NODE_EXISTS if it is True. */
enum err apiobj_node(const struct apiobj_answer *a, struct fault *f) MUST_USE;

#endif
