/*
 * discover.c - the states of discover.h. Invariant: a byte of the token is written only to a connection in CONN_OPEN, whose chain leads to a pinned
 * CA and names the host that it was opened to; conn_write refuses it elsewhere (tls.h).
 */
#include "firmware/kube/discover.h"

#include "config/gate.h"
#include "config/versions.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"
#include "firmware/kube/discover_race.h"
#include "net/net.h"

enum state { IDLE = 0, RACE, HELD, SEND, RECEIVE, ENDED, BROKEN };

enum { KUBELET_CONFIG, NODE, KUBEADM_CONFIG, REQUESTS };

enum { CHUNK = 2048 };

static struct discover_lane *winner(struct discover *d)
{
    return &d->lanes[d->race.winner];
}

static enum discover_step fail(struct discover *d, enum err e, const char *text)
{
    char peer[IP_TEXT_MAX];

    (void)fault_set(&d->fault, e, "%s", text);
    if (d->fault.code == ERR_CONNECT)
        d->fault.code = ERR_DISCOVER_CONNECT;
    if (d->result.peer.family != FAMILY_NONE)
        fault_peer(&d->fault, d->result.peer.family == FAMILY_V6 ? "[%s]:%u" : "%s:%u",
                   ip_text(&d->result.peer, peer), (unsigned)d->target.port);
    fault_peer(&d->fault, "%s:%u", d->target.host, (unsigned)d->target.port);
    discover_race_stop(d);
    wipe(d->request, sizeof(d->request));
    d->state = BROKEN;
    return DISCOVER_FAILED;
}

static bool take(struct arena *arena, size_t cap, struct buf *ret)
{
    uint8_t *p = arena_take(arena, cap);

    *ret = (struct buf){.p = p, .cap = p ? cap : 0};
    return p != NULL;
}

static enum err take_memory(struct discover *d)
{
    struct buf b;

    for (unsigned i = 0; i < RACE_PARALLEL; i++) {
        struct discover_lane *l = &d->lanes[i];
        if (!take(d->in.arena, DISCOVER_INFO_MAX, &l->body) || !take(d->in.arena, DISCOVER_LANE_ARENA, &b))
            return ERR_NOMEM;
        arena_init(&l->arena, b.p, b.cap);
    }
    return take(d->in.arena, LIMIT_ANSWER, &d->answer) ? OK : ERR_NOMEM;
}

static void keep_info(struct discover *d, const struct clusterinfo *info)
{
    d->info = *info;
    d->result.server = info->server_text;
    d->result.ca_pem = info->ca_pem;
    d->result.roots = info->roots;
}

static enum err aim_by_token(struct discover *d)
{
    const struct join *join = d->in.join;

    d->result.user.token = join->tls_bootstrap_token.n > 0 ? join->tls_bootstrap_token : join->token;
    d->target.ip = join->endpoint_ip;
    d->target.port = join->endpoint_port;
    memcpy(d->target.path, "/", 2);
    return span_to_cstr(join->endpoint_host, d->target.host, sizeof(d->target.host));
}

static enum err aim_by_file(struct discover *d)
{
    struct clusterinfo info;
    enum err e =
        kubeconfig_read(d->in.file, d->in.join, &d->lanes[0].arena, &info, &d->result.user, &d->fault);

    if (e)
        return e;
    keep_info(d, &info);
    d->target = info.server;
    d->second = true;
    return OK;
}

enum err discover_start(struct discover *d, const struct discover_input *in, uint64_t now_ms)
{
    const struct join *join = in->join;

    *d = (struct discover){.in = *in, .arena_used = in->arena->used, .state = RACE};
    if (!d->in.transport)
        d->in.transport = net_transport();
    enum err e = take_memory(d);
    if (!e)
        e = join->has_file ? aim_by_file(d) : aim_by_token(d);
    if (!e)
        e = discover_race_start(d, now_ms);
    if (e)
        (void)fail(d, e, "discovery could not start");
    return e;
}

static void begin_answer(struct discover *d)
{
    d->answer.n = 0;
    d->answer.overflow = false;
    http_init(&d->http, &d->answer, false);
}

/* Appends the requests that are still to be answered. */
static enum err put_requests(struct discover *d)
{
    static const char configmaps[] = "/api/v1/namespaces/kube-system/configmaps/";
    char authority[280] = {0}, bearer[KUBECONFIG_TOKEN_MAX + 1], path[400];
    struct buf a = {.p = (uint8_t *)authority, .cap = sizeof(authority) - 1}, r = BUF_OF(d->request);
    bool overflow = false;
    enum err e = span_to_cstr(d->result.user.token, bearer, sizeof(bearer));

    if (!text_is_subdomain(span_str(d->in.node_name))) /* it becomes part of a path */
        return ERR_CONFIG_UNSUPPORTED;
    url_put_authority(&a, &d->target);
    for (unsigned i = d->index; i < REQUESTS && !e; i++) {
        struct buf p = {.p = (uint8_t *)path, .cap = sizeof(path) - 1};
        buf_str(&p, i == NODE ? "/api/v1/nodes/" : configmaps);
        buf_str(&p, i == NODE ? d->in.node_name : i == KUBELET_CONFIG ? "kubelet-config" : "kubeadm-config");
        path[p.n] = 0;
        overflow |= p.overflow;
        http_get_put(&r, authority, path, "application/json", bearer);
    }
    wipe(bearer, sizeof(bearer));
    if (e || overflow || a.overflow || r.overflow)
        return e ? e : ERR_LIMIT;
    d->request_n = r.n;
    d->request_sent = 0;
    begin_answer(d);
    d->state = SEND;
    return OK;
}

/* Another connection, verified during its handshake: to cluster-info's server, or because the last one ends. */
static enum discover_step connect_again(struct discover *d, uint64_t now_ms)
{
    discover_race_stop(d);
    d->second = true;
    d->target = d->info.server;
    d->result.peer = (struct ip){.family = FAMILY_NONE};
    d->state = RACE;
    enum err e = discover_race_start(d, now_ms);
    return e ? fail(d, e, "the cluster's server could not be resolved") : DISCOVER_WAIT;
}

static bool same_server(const struct url *a, const struct url *b)
{
    if (a->port != b->port || a->ip.family != b->ip.family)
        return false;
    return a->ip.family == FAMILY_NONE ? span_is_nocase(span_str(a->host), b->host) : ip_eq(&a->ip, &b->ip);
}

static enum discover_step won(struct discover *d)
{
    struct discover_lane *l = winner(d);

    d->result.peer = l->conn.addr;
    d->result.connections++;
    if (span_to_cstr(span_str(tls_version(&l->conn.tls)), d->result.tls, sizeof(d->result.tls)))
        d->result.tls[0] = 0;
    if (d->result.connections == 1)
        d->result.prover = l->conn.addr;
    if (!d->second) {
        keep_info(d, &l->info);
        d->result.date_s = l->http.date_s;
        d->state = HELD;
        return DISCOVER_WAIT;
    }
    enum err e = put_requests(d);
    return e ? fail(d, e, "the node's name or the requests cannot be sent") : DISCOVER_WAIT;
}

/* The second half begins. */
static enum discover_step go_on(struct discover *d, uint64_t now_ms)
{
    if (winner(d)->http.close || !same_server(&d->target, &d->info.server))
        return connect_again(d, now_ms);
    enum err e = put_requests(d);
    return e ? fail(d, e, "the node's name or the requests cannot be sent") : DISCOVER_WAIT;
}

static enum discover_step race(struct discover *d, uint64_t now_ms)
{
    switch (discover_race_turn(d, now_ms)) {
    case RACE_WON:
        return won(d);
    case RACE_LOST:
        return fail(d, ERR_DISCOVER_CONNECT, "no address could be connected to");
    default:
        return DISCOVER_WAIT;
    }
}

static enum discover_step send(struct discover *d)
{
    while (d->request_sent < d->request_n) {
        size_t n = 0;
        struct span rest = span_of(d->request + d->request_sent, d->request_n - d->request_sent);
        enum err e = conn_write(&winner(d)->conn, rest, TLS_SECRET, &n);
        if (e)
            return fail(d, e, "the requests could not be sent");
        if (n == 0)
            return DISCOVER_WAIT;
        d->request_sent += n;
    }
    wipe(d->request, sizeof(d->request));
    d->state = RECEIVE;
    return DISCOVER_WAIT;
}

static enum err read_kubelet_config(struct discover *d, const struct apiobj_answer *a)
{
    struct buf text;

    if (!take(d->in.arena, a->body.n, &text))
        return fault_set(&d->fault, ERR_NOMEM, "%s is too large", a->what);
    enum err e = apiobj_configmap(a, "kubelet", &text, &d->fault);
    if (e)
        return e;
    d->result.kubelet_config = buf_span(&text);
    e = gate_admit(GATE_VERIFIED_PEER, d->result.kubelet_config);
    return e ? fault_set(&d->fault, e, "%s", a->what) : OK;
}

static enum err read_kubeadm_config(struct discover *d, const struct apiobj_answer *a)
{
    struct buf text;

    if (!take(d->in.arena, a->body.n, &text))
        return fault_set(&d->fault, ERR_NOMEM, "%s is too large", a->what);
    enum err e = apiobj_cluster(a, &text, d->in.arena, &d->result.cluster, &d->fault);
    return e ? e
             : versions_check(d->result.cluster.minor, d->result.cluster.version, d->in.kubelet_version,
                              &d->fault);
}

static enum err read_node(struct discover *d, const struct apiobj_answer *a)
{
    struct fault f = {0};
    enum err e = apiobj_node(a, &f);

    if (e == OK || (e == ERR_NODE_EXISTS && d->in.own_node))
        return OK;
    return fault_set(&d->fault, e, "%s", f.text);
}

static enum err answered(struct discover *d)
{
    char node[280];
    struct buf b = {.p = (uint8_t *)node, .cap = sizeof(node) - 1};
    struct apiobj_answer a = {.status = d->http.status, .body = buf_span(&d->answer)};

    buf_fmt(&b, "Node %s", d->in.node_name);
    node[b.n] = 0;
    switch (d->index) {
    case KUBELET_CONFIG:
        a.what = "ConfigMap kube-system/kubelet-config";
        return read_kubelet_config(d, &a);
    case NODE:
        a.what = node;
        return read_node(d, &a);
    default:
        a.what = "ConfigMap kube-system/kubeadm-config";
        return read_kubeadm_config(d, &a);
    }
}

/* One complete answer. True: go on reading on this connection. */
static bool next_answer(struct discover *d, uint64_t now_ms, enum discover_step *ret)
{
    enum err e = answered(d);

    if (e) {
        *ret = fail(d, e, "the answer");
        return false;
    }
    d->index++;
    if (d->index == REQUESTS) {
        d->state = ENDED;
        *ret = DISCOVER_DONE;
        return false;
    }
    if (d->http.close) {
        *ret = connect_again(d, now_ms);
        return false;
    }
    begin_answer(d);
    return true;
}

static enum discover_step feed(struct discover *d, struct span data, uint64_t now_ms, bool *ret_more)
{
    enum discover_step step = DISCOVER_WAIT;

    while (data.n > 0) {
        size_t used = 0;
        enum err e = http_feed(&d->http, data, &used);
        if (e)
            return fail(d, e, e == ERR_HTTP_SIZE ? "the answer is too large" : "the answer is not HTTP/1.1");
        data = span_sub(data, used, data.n);
        if (d->http.done && !next_answer(d, now_ms, &step))
            return step;
    }
    *ret_more = true;
    return DISCOVER_WAIT;
}

static enum discover_step receive(struct discover *d, uint64_t now_ms)
{
    struct conn *c = &winner(d)->conn;

    for (bool more = true; more;) {
        uint8_t chunk[CHUNK];
        size_t n = 0;
        if (conn_step(c) == CONN_FAILED) {
            d->fault = d->fault.code ? d->fault : c->fault;
            return fail(d, ERR_CLOSED, "the connection broke");
        }
        enum err e = conn_read(c, chunk, sizeof(chunk), &n);
        if (e)
            return fail(d, e, "the API server closed the connection before all answers were there");
        if (n == 0)
            return DISCOVER_WAIT;
        more = false;
        enum discover_step step = feed(d, span_of(chunk, n), now_ms, &more);
        if (!more)
            return step;
    }
    return DISCOVER_WAIT;
}

enum discover_step discover_step(struct discover *d, uint64_t now_ms, struct discover_result *ret)
{
    enum discover_step step = DISCOVER_FAILED;

    if (d->state == HELD)
        step = go_on(d, now_ms);
    if (d->state == RACE)
        step = race(d, now_ms);
    if (d->state == SEND) {
        (void)conn_step(&winner(d)->conn); /* CAPTURED becomes OPEN; what was written leaves */
        step = send(d);
    }
    if (d->state == RECEIVE)
        step = receive(d, now_ms);
    if (d->state == ENDED) {
        *ret = d->result;
        step = DISCOVER_DONE;
    }
    return step;
}

bool discover_trusted(const struct discover *d)
{
    return d->result.connections > 0 && d->state != BROKEN && d->state != IDLE;
}

uint64_t discover_wake_ms(const struct discover *d)
{
    if (d->state == HELD)
        return 0;
    return d->state == RACE ? discover_race_wake_ms(d) : UINT64_MAX;
}

void discover_stop(struct discover *d)
{
    if (d->state == IDLE)
        return;
    discover_race_stop(d);
    wipe(d->request, sizeof(d->request));
    if (d->state != ENDED)
        arena_rewind(d->in.arena, d->arena_used);
    d->state = IDLE;
}
