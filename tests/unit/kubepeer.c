/*
 * kubepeer.c - see kubepeer.h.
 */
#include "tests/unit/kubepeer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/crypto/hash.h"
#include "tests/unit/testcrypto.h"

struct kubepeer kubepeers[KUBEPEER_MAX];

static int streams[8];

static int local_socket(uint16_t *port, bool listening)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (listening) {
        assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
        *port = ntohs(a.sin_port);
        return fd;
    }
    if (connect(fd, (struct sockaddr *)&a, n)) {
        close(fd);
        return -1;
    }
    return fd;
}

void kubepeer_start(unsigned i, const char *name, const char *addr)
{
    struct kubepeer *p = &kubepeers[i];
    char command[700];
    int to[2], from[2], fd = -1;

    *p = (struct kubepeer){.port = 6443};
    assert_int_equal(ip_parse(span_str(addr), &p->addr), OK);
    close(local_socket(&p->local_port, true));
    assert_true(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    snprintf(
        command, sizeof(command),
        "cd '%s' && exec openssl s_server -quiet -accept 127.0.0.1:%u -cert %s.pem -key %s.key 2>peer.log",
        testcrypto_dir(), p->local_port, name, name);
    p->pid = fork();
    if (p->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->to = to[1];
    p->from = from[0];
    assert_int_equal(fcntl(p->from, F_SETFL, O_NONBLOCK), 0);
    for (unsigned k = 0; k < 500 && fd < 0; k++) {
        fd = local_socket(&p->local_port, false);
        if (fd < 0)
            usleep(10000);
    }
    assert_true(fd >= 0);
    close(fd);
}

void kubepeer_stop_all(void)
{
    for (unsigned i = 0; i < KUBEPEER_MAX; i++) {
        struct kubepeer *p = &kubepeers[i];
        if (p->pid <= 0)
            continue;
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
        close(p->to);
        close(p->from);
        p->pid = 0;
    }
}

void kubepeer_turn(const struct kubepeer_script *script)
{
    static uint8_t out[1 << 18];

    for (unsigned i = 0; i < KUBEPEER_MAX; i++) {
        struct kubepeer *p = &kubepeers[i];
        ssize_t n = p->pid > 0 ? read(p->from, p->got + p->got_n, sizeof(p->got) - p->got_n) : 0;
        p->got_n += n > 0 ? (size_t)n : 0;
        struct buf b = BUF_OF(out);
        for (;;) {
            struct span rest = span_of(p->got + p->answered, p->got_n - p->answered);
            size_t end = span_find_str(rest, "\r\n\r\n");
            if (end == rest.n)
                break;
            script->answer(i, p->requests++, span_sub(rest, 0, end + 4), &b);
            p->answered += end + 4;
        }
        assert_false(b.overflow);
        assert_true(b.n == 0 || write(p->to, b.p, b.n) == (ssize_t)b.n);
    }
}

static enum err open_stream(const struct ip *addr, uint16_t port, int *ret_id)
{
    for (unsigned i = 0; i < KUBEPEER_MAX; i++) {
        struct kubepeer *p = &kubepeers[i];
        if (p->pid <= 0 || !ip_eq(addr, &p->addr) || port != p->port)
            continue;
        int id = 0;
        while (streams[id])
            id++;
        streams[id] = local_socket(&p->local_port, false);
        if (streams[id] < 0 || fcntl(streams[id], F_SETFL, O_NONBLOCK))
            return ERR_CONNECT;
        p->connections++;
        *ret_id = id;
        return OK;
    }
    return ERR_CONNECT;
}

static enum err stream_ready(int id, bool *ret_pending)
{
    (void)id;
    *ret_pending = false;
    return OK;
}

static size_t stream_write(int id, struct span data)
{
    ssize_t n = send(streams[id], data.p, data.n, MSG_NOSIGNAL);

    return n > 0 ? (size_t)n : 0;
}

static size_t stream_read(int id, uint8_t *ret, size_t cap, bool *ret_eof)
{
    ssize_t n = recv(streams[id], ret, cap, 0);

    *ret_eof = n == 0 || (n < 0 && errno != EAGAIN);
    return n > 0 ? (size_t)n : 0;
}

static void stream_close(int id)
{
    if (id < 0 || streams[id] <= 0)
        return;
    close(streams[id]);
    streams[id] = 0;
}

const struct transport kubepeer_transport = {.open = open_stream,
                                             .ready = stream_ready,
                                             .write = stream_write,
                                             .read = stream_read,
                                             .close = stream_close};

void kubepeer_http(struct buf *ret, unsigned status, const char *date, bool chunked, bool close_after,
                   struct span body)
{
    buf_fmt(ret, "HTTP/1.1 %u x\r\nContent-Type: application/json\r\n", status);
    if (date)
        buf_fmt(ret, "Date: %s\r\n", date);
    if (close_after)
        buf_str(ret, "Connection: close\r\n");
    if (!chunked) {
        buf_fmt(ret, "Content-Length: %zu\r\n\r\n", body.n);
        buf_put(ret, body);
        return;
    }
    buf_str(ret, "Transfer-Encoding: chunked\r\n\r\n");
    while (body.n > 0) {
        struct span part = span_sub(body, 0, 1000);
        buf_fmt(ret, "%x\r\n", (unsigned)part.n);
        buf_put(ret, part);
        buf_str(ret, "\r\n");
        body = span_sub(body, part.n, body.n);
    }
    buf_str(ret, "0\r\n\r\n");
}

void kubepeer_cluster_info(struct buf *ret, const char *token, const char *server, struct span ca_pem)
{
    static uint8_t text[65536], signing[65536];
    struct buf t = BUF_OF(text), s = BUF_OF(signing);
    uint8_t mac[HASH_SIZE];
    char header[80];

    buf_str(&t, "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ");
    text_b64_put(&t, ca_pem);
    buf_fmt(
        &t,
        "\n    server: %s\n  name: \"\"\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n",
        server);
    snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"kid\":\"%.6s\"}", token);
    text_b64url_put(&s, span_str(header));
    size_t head_n = s.n;
    buf_u8(&s, '.');
    text_b64url_put(&s, buf_span(&t));
    assert_false(s.overflow || t.overflow);
    assert_int_equal(hash_hmac_sha256(span_str(token + 7), buf_span(&s), mac), OK);
    buf_fmt(ret, "{\"kind\":\"ConfigMap\",\"data\":{\"jws-kubeconfig-%.6s\":\"", token);
    buf_put(ret, span_of(signing, head_n));
    buf_str(ret, "..");
    text_b64url_put(ret, span_of(mac, sizeof(mac)));
    buf_str(ret, "\",\"kubeconfig\":");
    json_put_string(ret, buf_span(&t));
    buf_str(ret, "}}");
}
