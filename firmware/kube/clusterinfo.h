/*
 * clusterinfo.h - trust in a cluster from the answer to GET kube-public/configmaps/cluster-info, in three steps:
 *
 *   1. data["jws-kubeconfig-<token id>"] must be the token's detached HS256 signature over data.kubeconfig, byte for byte;
 *   2. only then the kubeconfig is parsed: exactly one cluster, unnamed, with an https server and CA certificates;
 *   3. the SPKI SHA-256 of at least one of these CA certificates must be one of caCertHashes.
 *
 * The roots for the API server's chain are the *pinned* CA certificates alone. kubeadm takes the whole bundle once any one of it
 * matches; so somebody who stole the token (which is enough to sign cluster-info) could put a CA of his own beside the real one.
 * The price: while a cluster changes its CA, pin the CA that signs the API server's certificate, or both. What kubelet is given
 * (ca.crt, bootstrap-kubelet.conf) is the whole bundle, as kubeadm writes it; it came from a server that the pin vouches for.
 */
#ifndef JOINBOOT_KUBE_CLUSTERINFO_H
#define JOINBOOT_KUBE_CLUSTERINFO_H

#include "config/join.h"
#include "firmware/base/arena.h"
#include "firmware/crypto/x509.h"
#include "firmware/base/url.h"

struct clusterinfo {
    struct span kubeconfig;  /* decoded text that the JWS is over */
    struct span server_text; /* as in the kubeconfig; what kubelet is given */
    struct url server;
    struct span ca_pem;      /* decoded certificate-authority-data, every byte: what kubelet is given */
    struct x509_roots roots; /* the pinned CAs; all CAs of discovery.file, or if unsafe_skip_ca and no pins */
};

/* Everything of *ret lies in the arena, whose used bytes are taken back on failure. ERR_DISCOVER_MISSING: no signature by this token;
 * ERR_DISCOVER_JWS; ERR_DISCOVER_SYNTAX; ERR_DISCOVER_PIN: no CA of the bundle is pinned, or a pin is of a certificate that is no CA;
 * ERR_NOMEM. */
enum err clusterinfo_read(struct span body, const struct join *join, struct arena *arena,
                          struct clusterinfo *ret, struct fault *f) MUST_USE;

/* The part that a kubeconfig's cluster says: server, CA and roots, into *ret, which may be changed on failure as well. ERR_DISCOVER_SYNTAX,
 * ERR_DISCOVER_PIN, ERR_NOMEM, ERR_LIMIT. */
enum err clusterinfo_cluster(const struct yaml_node *cluster, const struct join *join, struct arena *arena,
                             struct clusterinfo *ret, struct fault *f) MUST_USE;

#endif
