/*
 * bundle.h - what a signed payload holds: NodeJoin, then the documents that kubeadm would be given for the same node.
 */
#ifndef JOINBOOT_CONFIG_BUNDLE_H
#define JOINBOOT_CONFIG_BUNDLE_H

#include "config/init.h"
#include "config/nodejoin.h"

/* Secrets in it, as spans into the arena: join.token, join.tls_bootstrap_token, join.certificate_key, init.tokens[].token, kubeadm_yaml. */
struct bundle {
    struct nodejoin node;
    bool closed;           /* kubeadm's documents are sealed and were not opened: what follows role is zero */
    enum bundle_role role; /* of the documents; while they are closed NodeJoin's word */
    struct join
        join; /* with BUNDLE_INIT the parts that an InitConfiguration has too (init.h), without discovery */
    struct init init;       /* with BUNDLE_INIT; else zero */
    struct cluster cluster; /* with BUNDLE_INIT; else zero */
    struct span
        kubeadm_yaml; /* the payload's bytes behind NodeJoin, exactly, or what was sealed: what `kubeadm --config` is given */
};

/* Finds kubeadm's documents among those from `first` on, and reads them into role, join, init and cluster; the rest of *ret stays. All of
 * join_read's, init_read's and cluster_read's refusals; ERR_CONFIG_KIND for other kinds, for none, for two of one kind, and for documents of
 * two roles. */
enum err bundle_kubeadm(const struct yaml_stream *stream, unsigned first, struct arena *arena,
                        struct bundle *ret, struct fault *f) MUST_USE;

/* kubeadm's documents as an array of JSON objects, as `kubeadm config migrate` would write them (join.h, init.h, cluster.h). It holds secrets. */
void bundle_put_json(const struct bundle *b, struct buf *ret);

/* What node and kubeadm's documents must agree about: the node's name and role; and node-ip's form. ERR_CONFIG_FIELD. */
enum err bundle_check(const struct bundle *b, struct fault *f) MUST_USE;

/* Parses a verified payload: nodejoin_read; then, unless they are sealed, bundle_kubeadm and bundle_check. Says nothing about what a machine can
 * do. All refusals of those; ERR_CONFIG_SEALED if there are documents in clear beside sealed ones. */
enum err bundle_parse(const struct verified *v, struct arena *arena, struct bundle *ret,
                      struct fault *f) MUST_USE;

/* Opens a closed bundle that bundle_parse made of v, with this machine's device key, and reads the documents as bundle_parse reads those in clear;
 * positions in f are in the sealed text. One that is not closed stays as it is. The plaintext lies in the arena. On failure *b is as it was and
 * nothing of the plaintext is left. jwe_open's and bundle_parse's refusals; ERR_NOMEM; ERR_STATE if v's payload is not what was verified. */
enum err bundle_open(const struct verified *v, const struct jose_secret *key, struct arena *arena,
                     struct bundle *b, struct fault *f) MUST_USE;

/* What a machine can do beyond a supervised worker: bits for bundle_supported. */
enum bundle_ability {
    BUNDLE_CAN_CONTROL_PLANE = 1,
    BUNDLE_CAN_INIT = 2,
    BUNDLE_CAN_SWITCH_ROOT = 4,
    BUNDLE_CAN_ONE_SHOT = 8,
    BUNDLE_CAN_RESET = 16,
    BUNDLE_CAN_FORMAT_STATE = 32,
    BUNDLE_CAN_ALL = 63
};

/* What this version's agent can do on a board that offers all it needs; joinctl explains by it. */
enum {
    BUNDLE_AGENT_CAN = BUNDLE_CAN_CONTROL_PLANE | BUNDLE_CAN_INIT | BUNDLE_CAN_SWITCH_ROOT |
                       BUNDLE_CAN_ONE_SHOT | BUNDLE_CAN_RESET | BUNDLE_CAN_FORMAT_STATE
};

/* Refuses what is valid but beyond `can`; of a closed bundle what NodeJoin says: ERR_CONFIG_CONTROL_PLANE, ERR_CONFIG_INIT, ERR_CONFIG_UNSUPPORTED (hand-off mode, reset, formatState);
 * a worker's fields as join_supported does; ERR_CONFIG_UNSAFE if unsafeSkipCAVerification is true and not permitted. */
enum err bundle_supported(const struct bundle *b, unsigned can, bool permit_unsafe_skip_ca,
                          struct fault *f) MUST_USE;

/* What is valid and possible, but not what an operator is likely to want. Never a secret. */
struct bundle_note {
    uint32_t line, column; /* 0: no place in a document */
    char path[96];
    char text[160];
};

enum { BUNDLE_NOTES_MAX = 16 };

/* How many there are. NodeJoin is left out if node.root is NULL. */
unsigned bundle_notes(const struct bundle *b, struct bundle_note ret[static BUNDLE_NOTES_MAX]);

#endif
