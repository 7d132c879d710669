/*
 * kubepeer.h - API servers for tests: each is a real TLS server (openssl s_server, a child process) whose plain text comes and goes through pipes, so
 * that the test itself speaks HTTP, keeps the connection, and sees every byte that the server was told.
 */
#ifndef JOINBOOT_TESTS_UNIT_KUBEPEER_H
#define JOINBOOT_TESTS_UNIT_KUBEPEER_H

#include <sys/types.h>

#include "net/conn.h"

enum { KUBEPEER_MAX = 3, KUBEPEER_LOG = 16384 };

struct kubepeer {
    pid_t pid;
    int to, from; /* plain text to and from the peer */
    uint16_t local_port;
    struct ip addr; /* where the machine under test sees it */
    uint16_t port;
    unsigned connections;   /* TCP connections that were opened to it */
    char got[KUBEPEER_LOG]; /* every plain byte that it received */
    size_t got_n, answered; /* ... and how many of them were answered */
    unsigned requests;
};

extern struct kubepeer kubepeers[KUBEPEER_MAX];
extern const struct transport kubepeer_transport;

/* answer: appends the answer to the n-th request (0 is the first) of a peer. */
struct kubepeer_script {
    void (*answer)(unsigned peer, unsigned n, struct span request, struct buf *ret);
};

/* Serves NAME.pem with NAME.key of tlspeer_set_up() at addr (port 6443) as peer i. */
void kubepeer_start(unsigned i, const char *name, const char *addr);
void kubepeer_stop_all(void);
/* Answers what has arrived. */
void kubepeer_turn(const struct kubepeer_script *script);

/* Appends a whole HTTP answer: status, Date (NULL: none), JSON body; close: the last on this connection; chunked or with Content-Length. */
void kubepeer_http(struct buf *ret, unsigned status, const char *date, bool chunked, bool close,
                   struct span body);
/* Appends the JSON of cluster-info, signed by a token, with server URL and CA file. */
void kubepeer_cluster_info(struct buf *ret, const char *token, const char *server, struct span ca_pem);

#endif
