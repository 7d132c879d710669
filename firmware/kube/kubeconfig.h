/*
 * kubeconfig.h - discovery.file: the kubeconfig that tells a joining node its cluster (cmd/kubeadm/app/discovery/file).
 *
 * kubeadm takes every kubeconfig that kubectl can use, and writes the parts that it does not know into kubelet's file as they are. Here it is one
 * of two forms, in which nothing is left over:
 *
 *   without a user  one cluster, server and certificate-authority-data. kubelet is given tlsBootstrapToken. It is what the ConfigMap cluster-info
 *                   has: one unnamed cluster and no context; a named one needs current-context, its context, and a user without fields
 *   with a user     the same, whose user has a token. It is what kubelet is given, unless there is a tlsBootstrapToken
 *
 * All else is refused with its path: other files (certificate-authority, tokenFile), client certificates, exec, auth-provider, tls-server-name,
 * proxy-url, insecure-skip-tls-verify, a second cluster. The certificates vouch for the API server, so nothing is pinned, and cluster-info, which
 * kubeadm reads only where the file has no CA, is not asked for.
 */
#ifndef JOINBOOT_KUBE_KUBECONFIG_H
#define JOINBOOT_KUBE_KUBECONFIG_H

#include "firmware/kube/clusterinfo.h"

/* Who kubelet is before it has its certificate. */
struct kubeconfig_user {
    struct span name, context; /* empty: kubeadm's own names */
    struct span token;
};

enum { KUBECONFIG_MAX = 16 * 1024, KUBECONFIG_TOKEN_MAX = 1023 };

/* Reads a text that the gate admitted. *ret_info and *ret_user lie in the arena, or are the join's. ERR_DISCOVER_FILE with line, column and path
 * in the file; ERR_NOMEM, ERR_LIMIT. */
enum err kubeconfig_read(struct span text, const struct join *join, struct arena *arena,
                         struct clusterinfo *ret_info, struct kubeconfig_user *ret_user,
                         struct fault *f) MUST_USE;

#endif
