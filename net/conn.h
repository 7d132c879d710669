/*
 * conn.h - one TLS connection over one transport. A transport is a small table, so that lwIP's TCP and a kernel's sockets (kernel.h) stand behind
 * the same functions; conn pumps the TLS engine between them.
 */
#ifndef JOINBOOT_NET_CONN_H
#define JOINBOOT_NET_CONN_H

#include "firmware/base/fault.h"
#include "firmware/base/ip.h"
#include "firmware/crypto/tls.h"

/* A byte stream. `id` is the transport's own number of the stream. */
struct transport {
    enum err (*open)(const struct ip *addr, uint16_t port, int *ret_id);
    /* OK: connected; ERR_STATE with *ret_pending true: still connecting; else the error. */
    enum err (*ready)(int id, bool *ret_pending);
    size_t (*write)(int id, struct span data); /* how much was taken */
    size_t (*read)(int id, uint8_t *ret, size_t cap, bool *ret_eof);
    void (*close)(int id); /* idempotent; at once, what was written may still leave */
};

extern const struct transport transport_lwip; /* net/tcp.c */

enum conn_state { CONN_IDLE = 0, CONN_CONNECTING, CONN_HANDSHAKE, CONN_CAPTURED, CONN_OPEN, CONN_FAILED };

struct conn {
    enum conn_state state;
    const struct transport *transport;
    int id;
    struct ip addr;
    uint16_t port;
    struct tls tls;
    struct fault fault; /* peer is filled with address and port */
};

/* Begins to connect. roots NULL: capture the chain (tls.h). */
enum err conn_start(struct conn *c, const struct transport *transport, const struct ip *addr, uint16_t port,
                    const struct x509_roots *roots, const struct x509_demand *demand) MUST_USE;
/* Moves bytes both ways; the state afterwards. */
enum conn_state conn_step(struct conn *c);
/* Idempotent; wipes. */
void conn_stop(struct conn *c);
/* *ret_n bytes were taken. ERR_STATE before the handshake is done, or for a secret to a peer that is not trusted (tls.h). */
enum err conn_write(struct conn *c, struct span data, enum tls_secrecy secrecy, size_t *ret_n) MUST_USE;
/* *ret_n 0 with OK: nothing yet. ERR_CLOSED at the end of the stream. */
enum err conn_read(struct conn *c, uint8_t *ret, size_t cap, size_t *ret_n) MUST_USE;

#endif
