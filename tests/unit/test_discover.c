/*
 * test_discover.c - discovery against real TLS servers: one connection, the order of trust, where the token goes, and the name of each refusal.
 */
#include "tests/unit/testcrypto.h"
#include "tests/unit/tlspeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "config/gate.h"
#include "firmware/base/json.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/kube/discover.h"
#include "tests/unit/kubesays.h"
#include "tests/unit/netpeer.h"

#define TOKEN KUBESAYS_TOKEN
#define V4    "127.0.0.1"
#define V6    "fd00:1:2:3::3"
/* What the scripted DNS says for any name (netpeer.h). */
#define NAME_V4 "10.0.0.80"
#define NAME_V6 "fd00:1::80"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct discover d;
static struct discover_result result;
static struct join join;

static void pin_file(const char *name)
{
    struct x509_roots roots = tlspeer_roots(name);

    join.ca_hash_count = 1;
    assert_int_equal(x509_spki_sha256(roots.ders[0], join.ca_hashes[0]), OK);
}

static int setup(void **state)
{
    (void)state;
    memset(&kubesays, 0, sizeof(kubesays));
    kubesays.token = TOKEN;
    kubesays.server = "https://" V4 ":6443";
    kubesays.ca = "ca";
    for (unsigned i = 0; i < 4; i++)
        kubesays.status[i] = 200;
    kubesays.status[2] = 404;
    kubesays.kubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
    kubesays.kubeadm =
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\n"
        "clusterName: lab\nnetworking:\n  serviceSubnet: 10.96.0.0/16\n";
    join = (struct join){.has_bootstrap_token = true,
                         .token = SPAN_LIT(TOKEN),
                         .endpoint_host = SPAN_LIT(V4),
                         .endpoint_port = 6443};
    assert_int_equal(ip_parse(join.endpoint_host, &join.endpoint_ip), OK);
    pin_file("ca.pem");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    discover_stop(&d);
    discover_stop(&d);
    kubepeer_stop_all();
    if (kubesays.dns)
        net_stop();
    return 0;
}

static const char *node_name = "node-1";

static enum discover_step run(void)
{
    struct discover_input in = {.transport = &kubepeer_transport,
                                .join = &join,
                                .file = kubesays.file,
                                .node_name = node_name,
                                .kubelet_version = SPAN_LIT("Kubernetes v1.36.2"),
                                .now_s = time(NULL),
                                .quality = TIME_TRUSTED,
                                .arena = &arena};
    enum discover_step step = DISCOVER_WAIT;

    arena_init(&arena, memory, sizeof(memory));
    if (kubesays.file.n > 0)
        assert_int_equal(gate_admit(GATE_OWN_FILE, kubesays.file), OK);
    result = (struct discover_result){.connections = 99};
    netpeer_reset();
    if (kubesays.dns) {
        netpeer_start(NET_DAD_OPTIMISTIC, FAMILIES_BOTH);
        assert_true(netpeer_run(5, netpeer_both_ready));
    }
    assert_int_equal(discover_start(&d, &in, netpeer.now_ms), OK);
    for (unsigned i = 0; i < 4000 && step == DISCOVER_WAIT; i++) {
        if (kubesays.dns)
            (void)netpeer_run(0, NULL);
        step = discover_step(&d, netpeer.now_ms++, &result);
        kubepeer_turn(&kubesays_script);
        if (step == DISCOVER_WAIT)
            usleep(500);
    }
    return step;
}

#define SUCCEEDS() succeeds(__LINE__)
static void succeeds(int line)
{
    enum discover_step step = run();

    if (step != DISCOVER_DONE)
        print_error("line %d: %s: %s [%s]\n", line, err_name(d.fault.code), d.fault.text, d.fault.peer);
    assert_int_equal(step, DISCOVER_DONE);
}

#define FAILS(want, peer) fails(want, peer, __LINE__)
static void fails(enum err want, const char *peer, int line)
{
    enum discover_step step = run();

    if (step != DISCOVER_FAILED || d.fault.code != want)
        print_error("line %d: %d %s: %s [%s]\n", line, (int)step, err_name(d.fault.code), d.fault.text,
                    d.fault.peer);
    assert_int_equal(step, DISCOVER_FAILED);
    assert_int_equal(d.fault.code, want);
    assert_string_equal(d.fault.peer, peer);
    assert_int_equal(result.connections, 99);
    discover_stop(&d);
    assert_int_equal(arena.used, 0);
}

/* The token's secret stands nowhere in what a peer received. */
static void never_told(unsigned peer)
{
    struct span got = span_of(kubepeers[peer].got, kubepeers[peer].got_n);

    assert_int_equal(span_find_str(got, "0123456789abcdef"), got.n);
}

static void test_one_connection(void **state)
{
    (void)state;
    kubepeer_start(0, "leaf", V4);
    SUCCEEDS();
    assert_int_equal(kubepeers[0].connections, 1);
    assert_int_equal(kubepeers[0].requests, 4);
    assert_int_equal(result.connections, 1);
    assert_true(span_is(result.server, "https://" V4 ":6443"));
    assert_string_equal(result.cluster.name, "lab");
    assert_int_equal(result.cluster.minor, 36);
    assert_true(span_is(result.kubelet_config, kubesays.kubelet) && gate_admitted(result.kubelet_config));
    assert_int_equal(result.peer.family, FAMILY_V4);
    assert_string_equal(result.tls, "TLSv1.3");
    assert_int_equal(result.date_s, 0);
    for (size_t i = 0; i < sizeof(d.request); i++)
        assert_int_equal(d.request[i], 0);
    discover_stop(&d);
    assert_true(span_is(result.kubelet_config, kubesays.kubelet));
}

static void test_order(void **state)
{
    struct span got;
    size_t kubelet, node, kubeadm;

    (void)state;
    kubepeer_start(0, "leaf", V4);
    SUCCEEDS();
    got = span_of(kubepeers[0].got, kubepeers[0].got_n);
    kubelet = span_find_str(got, "kubelet-config");
    node = span_find_str(got, "nodes/node-1");
    kubeadm = span_find_str(got, "kubeadm-config");
    assert_true(span_find_str(got, "cluster-info") < kubelet && kubelet < node && node < kubeadm &&
                kubeadm < got.n);
    assert_true(span_find_str(got, "Bearer") > span_find_str(got, "cluster-info"));
}

static void test_v6(void **state)
{
    (void)state;
    join.endpoint_host = SPAN_LIT(V6);
    assert_int_equal(ip_parse(join.endpoint_host, &join.endpoint_ip), OK);
    kubesays.server = "https://[" V6 "]:6443";
    kubepeer_start(0, "leaf", V6);
    SUCCEEDS();
    assert_int_equal(result.peer.family, FAMILY_V6);
    assert_int_equal(kubepeers[0].connections, 1);
    assert_true(span_find_str(span_of(kubepeers[0].got, kubepeers[0].got_n), "Host: [" V6 "]:6443\r\n") <
                kubepeers[0].got_n);
}

/* Somebody who relays the real cluster-info has all but the key of a certificate by the pinned CA. */
static void test_rogue_relay(void **state)
{
    static const char *const honest[] = {NAME_V4, NAME_V6};

    for (unsigned i = 0; i < 2; i++) {
        setup(state);
        kubesays.dns = true;
        kubesays.server = "https://server.test:6443";
        join.endpoint_host = SPAN_LIT("server.test");
        join.endpoint_ip = (struct ip){.family = FAMILY_NONE};
        kubepeer_start(0, "leaf", honest[i]);
        kubepeer_start(1, "viaother", honest[1 - i]);
        SUCCEEDS();
        assert_true(ip_eq(&result.peer, &kubepeers[0].addr));
        assert_int_equal(result.connections, 1);
        assert_int_equal(kubepeers[0].connections, 1);
        never_told(1);
        teardown(state);
    }
    setup(state);
}

/* cluster-info names another server: the token goes there and nowhere else. */
static void test_other_server(void **state)
{
    (void)state;
    kubesays.server = "https://[" V6 "]:6443";
    kubepeer_start(0, "leaf", V4);
    kubepeer_start(1, "leaf", V6);
    SUCCEEDS();
    assert_int_equal(kubepeers[0].requests, 1);
    assert_int_equal(kubepeers[1].requests, 3);
    assert_int_equal(result.connections, 2);
    assert_int_equal(result.peer.family, FAMILY_V6);
    never_told(0);
}

static void test_other_server_refused(void **state)
{
    (void)state;
    kubesays.server = "https://[" V6 "]:6443";
    kubepeer_start(0, "leaf", V4);
    kubepeer_start(1, "viaother", V6);
    FAILS(ERR_DISCOVER_CHAIN, "[" V6 "]:6443");
    never_told(0);
    never_told(1);
}

static void test_closing(void **state)
{
    (void)state;
    kubesays.close_info = true;
    kubepeer_start(0, "leaf", V4);
    SUCCEEDS();
    assert_int_equal(kubepeers[0].connections, 2);
    assert_int_equal(result.connections, 2);
}

static void refused(const char *cert, enum err want)
{
    kubepeer_start(0, cert, V4);
    FAILS(want, V4 ":6443");
    never_told(0);
    kubepeer_stop_all();
}

static void test_chains(void **state)
{
    (void)state;
    refused("viaother", ERR_DISCOVER_CHAIN);
    refused("wrongname", ERR_TLS_NAME);
    refused("noserver", ERR_TLS_USAGE);
}

static void test_info(void **state)
{
    (void)state;
    kubesays.token = "abcdef.0123456789abcdeg";
    refused("leaf", ERR_DISCOVER_JWS);
    kubesays.token = "abcdeg.0123456789abcdef";
    refused("leaf", ERR_DISCOVER_MISSING);
    kubesays.token = TOKEN;
    pin_file("other.pem");
    refused("leaf", ERR_DISCOVER_PIN);
    kubesays.ca = "other"; /* the pinned CA, but the server is another one's */
    refused("leaf", ERR_DISCOVER_CHAIN);
    setup(NULL);
    kubesays.status[0] = 403;
    refused("leaf", ERR_DISCOVER_SYNTAX);
    setup(NULL);
    kubesays.server = "http://" V4 ":6443";
    refused("leaf", ERR_DISCOVER_SYNTAX);
    setup(NULL);
    kubesays.tail = true;
    refused("leaf", ERR_HTTP_SYNTAX);
}

static void test_answers(void **state)
{
    static const char ready[] =
        "{\"kind\":\"Node\",\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}";
    static const struct {
        unsigned which, status;
        enum err want;
    } rows[] = {
        {1, 401, ERR_API_UNAUTHORIZED}, {1, 403, ERR_API_FORBIDDEN}, {1, 404, ERR_API_STATUS},
        {1, 500, ERR_API_STATUS},       {2, 403, ERR_API_FORBIDDEN}, {2, 503, ERR_API_STATUS},
        {3, 403, ERR_API_FORBIDDEN},    {3, 404, ERR_API_STATUS},
    };
    (void)state;
    kubepeer_start(0, "leaf", V4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        setup(NULL);
        kubesays.status[rows[i].which] = rows[i].status;
        FAILS(rows[i].want, V4 ":6443");
    }
    setup(NULL);
    kubesays.status[2] = 200;
    kubesays.node = ready;
    FAILS(ERR_NODE_EXISTS, V4 ":6443");
    kubesays.node =
        "{\"kind\":\"Node\",\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\"}]}}";
    SUCCEEDS();
    discover_stop(&d);
    kubesays.kubeadm =
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.34.1\n";
    FAILS(ERR_VERSION_SKEW, V4 ":6443");
    kubesays.kubeadm =
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.35.1\n";
    FAILS(ERR_VERSION_SKEW, V4 ":6443"); /* the kubelet is newer */
    kubesays.kubelet = "";
    FAILS(ERR_API_SYNTAX, V4 ":6443");
}

static void test_node_names(void **state)
{
    static const char *const names[] = {"", "a/b", "..", "Node", "a?b", "a b"};

    (void)state;
    kubepeer_start(0, "leaf", V4);
    for (size_t i = 0; i < COUNT(names); i++) {
        node_name = names[i];
        FAILS(ERR_CONFIG_UNSUPPORTED, V4 ":6443");
    }
    node_name = "node-1";
    never_told(0);
}

static void test_date(void **state)
{
    static char text[64];
    time_t then = time(NULL) + 3600;

    (void)state;
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
    kubesays.date = text;
    kubepeer_start(0, "leaf", V4);
    SUCCEEDS();
    assert_int_equal(result.date_s, then);
    discover_stop(&d);
    then += 86400 * 400; /* the leaf lives 30 days */
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
    FAILS(ERR_TLS_EXPIRED, V4 ":6443");
    kubesays.date = "Sun, 06 Nov 1994 08:49:37 GMT";
    SUCCEEDS();
    assert_int_equal(result.date_s, 0);
}

/* The CA in the file proves the API server: one connection, three requests, and no cluster-info. */
static void test_file(void **state)
{
    static char text[8192];
    char path[300];

    for (unsigned i = 0; i < 3; i++) {
        struct buf b = BUF_OF(text);
        setup(state);
        join = (struct join){.has_file = true, .tls_bootstrap_token = SPAN_LIT(TOKEN)};
        snprintf(path, sizeof(path), "%s/%s.pem", testcrypto_dir(), i == 1 ? "other" : "ca");
        buf_fmt(
            &b,
            "apiVersion: v1\nkind: Config\nclusters:\n- name: ''\n  cluster:\n    server: https://%s:6443\n"
            "    certificate-authority-data: ",
            V4);
        text_b64_put(&b, testcrypto_file(path));
        buf_fmt(&b, "\n%s", i == 2 ? "users: [{}]\n" : "");
        kubesays.file = buf_span(&b);
        kubepeer_start(0, "leaf", V4);
        if (i == 1) {
            FAILS(ERR_DISCOVER_CHAIN, V4 ":6443");
            never_told(0);
        } else if (i == 0) {
            SUCCEEDS();
            assert_int_equal(kubepeers[0].connections, 1);
            assert_int_equal(kubepeers[0].requests, 3);
            assert_int_equal(result.prover.family, FAMILY_V4);
            assert_true(span_is(result.server, "https://" V4 ":6443") && span_is(result.user.token, TOKEN));
            assert_true(span_eq(result.ca_pem, testcrypto_file(path)));
        } else {
            struct discover_input in = {.join = &join, .file = kubesays.file, .arena = &arena};
            arena_init(&arena, memory, sizeof(memory));
            assert_int_equal(gate_admit(GATE_OWN_FILE, kubesays.file), OK);
            assert_int_equal(discover_start(&d, &in, 0), ERR_DISCOVER_FILE);
            assert_int_equal(d.fault.code, ERR_DISCOVER_FILE);
        }
        teardown(state);
    }
    setup(state);
}

static void test_nobody(void **state)
{
    (void)state;
    FAILS(ERR_DISCOVER_CONNECT, V4);
    struct discover idle = {0};
    discover_stop(&idle);
    assert_int_equal(discover_step(&idle, 0, &result), DISCOVER_FAILED);
    assert_false(discover_trusted(&idle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_v6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rogue_relay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_server_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chains, setup, teardown),
        cmocka_unit_test_setup_teardown(test_info, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_node_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_date, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
    };
    testcrypto_start(512 * 1024);
    tlspeer_set_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
