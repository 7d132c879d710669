/*
 * https.h - fetches one object over https: resolve, race the addresses of both families through TLS, GET, read the answer, follow at most two
 * same-origin redirects. A state machine; https_step never blocks.
 */
#ifndef JOINBOOT_NET_HTTPS_H
#define JOINBOOT_NET_HTTPS_H

#include "net/conn.h"
#include "net/http.h"
#include "net/race.h"
#include "firmware/base/url.h"

enum https_step { HTTPS_WAIT, HTTPS_DONE, HTTPS_FAILED };

struct https {
    struct url url;
    const struct transport *transport;
    const struct x509_roots *roots;
    int64_t now_s;
    enum time_quality quality;
    unsigned query;
    bool has_query;
    struct race race;
    struct conn *conns; /* RACE_PARALLEL of them */
    struct http http;
    struct buf *body;
    struct span post; /* what is sent; empty: the object is fetched */
    uint8_t state;
    unsigned redirects;
    uint64_t first_ms; /* when the first address was known; 0: not yet */
    uint64_t gate_ms;  /* no attempt starts earlier */
    uint8_t request[1024];
    size_t request_n, request_sent;
    int64_t date_s; /* the peer's Date; it is verified by then */
    struct ip peer; /* who answered */
    char tls[12];
    struct fault fault;
};

/* Starts a fetch of url into body (caller-owned, its cap is the size cap). conns are idle (zeroed) and the fetch's until https_stop; roots must
 * outlive it. */
enum err https_start(struct https *h, const struct url *url, const struct x509_roots *roots, int64_t now_s,
                     enum time_quality quality, struct conn conns[static RACE_PARALLEL], struct buf *body,
                     uint64_t now_ms) MUST_USE;
/* Starts to send `json` to url by POST, as above; a redirect is a failure. json must outlive it. */
enum err https_post(struct https *h, const struct url *url, const struct x509_roots *roots, int64_t now_s,
                    enum time_quality quality, struct span json, struct conn conns[static RACE_PARALLEL],
                    struct buf *body, uint64_t now_ms) MUST_USE;
/* HTTPS_DONE: status 200 and a whole body; for a POST any 2xx, whose body is not awaited. HTTPS_FAILED: h->fault. */
enum https_step https_step(struct https *h, uint64_t now_ms);
/* When https_step wants to be called at the latest (UINT64_MAX: only after net_poll). */
uint64_t https_wake_ms(const struct https *h);
/* The verified connection that the answer came over; NULL before there is one and after https_stop. */
struct conn *https_conn(struct https *h);
/* Idempotent. */
void https_stop(struct https *h);

#endif
