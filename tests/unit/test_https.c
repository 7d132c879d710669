/*
 * test_https.c - the whole fetch: names resolved over lwIP on a scripted link (netpeer.h), TLS and HTTP with real servers (openssl s_server) behind
 * a transport that leads each address to one of them, refuses it, or never answers.
 */
#include "tests/unit/testcrypto.h"
#include "tests/unit/tlspeer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/https.h"
#include "tests/unit/frames.h"
#include "tests/unit/netpeer.h"

enum { BODY_CAP = 70000, BIG = 65000, TURNS = 60000 };

/* What stands behind an address. */
enum behind { REFUSES, SILENT, HONEST, ROGUE, GARBAGE };

static struct {
    enum behind v4, v6;
    uint16_t ports[5]; /* of the servers, by enum behind */
    pid_t pids[2];
    int garbage;
    unsigned opened;
} world;

static struct x509_roots roots;
static uint8_t body[BODY_CAP];
static struct buf got;
static struct https h;
static struct conn conns[RACE_PARALLEL];

static int listener(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 8) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static int connect_to(uint16_t port, bool block)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad = connect(fd, (struct sockaddr *)&a, sizeof(a));
    if (bad != 0 || block) {
        close(fd);
        return bad == 0 ? 0 : -1;
    }
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* A server whose files are whole HTTP answers. */
static pid_t serve(const char *name, uint16_t *ret_port)
{
    char command[1024];
    close(listener(ret_port));
    snprintf(
        command, sizeof(command),
        "cd '%s' && exec openssl s_server -accept 127.0.0.1:%u -cert %s.pem -key %s.key -HTTP -quiet >http.log 2>&1",
        testcrypto_dir(), *ret_port, name, name);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    for (unsigned i = 0; i < 500 && connect_to(*ret_port, true) != 0; i++)
        usleep(10000);
    return pid;
}

static int fds[8];

static enum err open_stream(const struct ip *addr, uint16_t port, int *ret_id)
{
    enum behind b = addr->family == FAMILY_V6 ? world.v6 : world.v4;
    (void)port;
    world.opened++;
    int id = 0;
    while (fds[id] != 0)
        id++;
    fds[id] = -1 - (int)b;
    if (b != SILENT && b != REFUSES)
        fds[id] = connect_to(world.ports[b], false);
    *ret_id = id;
    return OK;
}

static enum err stream_ready(int id, bool *ret_pending)
{
    *ret_pending = fds[id] == -1 - SILENT;
    return fds[id] > 0 ? OK : *ret_pending ? ERR_STATE : ERR_CONNECT;
}

static size_t stream_write(int id, struct span data)
{
    ssize_t n = send(fds[id], data.p, data.n, MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

static size_t stream_read(int id, uint8_t *ret, size_t cap, bool *ret_eof)
{
    ssize_t n = recv(fds[id], ret, cap, 0);
    *ret_eof = n == 0 || (n < 0 && errno != EAGAIN);
    return n > 0 ? (size_t)n : 0;
}

static void stream_close(int id)
{
    if (id >= 0 && fds[id] > 0)
        close(fds[id]);
    if (id >= 0)
        fds[id] = 0;
}

static const struct transport sockets = {.open = open_stream,
                                         .ready = stream_ready,
                                         .write = stream_write,
                                         .read = stream_read,
                                         .close = stream_close};

static void put_file(const char *name, const char *head, size_t n, char fill)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", testcrypto_dir(), name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(head, f);
    for (size_t i = 0; i < n; i++)
        fputc(fill, f);
    fclose(f);
}

static int set_up(void **unused)
{
    (void)unused;
    testcrypto_start(160 * 1024);
    tlspeer_set_up();
    roots = tlspeer_roots("ca.pem");
    put_file("good", "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\n", 5,
             'x');
    put_file("big", "HTTP/1.1 200 OK\r\nContent-Length: 65000\r\n\r\n", BIG, 'y');
    put_file("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0, 0);
    put_file("huge", "HTTP/1.1 200 OK\r\nContent-Length: 70001\r\n\r\n", 100, 'z');
    put_file("cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 99, 'c');
    put_file("none", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n", 2, 'n');
    put_file("old", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", 2, 'o');
    put_file("moved", "HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n", 0, 0);
    put_file("loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", 0, 0);
    put_file("away", "HTTP/1.1 302 Found\r\nLocation: https://evil.test/good\r\nContent-Length: 0\r\n\r\n", 0,
             0);
    put_file("plain", "HTTP/1.1 302 Found\r\nLocation: http://server.test/good\r\nContent-Length: 0\r\n\r\n",
             0, 0);
    world.pids[0] = serve("leaf", &world.ports[HONEST]);
    world.pids[1] = serve("viaother", &world.ports[ROGUE]);
    world.garbage = listener(&world.ports[GARBAGE]);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        kill(world.pids[i], SIGTERM);
        waitpid(world.pids[i], NULL, 0);
    }
    close(world.garbage);
    return 0;
}

/* Accepts on the garbage port and says something that is not TLS. */
static void feed_garbage(void)
{
    if (world.v4 != GARBAGE && world.v6 != GARBAGE)
        return;
    assert_int_equal(fcntl(world.garbage, F_SETFL, O_NONBLOCK), 0);
    int fd = accept(world.garbage, NULL, NULL);
    if (fd >= 0) {
        assert_true(send(fd, "220 mail.test ESMTP\r\n", 21, MSG_NOSIGNAL) == 21);
        close(fd);
    }
}

static enum https_step fetch(const char *text)
{
    struct url url;
    enum https_step step = HTTPS_WAIT;
    assert_int_equal(url_parse(span_str(text), &url), OK);
    got = BUF_OF(body);
    world.opened = 0;
    netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
    assert_true(netpeer_run(5, netpeer_both_ready));
    assert_int_equal(https_start(&h, &url, &roots, time(NULL), TIME_TRUSTED, conns, &got, netpeer.now_ms),
                     OK);
    h.transport = &sockets;
    for (unsigned i = 0; i < TURNS && step == HTTPS_WAIT; i++) {
        (void)netpeer_run(0, NULL);
        feed_garbage();
        step = https_step(&h, netpeer.now_ms);
        /* Fake time waits for the real servers, and hurries where only time can help. */
        bool live = false;
        for (unsigned k = 0; k < COUNT(fds); k++)
            live = live || fds[k] > 0;
        netpeer.now_ms += live ? 1 : 10;
        if (live)
            usleep(100);
    }
    return step;
}

static void ends(void)
{
    https_stop(&h);
    https_stop(&h);
    assert_null(https_conn(&h));
    for (unsigned i = 0; i < COUNT(fds); i++)
        assert_int_equal(fds[i], 0); /* no stream was left open */
    net_stop();
}

static void world_is(enum behind v4, enum behind v6)
{
    netpeer_reset();
    world.v4 = v4;
    world.v6 = v6;
}

static void good(const char *url, const char *text)
{
    assert_int_equal(fetch(url), HTTPS_DONE);
    assert_true(span_is(buf_span(&got), text));
    assert_non_null(https_conn(&h));
    assert_int_equal(https_step(&h, netpeer.now_ms), HTTPS_DONE);
}

static void bad(const char *url, enum err e)
{
    assert_int_equal(fetch(url), HTTPS_FAILED);
    if (h.fault.code != e)
        fail_msg("%s: %s (%s) instead of %s", url, err_name(h.fault.code), h.fault.text, err_name(e));
    assert_int_equal(https_step(&h, netpeer.now_ms), HTTPS_FAILED);
}

static void test_good(void **unused)
{
    (void)unused;
    world_is(HONEST, HONEST);
    good("https://server.test/good", "xxxxx");
    assert_int_equal(h.date_s, 784111777);
    assert_int_equal(h.peer.family, FAMILY_V6);
    assert_string_equal(h.tls, "TLSv1.3");
    assert_int_equal(world.opened, 1);
    ends();
    world_is(HONEST, HONEST);
    good("https://server.test/chunked", "abc");
    ends();
    world_is(HONEST, HONEST);
    good("https://server.test/moved", "xxxxx");
    ends();
    world_is(HONEST, HONEST);
    assert_int_equal(fetch("https://server.test/big"), HTTPS_DONE);
    assert_int_equal(got.n, BIG);
    ends();
}

static void test_answers_refused(void **unused)
{
    static const struct {
        const char *url;
        enum err e;
    } rows[] = {
        {"https://server.test/huge", ERR_HTTP_SIZE},      {"https://server.test/cut", ERR_CLOSED},
        {"https://server.test/none", ERR_HTTP_STATUS},    {"https://server.test/old", ERR_HTTP_SYNTAX},
        {"https://server.test/loop", ERR_HTTP_REDIRECT},  {"https://server.test/away", ERR_HTTP_REDIRECT},
        {"https://server.test/plain", ERR_HTTP_REDIRECT},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_is(HONEST, HONEST);
        bad(rows[i].url, rows[i].e);
        assert_string_equal(h.fault.peer, "[fd00:1::80]:443");
        ends();
    }
}

static void test_race(void **unused)
{
    static const enum behind losers[] = {ROGUE, REFUSES, SILENT, GARBAGE};
    (void)unused;
    for (size_t i = 0; i < COUNT(losers); i++) {
        world_is(HONEST, losers[i]);
        good("https://server.test/good", "xxxxx");
        assert_int_equal(h.peer.family, FAMILY_V4);
        ends();
        world_is(losers[i], HONEST);
        good("https://server.test/good", "xxxxx");
        assert_int_equal(h.peer.family, FAMILY_V6);
        ends();
    }
}

static void test_nobody_honest(void **unused)
{
    static const struct {
        enum behind both;
        enum err e;
    } rows[] = {{ROGUE, ERR_TLS_ROOT}, {REFUSES, ERR_CONNECT}, {SILENT, ERR_CONNECT}, {GARBAGE, ERR_TLS}};
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_is(rows[i].both, rows[i].both);
        bad("https://server.test/good", rows[i].e);
        assert_non_null(strstr(h.fault.peer, "fd00:1::80"));
        ends();
    }
    world_is(HONEST, HONEST);
    bad("https://server.elsewhere.lab/good", ERR_TLS_NAME);
    ends();
}

static void test_names(void **unused)
{
    (void)unused;
    world_is(HONEST, HONEST);
    netpeer.servers[0].aaaa = NULL;
    good("https://server.test/good", "xxxxx");
    assert_int_equal(h.peer.family, FAMILY_V4);
    ends();
    world_is(HONEST, HONEST);
    netpeer.servers[0].a = NULL;
    good("https://server.test/good", "xxxxx");
    ends();
    world_is(HONEST, HONEST);
    netpeer.servers[0].a = NULL;
    netpeer.servers[0].aaaa = NULL;
    bad("https://server.test/good", ERR_DNS);
    ends();
    world_is(HONEST, HONEST);
    netpeer.servers[0].deaf_dns = true;
    bad("https://server.test/good", ERR_DNS);
    ends();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),  cmocka_unit_test(test_answers_refused),
        cmocka_unit_test(test_race),  cmocka_unit_test(test_nobody_honest),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
