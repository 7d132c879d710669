/*
 * discover_race.c - one attempt: connect, and prove to be the cluster. In the first race the proof is cluster-info (CAPTURED, then JWS, pin and
 * chain), in the second the handshake itself.
 */
#include "firmware/kube/discover_race.h"

#include "net/dns.h"

enum { RESOLUTION_MS = 50, CHUNK = 2048 }; /* RFC 8305 section 3: how long IPv4 waits for AAAA */

static const char info_path[] = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

static struct x509_demand demand_of(const struct discover *d)
{
    struct x509_demand demand = {.ip = d->target.ip, .now_s = d->in.now_s, .quality = d->in.quality};

    memcpy(demand.host, d->target.host, sizeof(demand.host));
    return demand;
}

static enum err lane_start(void *ctx, unsigned lane, const struct ip *addr, uint64_t now_ms)
{
    struct discover *d = ctx;
    struct discover_lane *l = &d->lanes[lane];
    struct x509_demand demand = demand_of(d);

    (void)now_ms;
    if (!d->second) /* later it holds what was proven, the roots among it */
        arena_reset(&l->arena);
    l->body.n = 0;
    l->body.overflow = false;
    l->sent = 0;
    l->asked = false;
    http_init(&l->http, &l->body, false);
    return conn_start(&l->conn, d->in.transport, addr, d->target.port, d->second ? &d->info.roots : NULL,
                      &demand);
}

static void lane_stop(void *ctx, unsigned lane)
{
    struct discover *d = ctx;

    conn_stop(&d->lanes[lane].conn);
}

static enum race_step lost(const struct discover_lane *l, struct fault *f, enum err e, const char *text)
{
    char peer[IP_TEXT_MAX];

    (void)fault_set(f, e, "%s", text);
    fault_peer(f, l->conn.addr.family == FAMILY_V6 ? "[%s]:%u" : "%s:%u", ip_text(&l->conn.addr, peer),
               (unsigned)l->conn.port);
    return RACE_LOST;
}

/* The request is public: it names an object that everybody may read. */
static enum err ask(const struct discover *d, struct discover_lane *l)
{
    uint8_t request[512];
    char authority[280] = {0};
    struct buf a = {.p = (uint8_t *)authority, .cap = sizeof(authority) - 1}, r = BUF_OF(request);

    url_put_authority(&a, &d->target);
    http_get_put(&r, authority, info_path, "application/json", NULL);
    if (a.overflow || r.overflow)
        return ERR_LIMIT;
    while (l->sent < r.n) {
        size_t n = 0;
        enum err e = conn_write(&l->conn, span_of(request + l->sent, r.n - l->sent), TLS_PUBLIC, &n);
        if (e)
            return e;
        if (n == 0)
            return OK;
        l->sent += n;
    }
    l->asked = true;
    return OK;
}

/* The whole proof. Only the last line opens the connection for secrets. */
static enum race_step prove(struct discover *d, struct discover_lane *l, struct fault *f)
{
    struct x509_demand demand = demand_of(d);
    struct fault why = {0};

    if (l->http.status != 200) {
        (void)fault_set(f, ERR_DISCOVER_SYNTAX, "cluster-info: status %u", l->http.status);
        return lost(l, f, ERR_DISCOVER_SYNTAX, "status");
    }
    enum err e = clusterinfo_read(buf_span(&l->body), d->in.join, &l->arena, &l->info, f);
    if (e)
        return lost(l, f, e, "cluster-info");
    e = tls_trust(&l->conn.tls, &l->info.roots, &demand);
    if (e) {
        why = l->conn.tls.fault;
        return lost(l, f, e == ERR_TLS_ROOT ? ERR_DISCOVER_CHAIN : e,
                    why.text[0] ? why.text : "the captured chain");
    }
    /* Now that the peer is known, its clock is better than a floor or a hint: is its chain good at that time as well? */
    if (l->http.date_s < d->in.now_s)
        l->http.date_s = 0;
    e = l->http.date_s ? tls_recheck(&l->conn.tls, l->http.date_s, TIME_TRUSTED) : OK;
    if (e)
        return lost(l, f, e, "the API server's certificate at the time that it tells itself");
    return RACE_WON;
}

static enum race_step receive(struct discover *d, struct discover_lane *l, struct fault *f)
{
    for (;;) {
        uint8_t chunk[CHUNK];
        size_t n = 0, used = 0;
        enum err e = conn_read(&l->conn, chunk, sizeof(chunk), &n);
        if (e)
            return lost(l, f, e, "the peer closed the connection before cluster-info was complete");
        if (n == 0)
            return RACE_WAIT;
        e = http_feed(&l->http, span_of(chunk, n), &used);
        if (e)
            return lost(l, f, e, "cluster-info's answer");
        if (!l->http.done)
            continue;
        if (used < n) /* nothing was asked yet that this could answer */
            return lost(l, f, ERR_HTTP_SYNTAX, "bytes behind the answer");
        return prove(d, l, f);
    }
}

static enum race_step lane_step(void *ctx, unsigned lane, uint64_t now_ms, struct fault *f)
{
    struct discover *d = ctx;
    struct discover_lane *l = &d->lanes[lane];
    enum conn_state state = conn_step(&l->conn);

    (void)now_ms;
    if (state == CONN_FAILED) {
        *f = l->conn.fault;
        if (f->code == ERR_TLS_ROOT && d->second)
            f->code = ERR_DISCOVER_CHAIN;
        return RACE_LOST;
    }
    if (state != CONN_CAPTURED && state != CONN_OPEN)
        return RACE_WAIT;
    if (d->second)
        return state == CONN_OPEN ? RACE_WON : RACE_WAIT;
    if (!l->asked) {
        enum err e = ask(d, l);
        if (e)
            return lost(l, f, e, "cluster-info could not be asked for");
    }
    return l->asked ? receive(d, l, f) : RACE_WAIT;
}

static struct race_ops ops_of(struct discover *d)
{
    return (struct race_ops){.ctx = d, .start = lane_start, .step = lane_step, .stop = lane_stop};
}

static void end_query(struct discover *d)
{
    if (d->has_query)
        dns_cancel(d->query);
    d->has_query = false;
}

enum err discover_race_start(struct discover *d, uint64_t now_ms)
{
    race_init(&d->race);
    d->first_ms = 0;
    d->gate_ms = now_ms;
    enum err e = dns_start(span_str(d->target.host), now_ms, &d->query);
    d->has_query = e == OK;
    return e;
}

/* Gives the race what is resolved so far. False: no attempt may start yet. */
static bool resolve(struct discover *d, uint64_t now_ms)
{
    struct dns_result r;

    if (!d->has_query)
        return true;
    dns_result(d->query, &r);
    for (unsigned i = 0; i < r.count; i++)
        race_add(&d->race, &r.addrs[i]);
    if (r.a != DNS_PENDING && r.aaaa != DNS_PENDING) {
        race_complete(&d->race);
        end_query(d);
        d->gate_ms = now_ms;
        if (r.count == 0)
            (void)fault_set(&d->race.fault, ERR_DNS, "%s has no address", d->target.host);
        return true;
    }
    if (r.count == 0)
        return false;
    if (d->first_ms == 0) {
        d->first_ms = now_ms;
        d->gate_ms = r.aaaa == DNS_FOUND ? now_ms : now_ms + RESOLUTION_MS;
    }
    return now_ms >= d->gate_ms;
}

enum race_step discover_race_turn(struct discover *d, uint64_t now_ms)
{
    struct race_ops ops = ops_of(d);

    if (!resolve(d, now_ms))
        return RACE_WAIT;
    enum race_step step = race_turn(&d->race, &ops, now_ms);
    if (step == RACE_WON)
        end_query(d);
    if (step == RACE_LOST && d->fault.code == OK)
        d->fault = d->race.fault;
    return step;
}

void discover_race_stop(struct discover *d)
{
    struct race_ops ops = ops_of(d);

    end_query(d);
    race_stop(&d->race, &ops);
}

uint64_t discover_race_wake_ms(const struct discover *d)
{
    if (d->first_ms == 0 && d->has_query)
        return UINT64_MAX; /* the resolver wakes the loop */
    uint64_t wake = race_wake_ms(&d->race);
    return wake > d->gate_ms ? wake : d->gate_ms;
}
