/*
 * ksock.c - see ksock.h. Sockets in static slots, since a transport has no context; the slot's number is its id.
 */
#include "boards/linux/ksock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

struct ksock_slot {
    bool used;
    int fd;
    bool connecting;
    bool failed;   /* the kernel told an error; there is no more to read */
    bool dry;      /* there was nothing more to read: wake when there is */
    bool blocked;  /* a write was short: wake when there is room */
    bool progress; /* it was read since ksock_progress() */
};

static struct ksock_slot slots[KSOCK_MAX];
static unsigned link_index;

void ksock_link(unsigned index)
{
    link_index = index;
}

static struct ksock_slot *slot_of(int id)
{
    return id >= 0 && id < KSOCK_MAX && slots[id].used ? &slots[id] : NULL;
}

static int connect_to(int fd, const struct ip *addr, uint16_t port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (addr->family == FAMILY_V4) {
        memcpy(&four.sin_addr, addr->b, 4);
        return connect(fd, (struct sockaddr *)&four, sizeof(four));
    }
    memcpy(&six.sin6_addr, addr->b, 16);
    six.sin6_scope_id = ip_is_link_local(addr) ? link_index : 0;
    return connect(fd, (struct sockaddr *)&six, sizeof(six));
}

static enum err open_slot(int type, const struct ip *addr, uint16_t port, int *ret_id)
{
    int id = 0, on = 1;
    struct ksock_slot s = {.used = true};

    while (id < KSOCK_MAX && slots[id].used)
        id++;
    if (id == KSOCK_MAX)
        return ERR_NOMEM;
    s.fd = socket(addr->family == FAMILY_V4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s.fd < 0)
        return errno == EAFNOSUPPORT ? ERR_CONNECT : ERR_NOMEM;
    if (type == SOCK_STREAM)
        (void)setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s.dry = type == SOCK_DGRAM;
    s.connecting = connect_to(s.fd, addr, port) != 0;
    if (s.connecting && errno != EINPROGRESS) {
        close(s.fd);
        return ERR_CONNECT;
    }
    slots[id] = s;
    *ret_id = id;
    return OK;
}

static void close_slot(int id)
{
    struct ksock_slot *s = slot_of(id);

    if (!s)
        return;
    close(s->fd);
    *s = (struct ksock_slot){.used = false};
}

static enum err stream_open(const struct ip *addr, uint16_t port, int *ret_id)
{
    return open_slot(SOCK_STREAM, addr, port, ret_id);
}

static enum err stream_ready(int id, bool *ret_pending)
{
    struct ksock_slot *s = slot_of(id);
    struct pollfd p = {.fd = s ? s->fd : -1, .events = POLLOUT};
    int error = 0;
    socklen_t n = sizeof(error);

    *ret_pending = false;
    if (!s || s->failed)
        return s ? ERR_CONNECT : ERR_STATE;
    if (!s->connecting)
        return OK;
    if (poll(&p, 1, 0) == 0) {
        *ret_pending = true;
        return ERR_STATE;
    }
    s->connecting = false;
    s->failed = getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0;
    return s->failed ? ERR_CONNECT : OK;
}

static size_t stream_write(int id, struct span data)
{
    struct ksock_slot *s = slot_of(id);
    ssize_t put;

    if (!s || s->connecting || s->failed || data.n == 0)
        return 0;
    put = send(s->fd, data.p, data.n, MSG_NOSIGNAL);
    s->blocked = put < (ssize_t)data.n;
    /* An error is kept by the kernel for the reader too, who tells it. */
    return put > 0 ? (size_t)put : 0;
}

static size_t stream_read(int id, uint8_t *ret, size_t cap, bool *ret_eof)
{
    struct ksock_slot *s = slot_of(id);
    ssize_t got;

    *ret_eof = !s || s->failed;
    if (*ret_eof || s->connecting || cap == 0)
        return 0;
    got = recv(s->fd, ret, cap, 0);
    s->dry = got < 0 && (errno == EAGAIN || errno == EINTR);
    s->failed = got <= 0 && !s->dry;
    s->progress = s->progress || got > 0;
    *ret_eof = s->failed;
    return got > 0 ? (size_t)got : 0;
}

const struct transport ksock_streams = {
    .open = stream_open,
    .ready = stream_ready,
    .write = stream_write,
    .read = stream_read,
    .close = close_slot,
};

static enum err datagram_open(const struct ip *server, uint16_t port, int *ret_id)
{
    return open_slot(SOCK_DGRAM, server, port, ret_id);
}

static enum err datagram_send(int id, struct span data)
{
    const struct ksock_slot *s = slot_of(id);

    if (!s)
        return ERR_STATE;
    return send(s->fd, data.p, data.n, MSG_NOSIGNAL) == (ssize_t)data.n ? OK : ERR_IO;
}

static size_t datagram_recv(int id, uint8_t *ret, size_t cap)
{
    struct ksock_slot *s = slot_of(id);
    ssize_t got = 0;

    /* An empty datagram, and the ICMP error of an earlier one, are skipped; each is taken off the queue by being read. */
    for (unsigned i = 0; s && i < 4; i++) {
        got = recv(s->fd, ret, cap, 0);
        if (got > 0 || (got < 0 && errno == EAGAIN))
            break;
    }
    if (s) {
        s->dry = got < 0;
        s->progress = s->progress || got > 0;
    }
    return got > 0 ? (size_t)got : 0;
}

const struct datagrams ksock_datagrams = {
    .open = datagram_open,
    .send = datagram_send,
    .recv = datagram_recv,
    .close = close_slot,
};

unsigned ksock_poll(struct pollfd ret[static KSOCK_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < KSOCK_MAX; i++) {
        const struct ksock_slot *s = &slots[i];
        bool out = s->connecting || s->blocked;
        short events = (short)((out ? POLLOUT : 0) | (s->dry ? POLLIN : 0));
        if (s->used && !s->failed && events)
            ret[n++] = (struct pollfd){.fd = s->fd, .events = events};
    }
    return n;
}

static void woken(int fd, short revents)
{
    for (unsigned i = 0; i < KSOCK_MAX; i++) {
        struct ksock_slot *s = &slots[i];
        if (!s->used || s->fd != fd)
            continue;
        s->dry = s->dry && !(revents & (POLLIN | POLLHUP | POLLERR));
        s->blocked = s->blocked && !(revents & (POLLOUT | POLLHUP | POLLERR));
    }
}

void ksock_woken(const struct pollfd *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        woken(list[i].fd, list[i].revents);
}

bool ksock_progress(void)
{
    bool more = false;

    for (unsigned i = 0; i < KSOCK_MAX; i++) {
        more = more || (slots[i].used && slots[i].progress && !slots[i].dry && !slots[i].failed);
        slots[i].progress = false;
    }
    return more;
}
