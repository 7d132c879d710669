/*
 * loopback.c - see loopback.h.
 */
#include "tests/unit/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct ip loopback_addr(const char *text)
{
    struct ip a;

    assert_int_equal(ip_parse(span_str(text), &a), OK);
    return a;
}

int loopback_socket(bool v6, int type, uint16_t *port)
{
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(*port)};
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(*port)};
    struct sockaddr *at = v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t n = v6 ? sizeof(six) : sizeof(four);
    int on = 1;
    int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(fd, at, n), 0);
    assert_int_equal(getsockname(fd, at, &n), 0);
    *port = ntohs(v6 ? six.sin6_port : four.sin_port);
    return fd;
}

int loopback_listener(bool v6, uint16_t *port)
{
    int fd = loopback_socket(v6, SOCK_STREAM, port);

    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

bool loopback_doze(int ms)
{
    struct pollfd list[KSOCK_MAX];
    unsigned n = ksock_poll(list);
    int got = poll(list, n, ms);

    ksock_woken(list, n);
    return got > 0;
}
