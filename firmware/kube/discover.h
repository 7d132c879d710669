/*
 * discover.h - trust in the cluster and what a joining node reads from it, as one non-blocking state machine (firmware/DESIGN.md).
 *
 *   prove  connect to the endpoint over both families; an attempt captures the peer's chain, asks for cluster-info (anonymous,
 *          public), and wins only when JWS, pin and captured chain are all good. A rogue answer leaves the race with its error.
 *          From then on discover_trusted() is true, and d->result says who it is.
 *   read   on the same connection, in one write: kubelet-config, nodes/NAME, kubeadm-config with the bootstrap token.
 *
 * With discovery.file the kubeconfig stands in for the proof: there is one race, whose attempts are verified by its CAs.
 *
 * Where cluster-info names another host or port, or the server will close the connection, reading is preceded by another race, whose
 * attempts are verified during the handshake against the pinned CAs; the token goes only there. Otherwise it is one TCP
 * connection. Deadlines and retries are the caller's.
 */
#ifndef JOINBOOT_KUBE_DISCOVER_H
#define JOINBOOT_KUBE_DISCOVER_H

#include "config/join.h"
#include "firmware/kube/apiobj.h"
#include "firmware/kube/kubeconfig.h"
#include "net/conn.h"
#include "net/http.h"
#include "net/race.h"

enum { DISCOVER_INFO_MAX = 24 * 1024, DISCOVER_LANE_ARENA = 80 * 1024, DISCOVER_REQUEST_MAX = 4096 };

enum discover_step { DISCOVER_WAIT, DISCOVER_DONE, DISCOVER_FAILED };

struct discover_input {
    const struct transport *transport; /* NULL: net_transport() */
    const struct join *join;
    struct span file;            /* what discovery.file names, admitted by the gate */
    const char *node_name;       /* as render_node_name() says */
    struct span kubelet_version; /* empty: not known */
    bool own_node;               /* a Ready node of this name is this machine's own, from an earlier boot */
    int64_t now_s;
    enum time_quality quality;
    struct arena
        *arena; /* 2 x (DISCOVER_INFO_MAX + DISCOVER_LANE_ARENA) + LIMIT_ANSWER + the ConfigMaps' texts */
};

/* Lies in the arena, and stays there when discover_stop() is called after DISCOVER_DONE. */
struct discover_result {
    struct span server;      /* URL as cluster-info or discovery.file has it */
    struct span ca_pem;      /* the CA bundle, every byte */
    struct x509_roots roots; /* the pinned CAs */
    struct kubeconfig_user user;
    int64_t date_s;   /* the verified peer's Date, at which its chain was good as well; 0: none */
    struct ip prover; /* whose cluster-info was proven */
    struct ip peer;   /* who was verified last */
    char tls[12];
    unsigned connections; /* TCP connections that were verified */
    /* known when all is read */
    struct span kubelet_config;    /* text, admitted by the gate */
    struct apiobj_cluster cluster; /* of kubeadm-config */
};

/* One attempt of a race. */
struct discover_lane {
    struct conn conn;
    struct http http;
    struct buf body;
    struct arena arena;
    struct clusterinfo info;
    size_t sent;
    bool asked; /* the request is written, the answer is awaited */
};

struct discover {
    uint8_t state;
    bool second; /* attempts are verified by roots during the handshake */
    struct discover_input in;
    size_t arena_used; /* when it was started */
    struct url target; /* where the running race connects to */
    unsigned query;
    bool has_query;
    uint64_t first_ms, gate_ms;
    struct race race;
    struct discover_lane lanes[RACE_PARALLEL];
    struct clusterinfo info;
    struct buf answer; /* body of the answer that is being read */
    struct http http;
    unsigned index; /* of the request whose answer is awaited */
    uint8_t request[DISCOVER_REQUEST_MAX];
    size_t request_n, request_sent;
    struct discover_result result;
    struct fault fault; /* the first, with its peer */
};

/* Starts anew. ERR_NOMEM, ERR_DNS, ERR_DISCOVER_FILE; d->fault says more. */
enum err discover_start(struct discover *d, const struct discover_input *in, uint64_t now_ms) MUST_USE;
/* DISCOVER_DONE: *ret is filled; untouched otherwise. DISCOVER_FAILED: d->fault. It returns at once when discover_trusted() turns true, and
 * begins to read at the next call. */
enum discover_step discover_step(struct discover *d, uint64_t now_ms, struct discover_result *ret);
/* The cluster is proven: d->result has server, CA, peer and TLS version. */
bool discover_trusted(const struct discover *d);
/* When discover_step wants to be called at the latest (UINT64_MAX: only by events). */
uint64_t discover_wake_ms(const struct discover *d);
/* Closes all and wipes the token; idempotent. The arena is given back unless DISCOVER_DONE was reached. */
void discover_stop(struct discover *d);

#endif
