/*
 * bridge.c - see bridge.h. RFC 9293 without all that a link without loss does not need: retransmission, reordering, congestion, options but MSS.
 */
#include "tests/scenario/bridge.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/frames.h"

enum {
    ETH = 14,
    FIN = 1,
    SYN = 2,
    RST = 4,
    PSH = 8,
    ACK = 16,
    MSS = 1200,
    WINDOW = 32768,
    OWED_MS = 3000,
    IDLE_MS = 2
};

struct bridge_conn {
    bool used;
    uint8_t node_mac[6];
    struct ip node, server;
    unsigned node_port, server_port;
    uint32_t next_in;         /* the sequence number that is expected from the node */
    uint32_t next_out, acked; /* ours */
    unsigned window;          /* what the node takes behind `acked` */
    int sock;
    bool owed;              /* the server has not answered what it was told last */
    bool ended, node_ended; /* our FIN is sent; the node's has come */
};

static struct bridge_conn conns[BRIDGE_CONNS_MAX];
static struct {
    uint16_t port, real;
} ports[BRIDGE_PORTS_MAX];
static unsigned port_count, opened;
static void (*send_frame)(struct span frame);
static uint8_t own_mac[6];

static void forget(struct bridge_conn *c)
{
    if (c->used && c->sock >= 0)
        close(c->sock);
    c->used = false;
}

void bridge_drop(void)
{
    for (unsigned i = 0; i < BRIDGE_CONNS_MAX; i++)
        forget(&conns[i]);
}

void bridge_reset(void (*send)(struct span frame), const uint8_t *mac)
{
    bridge_drop();
    port_count = opened = 0;
    send_frame = send;
    memcpy(own_mac, mac, sizeof(own_mac));
}

void bridge_port(uint16_t port, uint16_t real)
{
    unsigned i = 0;

    while (i < port_count && ports[i].port != port)
        i++;
    if (i == BRIDGE_PORTS_MAX)
        __builtin_trap();
    if (i == port_count)
        port_count++;
    ports[i].port = port;
    ports[i].real = real;
}

unsigned bridge_opened(void)
{
    return opened;
}

static void put(const struct bridge_conn *c, unsigned flags, struct span data)
{
    uint8_t frame[BOARD_FRAME_MAX], segment[MSS + 24];
    struct buf f = BUF_OF(frame), s = BUF_OF(segment);
    bool syn = (flags & SYN) != 0;

    frames_u16(&s, c->server_port);
    frames_u16(&s, c->node_port);
    frames_u32(&s, c->next_out);
    frames_u32(&s, c->next_in);
    frames_u16(&s, (syn ? 6u : 5u) << 12 | flags);
    frames_u16(&s, WINDOW);
    frames_u32(&s, 0);
    if (syn)
        frames_u32(&s, 2u << 24 | 4u << 16 | MSS);
    buf_put(&s, data);
    frames_tcp(&f, own_mac, c->node_mac, &c->server, &c->node, buf_span(&s));
    send_frame(buf_span(&f));
}

/* A socket to the server behind the port; -1: refused. */
static int reach(uint16_t real)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(real)};
    int sock = real ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    if (sock >= 0 && connect(sock, (struct sockaddr *)&a, sizeof(a)) != 0) {
        close(sock);
        return -1;
    }
    if (sock >= 0)
        fcntl(sock, F_SETFL, O_NONBLOCK);
    return sock;
}

static void on_syn(struct bridge_conn *from)
{
    struct bridge_conn *c = conns;
    unsigned i = 0;

    while (i < port_count && ports[i].port != from->server_port)
        i++;
    while (c < conns + BRIDGE_CONNS_MAX && c->used)
        c++;
    if (i == port_count || c == conns + BRIDGE_CONNS_MAX)
        return;
    from->next_in++;
    from->sock = reach(ports[i].real);
    from->next_out = 1000;
    if (from->sock < 0) {
        put(from, RST | ACK, span_of(NULL, 0));
        return;
    }
    opened++;
    *c = *from;
    c->used = true;
    put(c, SYN | ACK, span_of(NULL, 0));
    c->acked = ++c->next_out;
}

static void on_data(struct bridge_conn *c, unsigned flags, struct span data)
{
    for (size_t done = 0; done < data.n;) {
        ssize_t n = send(c->sock, data.p + done, data.n - done, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    c->next_in += (uint32_t)data.n + ((flags & FIN) != 0);
    c->owed = c->owed || data.n > 0;
    if (flags & FIN) {
        c->node_ended = true;
        shutdown(c->sock, SHUT_WR);
    }
    if (data.n || (flags & FIN))
        put(c, ACK, span_of(NULL, 0));
    if (c->ended && c->node_ended)
        forget(c);
}

static uint32_t get32(struct span s, size_t off)
{
    return (uint32_t)frames_get16(s, off) << 16 | frames_get16(s, off + 2);
}

/* Who speaks to whom; false if it is not TCP. */
static bool read_headers(struct span f, struct bridge_conn *ret, struct span *ret_segment)
{
    unsigned type = frames_get16(f, 12);
    bool six = type == 0x86dd;
    size_t at = six ? 8 : 12, size = six ? 16 : 4, head = six ? 40 : 20;

    if ((!six && type != 0x0800) || f.p[ETH + (six ? 6 : 9)] != 6)
        return false;
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->node_mac, f.p + 6, 6);
    ret->node.family = ret->server.family = six ? FAMILY_V6 : FAMILY_V4;
    memcpy(ret->node.b, f.p + ETH + at, size);
    memcpy(ret->server.b, f.p + ETH + at + size, size);
    *ret_segment = span_sub(f, ETH + head, six ? frames_get16(f, ETH + 4) : frames_get16(f, ETH + 2) - 20u);
    ret->node_port = frames_get16(*ret_segment, 0);
    ret->server_port = frames_get16(*ret_segment, 2);
    ret->next_in = get32(*ret_segment, 4);
    return true;
}

void bridge_frame(struct span frame)
{
    struct bridge_conn from, *c = conns;
    struct span segment;
    unsigned flags;

    if (!read_headers(frame, &from, &segment))
        return;
    flags = segment.p[13];
    while (c < conns + BRIDGE_CONNS_MAX &&
           !(c->used && c->node_port == from.node_port && c->server_port == from.server_port &&
             ip_eq(&c->server, &from.server)))
        c++;
    if (c == conns + BRIDGE_CONNS_MAX) {
        if ((flags & (SYN | ACK)) == SYN)
            on_syn(&from);
        return;
    }
    if (flags & RST) {
        forget(c);
        return;
    }
    c->acked = get32(segment, 8);
    c->window = frames_get16(segment, 14);
    if (from.next_in == c->next_in)
        on_data(c, flags, span_sub(segment, (size_t)(segment.p[12] >> 4) * 4, segment.n));
}

static size_t room_of(const struct bridge_conn *c)
{
    return c->window - (c->next_out - c->acked);
}

/* What there is from one server. True if something was sent. */
static bool relay(struct bridge_conn *c)
{
    uint8_t data[MSS];
    size_t room = room_of(c);
    bool sent = false;
    ssize_t n;

    while (!c->ended && room > 0) {
        n = recv(c->sock, data, room < MSS ? room : MSS, 0);
        if (n < 0)
            break;
        put(c, n > 0 ? PSH | ACK : FIN | ACK, span_of(data, (size_t)n));
        c->next_out += n > 0 ? (uint32_t)n : 1;
        c->ended = n == 0;
        c->owed = false;
        room -= (size_t)n;
        sent = true;
    }
    if (c->ended && c->node_ended)
        forget(c);
    return sent;
}

bool bridge_pump(void *unused)
{
    struct pollfd p[BRIDGE_CONNS_MAX];
    unsigned n = 0;
    bool sent = false, owed = false;

    (void)unused;
    for (struct bridge_conn *c = conns; c < conns + BRIDGE_CONNS_MAX; c++) {
        if (!c->used || c->ended)
            continue;
        sent = relay(c) || sent;
        owed = owed || c->owed;
        if (c->used && room_of(c) > 0 && !c->ended)
            p[n++] = (struct pollfd){.fd = c->sock, .events = POLLIN};
    }
    if (sent || n == 0)
        return sent;
    if (poll(p, n, owed ? OWED_MS : IDLE_MS) > 0)
        return true;
    for (unsigned i = 0; i < BRIDGE_CONNS_MAX; i++)
        conns[i].owed = false; /* this server says nothing */
    return false;
}
