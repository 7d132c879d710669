/*
 * test_linux_ksock.c - the kernel's sockets as transports: real connections on loopback that are refused, reset, idle, slow and big.
 */
#include "tests/unit/loopback.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/ksock.h"

enum { WAIT_MS = 5000, BIG = 3 * 1024 * 1024, DRIPS = 60 };

static const struct transport *const t = &ksock_streams;

static enum err wait_ready(int id)
{
    uint64_t end = clock_now_ms() + WAIT_MS;
    bool pending = true;
    enum err e = t->ready(id, &pending);

    while (pending && clock_now_ms() < end) {
        (void)loopback_doze(50);
        e = t->ready(id, &pending);
    }
    assert_false(pending);
    return e;
}

/* A connection with both ends. */
static int pair(bool v6, int *ret_peer)
{
    uint16_t port = 0;
    int l = loopback_listener(v6, &port), id = -1;
    struct ip to = loopback_addr(v6 ? "::1" : "127.0.0.1");

    assert_int_equal(t->open(&to, port, &id), OK);
    *ret_peer = accept(l, NULL, NULL);
    assert_true(*ret_peer >= 0);
    assert_int_equal(wait_ready(id), OK);
    close(l);
    return id;
}

/* Reads what comes until there is `want`, or the end. */
static size_t take(int id, uint8_t *ret, size_t want, bool *ret_eof)
{
    uint64_t end = clock_now_ms() + WAIT_MS;
    size_t n = 0;

    *ret_eof = false;
    while (n < want && !*ret_eof && clock_now_ms() < end) {
        size_t got = t->read(id, ret + n, want - n, ret_eof);
        n += got;
        if (got == 0 && !*ret_eof)
            (void)loopback_doze(50);
    }
    return n;
}

static void test_both_families(void **state)
{
    uint8_t got[8];
    bool eof;

    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        int peer, id = pair(v6, &peer);
        assert_int_equal(t->read(id, got, sizeof(got), &eof), 0);
        assert_false(eof);
        assert_int_equal(t->write(id, SPAN_LIT("ping")), 4);
        assert_int_equal(recv(peer, got, 4, MSG_WAITALL), 4);
        assert_memory_equal(got, "ping", 4);
        assert_int_equal(send(peer, "pong!", 5, 0), 5);
        assert_int_equal(take(id, got, 5, &eof), 5);
        assert_memory_equal(got, "pong!", 5);
        close(peer);
        assert_int_equal(take(id, got, 1, &eof), 0);
        assert_true(eof);
        t->close(id);
        t->close(id);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        uint16_t port = 0;
        int id = -1,
            fd = loopback_socket(v6, SOCK_STREAM,
                                 &port); /* bound, so that nobody takes the port, and not listening */
        struct ip to = loopback_addr(v6 ? "::1" : "127.0.0.1");
        enum err e = t->open(&to, port, &id);
        if (e == OK) {
            e = wait_ready(id);
            t->close(id);
        }
        assert_int_equal(e, ERR_CONNECT);
        close(fd);
    }
}

static void test_reset_half_way(void **state)
{
    struct linger now = {.l_onoff = 1};
    uint8_t got[8];
    bool eof;
    int peer, id = pair(true, &peer);

    (void)state;
    assert_int_equal(t->read(id, got, sizeof(got), &eof), 0);
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(peer);
    assert_true(loopback_doze(WAIT_MS));
    assert_int_equal(t->read(id, got, sizeof(got), &eof), 0);
    assert_true(eof);
    assert_int_equal(t->write(id, SPAN_LIT("x")), 0);
    assert_int_equal(t->ready(id, &eof), ERR_CONNECT);
    assert_false(loopback_doze(0));
    t->close(id);
}

/* The peer hangs up on a connection that nobody reads now: told once, and no spinning. */
static void test_idle_does_not_spin(void **state)
{
    uint8_t got[8];
    bool eof;
    int peer, id = pair(false, &peer);

    (void)state;
    assert_int_equal(t->read(id, got, sizeof(got), &eof), 0);
    assert_int_equal(send(peer, "bye", 3, 0), 3);
    close(peer);
    assert_true(loopback_doze(WAIT_MS));
    for (unsigned i = 0; i < 3; i++)
        assert_false(loopback_doze(20));
    assert_int_equal(take(id, got, sizeof(got), &eof), 3);
    assert_true(eof);
    t->close(id);
}

/* A part was read and more waits: the loop is told not to sleep. */
static void test_progress(void **state)
{
    uint8_t got[8];
    bool eof;
    int peer, id = pair(false, &peer);

    (void)state;
    (void)ksock_progress();
    assert_int_equal(send(peer, "123456", 6, 0), 6);
    assert_int_equal(take(id, got, 3, &eof), 3);
    assert_true(ksock_progress());
    assert_false(ksock_progress());
    assert_int_equal(t->read(id, got, sizeof(got), &eof), 3);
    assert_int_equal(t->read(id, got, sizeof(got), &eof), 0);
    assert_false(ksock_progress());
    close(peer);
    t->close(id);
}

static void test_slow_drip(void **state)
{
    uint8_t got[DRIPS];
    unsigned woken = 0;
    size_t n = 0;
    bool eof = false;
    int peer, id = pair(true, &peer);
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        for (unsigned i = 0; i < DRIPS; i++) {
            usleep(2000);
            (void)!send(peer, "d", 1, 0);
        }
        _exit(0);
    }
    close(peer);
    while (!eof && woken < 10 * DRIPS) {
        size_t g = t->read(id, got, sizeof(got), &eof);
        n += g;
        if (g == 0 && !eof)
            woken += loopback_doze(WAIT_MS);
    }
    assert_true(eof);
    assert_int_equal(n, DRIPS);
    assert_true(woken <= DRIPS + 2);
    waitpid(child, NULL, 0);
    t->close(id);
}

/* More than all buffers hold, there and back, with a peer that begins to read late. */
static void test_big_both_ways(void **state)
{
    static uint8_t chunk[64 * 1024], got[64 * 1024];
    size_t sent = 0, received = 0;
    unsigned blocked = 0;
    bool eof = false;
    int peer, id = pair(false, &peer);
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        size_t n = 0;
        usleep(50000);
        while (n < BIG) {
            ssize_t g = recv(peer, chunk, sizeof(chunk), 0);
            if (g <= 0)
                _exit(1);
            for (ssize_t off = 0; off < g;) {
                ssize_t put = send(peer, chunk + off, (size_t)(g - off), 0);
                off += put > 0 ? put : g;
            }
            n += (size_t)g;
        }
        _exit(0);
    }
    close(peer);
    for (size_t i = 0; i < sizeof(chunk); i++)
        chunk[i] = (uint8_t)(i * 7);
    while (received < BIG && !eof) {
        size_t off = sent % sizeof(chunk);
        size_t put = sent < BIG ? t->write(id, span_of(chunk + off, sizeof(chunk) - off)) : 0;
        size_t g = t->read(id, got, sizeof(got), &eof);
        for (size_t i = 0; i < g; i++)
            assert_int_equal(got[i], chunk[(received + i) % sizeof(chunk)]);
        sent += put;
        received += g;
        blocked += put == 0 && g == 0;
        if (put == 0 && g == 0)
            assert_true(loopback_doze(WAIT_MS));
    }
    assert_int_equal(received, BIG);
    assert_true(blocked > 0);
    waitpid(child, NULL, 0);
    t->close(id);
}

static void test_slots_are_bounded(void **state)
{
    uint16_t port = 0;
    int ids[KSOCK_MAX], l = loopback_listener(false, &port), id;
    struct ip to = loopback_addr("127.0.0.1");

    (void)state;
    for (unsigned i = 0; i < KSOCK_MAX; i++)
        assert_int_equal(ksock_datagrams.open(&to, port, &ids[i]), OK);
    assert_int_equal(t->open(&to, port, &id), ERR_NOMEM);
    for (unsigned i = 0; i < KSOCK_MAX; i++)
        ksock_datagrams.close(ids[i]);
    assert_int_equal(t->open(&to, port, &id), OK);
    t->close(id);
    close(l);
    assert_int_equal(t->write(7, SPAN_LIT("x")), 0);
}

/* Only what the server itself sends from its port is read. */
static void test_datagrams(void **state)
{
    uint16_t port = 0, other = 0;
    int server = loopback_socket(true, SOCK_DGRAM, &port),
        stranger = loopback_socket(true, SOCK_DGRAM, &other), id;
    struct ip to = loopback_addr("::1");
    struct sockaddr_in6 from;
    socklen_t n = sizeof(from);
    uint8_t got[16];

    (void)state;
    assert_int_equal(ksock_datagrams.open(&to, port, &id), OK);
    assert_int_equal(ksock_datagrams.send(id, SPAN_LIT("who")), OK);
    assert_int_equal(recvfrom(server, got, sizeof(got), 0, (struct sockaddr *)&from, &n), 3);
    assert_int_equal(sendto(stranger, "lie", 3, 0, (struct sockaddr *)&from, n), 3);
    assert_false(loopback_doze(20));
    assert_int_equal(ksock_datagrams.recv(id, got, sizeof(got)), 0);
    assert_int_equal(sendto(server, "", 0, 0, (struct sockaddr *)&from, n), 0);
    assert_int_equal(sendto(server, "answer", 6, 0, (struct sockaddr *)&from, n), 6);
    assert_true(loopback_doze(WAIT_MS));
    assert_int_equal(ksock_datagrams.recv(id, got, sizeof(got)), 6);
    assert_memory_equal(got, "answer", 6);
    assert_int_equal(ksock_datagrams.recv(id, got, sizeof(got)), 0);
    /* A server that has gone: its ICMP error is no answer and ends nothing. */
    close(server);
    assert_int_equal(ksock_datagrams.send(id, SPAN_LIT("who")), OK);
    (void)loopback_doze(100);
    assert_int_equal(ksock_datagrams.recv(id, got, sizeof(got)), 0);
    assert_false(loopback_doze(20));
    ksock_datagrams.close(id);
    close(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_families),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_reset_half_way), cmocka_unit_test(test_idle_does_not_spin),
        cmocka_unit_test(test_progress),       cmocka_unit_test(test_slow_drip),
        cmocka_unit_test(test_big_both_ways),  cmocka_unit_test(test_slots_are_bounded),
        cmocka_unit_test(test_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
