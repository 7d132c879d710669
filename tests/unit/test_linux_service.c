/*
 * test_linux_service.c - programs that are kept running, with a clock that the test moves, and the questions of probe.h with real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/linux/probe.h"
#include "boards/linux/service.h"
#include "boards/linux/signals.h"

/* One at a time; its log file cannot be opened, because the name leads nowhere. */
static struct service s;
static uint64_t now_ms;

static int fresh(void **state)
{
    (void)state;
    memset(&s, 0, sizeof(s));
    service_init(&s, "no/such/folder", false);
    now_ms = 1000000;
    return 0;
}

static void start(const char *script)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct fault f = {0};

    assert_int_equal(service_start(&s, argv, now_ms, &f), OK);
}

/* Waits, in real time, for the end of the program, and tells the service. */
static void await_end(void)
{
    int status;
    pid_t pid = waitpid(s.pid, &status, 0);

    assert_true(pid > 0);
    assert_true(service_exited(&s, pid, status, now_ms));
}

static struct host_service_status status_now(void)
{
    struct host_service_status st;

    service_status(&s, now_ms, &st);
    return st;
}

static void check_output(unsigned lines, const char *want)
{
    char text[SERVICE_RING + 1];
    struct buf b = BUF_OF(text);

    service_output(&s, lines, &b);
    buf_u8(&b, 0);
    assert_string_equal(text, want);
}

static void test_restarts_with_backoff(void **state)
{
    static const unsigned waits[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};

    (void)state;
    start("exit 3");
    for (size_t i = 0; i < COUNT(waits); i++) {
        await_end();
        assert_int_equal(WEXITSTATUS(status_now().last_exit), 3);
        assert_int_equal(status_now().state, HOST_SERVICE_BACKOFF);
        assert_int_equal(service_poll(&s, now_ms), now_ms + waits[i]);
        assert_int_equal(service_poll(&s, now_ms + waits[i] - 1), now_ms + waits[i]);
        assert_int_equal(s.pid, 0);
        now_ms += waits[i];
        assert_int_equal(service_poll(&s, now_ms), UINT64_MAX);
        assert_int_equal(status_now().state, HOST_SERVICE_RUNNING);
        assert_int_equal(status_now().starts, i + 2);
    }
    /* After a minute of running it starts from one second again. */
    now_ms += 60000;
    await_end();
    assert_int_equal(service_poll(&s, now_ms), now_ms + 1000);
    service_stop(&s, now_ms);
    assert_int_equal(status_now().state, HOST_SERVICE_STOPPED);
    assert_int_equal(service_poll(&s, now_ms + 90000), UINT64_MAX);
}

static void test_stop_kills_after_grace(void **state)
{
    char text[16];
    struct buf b;
    int pid;

    (void)state;
    start("trap '' TERM; echo ready; while :; do sleep 1; done");
    pid = s.pid;
    do {
        (void)poll(NULL, 0, 10);
        (void)service_poll(&s, now_ms);
        b = BUF_OF(text);
        service_output(&s, 1, &b);
    } while (b.n == 0);
    service_stop(&s, now_ms);
    service_stop(&s, now_ms + 5);
    assert_int_equal(service_poll(&s, now_ms + 1), now_ms + SERVICE_GRACE_MS);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    now_ms += SERVICE_GRACE_MS;
    (void)service_poll(&s, now_ms);
    await_end();
    assert_int_equal(WTERMSIG(status_now().last_exit), SIGKILL);
    assert_int_equal(status_now().state, HOST_SERVICE_STOPPED);
}

static void test_idempotent_and_new_argv(void **state)
{
    int pid;

    (void)state;
    start("exec sleep 100");
    pid = s.pid;
    start("exec sleep 100");
    assert_int_equal(s.pid, pid);
    assert_int_equal(status_now().starts, 1);
    start("exec sleep 101");
    assert_int_equal(s.pid, pid);
    await_end();
    (void)service_poll(&s, now_ms);
    assert_int_not_equal(s.pid, 0);
    assert_string_equal(s.argv[2], "exec sleep 101");
    service_stop(&s, now_ms);
    await_end();
}

/* Signals (1 to 28; the C library has its own way with others) that the agent blocks or ignores must not be inherited, and the program leads a session of its own. */
static void test_clean_child(void **state)
{
    char want[64];

    (void)state;
    signals_init(false);
    start("grep -E 'SigBlk|SigIgn' /proc/self/status | while read k v; do echo ${v#?????????}; done; "
          "cut -d' ' -f6 /proc/$$/stat; echo err >&2; ls /proc/$$/fd | wc -w");
    snprintf(want, sizeof(want), "0000000\n0000000\n%d\nerr\n", s.pid);
    await_end();
    snprintf(want + strlen(want), sizeof(want) - strlen(want), "3\n");
    check_output(10, want);
    service_stop(&s, now_ms);
    signals_reset();
}

static void test_output(void **state)
{
    (void)state;
    start("for i in 1 2 3 4 5; do echo line $i; done; printf tail");
    await_end();
    check_output(0, "");
    check_output(1, "tail");
    check_output(2, "line 5\ntail");
    check_output(100, "line 1\nline 2\nline 3\nline 4\nline 5\ntail");
    service_stop(&s, now_ms);
    (void)fresh(NULL);
    /* More than the ring holds: the newest stays. */
    start("i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; echo end");
    while (waitpid(s.pid, NULL, WNOHANG) == 0)
        (void)service_poll(&s, now_ms);
    (void)service_exited(&s, s.pid, 0, now_ms);
    check_output(2, "0123456789\nend\n");
    assert_int_equal(s.ring_n, 3000 * 11 + 4);
    service_stop(&s, now_ms);
}

static void test_cannot_start(void **state)
{
    const char *argv[] = {"/no/such/program", NULL};
    const char *many[HOST_ARGS_MAX + 2];
    struct fault f = {0};

    (void)state;
    assert_int_equal(service_start(&s, argv, now_ms, &f), ERR_SPAWN);
    assert_string_equal(f.text, "/no/such/program: No such file or directory");
    assert_int_equal(status_now().state, HOST_SERVICE_STOPPED);
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "x";
    many[COUNT(many) - 1] = NULL;
    fault_clear(&f);
    assert_int_equal(service_start(&s, many, now_ms, &f), ERR_LIMIT);
}

static void run_job(const char *script)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct fault f = {0};

    assert_int_equal(service_run_job(&s, NULL, NULL, argv, now_ms, &f), OK);
    assert_int_equal(service_job_result(&s), HOST_BUSY);
}

static void test_job_ends_once(void **state)
{
    char text[32];
    struct buf b = BUF_OF(text);

    (void)state;
    assert_int_equal(service_job_result(&s), HOST_NO); /* there was none */
    run_job("echo done");
    await_end();
    assert_int_equal(service_job_result(&s), HOST_YES);
    assert_int_equal(service_poll(&s, now_ms + 90000), UINT64_MAX);
    assert_int_equal(s.pid, 0);
    check_output(5, "done\n");
    service_job_read(&s, &b);
    assert_int_equal(b.n, 5);
    service_job_read(&s, &b);
    assert_int_equal(b.n, 5); /* told once */
    run_job("echo second; exit 3");
    await_end();
    assert_int_equal(service_job_result(&s), HOST_NO);
    assert_int_equal(WEXITSTATUS(status_now().last_exit), 3);
    check_output(5, "second\n"); /* nothing of the first */
    b.n = 0;
    service_job_read(&s, &b);
    assert_int_equal(b.n, 7);
}

static void test_job_output_is_told_in_parts(void **state)
{
    uint8_t small[10];
    struct buf b = BUF_OF(small);

    (void)state;
    run_job("printf 0123456789abc");
    await_end();
    service_job_read(&s, &b);
    assert_memory_equal(small, "0123456789", 10);
    b.n = 0;
    service_job_read(&s, &b);
    assert_int_equal(b.n, 3);
    assert_memory_equal(small, "abc", 3);
    assert_false(b.overflow);
}

/* A program that cannot be started is no success, also after one that was. */
static void test_job_cannot_start(void **state)
{
    const char *argv[] = {"/no/such/program", NULL};
    struct fault f = {0};

    (void)state;
    run_job("exit 0");
    await_end();
    assert_int_equal(service_job_result(&s), HOST_YES);
    assert_int_equal(service_run_job(&s, NULL, NULL, argv, now_ms, &f), ERR_SPAWN);
    assert_int_equal(service_job_result(&s), HOST_NO);
}

/* The second waits until the first was ended, with everything that it started. */
static void test_job_replaces_job(void **state)
{
    int first;

    (void)state;
    run_job("sleep 1000 & echo ready; sleep 1000");
    first = s.pid;
    while (s.ring_n == 0) {
        (void)poll(NULL, 0, 10);
        (void)service_poll(&s, now_ms);
    }
    run_job("exit 0");
    assert_int_equal(s.pid, first);
    await_end();
    assert_int_equal(service_job_result(&s), HOST_BUSY);
    (void)service_poll(&s, now_ms);
    assert_int_not_equal(s.pid, first);
    for (int i = 0; i < 200 && kill(-first, 0) == 0; i++)
        (void)poll(NULL, 0, 10);
    assert_int_equal(kill(-first, 0), -1);
    await_end();
    assert_int_equal(service_job_result(&s), HOST_YES);
}

/* A replacement that cannot be started ends the waiting. */
static void test_job_replacement_fails(void **state)
{
    const char *argv[] = {"/no/such/program", NULL};
    struct fault f = {0};

    (void)state;
    run_job("sleep 1000");
    assert_int_equal(service_run_job(&s, NULL, NULL, argv, now_ms, &f), OK);
    await_end();
    (void)service_poll(&s, now_ms);
    assert_int_equal(service_job_result(&s), HOST_NO);
}

static int our_function(void *ctx, const char *const *argv)
{
    printf("%s %s", (const char *)ctx, argv[0]);
    fflush(stdout);
    return 7;
}

static void test_job_is_a_function(void **state)
{
    static char text[] = "hello";
    const char *argv[] = {"world", NULL};
    struct fault f = {0};

    (void)state;
    assert_int_equal(service_run_job(&s, our_function, text, argv, now_ms, &f), OK);
    await_end();
    assert_int_equal(WEXITSTATUS(status_now().last_exit), 7);
    check_output(1, "hello world");
    assert_int_equal(service_job_result(&s), HOST_NO);
}

static int listener(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static const struct ip local = {.family = FAMILY_NONE};

static enum host_answer ask(struct probe *p, int fd, uint16_t port, const char *answer)
{
    char request[200] = "";
    enum host_answer a = probe_http(p, &local, port, "/healthz", 1000);
    int peer;

    assert_int_equal(a, HOST_BUSY);
    peer = accept(fd, NULL, NULL);
    while (strstr(request, "\r\n\r\n") == NULL) {
        assert_int_equal(probe_http(p, &local, port, "/healthz", 1001), HOST_BUSY);
        (void)!recv(peer, request + strlen(request), sizeof(request) - strlen(request) - 1, MSG_DONTWAIT);
    }
    assert_non_null(strstr(request, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"));
    if (answer)
        assert_int_equal(write(peer, answer, strlen(answer)), strlen(answer));
    close(peer);
    for (int i = 0; (a = probe_http(p, &local, port, "/healthz", 1002)) == HOST_BUSY && i < 100; i++)
        (void)poll(NULL, 0, 5);
    return a;
}

static void test_http(void **state)
{
    struct probe p = {0};
    uint16_t port;
    int fd = listener(&port);

    (void)state;
    probe_init(&p);
    assert_int_equal(ask(&p, fd, port, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), HOST_YES);
    assert_int_equal(ask(&p, fd, port, "HTTP/1.1 500 Internal Server Error\r\n\r\n"), HOST_NO);
    assert_int_equal(ask(&p, fd, port, "HTTP/1.1 2000 Not A Status\r\n"), HOST_NO);
    assert_int_equal(ask(&p, fd, port, "HTTP/1.1 2"), HOST_NO);
    assert_int_equal(ask(&p, fd, port, NULL), HOST_NO);
    /* A server that never answers. */
    assert_int_equal(probe_http(&p, &local, port, "/healthz", 1000), HOST_BUSY);
    assert_int_equal(probe_http(&p, &local, port, "/healthz", 1000 + PROBE_TIMEOUT_MS), HOST_NO);
    assert_int_equal(p.fd, -1);
    close(fd);
    for (int i = 0; i < 100 && probe_http(&p, &local, port, "/healthz", 1000) == HOST_BUSY; i++)
        (void)poll(NULL, 0, 1);
    assert_int_equal(p.fd, -1);
}

static void test_http_of_an_address(void **state)
{
    struct sockaddr_in6 at;
    struct ip six = {.family = FAMILY_V6, .b = {[15] = 1}};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET6, SOCK_STREAM, 0), peer;
    char request[200] = "";
    struct probe p = {.fd = -1};

    (void)state;
    assert_int_equal(listen(fd, 4) | getsockname(fd, (struct sockaddr *)&at, &n), 0); /* a free port */
    assert_int_equal(probe_http(&p, &six, ntohs(at.sin6_port), "/healthz", 1000), HOST_BUSY);
    peer = accept(fd, NULL, NULL);
    (void)probe_http(&p, &six, p.port, "/healthz", 1001);
    assert_true(recv(peer, request, sizeof(request) - 1, 0) > 0);
    assert_non_null(strstr(request, "Host: [::1]:"));
    close(p.fd);
    close(peer);
    close(fd);
}

static void test_ports_and_sockets(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    uint16_t port;
    int fd = listener(&port), un = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(probe_port_free(port), HOST_NO);
    close(fd);
    assert_int_equal(probe_port_free(port), HOST_YES);
    snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/joinboot-probe-%d", (int)getpid());
    assert_int_equal(probe_unix(at.sun_path), HOST_NO);
    assert_int_equal(bind(un, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(probe_unix(at.sun_path), HOST_NO); /* the file is there, nobody listens */
    assert_int_equal(listen(un, 4), 0);
    assert_int_equal(probe_unix(at.sun_path), HOST_YES);
    close(un);
    unlink(at.sun_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_restarts_with_backoff, fresh),
        cmocka_unit_test_setup(test_stop_kills_after_grace, fresh),
        cmocka_unit_test_setup(test_idempotent_and_new_argv, fresh),
        cmocka_unit_test_setup(test_clean_child, fresh),
        cmocka_unit_test_setup(test_output, fresh),
        cmocka_unit_test_setup(test_cannot_start, fresh),
        cmocka_unit_test_setup(test_job_ends_once, fresh),
        cmocka_unit_test_setup(test_job_output_is_told_in_parts, fresh),
        cmocka_unit_test_setup(test_job_cannot_start, fresh),
        cmocka_unit_test_setup(test_job_replaces_job, fresh),
        cmocka_unit_test_setup(test_job_replacement_fails, fresh),
        cmocka_unit_test_setup(test_job_is_a_function, fresh),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_of_an_address),
        cmocka_unit_test(test_ports_and_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
