/*
 * agent.h - the agent: everything that one boot knows, and the loop that drives the phases (phases.h).
 *
 * All memory of the agent is in struct agent, which the board's main() owns. One thread, one loop, nothing blocks.
 */
#ifndef JOINBOOT_AGENT_AGENT_H
#define JOINBOOT_AGENT_AGENT_H

#include "config/bundle.h"
#include "firmware/agent/device.h"
#include "firmware/agent/host.h"
#include "firmware/agent/journal.h"
#include "firmware/agent/keeper.h"
#include "firmware/agent/report.h"
#include "firmware/agent/serve.h"
#include "firmware/agent/state.h"
#include "firmware/agent/syslog.h"
#include "firmware/agent/timekeeper.h"
#include "firmware/base/limits.h"
#include "firmware/kube/discover.h"
#include "firmware/kube/render.h"
#include "net/https.h"
#include "net/net.h"
#include "net/plain.h"

enum phase_id {
    PHASE_IDENTIFY,
    PHASE_ROOT,
    PHASE_RESUME,
    PHASE_COURIER,
    PHASE_LINK,
    PHASE_ADDRESS,
    PHASE_CLOCK,
    PHASE_LOCATE,
    PHASE_FETCH,
    PHASE_VERIFY,
    PHASE_PARSE,
    PHASE_ACCEPT,
    PHASE_NETWORK,
    PHASE_DISCOVER,
    PHASE_CONFIGURE,
    PHASE_COMMIT,
    PHASE_PREFLIGHT,
    PHASE_IMAGES,
    PHASE_HANDOFF,
    PHASE_KUBEADM,
    PHASE_JOINED,
    PHASE_REPORT,
    PHASE_SERVE,
    PHASE_COUNT
};

/* Where the loop stands in the current row. */
struct progress {
    enum phase_id row;
    bool running;                   /* start was called, stop was not */
    uint64_t first_ms[PHASE_COUNT]; /* when a row's first attempt began since it was last done */
    uint64_t start_ms;              /* this attempt */
    uint64_t retry_ms;              /* nothing is done before */
    unsigned failures[PHASE_COUNT];
    unsigned attempts[PHASE_COUNT];
    unsigned sub;      /* a row's own small state; 0 at start */
    uint64_t mark_ms;  /* a row's own mark in time */
    uint32_t limit_ms; /* this attempt's own deadline in place of the row's; 0: none of its own */
    uint64_t wake_ms;  /* when the row wants its next step */
};

struct phase_table;

struct agent {
    const struct phase_table *table; /* what this machine does: a node's rows or a BMC's (phases.h) */
    const struct board *board;
    const struct host *host; /* NULL on a board without an operating system */
    struct journal journal;
    struct syslog syslog;
    struct report report;
    struct fault fault;
    struct fault failed; /* of the last attempt that failed, and its row */
    enum phase_id failed_row;
    struct progress at;
    uint64_t now_ms;
    uint32_t longest_turn_ms;

    struct site site;
    struct machine machine;
    struct state state;
    struct state next; /* while `saving`: on its way to the storage (phases_save) */
    struct reclog_job storing;
    bool saving;
    struct device device;
    struct timekeeper time;
    bool seeded;          /* the stored seed is mixed in, and its successor durable */
    bool resuming;        /* this machine is a node already, and goes straight to its kubelet */
    bool accepted;        /* a->bundle is a bundle that passed accept in this round */
    bool rejoin;          /* what kubelet has of an earlier join is of no use: commit removes it */
    unsigned newer_tries; /* of a newer bundle, before the machine goes on as the node that it is */
    uint64_t newer_ms;    /* when that bundle ended the resumption */
    enum err
        newer_code; /* why a newer bundle led to no join; until the next boot the machine is the node that it is. OK: none did */
    bool state_foreign; /* the state partition holds something else; a bundle may permit to format it */
    bool crypto_started;
    bool net_up;
    bool handed_over; /* the kernel owns the network */
    unsigned nic;
    struct net_status net;
    uint64_t carrier_ms;  /* when there was last a carrier */
    unsigned families;    /* what the address row acquired */
    uint64_t families_ms; /* when all of that was last there */

    bool from_bmc;  /* bundle_bytes came over the link to the BMC */
    bool bmc_named; /* the BMC is asked at the address that DHCP names, not at the fixed one */
    struct plain plain;
    struct url url;
    struct https https;
    struct conn *conns; /* of https, in the arena; NULL: none since that was reset */
    struct arena
        arena; /* connections of a fetch; then verified payload, YAML trees, and discovery (phases_forget) */
    struct buf bundle_bytes;
    const struct verified *verified;
    struct bundle bundle;
    bool has_static;                  /* addresses of a bundle are set */
    uint8_t static_digest[HASH_SIZE]; /* of which bundle */
    struct ip node_ips[2];
    unsigned node_ip_count;
    struct discover *discover; /* in the arena; NULL: not started since that was reset */
    bool trusted;              /* discover is done and its connection is still open */
    char node_name[RENDER_NAME_MAX];
    bool version_asked;                /* of kubelet, by a job that nobody has read yet */
    char kubelet_version[64];          /* as it prints it; empty: not known */
    char system_name[RENDER_NAME_MAX]; /* of a running system (oneshot.h) */
    struct discover_result cluster;
    struct span patches; /* of the kubelet configuration, in the arena */
    struct kubeletcfg_facts kubelet;
    struct host_net host_net;
    struct keeper keeper; /* of what the kernel was given for a time */
    struct buf file;      /* one rendered file at a time */
    struct buf line;      /* a line of a program that has no end yet */
    unsigned kubelet_exits_told;
    bool stop_asked;

    uint8_t line_mem[LIMIT_JOURNAL_LINE];
    uint8_t bundle_mem[LIMIT_BUNDLE];
    union {
        uint8_t file_mem[LIMIT_FILE]; /* a node renders files */
        struct serve serve;           /* a BMC keeps a bundle */
    };
    _Alignas(16) uint8_t arena_mem[LIMIT_ARENA];
    _Alignas(16) uint8_t crypto_heap[LIMIT_CRYPTO_HEAP];
};

/* Runs until the board's finish() ends it or, as an ordinary process, until somebody asks it to stop. host may be NULL. Returns the exit
 * status: 0 stopped cleanly. */
int agent_run(struct agent *a, const struct phase_table *table, const struct board *board,
              const struct host *host);

/* One turn of the loop without the sleep; returns when it wants to run again. For boards that have their own main loop, and for tests. */
uint64_t agent_turn(struct agent *a);
void agent_init(struct agent *a, const struct phase_table *table, const struct board *board,
                const struct host *host);

/* Without the loop: the enrolment record of this machine (device.h), whose key is made if there is none. Nothing else is read or written. */
enum err agent_enrolment(struct agent *a, const struct board *board, struct buf *ret,
                         struct fault *f) MUST_USE;

/* The time now, in seconds since 1970. */
int64_t agent_time(const struct agent *a);

/* Seconds since 1970 of the build (SOURCE_DATE_EPOCH). */
int64_t agent_build_time(void);

#endif
