/*
 * hostnet_http.c - see hostnet_http.h. lwIP's callbacks only latch: what was read of the request, what the host has acknowledged, the end.
 *
 * A bundle is sent from two pieces of it in the connection's memory that take turns: a piece is read when the one before the last has been acknowledged,
 * so lwIP can send any byte again that it was given. A connection stays until the host has acknowledged all, and hostnet_serve ends those that still
 * send.
 */
#include "net/hostnet_http.h"

#include "firmware/base/text.h"
#include "net/hostlink.h"
#include "net/httpreq.h"
#include "net/port.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

enum { HOSTNET_HEAD_MAX = 256, SMALLEST_MSS = 500, SMALLEST_WINDOW = 1000 };

struct hostnet_conn {
    struct tcp_pcb *pcb; /* NULL: free, or lwIP has freed it */
    uint64_t end_ms;
    unsigned status; /* of httpreq_feed; 0: the request is not whole */
    bool answered;   /* head and body are filled in */
    bool is_bundle;
    size_t sent, acked; /* bytes of head and body */
    size_t head_n;
    size_t body_n, read; /* bytes of the body, and how many of them were brought into `pieces` */
    struct httpreq request;
    uint8_t head[HOSTNET_HEAD_MAX];
    uint8_t pieces[2][HOSTNET_PIECE];
};

static struct {
    struct hostnet_conn conns[HOSTNET_CONNS];
    struct hostnet_content content;
    bool joined;
    u8_t netif_index;
} http;

static err_t http_on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct hostnet_conn *c = arg;

    (void)err;
    if (p == NULL) {
        /* The host has nothing more to say: without a whole request there is nothing to answer. */
        if (c->status == 0)
            c->end_ms = 0;
        return ERR_OK;
    }
    for (const struct pbuf *q = p; q != NULL && c->status == 0; q = q->next)
        c->status = httpreq_feed(&c->request, span_of(q->payload, q->len));
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t http_on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
    struct hostnet_conn *c = arg;

    (void)pcb;
    c->acked += n;
    return ERR_OK;
}

/* lwIP has freed the pcb already. */
static void http_on_error(void *arg, err_t err)
{
    struct hostnet_conn *c = arg;

    (void)err;
    c->pcb = NULL;
}

static void http_detach(struct hostnet_conn *c)
{
    tcp_arg(c->pcb, NULL);
    tcp_recv(c->pcb, NULL);
    tcp_sent(c->pcb, NULL);
    tcp_err(c->pcb, NULL);
    c->pcb = NULL;
}

static void http_abort(struct hostnet_conn *c)
{
    struct tcp_pcb *pcb = c->pcb;

    http_detach(c);
    tcp_abort(pcb);
}

static err_t http_on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    /* So small segments that an answer would take all of lwIP's, which the management network needs, too. */
    bool greedy = pcb != NULL && (tcp_mss(pcb) < SMALLEST_MSS || pcb->snd_wnd_max < SMALLEST_WINDOW);
    for (unsigned i = 0; pcb != NULL && !greedy && err == ERR_OK && i < HOSTNET_CONNS; i++) {
        struct hostnet_conn *c = &http.conns[i];

        if (c->pcb != NULL)
            continue;
        *c = (struct hostnet_conn){.pcb = pcb, .end_ms = port_now_ms() + HOSTNET_CONN_MS};
        httpreq_init(&c->request);
        tcp_arg(pcb, c);
        tcp_recv(pcb, http_on_recv);
        tcp_sent(pcb, http_on_sent);
        tcp_err(pcb, http_on_error);
        tcp_nagle_disable(pcb);
        return ERR_OK;
    }
    if (pcb != NULL)
        tcp_abort(pcb);
    return ERR_ABRT;
}

enum err hostnet_http_listen(struct netif *netif)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    if (pcb == NULL)
        return ERR_NOMEM;
    /* When lwIP has no connection left, it gives up one of these and none of the management network's. */
    tcp_setprio(pcb, TCP_PRIO_MIN);
    tcp_bind_netif(pcb, netif);
    err_t e = tcp_bind(pcb, IP_ANY_TYPE, HOSTLINK_PORT);
    struct tcp_pcb *listener = e == ERR_OK ? tcp_listen(pcb) : NULL;
    if (listener == NULL) {
        tcp_abort(pcb);
        return ERR_NOMEM;
    }
    tcp_accept(listener, http_on_accept);
    http.netif_index = netif_get_index(netif);
    return OK;
}

/* The oldest connection that waits for a word of the host that may never come: half open, or served. NULL: none. */
static struct tcp_pcb *http_waiting(uint16_t port, unsigned *ret_n, bool *ret_known)
{
    struct tcp_pcb *waiting = NULL;

    *ret_n = 0;
    *ret_known = false;
    for (struct tcp_pcb *p = tcp_active_pcbs; p != NULL; p = p->next) {
        if (p->netif_idx != http.netif_index || p->local_port != HOSTLINK_PORT)
            continue;
        ++*ret_n;
        *ret_known = *ret_known || p->remote_port == port;
        if (p->callback_arg == NULL)
            waiting = p;
    }
    return waiting;
}

bool hostnet_http_has_room(uint16_t port)
{
    unsigned n;
    bool known;
    struct tcp_pcb *waiting = http_waiting(port, &n, &known);

    if (known)
        return true;
    if (n >= HOSTNET_CONNS && waiting != NULL) {
        tcp_abort(waiting);
        n--;
    }
    return n < HOSTNET_CONNS;
}

/* The host's word that it has joined: the digest of the bundle that it joined with, in hexadecimal. Anything else changes nothing. */
static unsigned http_joined(const struct httpreq *r)
{
    uint8_t digest[HASH_SIZE];

    if (text_hex(span_of(r->body, r->body_n), digest, sizeof(digest)) != OK)
        return 400;
    if (http.content.bundle_n == 0 || memcmp(digest, http.content.digest, HASH_SIZE) != 0)
        return 409;
    http.joined = true;
    return 204;
}

/* The status, and the body's size and type if it is 200. */
static unsigned http_route(struct hostnet_conn *c, size_t *ret_n, const char **ret_type)
{
    const struct httpreq *r = &c->request;
    const struct hostnet_content *content = &http.content;
    bool reads = r->method != HTTPREQ_PUT;

    if (strcmp(r->path, "/joined") == 0)
        return reads ? 405 : http_joined(r);
    if (strcmp(r->path, "/bundle") != 0 && strcmp(r->path, "/status") != 0)
        return 404;
    if (!reads)
        return 405;
    if (strcmp(r->path, "/status") == 0) {
        *ret_n = content->status.n;
        *ret_type = "application/json";
        return 200;
    }
    if (content->bundle_n == 0)
        return 503;
    if (content->closed)
        return 410;
    *ret_n = content->bundle_n;
    *ret_type = "application/jose";
    c->is_bundle = true;
    return 200;
}

static void http_answer(struct hostnet_conn *c)
{
    const char *type = NULL;
    struct buf head = BUF_OF(c->head);
    size_t n = 0;
    unsigned status = c->status == 200 ? http_route(c, &n, &type) : c->status;
    bool put = strcmp(c->request.path, "/joined") == 0;

    httpreq_answer_put(&head, status, type, n, status != 405 ? NULL : put ? "PUT" : "GET, HEAD");
    c->head_n = head.n;
    c->body_n = c->request.method == HTTPREQ_HEAD ? 0 : n;
    c->answered = true;
}

/* Brings the next piece of the body in, once nothing of what is in its place can be sent again. ERR_BUSY: not yet. */
static enum err http_read(struct hostnet_conn *c)
{
    size_t left = c->body_n - c->read, n = left < HOSTNET_PIECE ? left : HOSTNET_PIECE;
    uint8_t *piece = c->pieces[c->read / HOSTNET_PIECE % 2];
    size_t acked = c->acked > c->head_n ? c->acked - c->head_n : 0;
    enum err e = OK;

    if (c->read >= 2 * HOSTNET_PIECE && acked < c->read - HOSTNET_PIECE)
        return ERR_BUSY;
    if (c->is_bundle)
        e = http.content.read(http.content.ctx, c->read, piece, n);
    else
        memcpy(piece, http.content.status.p + c->read, n);
    c->read += e == OK ? n : 0;
    return e;
}

/* What is there to be sent next, of head and then of body. */
static struct span http_next(const struct hostnet_conn *c)
{
    if (c->sent < c->head_n)
        return span_of(c->head + c->sent, c->head_n - c->sent);
    size_t at = c->sent - c->head_n, in = at % HOSTNET_PIECE, n = HOSTNET_PIECE - in;
    return span_of(c->pieces[at / HOSTNET_PIECE % 2] + in, n < c->read - at ? n : c->read - at);
}

/* Gives lwIP what it takes now. ERR_BUSY: there is more, but not yet. */
static enum err http_send(struct hostnet_conn *c)
{
    enum err e = OK;

    while (e == OK && c->sent < c->head_n + c->body_n) {
        struct span next = http_next(c);
        size_t n = next.n < tcp_sndbuf(c->pcb) ? next.n : tcp_sndbuf(c->pcb);

        if (next.n == 0) {
            e = http_read(c);
            continue;
        }
        if (n == 0 ||
            tcp_write(c->pcb, next.p, (u16_t)n, c->sent < c->head_n ? TCP_WRITE_FLAG_COPY : 0) != ERR_OK)
            break;
        c->sent += n;
    }
    (void)tcp_output(c->pcb);
    return e == ERR_BUSY ? OK : e;
}

/* True if a bundle has gone out whole. */
static bool http_step(struct hostnet_conn *c, uint64_t now_ms)
{
    if (now_ms >= c->end_ms) {
        http_abort(c);
        return false;
    }
    if (c->status == 0)
        return false;
    if (!c->answered)
        http_answer(c);
    if (http_send(c) != OK) {
        http_abort(c);
        return false;
    }
    if (c->acked < c->head_n + c->body_n)
        return false;
    struct tcp_pcb *pcb = c->pcb;
    bool whole = c->is_bundle && c->body_n > 0;
    http_detach(c);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    return whole;
}

unsigned hostnet_http_turn(uint64_t now_ms)
{
    unsigned whole = 0;

    for (unsigned i = 0; i < HOSTNET_CONNS; i++) {
        if (http.conns[i].pcb != NULL)
            whole += http_step(&http.conns[i], now_ms);
    }
    return whole;
}

void hostnet_http_end(void)
{
    struct tcp_pcb *waiting;
    unsigned n;
    bool known;

    while ((waiting = http_waiting(0, &n, &known)) != NULL)
        tcp_abort(waiting);
    for (unsigned i = 0; i < HOSTNET_CONNS; i++) {
        if (http.conns[i].pcb != NULL)
            http_abort(&http.conns[i]);
    }
}

void hostnet_serve(const struct hostnet_content *content)
{
    for (unsigned i = 0; i < HOSTNET_CONNS; i++) {
        struct hostnet_conn *c = &http.conns[i];

        if (c->pcb != NULL && c->answered && c->body_n > 0)
            http_abort(c);
    }
    http.content = *content;
    http.joined = false;
}

bool hostnet_take_joined(void)
{
    bool joined = http.joined;

    http.joined = false;
    return joined;
}
