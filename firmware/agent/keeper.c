/*
 * keeper.c - see keeper.h. What is due and when is decided in net/lease.c and net/slaac.c; here it reaches the host and the journal.
 */
#include "firmware/agent/agent.h"
#include "firmware/agent/backoff.h"
#include "firmware/agent/handoff.h"
#include "firmware/crypto/rng.h"

enum { MESSAGES_PER_TURN = 16, EVENTS_PER_TURN = 16 };

static const char row[] = "keep";
static const char resolv_conf[] = "/etc/resolv.conf";

static uint64_t sooner(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

static void tell(struct agent *a, const struct fault *f)
{
    uint64_t wake = keeper_wake_ms(a), wait = wake > a->now_ms ? wake - a->now_ms : 0;

    journal_fault(&a->journal, a->now_ms, row, f, 1, wait < UINT32_MAX ? (uint32_t)wait : 0);
}

static void tell_address(struct agent *a, const char *event, const struct ip_prefix *addr, uint32_t valid_s)
{
    journal_begin(&a->journal, a->now_ms, row, event);
    journal_prefix(&a->journal, addr->addr.family == FAMILY_V4 ? "ipv4" : "ipv6", addr);
    journal_num(&a->journal, "valid_s", valid_s);
    if (addr->addr.family == FAMILY_V4)
        journal_ip(&a->journal, "server", &a->keeper.v4.grant.server);
    journal_end(&a->journal);
}

/* The place of an address in what the kernel was given; addr_count if it is not there. */
static unsigned place(const struct agent *a, const struct ip *addr)
{
    unsigned i = 0;

    while (i < a->host_net.addr_count && !ip_eq(&a->host_net.addrs[i].addr, addr))
        i++;
    return i;
}

/* Sets in a->host_net what is left of each lifetime now. */
static void count_lifetimes(struct agent *a)
{
    struct keeper *k = &a->keeper;
    struct host_net *n = &a->host_net;
    unsigned kept = 0, i;

    i = place(a, &k->v4.grant.addr);
    if (k->v4.state != LEASE_NONE && i < n->addr_count)
        n->valid_s[i] = lease_left_s(&k->v4, a->now_ms);
    for (unsigned v = 0; v < k->v6.addr_count; v++) {
        i = place(a, &k->v6.addrs[v].prefix.addr);
        if (i < n->addr_count)
            n->valid_s[i] = slaac_left_s(k->v6.addrs[v].valid_ms, a->now_ms);
    }
    /* A route over a router that is one by its advertisement only lasts no longer than that. */
    for (i = 0; i < n->route_count; i++) {
        struct host_route r = n->routes[i];
        if (r.expires_s != 0)
            r.expires_s = slaac_router_s(&k->v6, &r.via, a->now_ms);
        if (n->routes[i].expires_s == 0 || r.expires_s != 0)
            n->routes[kept++] = r;
    }
    n->route_count = kept;
}

static bool start(struct agent *a)
{
    struct keeper *k = &a->keeper;
    struct fault f = {0};

    if (a->host->keep_open(a->host->ctx, a->nic, k->families, &f) != OK) {
        uint32_t wait = backoff_ms(++k->failures, rng_u32());
        k->retry_ms = a->now_ms + wait;
        journal_fault(&a->journal, a->now_ms, row, &f, k->failures, wait);
        return false;
    }
    k->on = true;
    for (unsigned i = 0; i < k->v6.addr_count; i++)
        k->v6.addrs[i].changed = true;
    return true;
}

void keeper_take(struct agent *a)
{
    struct keeper *k = &a->keeper;
    struct host_net *n = &a->host_net;
    struct net_lease lent;

    keeper_stop(a);
    if (!net_lease(&lent, a->now_ms))
        return;
    for (unsigned i = 0; i < n->route_count; i++) {
        if (n->accept_ra && n->routes[i].family == FAMILY_V6 && a->net.router6_s != UINT32_MAX)
            n->routes[i].expires_s = a->net.router6_s;
    }
    if (!a->host->keep_open)
        return;
    if (lent.v4.addr.family == FAMILY_V4) {
        k->families |= FAMILIES_V4;
        lease_begin(&k->v4, lent.mac, &lent.v4, lent.v4_granted_ms, rng_u32());
    }
    if (n->accept_ra)
        k->families |= FAMILIES_V6;
    k->v6 = lent.v6;
    k->resolvers = lent.resolvers;
    memcpy(k->dns, a->net.dns, sizeof(k->dns));
    k->dns_count = a->net.dns_count;
    if (k->families && start(a))
        count_lifetimes(a);
}

void keeper_stop(struct agent *a)
{
    if (a->host && a->host->keep_close)
        a->host->keep_close(a->host->ctx);
    a->keeper = (struct keeper){.families = 0};
}

static void set_lifetime(struct agent *a, const struct ip_prefix *addr, uint32_t valid_s,
                         uint32_t preferred_s)
{
    struct fault f = {0};
    unsigned i = place(a, &addr->addr);

    if (i == a->host_net.addr_count || valid_s == 0)
        return;
    a->host_net.valid_s[i] = valid_s;
    if (a->host->addr_lifetime(a->host->ctx, a->nic, &a->host_net.addrs[i], valid_s, preferred_s, &f) != OK)
        tell(a, &f);
}

static void address_lost(struct agent *a, const struct ip *addr, const char *why)
{
    struct fault f = {0};
    char text[IP_TEXT_MAX];
    unsigned i = place(a, addr);

    if (i < a->host_net.addr_count)
        a->host_net.valid_s[i] = 0;
    fault_set(&f, ERR_ADDRESS_LOST, "%s: %s", ip_text(addr, text), why);
    tell(a, &f);
}

/* The lease's router becomes the kernel's default route. */
static void follow_router(struct agent *a)
{
    struct host_net *n = &a->host_net;
    const struct ip *router = &a->keeper.v4.grant.router;
    unsigned i = 0;

    if (router->family != FAMILY_V4 || !ip_is_usable(router))
        return;
    while (i < n->route_count && (n->routes[i].family != FAMILY_V4 || n->routes[i].dst.len != 0))
        i++;
    if (i == HOST_ROUTES_MAX || (i < n->route_count && ip_eq(&n->routes[i].via, router)))
        return;
    n->route_count += i == n->route_count;
    n->routes[i] =
        (struct host_route){.family = FAMILY_V4, .dst = {.addr = {.family = FAMILY_V4}}, .via = *router};
    a->keeper.apply = true;
    journal_begin(&a->journal, a->now_ms, row, "router");
    journal_ip(&a->journal, "router4", router);
    journal_end(&a->journal);
}

static void lease_renewed(struct agent *a, bool was_lost)
{
    struct keeper *k = &a->keeper;
    const struct lease_grant *g = &k->v4.grant;
    uint32_t valid_s = lease_left_s(&k->v4, a->now_ms);
    unsigned i = place(a, &g->addr);

    if (i == a->host_net.addr_count)
        return;
    tell_address(a, was_lost ? "back" : "renewed", &a->host_net.addrs[i], valid_s);
    set_lifetime(a, &a->host_net.addrs[i], valid_s, valid_s);
    follow_router(a);
    /* With the address the kernel has forgotten the routes. */
    k->apply = k->apply || was_lost;
    if (g->dns_count > 0)
        resolvers_drop(&k->resolvers, RESOLVERS_DHCP4);
    for (i = 0; i < g->dns_count; i++)
        resolvers_set(&k->resolvers, RESOLVERS_DHCP4, &g->server, &g->dns[i], UINT32_MAX, a->now_ms);
}

static void lease_event(struct agent *a, enum lease_event e, const struct lease_grant *said, bool was_lost)
{
    const struct lease *l = &a->keeper.v4;
    char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];
    struct fault f = {0};

    ip_text(&l->grant.addr, ours);
    switch (e) {
    case LEASE_UNANSWERED:
        fault_set(&f, ERR_LEASE_RENEW, "%s: no answer; every server is asked; the lease ends in %u s", ours,
                  (unsigned)lease_left_s(l, a->now_ms));
        fault_peer(&f, "%s", ip_text(&l->grant.server, theirs));
        tell(a, &f);
        return;
    case LEASE_EXPIRED:
        address_lost(a, &l->grant.addr, "its lease has ended");
        return;
    case LEASE_REFUSED:
    case LEASE_OTHER:
        if (e == LEASE_REFUSED)
            fault_set(&f, ERR_LEASE_LOST, "%s: refused", ours);
        else
            fault_set(&f, ERR_LEASE_LOST, "%s: the server gives %s", ours, ip_text(&said->addr, theirs));
        fault_peer(&f, "%s", ip_text(&said->server, theirs));
        tell(a, &f);
        return;
    case LEASE_RENEWED:
        lease_renewed(a, was_lost);
        return;
    default:
        return;
    }
}

static void lease_due(struct agent *a)
{
    struct lease *l = &a->keeper.v4;
    uint8_t message[LEASE_MESSAGE_MAX];
    enum lease_event e;
    struct ip to;

    for (unsigned i = 0; i < EVENTS_PER_TURN; i++) {
        struct buf b = BUF_OF(message);
        e = lease_turn(l, a->now_ms, rng_u32(), &b, &to);
        if (e == LEASE_NOTHING)
            return;
        if (e == LEASE_SEND)
            a->host->keep_send(a->host->ctx, l->state == LEASE_LOST ? NULL : &l->grant.addr, &to,
                               buf_span(&b));
        else
            lease_event(a, e, NULL, false);
    }
}

static void slaac_due(struct agent *a)
{
    struct slaac *s = &a->keeper.v6;
    struct fault f = {0};
    enum slaac_event e;
    unsigned index = 0;

    for (unsigned i = 0; i < EVENTS_PER_TURN && (e = slaac_turn(s, a->now_ms, &index)) != SLAAC_NOTHING;
         i++) {
        const struct slaac_addr *addr = &s->addrs[index];
        uint32_t valid_s = slaac_left_s(addr->valid_ms, a->now_ms);
        if (e == SLAAC_EXPIRED) {
            address_lost(a, &addr->prefix.addr, "no router advertises its prefix any more");
        } else if (e == SLAAC_ROUTER_LOST) {
            fault_set(&f, ERR_ROUTER_LOST, "the last router's lifetime has ended");
            tell(a, &f);
        } else {
            uint32_t preferred_s = slaac_left_s(addr->preferred_ms, a->now_ms);
            if (e == SLAAC_BACK)
                tell_address(a, "back", &addr->prefix, valid_s);
            set_lifetime(a, &addr->prefix, valid_s, preferred_s < valid_s ? preferred_s : valid_s);
        }
    }
}

static void take_message(struct agent *a, const struct host_kept_message *m)
{
    struct keeper *k = &a->keeper;
    bool was_lost = k->v4.state == LEASE_LOST;
    struct lease_grant said;
    struct slaac_ra ra;

    if (m->kind == HOST_KEPT_DHCP4) {
        lease_event(a, lease_received(&k->v4, a->now_ms, rng_u32(), m->bytes, &said), &said, was_lost);
        return;
    }
    if (!ip_is_link_local(&m->from) || !slaac_read(m->bytes, &ra))
        return;
    slaac_advertised(&k->v6, &m->from, &ra, a->now_ms);
    for (unsigned i = 0; i < ra.rdnss_count; i++)
        resolvers_set(&k->resolvers, RESOLVERS_RA, &m->from, &ra.rdnss[i].addr, ra.rdnss[i].lifetime_s,
                      a->now_ms);
}

/* Writes resolv.conf when the resolvers have become others, if the file is still as the hand-over wrote it. None left: the old ones are better. */
static void follow_resolvers(struct agent *a)
{
    struct keeper *k = &a->keeper;
    struct ip now[NET_DNS_MAX];
    unsigned count = 0, known = 0;
    uint8_t file[512], old_bytes[512];
    struct buf old = BUF_OF(old_bytes), new = BUF_OF(file);
    struct fault f = {0};
    size_t n = 0;

    resolvers_expire(&k->resolvers, a->now_ms);
    for (unsigned i = 0; i < k->resolvers.count && count < NET_DNS_MAX; i++)
        now[count++] = k->resolvers.list[i].addr;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned o = 0; o < k->dns_count; o++)
            known += ip_eq(&now[i], &k->dns[o]);
    }
    if (count == 0 || (known == count && count == k->dns_count))
        return;
    handoff_put_resolvers(&old, k->dns, k->dns_count);
    if (a->host->read_file(a->host->ctx, resolv_conf, file, sizeof(file), &n) != OK ||
        !span_eq(span_of(file, n), buf_span(&old)))
        n = 0;
    memcpy(k->dns, now, sizeof(now));
    k->dns_count = count;
    handoff_put_resolvers(&new, now, count);
    journal_begin(&a->journal, a->now_ms, row, "resolvers");
    for (unsigned i = 0; i < count; i++)
        journal_ip(&a->journal, "dns", &now[i]);
    journal_end(&a->journal);
    if (n != 0 && a->host->write_file(a->host->ctx, resolv_conf, 0644, buf_span(&new), &f) != OK)
        tell(a, &f);
}

static void apply(struct agent *a)
{
    struct keeper *k = &a->keeper;
    struct fault f = {0};

    k->apply = false;
    count_lifetimes(a);
    if (a->host->net_apply(a->host->ctx, &a->host_net, &f) != OK)
        tell(a, &f);
    /* net_apply knows no preferred lifetimes. */
    for (unsigned i = 0; i < k->v6.addr_count; i++)
        k->v6.addrs[i].changed = true;
}

void keeper_turn(struct agent *a)
{
    struct keeper *k = &a->keeper;
    struct host_kept_message m;

    if (!a->handed_over || k->families == 0)
        return;
    if (!k->on) {
        if (a->now_ms < k->retry_ms || !start(a))
            return;
        k->apply = true;
    }
    for (unsigned i = 0; i < MESSAGES_PER_TURN && a->host->keep_recv(a->host->ctx, &m); i++)
        take_message(a, &m);
    lease_due(a);
    if (k->apply)
        apply(a);
    slaac_due(a);
    follow_resolvers(a);
}

uint64_t keeper_wake_ms(const struct agent *a)
{
    const struct keeper *k = &a->keeper;
    uint64_t wake;

    if (!a->handed_over || k->families == 0)
        return UINT64_MAX;
    if (!k->on)
        return k->retry_ms;
    wake = sooner(lease_wake_ms(&k->v4), slaac_wake_ms(&k->v6));
    for (unsigned i = 0; i < k->resolvers.count; i++)
        wake = sooner(wake, k->resolvers.list[i].until_ms);
    return wake;
}
