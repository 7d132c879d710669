/*
 * plain.h - one request over plain http to a BMC on the host's link to it (SPEC.md, "The link between a BMC and its host"). There is no secret in
 * what is asked, and what is read is signed; no other link is spoken to in this way. A state machine; plain_step never blocks.
 */
#ifndef JOINBOOT_NET_PLAIN_H
#define JOINBOOT_NET_PLAIN_H

#include "net/conn.h"
#include "net/http.h"

enum plain_step { PLAIN_WAIT, PLAIN_DONE, PLAIN_FAILED };

struct plain {
    bool open;
    bool connected;
    const struct transport *transport;
    int id;
    struct http http;
    uint8_t request[256];
    size_t request_n, request_sent;
    struct fault fault;
};

/* Connects to port 80 of this address. put NULL: GET of path into body (caller-owned, its cap is the size cap); else a PUT of this text. ERR_CONNECT,
 * ERR_NOMEM, ERR_URL. */
enum err plain_start(struct plain *p, const struct transport *transport, const struct ip *addr,
                     const char *path, const char *put, struct buf *body) MUST_USE;
/* PLAIN_DONE: the answer is whole; p->http.status. PLAIN_FAILED: p->fault. */
enum plain_step plain_step(struct plain *p);
void plain_stop(struct plain *p); /* idempotent */

#endif
