/*
 * conn.c - the pump of conn.h: transport bytes into the TLS engine and back.
 *
 * Invariant: a failure keeps the first fault with the peer's address, and closes the transport; conn_stop is needed once, and may be called again.
 */
#include "net/conn.h"

enum { CONN_CHUNK = 2048, CONN_ROUNDS = 16 };

static void conn_name_peer(struct conn *c)
{
    char text[IP_TEXT_MAX];
    fault_peer(&c->fault, c->addr.family == FAMILY_V6 ? "[%s]:%u" : "%s:%u", ip_text(&c->addr, text),
               (unsigned)c->port);
}

static enum conn_state conn_fail(struct conn *c, enum err e, const char *text)
{
    (void)fault_set(&c->fault, e, "%s", text);
    conn_name_peer(c);
    c->transport->close(c->id);
    c->state = CONN_FAILED;
    return c->state;
}

static enum conn_state conn_fail_tls(struct conn *c)
{
    if (c->tls.fault.code != OK && c->fault.code == OK)
        c->fault = c->tls.fault;
    return conn_fail(c, ERR_TLS, "the TLS session failed");
}

enum err conn_start(struct conn *c, const struct transport *transport, const struct ip *addr, uint16_t port,
                    const struct x509_roots *roots, const struct x509_demand *demand)
{
    if (c->state != CONN_IDLE)
        return ERR_STATE;
    *c = (struct conn){.state = CONN_IDLE, .transport = transport, .id = -1, .addr = *addr, .port = port};
    enum err e = tls_start(&c->tls, roots, demand);
    if (e != OK)
        return e;
    e = transport->open(addr, port, &c->id);
    if (e != OK) {
        tls_stop(&c->tls);
        return e;
    }
    c->state = CONN_CONNECTING;
    return OK;
}

/* Records for the peer. True if something moved. */
static bool conn_send(struct conn *c)
{
    bool moved = false;
    for (struct span out = tls_send_peek(&c->tls); out.n > 0; out = tls_send_peek(&c->tls)) {
        size_t n = c->transport->write(c->id, out);
        if (n == 0)
            break;
        tls_send_done(&c->tls, n);
        moved = true;
    }
    return moved;
}

/* Records from the peer, never more than the engine has room for. True if something moved. */
static bool conn_receive(struct conn *c)
{
    uint8_t chunk[CONN_CHUNK];
    size_t room = sizeof(c->tls.in) - (c->tls.in_end - c->tls.in_start);
    bool eof = false;
    if (room == 0)
        return false;
    size_t n = c->transport->read(c->id, chunk, room < sizeof(chunk) ? room : sizeof(chunk), &eof);
    if (n > 0)
        (void)tls_recv(&c->tls, span_of(chunk, n));
    if (eof && n == 0 && !c->tls.peer_eof) {
        tls_recv_eof(&c->tls);
        return true;
    }
    return n > 0;
}

static enum conn_state conn_pump(struct conn *c)
{
    for (unsigned i = 0; i < CONN_ROUNDS; i++) {
        enum tls_state state = tls_step(&c->tls);
        bool moved = conn_send(c);
        if (state == TLS_FAILED)
            return conn_fail_tls(c);
        if (state == TLS_OPEN)
            c->state = CONN_OPEN;
        else if (state == TLS_CAPTURED)
            c->state = CONN_CAPTURED;
        else if (state == TLS_CLOSED && c->state == CONN_HANDSHAKE)
            return conn_fail(c, ERR_CLOSED, "the peer closed the connection during the TLS handshake");
        moved = conn_receive(c) || moved;
        if (!moved)
            break;
    }
    return c->state;
}

enum conn_state conn_step(struct conn *c)
{
    if (c->state == CONN_CONNECTING) {
        bool pending = false;
        enum err e = c->transport->ready(c->id, &pending);
        if (pending)
            return c->state;
        if (e != OK)
            return conn_fail(c, e, "the TCP connection was refused or timed out");
        c->state = CONN_HANDSHAKE;
    }
    if (c->state == CONN_IDLE || c->state == CONN_FAILED)
        return c->state;
    return conn_pump(c);
}

void conn_stop(struct conn *c)
{
    if (c->state == CONN_IDLE)
        return;
    if (c->state == CONN_OPEN || c->state == CONN_CAPTURED) {
        tls_close(&c->tls);
        (void)conn_send(c);
    }
    if (c->state != CONN_FAILED)
        c->transport->close(c->id);
    tls_stop(&c->tls);
    c->state = CONN_IDLE;
}

enum err conn_write(struct conn *c, struct span data, enum tls_secrecy secrecy, size_t *ret_n)
{
    if (c->state != CONN_OPEN && c->state != CONN_CAPTURED)
        return ERR_STATE;
    enum err e = tls_write(&c->tls, data, secrecy, ret_n);
    (void)conn_send(c);
    return e;
}

enum err conn_read(struct conn *c, uint8_t *ret, size_t cap, size_t *ret_n)
{
    if (c->state != CONN_OPEN && c->state != CONN_CAPTURED)
        return c->fault.code != OK ? c->fault.code : ERR_STATE;
    for (;;) {
        size_t n = 0;
        enum err e = tls_read(&c->tls, ret, cap, &n);
        /* A record may be longer than the engine's input: what still waits in the transport can be its rest. */
        if (e == OK && n == 0 && conn_receive(c))
            continue;
        if (e == OK)
            *ret_n = n;
        return e;
    }
}
