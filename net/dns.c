/*
 * dns.c - the resolver of dns.h over datagrams of lwIP (dns_lwip.c) or of the system (kernel.h): one query is two questions (A and AAAA), each
 * with a random identifier and a random port of its own (RFC 5452 section 9), sent together and again after 0.5, 1, 2 ... seconds, each time to
 * the next server.
 *
 * An answer counts only if server address, server port, our port, identifier and question are the ones that were asked.
 */
#include "net/dns_turn.h"

#include "net/dnsmsg.h"
#include "net/net.h"
#include "net/port.h"

enum {
    DNS_PORT = 53,
    DNS_FIRST_MS = 500,
    DNS_TRIES = 6,
    DNS_HOST_MAX = 254,
    DNS_MESSAGE_MAX = 1472,
    DNS_PER_TURN = 8,
    DNS_INDEX_BITS = 8
};

struct question {
    enum family family;
    enum dns_answer state;
    bool open;
    int socket;
    uint16_t id;
    struct ip server; /* the one asked last */
    unsigned first;   /* where in the list of servers to begin */
    unsigned sent;
    uint64_t next_ms;
};

struct query {
    bool used;
    unsigned generation;
    char host[DNS_HOST_MAX];
    struct question q[2];
    struct ip addrs[DNS_ADDRS_MAX];
    unsigned count;
};

static struct query queries[DNS_QUERIES_MAX];

/* Every query begins with another server, so that one that lies costs one attempt. */
static unsigned dns_turns;

static struct query *dns_find(unsigned handle)
{
    struct query *y = &queries[handle % DNS_QUERIES_MAX];
    bool same = y->used && y->generation == handle >> DNS_INDEX_BITS;
    return same ? y : NULL;
}

const struct datagrams *net_datagrams(void)
{
    return kernel_used() ? kernel_used()->datagrams : &dns_lwip;
}

static void dns_close(struct question *q)
{
    if (q->open)
        net_datagrams()->close(q->socket);
    q->open = false;
}

static void dns_settle(struct question *q, enum dns_answer state)
{
    q->state = state;
    dns_close(q);
}

static void dns_take(struct query *y, struct question *q, const struct dnsmsg_answer *a)
{
    if (a->kind == DNSMSG_EMPTY) {
        dns_settle(q, DNS_NONE);
    } else if (a->kind == DNSMSG_REFUSED) {
        q->next_ms = 0; /* the next server at once; DNS_TRIES bounds it */
    } else {
        for (unsigned i = 0; i < a->count && y->count < DNS_ADDRS_MAX; i++)
            y->addrs[y->count++] = a->addrs[i];
        dns_settle(q, DNS_FOUND);
    }
}

/* One message from the server that was asked last. */
static void dns_read(struct query *y, struct question *q, struct span msg)
{
    struct dnsmsg_answer answer = {.kind = DNSMSG_IGNORE};
    dnsmsg_read(msg, q->id, span_str(y->host), q->family, &answer);
    if (answer.kind != DNSMSG_IGNORE)
        dns_take(y, q, &answer);
}

void dns_deliver(int id, struct span msg)
{
    for (unsigned i = 0; i < DNS_QUERIES_MAX * 2; i++) {
        struct query *y = &queries[i / 2];
        struct question *q = &y->q[i % 2];
        if (y->used && q->open && q->socket == id && q->state == DNS_PENDING) {
            dns_read(y, q, msg);
            return;
        }
    }
}

/* Of a socket that has to be asked: a bounded number of messages, so that a flood does not hold the loop. */
static void dns_listen(struct query *y, struct question *q)
{
    static uint8_t msg[DNS_MESSAGE_MAX];
    if (net_datagrams()->recv == NULL)
        return;
    for (unsigned i = 0; i < DNS_PER_TURN && q->open && q->state == DNS_PENDING; i++) {
        size_t n = net_datagrams()->recv(q->socket, msg, sizeof(msg));
        if (n == 0)
            return;
        dns_read(y, q, span_of(msg, n));
    }
}

/* A new socket on a random port for each message: an answer to an earlier one is no longer expected. */
static enum err dns_send(const struct query *y, struct question *q)
{
    uint8_t text[DNSMSG_QUERY_MAX];
    struct buf b = BUF_OF(text);
    q->id = (uint16_t)port_random();
    enum err e = dnsmsg_put_query(&b, q->id, span_str(y->host), q->family);
    dns_close(q);
    if (e == OK)
        e = net_datagrams()->open(&q->server, DNS_PORT, &q->socket);
    if (e != OK)
        return e;
    q->open = true;
    return net_datagrams()->send(q->socket, buf_span(&b));
}

/* The n-th server whose family is usable now. */
static bool dns_server(unsigned n, struct ip *ret)
{
    struct net_status s;
    struct ip usable[NET_DNS_MAX];
    unsigned count = 0;
    net_status(&s);
    for (unsigned i = 0; i < s.dns_count; i++) {
        bool local = ip_is_link_local(&s.dns[i]);
        bool own = ip_is_loopback(&s.dns[i]); /* only a running system has one: its own cache */
        if (own     ? true
            : local ? s.link_local.state >= NET_ADDR_OPTIMISTIC && s.link_local.state <= NET_ADDR_PREFERRED
                    : net_family_ready(&s, s.dns[i].family, false))
            usable[count++] = s.dns[i];
    }
    if (count == 0)
        return false;
    *ret = usable[n % count];
    return true;
}

static void dns_ask(struct query *y, struct question *q, uint64_t now_ms)
{
    if (q->state != DNS_PENDING || now_ms < q->next_ms)
        return;
    if (q->sent == DNS_TRIES) {
        dns_settle(q, DNS_FAILED);
        return;
    }
    unsigned shift = q->sent < 2 ? q->sent : 2;
    q->next_ms = now_ms + ((uint64_t)DNS_FIRST_MS << shift);
    if (!dns_server(q->first + q->sent++, &q->server))
        return;
    /* A message that cannot leave now is a lost one: the next try comes by time. */
    (void)dns_send(y, q);
}

static enum err dns_literal(struct span host, struct query *y)
{
    struct ip ip;
    if (ip_parse(host, &ip) != OK)
        return ERR_DNS;
    y->addrs[0] = ip;
    y->count = 1;
    y->q[0].state = ip.family == FAMILY_V4 ? DNS_FOUND : DNS_NONE;
    y->q[1].state = ip.family == FAMILY_V6 ? DNS_FOUND : DNS_NONE;
    return OK;
}

enum err dns_start(struct span host, uint64_t now_ms, unsigned *ret_query)
{
    struct ip server;
    unsigned i = 0;
    while (i < DNS_QUERIES_MAX && queries[i].used)
        i++;
    if (i == DNS_QUERIES_MAX)
        return ERR_NOMEM;
    struct query *y = &queries[i];
    unsigned generation = (y->generation + 1) & 0xffff;
    *y = (struct query){
        .generation = generation,
        .q = {{.family = FAMILY_V4, .first = dns_turns}, {.family = FAMILY_V6, .first = dns_turns}}};
    if (span_to_cstr(host, y->host, sizeof(y->host)) != OK)
        return ERR_DNS;
    if (dns_literal(host, y) != OK) {
        if (!dns_server(0, &server))
            return ERR_DNS;
        dns_turns++;
        dns_ask(y, &y->q[1], now_ms);
        dns_ask(y, &y->q[0], now_ms);
    }
    y->used = true;
    *ret_query = generation << DNS_INDEX_BITS | i;
    return OK;
}

void dns_result(unsigned query, struct dns_result *ret)
{
    const struct query *y = dns_find(query);
    *ret = (struct dns_result){.a = DNS_FAILED, .aaaa = DNS_FAILED};
    if (y == NULL)
        return;
    ret->a = y->q[0].state;
    ret->aaaa = y->q[1].state;
    ret->count = y->count;
    memcpy(ret->addrs, y->addrs, sizeof(ret->addrs));
}

static void dns_free(struct query *y)
{
    dns_close(&y->q[0]);
    dns_close(&y->q[1]);
    y->used = false;
}

void dns_cancel(unsigned query)
{
    struct query *y = dns_find(query);
    if (y != NULL)
        dns_free(y);
}

void dns_turn(uint64_t now_ms)
{
    for (unsigned i = 0; i < DNS_QUERIES_MAX; i++) {
        if (!queries[i].used)
            continue;
        dns_listen(&queries[i], &queries[i].q[1]);
        dns_listen(&queries[i], &queries[i].q[0]);
        dns_ask(&queries[i], &queries[i].q[1], now_ms);
        dns_ask(&queries[i], &queries[i].q[0], now_ms);
    }
}

uint64_t dns_wake_ms(void)
{
    uint64_t wake = UINT64_MAX;
    for (unsigned i = 0; i < DNS_QUERIES_MAX * 2; i++) {
        const struct query *y = &queries[i / 2];
        const struct question *q = &y->q[i % 2];
        if (y->used && q->state == DNS_PENDING && q->next_ms < wake)
            wake = q->next_ms;
    }
    return wake;
}

void dns_stop_all(void)
{
    for (unsigned i = 0; i < DNS_QUERIES_MAX; i++) {
        if (queries[i].used)
            dns_free(&queries[i]);
    }
}
