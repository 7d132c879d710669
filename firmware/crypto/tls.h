/*
 * tls.h - a TLS 1.3 and 1.2 client as an engine over byte buffers: no sockets, no callbacks to the caller (the shape of BearSSL's engine).
 *
 * The caller moves bytes: what tls_send_peek() shows goes to the peer (in every state, so that alerts leave too); what the peer sent goes
 * in by tls_recv(). State:
 *   HANDSHAKE -> OPEN        with roots: the handshake is complete and the chain was checked by x509_check()
 *   HANDSHAKE -> CAPTURED    without roots: the handshake is complete, the chain is kept, and nothing is trusted
 *   CAPTURED  -> OPEN        by tls_trust(), which runs the same x509_check()
 *   any       -> FAILED, CLOSED
 * In CAPTURED only public bytes may be written: writing a secret is ERR_STATE. Whether bytes are secret is said at each write.
 */
#ifndef JOINBOOT_CRYPTO_TLS_H
#define JOINBOOT_CRYPTO_TLS_H

#include "firmware/base/limits.h"
#include "firmware/crypto/x509.h"

enum tls_state { TLS_IDLE = 0, TLS_HANDSHAKE, TLS_CAPTURED, TLS_OPEN, TLS_CLOSED, TLS_FAILED };
enum tls_secrecy { TLS_PUBLIC, TLS_SECRET };

enum { TLS_OUT_SIZE = LIMIT_TLS_OUT + 2048, TLS_IN_SIZE = LIMIT_TLS_IN };

/* Caller-owned; must not move while it is in use. `priv` is mbedTLS' contexts; its size is asserted in tls.c. Zeroed is a valid idle engine. */
struct tls {
    enum tls_state state;
    struct fault fault;
    struct x509_demand demand;
    const struct x509_roots *roots;
    uint8_t out[TLS_OUT_SIZE]; /* records for the peer */
    size_t out_start, out_end;
    uint8_t in[TLS_IN_SIZE]; /* records from the peer, not yet read by mbedTLS */
    size_t in_start, in_end;
    bool peer_eof;    /* the transport ended */
    bool peer_closed; /* the peer ended the session by close_notify: nothing was cut off */
    bool trusted;     /* was in OPEN */
    _Alignas(16) uint8_t priv[2048];
};

/* Begins a handshake on an idle engine. roots NULL: capture. demand is copied; roots must outlive the engine. ERR_NOMEM; ERR_STATE if it is
 * not idle or before crypto_start(). */
enum err tls_start(struct tls *t, const struct x509_roots *roots, const struct x509_demand *demand) MUST_USE;
/* Frees everything; idempotent; wipes. */
void tls_stop(struct tls *t);

/* Works on what has arrived (may take up to 100 ms of public-key arithmetic); never more than TLS_IN_SIZE bytes, so a peer that sends warnings
 * or empty records for ever costs a turn no more than any other. The state afterwards. On TLS_FAILED t->fault says why: ERR_TLS, ERR_TLS_*
 * of x509_check(), ERR_CLOSED, ERR_NOMEM. */
enum tls_state tls_step(struct tls *t);

/* Bytes for the peer; empty if there are none. tls_send_done() drops the first n of them. */
struct span tls_send_peek(const struct tls *t);
void tls_send_done(struct tls *t, size_t n);
/* Takes bytes from the peer, as many as there is room for; returns how many. */
size_t tls_recv(struct tls *t, struct span data);
/* The peer closed the transport: without close_notify an answer without length is incomplete. */
void tls_recv_eof(struct tls *t);

/* Writes application data; *ret_n bytes of it were taken (0: try after sending). ERR_STATE for a secret in CAPTURED, before the handshake is
 * done or after tls_close(); ERR_CLOSED after the peer's close_notify; else the fault. */
enum err tls_write(struct tls *t, struct span data, enum tls_secrecy secrecy, size_t *ret_n) MUST_USE;
/* Reads application data in OPEN and CAPTURED. *ret_n 0 with OK: none yet. ERR_CLOSED: the peer ended the session; peer_closed says whether
 * by close_notify. ERR_TLS: a record is damaged, the state is FAILED. */
enum err tls_read(struct tls *t, uint8_t *ret, size_t cap, size_t *ret_n) MUST_USE;
/* Queues close_notify. */
void tls_close(struct tls *t);

/* CAPTURED -> OPEN if the captured chain is good against roots; else FAILED and the error. ERR_STATE in any other state. */
enum err tls_trust(struct tls *t, const struct x509_roots *roots, const struct x509_demand *demand) MUST_USE;
/* Checks the chain of a peer that was trusted again at another time (after a better clock is known), in OPEN and CLOSED. Does not change the
 * state on success; FAILED and the error otherwise. */
enum err tls_recheck(struct tls *t, int64_t now_s, enum time_quality quality) MUST_USE;
/* "TLSv1.3", "TLSv1.2" or "". */
const char *tls_version(const struct tls *t);

#endif
