/*
 * site.h - the site configuration: the root of trust. `key = value` lines, `#` comments, its own small bounded reader, never libyaml.
 *
 * Keys (SPEC.md): trust (JWK, up to 8), tls-root (base64 DER, up to 8), cluster, url, nic, dad, families, families-wait, one-family, sealed,
 * permit-unsafe-skip-ca, permit-kubelet-args, kubelet, runtime, root, state, target, images, syslog, report-url, log; of a BMC also host-link, host-uuid,
 * host-serial, host-mac, serve-window and refresh; of its host via and bmc-link; permit-unsealed. The kernel command line (joinboot.KEY=VALUE) may set url, nic, dad, families-wait and log, never
 * keys, roots, cluster or permissions.
 */
#ifndef JOINBOOT_CONFIG_SITE_H
#define JOINBOOT_CONFIG_SITE_H

#include "boards/board.h"
#include "firmware/base/fault.h"
#include "firmware/base/ip.h"
#include "firmware/base/limits.h"
#include "firmware/crypto/jose.h"
#include "firmware/crypto/x509.h"

enum { SITE_KEYS_MAX = 8, SITE_ROOTS_MAX = 8, SITE_TEXT_MAX = 512, SITE_HOST_MACS_MAX = 8 };

/* In the place of a card's name: the one that the machine's firmware names. */
#define SITE_BMC_SMBIOS "smbios"

enum site_via { SITE_VIA_NETWORK, SITE_VIA_BMC, SITE_VIA_BMC_FIRST, SITE_VIA_BMC_LAST };
enum site_dad { SITE_DAD_OPTIMISTIC, SITE_DAD_RFC4862, SITE_DAD_SHORT };

struct site {
    struct jose_key keys[SITE_KEYS_MAX];
    unsigned key_count;
    struct x509_roots roots; /* ders point into root_bytes */
    uint8_t root_bytes[LIMIT_ROOTS];
    size_t root_bytes_n;
    char cluster[64];
    char url[SITE_TEXT_MAX]; /* may hold {uuid}, {mac}, {serial} */
    char nic[16];            /* empty: the first with carrier */
    enum site_dad dad;
    unsigned families;         /* declared families, default both */
    uint32_t families_wait_ms; /* default 30 s */
    bool one_family;           /* after that go on with one */
    bool sealed_required;      /* no bundle whose kubeadm documents are in clear is accepted */
    bool permit_unsafe_skip_ca;
    char permit_kubelet_args
        [SITE_TEXT_MAX];         /* names of dangerous arguments, a comma between two; empty: none */
    char kubelet[SITE_TEXT_MAX]; /* path of the program; default /usr/bin/kubelet */
    char runtime[SITE_TEXT_MAX]; /* default /usr/bin/containerd; "none": is started by somebody else */
    char root
        [SITE_TEXT_MAX]; /* the node image: LABEL=, UUID=, PARTLABEL=, PARTUUID=, /dev/...; empty: stay where the agent runs */
    char state[SITE_TEXT_MAX]; /* the state partition, likewise */
    char target
        [SITE_TEXT_MAX]; /* an installed system to hand over to, likewise; then root and images are empty */
    char
        images[SITE_TEXT_MAX]; /* folder with container images (tar) that the runtime is given; empty: none */
    struct ip syslog;          /* the log server; family NONE: there is none */
    uint16_t syslog_port;
    char report_url[SITE_TEXT_MAX]; /* https; empty: nobody is told */
    unsigned log;                   /* 0 quiet, 1 normal, 2 debug */
    bool permit_unsealed;           /* between a BMC and its host a bundle may pass that is not sealed */
    enum site_via via;              /* where this machine gets its bundle from */
    char bmc_link[16];              /* its NIC towards its BMC, or SITE_BMC_SMBIOS */
    char host_link[16];             /* a BMC's NIC towards its host; empty: this machine is no BMC */
    struct board_identity host;     /* what is known of that host */
    uint8_t host_macs[SITE_HOST_MACS_MAX][6];
    unsigned host_mac_count;
    uint32_t serve_window_s; /* from the host's power-on or reset; 0: without an end. Default 1800 */
    uint32_t refresh_s;      /* how often a BMC asks for a newer bundle; default 60 */
};

/* Reads the whole text. Unknown or doubled keys are refused. f has the line. ERR_SITE_MISSING, ERR_SITE_SYNTAX, ERR_SITE_KEY, ERR_SITE_ROOT. */
enum err site_parse(struct span text, struct site *ret, struct fault *f) MUST_USE;
/* Applies joinboot.* words of a kernel command line to url, nic, dad, families-wait and log; other joinboot.* words are refused (ERR_SITE_SYNTAX). */
enum err site_cmdline(struct span cmdline, struct site *site, struct fault *f) MUST_USE;

#endif
