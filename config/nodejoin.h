/*
 * nodejoin.h - joinboot's own document (apiVersion joinboot/v1alpha1, kind NodeJoin): for which machine a bundle is, when, and how its network
 * looks. The format is in SPEC.md.
 */
#ifndef JOINBOOT_CONFIG_NODEJOIN_H
#define JOINBOOT_CONFIG_NODEJOIN_H

#include "boards/board.h"
#include "config/bundle_role.h"
#include "config/verify.h"
#include "config/yaml.h"

enum { NODEJOIN_MACS_MAX = 8, NODEJOIN_ADDRS_MAX = 4, NODEJOIN_DNS_MAX = 3, NODEJOIN_DEVICE_MAX = 48 };

struct nodejoin_network {
    bool given;
    struct ip_prefix addrs[NODEJOIN_ADDRS_MAX];
    unsigned addr_count;
    struct ip gateway; /* family NONE: none */
    struct ip dns[NODEJOIN_DNS_MAX];
    unsigned dns_count;
};

/* Who runs kubelet in the end (SPEC.md). Whether a machine can do it is bundle_supported's answer. */
enum nodejoin_hand_off {
    NODEJOIN_SUPERVISE,   /* the agent starts runtime and kubelet and stays */
    NODEJOIN_SWITCH_ROOT, /* files are written into an installed system, whose own init then runs */
    NODEJOIN_ONE_SHOT /* on a running system: files are written, its init system runs kubelet, the agent ends */
};

struct nodejoin {
    char name[254];
    bool has_uuid;
    uint8_t uuid[16];
    char serial[BOARD_SERIAL_MAX];
    uint8_t macs[NODEJOIN_MACS_MAX][6];
    unsigned mac_count;
    char cluster[64];
    uint64_t sequence;
    int64_t issued_s, expires_s;
    unsigned families; /* required families */
    struct nodejoin_network v4, v6;
    enum nodejoin_hand_off hand_off;
    char target_root
        [NODEJOIN_DEVICE_MAX]; /* UUID=, LABEL= or PARTUUID=; set with NODEJOIN_SWITCH_ROOT, else empty */
    bool
        reset; /* wipe what an earlier join left and join anew, if the sequence is higher than the stored one */
    bool format_state; /* a state partition that holds something else may be formatted */
    bool has_role;
    enum bundle_role role; /* of the sealed documents; in clear it follows from them */
    struct span sealed;    /* kubeadm's documents as a JWE (jwe.h); empty: they follow in clear */
    char sealed_to[JOSE_THUMBPRINT_TEXT + 1]; /* thumbprint of the device key that opens it */
    const struct yaml_node *root;
};

/* Reads and checks one document whose kind is NodeJoin; also for the signer, who has it without a signature. ERR_CONFIG_KIND, ERR_CONFIG_FIELD,
 * and of `sealed` jwe_look's, with line, column and path. */
enum err nodejoin_read(const struct yaml_node *doc, struct nodejoin *ret, struct fault *f) MUST_USE;

/* The word of SPEC.md, such as "switch-root". */
const char *nodejoin_hand_off_name(enum nodejoin_hand_off mode);

/* What this machine is and knows, for nodejoin_accept. */
struct machine {
    struct board_identity id;
    uint8_t macs[BOARD_NICS_MAX][6];
    unsigned mac_count;
    bool has_stored; /* a bundle was accepted before */
    uint64_t stored_sequence;
    uint8_t stored_digest[HASH_SIZE];
    int64_t now_s;
    enum time_quality quality;
};

/* Is it bound to this machine, by all that its binding says? ERR_CONFIG_BINDING. */
enum err nodejoin_bound(const struct nodejoin *n, const struct machine *m, struct fault *f) MUST_USE;

/* Binding, cluster, sequence, time window: is this bundle for this machine, now? Nothing that is sealed is needed for it. ERR_CONFIG_BINDING,
 * _CLUSTER, _SEQUENCE, _EQUIVOCATION, _EXPIRED, _FUTURE; ERR_SEAL_REQUIRED if the site takes no bundle whose documents are in clear. */
enum err nodejoin_accept(const struct nodejoin *n, const uint8_t digest[static HASH_SIZE],
                         const struct site *site, const struct machine *m, struct fault *f) MUST_USE;

#endif
