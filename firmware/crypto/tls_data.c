/*
 * tls_data.c - moves records and application data through the engine of tls.h.
 *
 * Invariant: out[out_start, out_end) waits for the transport, in[in_start, in_end) for mbedTLS. mbedTLS is only asked to write what has room
 * in `out` as a whole, because it would want to be asked again with the same bytes.
 */
#include "firmware/crypto/tls_mbed.h"

#include "firmware/crypto/heap.h"

/* A record's header, nonce, tag and padding are below this; the rest of `out` is for application data. */
enum { RECORD_OVERHEAD = 128 };

static void compact(uint8_t *p, size_t *start, size_t *end)
{
    memmove(p, p + *start, *end - *start);
    *end -= *start;
    *start = 0;
}

int tls_bio_send(void *ctx, const unsigned char *p, size_t n)
{
    struct tls *t = ctx;
    size_t room;

    compact(t->out, &t->out_start, &t->out_end);
    room = sizeof(t->out) - t->out_end;
    if (room == 0)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    if (n > room)
        n = room;
    memcpy(t->out + t->out_end, p, n);
    t->out_end += n;
    return (int)n;
}

int tls_bio_recv(void *ctx, unsigned char *p, size_t n)
{
    struct tls *t = ctx;

    if (t->in_start == t->in_end)
        return t->peer_eof ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    if (n > t->in_end - t->in_start)
        n = t->in_end - t->in_start;
    memcpy(p, t->in + t->in_start, n);
    t->in_start += n;
    return (int)n;
}

struct span tls_send_peek(const struct tls *t)
{
    return span_of(t->out + t->out_start, t->out_end - t->out_start);
}

void tls_send_done(struct tls *t, size_t n)
{
    t->out_start += n < t->out_end - t->out_start ? n : t->out_end - t->out_start;
}

size_t tls_recv(struct tls *t, struct span data)
{
    size_t room;

    if (t->state == TLS_IDLE || t->peer_eof)
        return 0;
    compact(t->in, &t->in_start, &t->in_end);
    room = sizeof(t->in) - t->in_end;
    if (data.n > room)
        data.n = room;
    if (data.n > 0)
        memcpy(t->in + t->in_end, data.p, data.n);
    t->in_end += data.n;
    return data.n;
}

void tls_recv_eof(struct tls *t)
{
    t->peer_eof = true;
}

enum err tls_write(struct tls *t, struct span data, enum tls_secrecy secrecy, size_t *ret_n)
{
    size_t room;
    int got;

    if (t->state == TLS_FAILED)
        return t->fault.code;
    if (t->peer_closed)
        return ERR_CLOSED;
    if (t->state != TLS_OPEN && !(t->state == TLS_CAPTURED && secrecy == TLS_PUBLIC))
        return ERR_STATE;
    room = sizeof(t->out) - (t->out_end - t->out_start);
    if (data.n == 0 || room <= RECORD_OVERHEAD) {
        *ret_n = 0;
        return OK;
    }
    tls_priv(t)->failures = heap_failures();
    got = mbedtls_ssl_write(&tls_priv(t)->ssl, data.p,
                            data.n < room - RECORD_OVERHEAD ? data.n : room - RECORD_OVERHEAD);
    if (got < 0)
        return tls_fail(t, got);
    *ret_n = (size_t)got;
    return OK;
}

/* The end of the peer's data, by close_notify or not. */
static enum err ended(struct tls *t, bool clean)
{
    t->peer_closed = clean;
    t->state = TLS_CLOSED;
    return ERR_CLOSED;
}

enum err tls_read(struct tls *t, uint8_t *ret, size_t cap, size_t *ret_n)
{
    size_t before;
    int got;

    if (t->state == TLS_FAILED)
        return t->fault.code;
    if (t->state == TLS_CLOSED)
        return ERR_CLOSED;
    if (t->state != TLS_OPEN && t->state != TLS_CAPTURED)
        return ERR_STATE;
    if (cap == 0) {
        *ret_n = 0;
        return OK;
    }
    tls_priv(t)->failures = heap_failures();
    do { /* mbedTLS also says "want read" after a record without application data, such as a session ticket */
        before = t->in_end - t->in_start;
        got = mbedtls_ssl_read(&tls_priv(t)->ssl, ret, cap);
    } while ((got == MBEDTLS_ERR_SSL_WANT_READ || got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) &&
             t->in_end - t->in_start < before);
    if (got == MBEDTLS_ERR_SSL_WANT_READ || got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ||
        got == MBEDTLS_ERR_SSL_WANT_WRITE) {
        *ret_n = 0;
        return OK;
    }
    if (got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return ended(t, true);
    if (got == 0 || got == MBEDTLS_ERR_SSL_CONN_EOF)
        return ended(t, false);
    if (got < 0)
        return tls_fail(t, got);
    *ret_n = (size_t)got;
    return OK;
}

void tls_close(struct tls *t)
{
    if (t->state != TLS_OPEN && t->state != TLS_CAPTURED)
        return;
    (void)mbedtls_ssl_close_notify(
        &tls_priv(t)->ssl); /* may find no room: the transport is closed next anyway */
    t->state = TLS_CLOSED;
}
