/*
 * peers.c - the real servers of scenario.h: peers.py as a child process, and what it serves.
 */
#include "tests/scenario/scenario.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/verify.h"
#include "firmware/base/text.h"
#include "firmware/crypto/jose_tool.h"
#include "firmware/crypto/jwe_tool.h"
#include "tests/scenario/bridge.h"
#include "tests/unit/testcrypto.h"

/* The private key of RFC 7515 appendix A.3. */
static const char secret[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}";

const char *scenario_document, *scenario_mac, *scenario_seal_to;
static unsigned config_port, api_port;

static void write_text(const char *name, struct span text)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", testcrypto_dir(), name);
    f = fopen(path, "wb");
    if (!f || fwrite(text.p, 1, text.n, f) != text.n || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

/* The program ends when this process does: its standard input ends then. */
static void start(void)
{
    const char *dir = testcrypto_dir();
    int in[2], out[2];
    char line[64] = "";
    size_t n = 0;
    char *end;

    assert_int_equal(pipe(in) | pipe(out), 0);
    if (fork() == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", "tests/scenario/peers.py", dir, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    while (n < sizeof(line) - 1 && !strchr(line, '\n') && read(out[0], line + n, 1) == 1)
        n++;
    close(out[0]);
    config_port = (unsigned)strtoul(line, &end, 10);
    api_port = (unsigned)strtoul(end, &end, 10);
    if (*end != '\n')
        fail_msg("tests/scenario/peers.py does not start");
}

void scenario_servers(const char *more)
{
    static char path[300];

    if (!config_port)
        start();
    snprintf(path, sizeof(path), "%s/ca.pem", testcrypto_dir());
    scenario_root = path;
    scenario_site(more);
    scenario_mode("config", "");
    scenario_mode("api", "");
    bridge_port(443, (uint16_t)config_port);
    bridge_port(6443, (uint16_t)api_port);
}

void scenario_pem(const char *name, struct os_pem *ret)
{
    struct span text;
    char path[300];

    snprintf(path, sizeof(path), "%s/%s.pem", testcrypto_dir(), name);
    text = testcrypto_file(path);
    assert_true(text.n <= sizeof(ret->bytes));
    memcpy(ret->bytes, text.p, text.n);
    ret->n = text.n;
}

void scenario_mode(const char *server, const char *mode)
{
    char name[32];

    snprintf(name, sizeof(name), "%s/mode", server);
    write_text(name, span_str(mode));
}

static enum err seal(struct buf *documents, struct buf *node)
{
    struct jose_key to;
    enum err e = jose_key_parse(span_str(scenario_seal_to), &to);

    buf_str(node, "role: worker\nsealed: ");
    if (e == OK)
        e = jwe_seal(&to, documents, node);
    buf_str(node, "\n");
    return e;
}

void scenario_resign(void)
{
    static const uint8_t n[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint8_t text[64 * 1024], sig[64];
    struct buf b = BUF_OF(text), s = BUF_OF(sig);
    char path[300];
    int borrow = 0;

    snprintf(path, sizeof(path), "%s/config/n1.jws", testcrypto_dir());
    buf_put(&b, span_trim(testcrypto_file(path)));
    assert_int_equal(text_b64url(span_sub(buf_span(&b), b.n - 86, b.n), &s), OK);
    for (size_t i = 32; i-- > 0;) {
        int d = n[i] - sig[32 + i] - borrow;

        borrow = d < 0;
        sig[32 + i] = (uint8_t)d;
    }
    b.n -= 86;
    text_b64url_put(&b, span_of(sig, sizeof(sig)));
    write_text("config/n1.jws", buf_span(&b));
}

/* Crypto starts once per process, and nodes are forked from this one: so a child seals and signs. */
static int sign(struct buf *node, struct buf *documents)
{
    static uint8_t text[64 * 1024];
    struct buf b = BUF_OF(text);
    struct jose_secret key;

    testcrypto_start(160 * 1024);
    if (scenario_seal_to && seal(documents, node) != OK)
        return 1;
    if (!scenario_seal_to) {
        buf_str(node, "---\n");
        buf_put(node, buf_span(documents));
    }
    if (jose_secret_parse(span_str(secret), &key) != OK ||
        jose_sign_compact(&key, VERIFY_TYP_BUNDLE, buf_span(node), &b) != OK)
        return 1;
    write_text("config/n1.jws", buf_span(&b));
    return 0;
}

static void put_time(struct buf *b, const char *key, int64_t unix_s)
{
    buf_fmt(b, "%s: \"", key);
    text_time_put(b, unix_s);
    buf_str(b, "\"\n");
}

static void put_worker(struct buf *b, const char *node_ip)
{
    char path[300];

    buf_str(
        b,
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n"
        "    apiServerEndpoint: 10.100.0.1:6443\n    token: clvldh.vjjwg16ucnhp94qr\n    caCertHashes:\n    - ");
    snprintf(path, sizeof(path), "%s/pin", testcrypto_dir());
    buf_put(b, testcrypto_file(path));
    buf_str(b, "\n");
    if (node_ip)
        buf_fmt(b, "nodeRegistration:\n  kubeletExtraArgs:\n  - name: node-ip\n    value: %s\n", node_ip);
}

void scenario_publish(unsigned sequence, const char *more, const char *node_ip)
{
    uint8_t text[16 * 1024], more_text[4096];
    struct buf b = BUF_OF(text), documents = BUF_OF(more_text);
    int status = 1;
    pid_t pid;

    buf_fmt(
        &b,
        "apiVersion: joinboot/v1alpha1\nkind: NodeJoin\nname: node-1\nbinding:\n  macs: [\"%s\"]\ncluster: lab\nsequence: %u\n",
        scenario_mac, sequence);
    put_time(&b, "issuedAt", (int64_t)time(NULL) - 60);
    put_time(&b, "expiresAt", (int64_t)time(NULL) + 86400);
    buf_str(&b, more);
    if (!scenario_document || !span_starts(span_str(scenario_document), "apiVersion"))
        put_worker(&documents, node_ip);
    if (scenario_document)
        buf_str(&documents, scenario_document);
    assert_false(b.overflow || documents.overflow);
    pid = fork();
    if (pid == 0)
        _exit(sign(&b, &documents));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}
