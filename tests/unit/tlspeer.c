/*
 * tlspeer.c - see tlspeer.h.
 */
#include "tests/unit/tlspeer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/testcrypto.h"

void tlspeer_set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    testcrypto_sh("tests/unit/certificates.sh '%s'", testcrypto_dir());
}

struct x509_roots tlspeer_roots(const char *pem)
{
    struct x509_roots r = {0};
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", testcrypto_dir(), pem);
    r.count = testcrypto_pem(testcrypto_file(path), X509_ROOTS_MAX, r.ders);
    return r;
}

struct x509_demand tlspeer_demand(const char *host)
{
    struct x509_demand d = {.now_s = time(NULL), .quality = TIME_TRUSTED};

    if (ip_parse(span_str(host), &d.ip) != OK)
        snprintf(d.host, sizeof(d.host), "%s", host);
    return d;
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int s = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&a, &n), 0);
    close(s);
    return ntohs(a.sin_port);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};

    for (unsigned i = 0; i < 1000; i++) {
        int sock = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(sock, (struct sockaddr *)&a, sizeof(a)) == 0) {
            fcntl(sock, F_SETFL, O_NONBLOCK);
            return sock;
        }
        close(sock);
        usleep(10000);
    }
    fail_msg("the server does not listen");
    return -1;
}

struct tlspeer tlspeer_start(const char *name, const char *options)
{
    char command[1024];
    uint16_t port = free_port();
    struct tlspeer p;

    snprintf(
        command, sizeof(command),
        "cd '%s' && exec openssl s_server -accept 127.0.0.1:%u -cert %s.pem -key %s.key -www -quiet %s >server.log 2>&1",
        testcrypto_dir(), port, name, name, options);
    p.pid = fork();
    if (p.pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    p.sock = connect_to(port);
    return p;
}

void tlspeer_stop(const struct tlspeer *p)
{
    close(p->sock);
    kill(p->pid, SIGTERM);
    waitpid(p->pid, NULL, 0);
}

/* Moves what there is, in pieces of at most `piece` bytes. */
void tlspeer_pump(struct tls *t, const struct tlspeer *p, size_t piece)
{
    struct span out = tls_send_peek(t);
    uint8_t in[4096];
    ssize_t n;

    if (out.n > 0) {
        n = write(p->sock, out.p, out.n < piece ? out.n : piece);
        if (n > 0)
            tls_send_done(t, (size_t)n);
    }
    n = recv(p->sock, in, piece < sizeof(in) ? piece : sizeof(in), MSG_PEEK);
    if (n == 0)
        tls_recv_eof(t);
    if (n > 0) {
        n = (ssize_t)tls_recv(t, span_of(in, (size_t)n));
        assert_int_equal(read(p->sock, in, (size_t)n), n);
    }
    if (n < 0 && out.n == 0)
        poll(&(struct pollfd){.fd = p->sock, .events = POLLIN}, 1, 20);
}

void tlspeer_handshake(struct tls *t, const struct tlspeer *p, size_t piece)
{
    for (unsigned i = 0; i < 20000 && tls_step(t) == TLS_HANDSHAKE; i++)
        tlspeer_pump(t, p, piece);
}
