/*
 * probe.c - see probe.h.
 */
#include "boards/linux/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

void probe_init(struct probe *p)
{
    p->fd = -1;
}

short probe_events(const struct probe *p)
{
    return p->sent ? POLLIN : POLLOUT;
}

static enum host_answer done(struct probe *p, enum host_answer a)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    return a;
}

/* Connected or on the way; -1: neither. */
static int connect_to(const struct ip *addr, uint16_t port)
{
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is6 = addr->family == FAMILY_V6;
    int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), bad;

    if (fd < 0)
        return -1;
    if (addr->family == FAMILY_V4)
        memcpy(&four.sin_addr, addr->b, 4);
    memcpy(&six.sin6_addr, addr->b, 16);
    bad = is6 ? connect(fd, (struct sockaddr *)&six, sizeof(six))
              : connect(fd, (struct sockaddr *)&four, sizeof(four));
    if (bad == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

static bool start(struct probe *p, const struct ip *addr, uint16_t port, const char *path, uint64_t now_ms)
{
    struct buf b = BUF_OF(p->request);
    char text[IP_TEXT_MAX];
    bool is6 = addr->family == FAMILY_V6;

    buf_fmt(&b, "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\n\r\n", path, is6 ? "[" : "",
            addr->family ? ip_text(addr, text) : "127.0.0.1", is6 ? "]" : "", (unsigned)port);
    p->n = b.n;
    p->addr = *addr;
    p->port = port;
    p->sent = false;
    p->start_ms = now_ms;
    p->fd = b.overflow ? -1 : connect_to(addr, port);
    return p->fd >= 0;
}

enum host_answer probe_http(struct probe *p, const struct ip *addr, uint16_t port, const char *path,
                            uint64_t now_ms)
{
    ssize_t got;

    if (p->fd >= 0 && (p->port != port || !ip_eq(&p->addr, addr)))
        (void)done(p, HOST_NO);
    if (p->fd < 0 && !start(p, addr, port, path, now_ms))
        return done(p, HOST_NO);
    if (!p->sent) {
        /* A connection that is still being made answers EAGAIN, one that was refused its error. */
        got = send(p->fd, p->request, p->n, MSG_NOSIGNAL);
        if (got == (ssize_t)p->n) {
            p->sent = true;
            p->n = 0;
        } else if (got >= 0 || errno != EAGAIN) {
            return done(p, HOST_NO);
        }
    }
    while (p->sent && p->n < sizeof(p->answer)) {
        got = recv(p->fd, p->answer + p->n, sizeof(p->answer) - p->n, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return done(p, HOST_NO);
        if (got < 0)
            break;
        p->n += (size_t)got;
    }
    if (p->sent && p->n == sizeof(p->answer)) {
        struct span s = span_of(p->answer, p->n);
        bool good = span_starts(s, "HTTP/1.") && span_starts(span_sub(s, 8, 5), " 200 ");
        return done(p, good ? HOST_YES : HOST_NO);
    }
    return now_ms - p->start_ms >= PROBE_TIMEOUT_MS ? done(p, HOST_NO) : HOST_BUSY;
}

enum host_answer probe_unix(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd;
    bool good, full;

    if (span_to_cstr(span_str(path), to.sun_path, sizeof(to.sun_path)))
        return HOST_NO;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return HOST_NO;
    good = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    full = !good && errno == EAGAIN;
    close(fd);
    return good ? HOST_YES : full ? HOST_BUSY : HOST_NO;
}

enum host_answer probe_port_free(uint16_t port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;
    bool is6 = fd >= 0;
    int bound;

    if (!is6)
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return HOST_NO;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (is6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    bound = is6 ? bind(fd, (struct sockaddr *)&six, sizeof(six))
                : bind(fd, (struct sockaddr *)&four, sizeof(four));
    if (bound == 0)
        bound = listen(fd, 1);
    close(fd);
    return bound == 0 ? HOST_YES : HOST_NO;
}

bool probe_swap_on(void)
{
    char raw[1024];
    size_t n;
    struct span s;
    enum err e = sysfile_read("/proc/swaps", raw, sizeof(raw), &n);

    if (e)
        return e == ERR_LIMIT; /* more entries than fit are entries */
    s = span_of(raw, n);
    (void)span_cut(&s, '\n');
    return span_trim(s).n > 0;
}

bool probe_resolved_active(void)
{
    return sysfile_exists("/run/systemd/resolve/resolv.conf");
}
