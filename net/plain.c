/*
 * plain.c - see plain.h.
 */
#include "net/plain.h"

enum { PLAIN_PORT = 80, PLAIN_CHUNK = 2048, PLAIN_READS = 8 };

static enum plain_step plain_fail(struct plain *p, enum err e, const char *text)
{
    (void)fault_set(&p->fault, e, "%s", text);
    plain_stop(p);
    return PLAIN_FAILED;
}

enum err plain_start(struct plain *p, const struct transport *transport, const struct ip *addr,
                     const char *path, const char *put, struct buf *body)
{
    *p = (struct plain){.transport = transport};
    struct buf request = BUF_OF(p->request);
    if (put == NULL)
        http_get_put(&request, "bmc", path, "*/*", NULL);
    else
        buf_fmt(&request, "PUT %s HTTP/1.1\r\nHost: bmc\r\nContent-Length: %u\r\n\r\n%s", path,
                (unsigned)strlen(put), put);
    if (request.overflow)
        return ERR_URL;
    p->request_n = request.n;
    http_init(&p->http, body, false);
    enum err e = transport->open(addr, PLAIN_PORT, &p->id);
    p->open = e == OK;
    return e;
}

static enum plain_step plain_receive(struct plain *p)
{
    for (unsigned i = 0; i < PLAIN_READS; i++) {
        uint8_t chunk[PLAIN_CHUNK];
        bool eof = false;
        size_t used = 0;
        size_t n = p->transport->read(p->id, chunk, sizeof(chunk), &eof);
        enum err e = n ? http_feed(&p->http, span_of(chunk, n), &used) : OK;
        if (e != OK)
            return plain_fail(
                p, e, e == ERR_HTTP_SIZE ? "the answer is too large" : "the answer is not well-formed");
        if (p->http.done)
            return PLAIN_DONE;
        if (eof)
            return plain_fail(p, ERR_CLOSED, "the BMC closed the connection before the answer was complete");
        if (n == 0)
            break;
    }
    return PLAIN_WAIT;
}

enum plain_step plain_step(struct plain *p)
{
    bool pending = false;
    if (!p->open)
        return PLAIN_FAILED;
    if (!p->connected) {
        enum err e = p->transport->ready(p->id, &pending);
        if (pending)
            return PLAIN_WAIT;
        if (e != OK)
            return plain_fail(p, e, "no BMC answers");
        p->connected = true;
    }
    if (p->request_sent < p->request_n)
        p->request_sent +=
            p->transport->write(p->id, span_of(p->request + p->request_sent, p->request_n - p->request_sent));
    return plain_receive(p);
}

void plain_stop(struct plain *p)
{
    if (p->open)
        p->transport->close(p->id);
    p->open = false;
}
