/*
 * tcp.c - transport_lwip: byte streams over lwIP's raw TCP in static slots (conn.h).
 *
 * lwIP's callbacks only latch into the slot: connected, ended, failed, and the received pbuf chain, which is held until it is read; only then is
 * the window opened again, so an unread body never takes more than one window of memory.
 */
#include "net/conn.h"
#include "net/port.h"

#include "lwip/tcp.h"

enum { TCP_SLOTS = 4, TCP_BIND_TRIES = 8 };

struct tcp_slot {
    bool used;
    bool connected;
    bool eof;
    enum err error;
    struct tcp_pcb *pcb; /* NULL after lwIP has freed it */
    struct pbuf *rx;
    size_t rx_off; /* how much of the first pbuf was read */
};

static struct tcp_slot slots[TCP_SLOTS];

static struct tcp_slot *tcp_slot(int id)
{
    return id >= 0 && id < TCP_SLOTS && slots[id].used ? &slots[id] : NULL;
}

static err_t tcp_on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct tcp_slot *s = arg;
    (void)pcb;
    s->connected = err == ERR_OK;
    return ERR_OK;
}

static err_t tcp_on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct tcp_slot *s = arg;
    (void)pcb;
    (void)err;
    if (p == NULL)
        s->eof = true;
    else if (s->rx == NULL)
        s->rx = p;
    else
        pbuf_cat(s->rx, p);
    return ERR_OK;
}

/* lwIP has freed the pcb already. */
static void tcp_on_error(void *arg, err_t err)
{
    struct tcp_slot *s = arg;
    s->pcb = NULL;
    (void)err;
    s->error = s->connected ? ERR_CLOSED : ERR_CONNECT;
}

/* Ends the stream. An established one is closed in order, which lwIP finishes by itself; any other is reset. */
static void tcp_release(struct tcp_slot *s)
{
    bool orderly = s->connected && s->rx == NULL;
    if (s->rx != NULL)
        pbuf_free(s->rx);
    if (s->pcb != NULL) {
        struct tcp_pcb *pcb = s->pcb;
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
        if (!orderly || tcp_close(pcb) != ERR_OK)
            tcp_abort(pcb);
    }
    *s = (struct tcp_slot){.used = false};
}

static enum err tcp_begin(struct tcp_slot *s, const struct ip *addr, uint16_t port)
{
    ip_addr_t to;
    bool v6 = addr->family == FAMILY_V6;
    err_t e = ERR_USE;
    port_to_lwip(addr, &to);
    s->pcb = tcp_new_ip_type(v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    if (s->pcb == NULL)
        return ERR_NOMEM;
    tcp_arg(s->pcb, s);
    tcp_recv(s->pcb, tcp_on_recv);
    tcp_err(s->pcb, tcp_on_error);
    tcp_nagle_disable(s->pcb);
    /* Never over a BMC's link to its host, whatever address a name has. */
    tcp_bind_netif(s->pcb, netif_default);
    /* lwIP counts its ports up; a random one must be guessed (RFC 6056 section 3.3.1). */
    for (unsigned i = 0; e == ERR_USE && i < TCP_BIND_TRIES; i++)
        e = tcp_bind(s->pcb, v6 ? IP6_ADDR_ANY : IP4_ADDR_ANY, port_random_port());
    if (e == ERR_OK)
        e = tcp_connect(s->pcb, &to, port, tcp_on_connected);
    return e == ERR_OK ? OK : e == ERR_MEM ? ERR_NOMEM : ERR_CONNECT;
}

static enum err tcp_open(const struct ip *addr, uint16_t port, int *ret_id)
{
    for (int i = 0; i < TCP_SLOTS; i++) {
        if (slots[i].used)
            continue;
        slots[i] = (struct tcp_slot){.used = true};
        enum err e = tcp_begin(&slots[i], addr, port);
        if (e != OK)
            tcp_release(&slots[i]);
        else
            *ret_id = i;
        return e;
    }
    return ERR_NOMEM;
}

static enum err tcp_ready(int id, bool *ret_pending)
{
    const struct tcp_slot *s = tcp_slot(id);
    *ret_pending = false;
    if (s == NULL)
        return ERR_STATE;
    if (s->error != OK)
        return s->error;
    *ret_pending = !s->connected;
    return s->connected ? OK : ERR_STATE;
}

static size_t tcp_write_some(int id, struct span data)
{
    struct tcp_slot *s = tcp_slot(id);
    if (s == NULL || s->pcb == NULL || !s->connected || data.n == 0)
        return 0;
    size_t n = data.n < tcp_sndbuf(s->pcb) ? data.n : tcp_sndbuf(s->pcb);
    if (n == 0 || tcp_write(s->pcb, data.p, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
        return 0;
    (void)tcp_output(s->pcb);
    return n;
}

/* Drops the first n bytes of the chain and opens the window by as much. */
static void tcp_consume(struct tcp_slot *s, size_t n)
{
    s->rx_off += n;
    while (s->rx != NULL && s->rx_off >= s->rx->len) {
        struct pbuf *head = s->rx;
        s->rx_off -= head->len;
        s->rx = head->next;
        if (s->rx != NULL)
            pbuf_ref(s->rx);
        pbuf_free(head);
    }
    if (s->pcb != NULL)
        tcp_recved(s->pcb, (u16_t)n);
}

static size_t tcp_read_some(int id, uint8_t *ret, size_t cap, bool *ret_eof)
{
    struct tcp_slot *s = tcp_slot(id);
    *ret_eof = s == NULL;
    if (s == NULL)
        return 0;
    size_t n = 0;
    if (s->rx != NULL) {
        u16_t want = (u16_t)(cap < TCP_WND ? cap : TCP_WND);
        n = pbuf_copy_partial(s->rx, ret, want, (u16_t)s->rx_off);
        tcp_consume(s, n);
    }
    *ret_eof = s->rx == NULL && (s->eof || s->error != OK);
    return n;
}

static void tcp_end(int id)
{
    struct tcp_slot *s = tcp_slot(id);
    if (s != NULL)
        tcp_release(s);
}

const struct transport transport_lwip = {
    .open = tcp_open,
    .ready = tcp_ready,
    .write = tcp_write_some,
    .read = tcp_read_some,
    .close = tcp_end,
};
