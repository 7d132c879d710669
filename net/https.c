/*
 * https.c - the fetch of https.h as a state machine: RESOLVE and race -> SEND -> RECEIVE -> done, or back to the start for a redirect.
 *
 * The race begins with the first family that resolves: IPv6 at once, IPv4 after the resolution delay of RFC 8305 section 3, or when it is known
 * that there is no IPv6. It is won by the first connection whose certificate is good, so a rogue answer only loses its lane.
 */
#include "net/https.h"

#include "net/dns.h"
#include "net/net.h"

enum https_state { HTTPS_IDLE = 0, HTTPS_RACE, HTTPS_SEND, HTTPS_RECEIVE, HTTPS_ENDED, HTTPS_BROKEN };

enum { HTTPS_RESOLUTION_MS = 50, HTTPS_REDIRECTS = 2, HTTPS_CHUNK = 2048 };

static enum err https_race_start(void *ctx, unsigned lane, const struct ip *addr, uint64_t now_ms)
{
    struct https *h = ctx;
    struct x509_demand demand = {.ip = h->url.ip, .now_s = h->now_s, .quality = h->quality};
    (void)now_ms;
    if (span_to_cstr(span_str(h->url.host), demand.host, sizeof(demand.host)) != OK)
        return ERR_URL;
    return conn_start(&h->conns[lane], h->transport, addr, h->url.port, h->roots, &demand);
}

static enum race_step https_race_step(void *ctx, unsigned lane, uint64_t now_ms, struct fault *f)
{
    struct https *h = ctx;
    (void)now_ms;
    switch (conn_step(&h->conns[lane])) {
    case CONN_OPEN:
        return RACE_WON;
    case CONN_FAILED:
        *f = h->conns[lane].fault;
        return RACE_LOST;
    default:
        return RACE_WAIT;
    }
}

static void https_race_stop(void *ctx, unsigned lane)
{
    struct https *h = ctx;
    conn_stop(&h->conns[lane]);
}

static struct race_ops https_ops(struct https *h)
{
    return (struct race_ops){
        .ctx = h, .start = https_race_start, .step = https_race_step, .stop = https_race_stop};
}

static void https_end_query(struct https *h)
{
    if (h->has_query)
        dns_cancel(h->query);
    h->has_query = false;
}

static void https_end_race(struct https *h)
{
    struct race_ops ops = https_ops(h);
    https_end_query(h);
    race_stop(&h->race, &ops);
}

static enum https_step https_fail(struct https *h, enum err e, const char *text)
{
    (void)fault_set(&h->fault, e, "%s", text);
    if (h->peer.family != FAMILY_NONE) {
        char peer[IP_TEXT_MAX];
        fault_peer(&h->fault, h->peer.family == FAMILY_V6 ? "[%s]:%u" : "%s:%u", ip_text(&h->peer, peer),
                   (unsigned)h->url.port);
    }
    fault_peer(&h->fault, "%s", h->url.host);
    https_end_race(h);
    h->state = HTTPS_BROKEN;
    return HTTPS_FAILED;
}

static enum err https_begin(struct https *h, uint64_t now_ms)
{
    char authority[280] = {0};
    struct buf a = {.p = (uint8_t *)authority, .cap = sizeof(authority) - 1};
    struct buf request = BUF_OF(h->request);
    url_put_authority(&a, &h->url);
    if (h->post.n > 0)
        http_post_put(&request, authority, h->url.path, h->post);
    else
        http_get_put(&request, authority, h->url.path, "*/*", NULL);
    if (a.overflow || request.overflow)
        return ERR_URL;
    h->request_n = request.n;
    h->request_sent = 0;
    h->first_ms = 0;
    h->gate_ms = now_ms;
    h->peer = (struct ip){.family = FAMILY_NONE};
    h->body->n = 0;
    h->body->overflow = false;
    http_init(&h->http, h->body, h->post.n > 0); /* of an answer to a POST only the head */
    race_init(&h->race);
    enum err e = dns_start(span_str(h->url.host), now_ms, &h->query);
    if (e != OK)
        return e;
    h->has_query = true;
    h->state = HTTPS_RACE;
    return OK;
}

enum err https_start(struct https *h, const struct url *url, const struct x509_roots *roots, int64_t now_s,
                     enum time_quality quality, struct conn conns[static RACE_PARALLEL], struct buf *body,
                     uint64_t now_ms)
{
    return https_post(h, url, roots, now_s, quality, (struct span){0}, conns, body, now_ms);
}

enum err https_post(struct https *h, const struct url *url, const struct x509_roots *roots, int64_t now_s,
                    enum time_quality quality, struct span json, struct conn conns[static RACE_PARALLEL],
                    struct buf *body, uint64_t now_ms)
{
    *h = (struct https){.url = *url,
                        .post = json,
                        .conns = conns,
                        .roots = roots,
                        .now_s = now_s,
                        .quality = quality,
                        .body = body,
                        .transport = net_transport()};
    enum err e = https_begin(h, now_ms);
    if (e != OK) {
        (void)fault_set(&h->fault, e, "the fetch could not start");
        fault_peer(&h->fault, "%s", h->url.host);
        h->state = HTTPS_BROKEN;
    }
    return e;
}

/* Gives the race what has been resolved, in both families. False: nothing may start yet. */
static bool https_resolve(struct https *h, uint64_t now_ms)
{
    struct dns_result r;
    if (!h->has_query)
        return true;
    dns_result(h->query, &r);
    for (unsigned i = 0; i < r.count; i++)
        race_add(&h->race, &r.addrs[i]);
    if (r.a != DNS_PENDING && r.aaaa != DNS_PENDING) {
        race_complete(&h->race);
        https_end_query(h);
        h->gate_ms = now_ms;
        if (r.count == 0)
            (void)fault_set(&h->race.fault, ERR_DNS,
                            r.a == DNS_FAILED || r.aaaa == DNS_FAILED ? "no DNS server answered"
                                                                      : "the name has no address");
        return true;
    }
    if (r.count == 0)
        return false;
    if (h->first_ms == 0) {
        h->first_ms = now_ms;
        h->gate_ms = r.aaaa == DNS_FOUND ? now_ms : now_ms + HTTPS_RESOLUTION_MS;
    }
    return now_ms >= h->gate_ms;
}

static enum https_step https_race(struct https *h, uint64_t now_ms)
{
    struct race_ops ops = https_ops(h);
    if (!https_resolve(h, now_ms))
        return HTTPS_WAIT;
    switch (race_turn(&h->race, &ops, now_ms)) {
    case RACE_WON:
        https_end_query(h);
        h->peer = h->conns[h->race.winner].addr;
        if (span_to_cstr(span_str(tls_version(&h->conns[h->race.winner].tls)), h->tls, sizeof(h->tls)) != OK)
            h->tls[0] = 0;
        h->state = HTTPS_SEND;
        return HTTPS_WAIT;
    case RACE_LOST:
        h->fault = h->race.fault;
        return https_fail(h, ERR_CONNECT, "no address could be connected to");
    default:
        return HTTPS_WAIT;
    }
}

static enum https_step https_send(struct https *h)
{
    struct conn *c = &h->conns[h->race.winner];
    while (h->request_sent < h->request_n) {
        size_t n = 0;
        /* Public: the request names the object only, and the peer is verified. */
        enum err e = conn_write(c, span_of(h->request + h->request_sent, h->request_n - h->request_sent),
                                TLS_PUBLIC, &n);
        if (e != OK)
            return https_fail(h, e, "the request could not be sent");
        if (n == 0)
            return HTTPS_WAIT;
        h->request_sent += n;
    }
    h->state = HTTPS_RECEIVE;
    return HTTPS_WAIT;
}

static enum https_step https_redirect(struct https *h, uint64_t now_ms)
{
    struct url next;
    if (h->redirects == HTTPS_REDIRECTS)
        return https_fail(h, ERR_HTTP_REDIRECT, "too many redirects");
    if (url_redirect(&h->url, span_str(h->http.location), &next) != OK)
        return https_fail(h, ERR_HTTP_REDIRECT, h->http.location);
    h->redirects++;
    https_end_race(h);
    h->url = next;
    enum err e = https_begin(h, now_ms);
    return e == OK ? HTTPS_WAIT : https_fail(h, e, "the redirect could not be followed");
}

static enum https_step https_answered(struct https *h, uint64_t now_ms)
{
    unsigned status = h->http.status;
    h->date_s = h->http.date_s;
    if (h->post.n > 0 && status / 100 == 2) {
        h->state = HTTPS_ENDED;
        return HTTPS_DONE;
    }
    if (h->post.n == 0 && (status == 301 || status == 302 || status == 303 || status == 307 || status == 308))
        return https_redirect(h, now_ms);
    if (status != 200) {
        (void)fault_set(&h->fault, ERR_HTTP_STATUS, "status %u for %s", status, h->url.path);
        return https_fail(h, ERR_HTTP_STATUS, "status");
    }
    if (!h->http.done)
        return HTTPS_WAIT;
    h->state =
        HTTPS_ENDED; /* the connection stays until https_stop, so that its chain can be checked again at the peer's time */
    return HTTPS_DONE;
}

static enum https_step https_receive(struct https *h, uint64_t now_ms)
{
    struct conn *c = &h->conns[h->race.winner];
    for (;;) {
        uint8_t chunk[HTTPS_CHUNK];
        size_t n = 0;
        size_t used = 0;
        if (conn_step(c) == CONN_FAILED) {
            h->fault = c->fault;
            return https_fail(h, ERR_CLOSED, "the connection broke");
        }
        enum err e = conn_read(c, chunk, sizeof(chunk), &n);
        if (e != OK)
            return https_fail(h, e, "the peer closed the connection before the answer was complete");
        if (n == 0)
            return HTTPS_WAIT;
        e = http_feed(&h->http, span_of(chunk, n), &used);
        if (e != OK)
            return https_fail(
                h, e, e == ERR_HTTP_SIZE ? "the answer is too large" : "the answer is not well-formed");
        if (h->http.head) {
            enum https_step step = https_answered(h, now_ms);
            if (step != HTTPS_WAIT || h->state != HTTPS_RECEIVE)
                return step;
        }
    }
}

enum https_step https_step(struct https *h, uint64_t now_ms)
{
    if (h->state == HTTPS_RACE && https_race(h, now_ms) == HTTPS_FAILED)
        return HTTPS_FAILED;
    if (h->state == HTTPS_SEND && https_send(h) == HTTPS_FAILED)
        return HTTPS_FAILED;
    switch (h->state) {
    case HTTPS_SEND:
        (void)conn_step(&h->conns[h->race.winner]);
        return HTTPS_WAIT;
    case HTTPS_RECEIVE:
        return https_receive(h, now_ms);
    case HTTPS_ENDED:
        return HTTPS_DONE;
    case HTTPS_RACE:
        return HTTPS_WAIT;
    default:
        return HTTPS_FAILED;
    }
}

uint64_t https_wake_ms(const struct https *h)
{
    if (h->state != HTTPS_RACE)
        return UINT64_MAX;
    if (h->first_ms == 0 && h->has_query)
        return UINT64_MAX; /* the resolver wakes the loop */
    uint64_t wake = race_wake_ms(&h->race);
    return wake > h->gate_ms ? wake : h->gate_ms;
}

struct conn *https_conn(struct https *h)
{
    bool has = (h->state == HTTPS_SEND || h->state == HTTPS_RECEIVE || h->state == HTTPS_ENDED) &&
               h->race.winner >= 0;
    return has ? &h->conns[h->race.winner] : NULL;
}

void https_stop(struct https *h)
{
    if (h->state == HTTPS_IDLE)
        return;
    https_end_race(h);
    h->state = HTTPS_IDLE;
}
