/*
 * test_linux_fetch.c - a whole fetch over the kernel's sockets (net/kernel.h): a name server, a black hole and openssl s_server on loopback.
 */
#include "tests/unit/loopback.h"
#include "tests/unit/tlspeer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/ksock.h"
#include "net/https.h"

enum { BODY = 65000, BODY_CAP = 70000 };

static struct {
    uint16_t dns_port, web_port;
    pid_t dns, web;
    int hole;     /* accepts nothing: its queue is full */
    int plugs[4]; /* what fills it */
} world;

static struct x509_roots roots;
static uint8_t body_mem[BODY_CAP];
static struct conn conns[RACE_PARALLEL];

static enum err redirected(const struct ip *server, uint16_t port, int *ret_id)
{
    assert_int_equal(port, 53);
    return ksock_datagrams.open(server, world.dns_port, ret_id);
}

/* The servers of the names are on loopback. */
static enum err led_home(const struct ip *to, uint16_t port, int *ret_id)
{
    struct ip home = loopback_addr(to->family == FAMILY_V6 ? "::1" : "127.0.0.1");

    return ksock_streams.open(&home, port, ret_id);
}

static struct datagrams datagrams;
static struct transport streams;

static void look(void *ctx, unsigned nic, uint64_t now_ms, struct net_status *ret)
{
    (void)ctx;
    (void)nic;
    (void)now_ms;
    ret->carrier = true;
    ret->dns[0] = loopback_addr("127.0.0.1");
    ret->dns_count = 1;
}

static bool progress(void *ctx)
{
    (void)ctx;
    return ksock_progress();
}

static const struct kernel kernel = {
    .streams = &streams, .datagrams = &datagrams, .look = look, .progress = progress};

/* Answers A with 192.0.2.1 and AAAA with 2001:db8::1, whatever the name: the resolver takes no loopback address from a server. */
static void be_name_server(int fd)
{
    static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, four[4] = {192, 0, 2, 1};
    uint8_t m[512];
    struct sockaddr_in from;

    for (;;) {
        socklen_t len = sizeof(from);
        ssize_t n = recvfrom(fd, m, sizeof(m) - 64, 0, (struct sockaddr *)&from, &len);
        if (n < 17)
            continue;
        bool v6 = m[n - 3] == 28;
        struct buf b = {.p = m, .n = (size_t)n, .cap = sizeof(m)};
        m[2] = 0x81;
        m[3] = 0x80;
        m[7] = 1;
        buf_put(&b,
                span_of((const uint8_t[]){0xc0, 12, 0, v6 ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, v6 ? 16 : 4}, 12));
        buf_put(&b, v6 ? span_of(six, 16) : span_of(four, 4));
        (void)!sendto(fd, m, b.n, 0, (struct sockaddr *)&from, len);
    }
}

static void await_server(void)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(world.web_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (unsigned i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool good = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
        close(fd);
        if (good)
            return;
        usleep(10000);
    }
    fail_msg("openssl s_server does not listen");
}

static int set_up(void **unused)
{
    char command[1024], path[512];
    FILE *f;
    int fd;

    (void)unused;
    testcrypto_start(160 * 1024);
    tlspeer_set_up();
    roots = tlspeer_roots("ca.pem");
    snprintf(path, sizeof(path), "%s/big", testcrypto_dir());
    f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);
    for (unsigned i = 0; i < BODY; i++)
        fputc('b', f);
    fclose(f);
    fd = loopback_socket(false, SOCK_DGRAM, &world.dns_port);
    world.dns = fork();
    if (world.dns == 0)
        be_name_server(fd);
    close(fd);
    datagrams = ksock_datagrams;
    datagrams.open = redirected;
    streams = ksock_streams;
    streams.open = led_home;
    /* One port for both families: the server has one, the hole the other. */
    close(loopback_listener(false, &world.web_port));
    snprintf(
        command, sizeof(command),
        "cd '%s' && exec openssl s_server -4 -accept 127.0.0.1:%u -cert leaf.pem -key leaf.key -HTTP -quiet >k.log 2>&1",
        testcrypto_dir(), world.web_port);
    world.web = fork();
    if (world.web == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    await_server();
    world.hole = loopback_socket(true, SOCK_STREAM, &world.web_port);
    assert_int_equal(listen(world.hole, 0), 0);
    for (unsigned i = 0; i < COUNT(world.plugs); i++) {
        struct sockaddr_in6 at = {
            .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(world.web_port)};
        world.plugs[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(world.plugs[i], (struct sockaddr *)&at, sizeof(at));
    }
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    kill(world.dns, SIGKILL);
    kill(world.web, SIGTERM);
    waitpid(world.dns, NULL, 0);
    waitpid(world.web, NULL, 0);
    for (unsigned i = 0; i < COUNT(world.plugs); i++)
        close(world.plugs[i]);
    close(world.hole);
    return 0;
}

/* As the agent's loop. Counts the turns. */
static enum https_step run(struct https *h, uint64_t limit_ms, unsigned *ret_turns)
{
    uint64_t end = clock_now_ms() + limit_ms;
    enum https_step step = HTTPS_WAIT;

    for (*ret_turns = 0; step == HTTPS_WAIT && clock_now_ms() < end; (*ret_turns)++) {
        uint64_t now = clock_now_ms(), wake, ends = end;
        (void)net_poll(now);
        step = https_step(h, now);
        if (step != HTTPS_WAIT || net_poll(now))
            continue;
        wake = net_wake_ms(now);
        wake = https_wake_ms(h) < wake ? https_wake_ms(h) : wake;
        ends = wake < ends ? wake : ends;
        (void)loopback_doze(ends > now ? (int)(ends - now) : 0);
    }
    return step;
}

static enum https_step fetch(struct https *h, const char *text, struct buf *body, uint64_t limit_ms,
                             unsigned *ret_turns)
{
    const struct net_options options = {.families = FAMILIES_BOTH};
    struct url url;

    assert_int_equal(url_parse(span_str(text), &url), OK);
    kernel_use(&kernel);
    assert_ptr_equal(net_transport(), &streams);
    assert_int_equal(net_start(NULL, 0, &options, clock_now_ms()), OK);
    assert_int_equal(https_start(h, &url, &roots, time(NULL), TIME_TRUSTED, conns, body, clock_now_ms()), OK);
    return run(h, limit_ms, ret_turns);
}

static void end(struct https *h)
{
    https_stop(h);
    net_stop();
    kernel_use(NULL);
    assert_ptr_equal(net_transport(), &transport_lwip);
    assert_false(loopback_doze(0));
}

/* IPv6 is a black hole: IPv4 is tried beside it after 250 ms, and wins. */
static void test_fetch_past_a_dead_family(void **state)
{
    static struct https h;
    struct buf body = BUF_OF(body_mem);
    uint64_t begin = clock_now_ms();
    unsigned turns;
    char text[100];

    (void)state;
    snprintf(text, sizeof(text), "https://server.test:%u/big", world.web_port);
    if (fetch(&h, text, &body, 4000, &turns) != HTTPS_DONE)
        fail_msg("%s: %s [%s]", err_name(h.fault.code), h.fault.text, h.fault.peer);
    assert_int_equal(body.n, BODY);
    assert_int_equal(body.p[BODY - 1], 'b');
    assert_int_equal(h.peer.family, FAMILY_V4);
    assert_true(clock_now_ms() - begin >= RACE_DELAY_MS);
    assert_true(turns < 400);
    end(&h);
}

/* Nothing but a black hole: the race gives up on its own, in its own time, and sleeps meanwhile. */
static void test_black_hole(void **state)
{
    static struct https h;
    struct buf body = BUF_OF(body_mem);
    unsigned turns;
    char text[100];

    (void)state;
    snprintf(text, sizeof(text), "https://[::1]:%u/big", world.web_port);
    assert_int_equal(fetch(&h, text, &body, RACE_ATTEMPT_MS + 2000, &turns), HTTPS_FAILED);
    assert_int_equal(h.fault.code, ERR_CONNECT);
    assert_true(turns < 60);
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetch_past_a_dead_family),
        cmocka_unit_test(test_black_hole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
