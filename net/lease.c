/*
 * lease.c - see lease.h.
 *
 * A message (RFC 2131 section 2): op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr[16], sname[64], file[128],
 * magic cookie, then options of (code, length, data), 0 a pad and 255 the end (RFC 2132).
 */
#include "net/lease.h"

#include "net/lease_msg.h"

/* RFC 2131 section 4.1: 4, 8, 16, 32, then 64 seconds, each one second more or less. */
enum { LOST_FIRST_MS = 4000, LOST_SHIFT_MAX = 4, LOST_JITTER_MS = 1000 };

/* RFC 2131 section 4.4.5: T1 before T2 before the end; 0.5 and 0.875 of the lease where the server's own times are not so. */
static void lease_set_times(struct lease *l, uint64_t granted_ms, uint32_t random)
{
    const struct lease_grant *g = &l->grant;
    uint64_t all = (uint64_t)g->lease_s * 1000, t1 = all / 2, t2 = all / 8 * 7;

    l->t1_ms = l->t2_ms = l->end_ms = UINT64_MAX;
    if (g->lease_s == UINT32_MAX)
        return;
    if (g->t1_s != 0 && g->t2_s != 0 && g->t1_s < g->t2_s && g->t2_s < g->lease_s) {
        t1 = (uint64_t)g->t1_s * 1000;
        t2 = (uint64_t)g->t2_s * 1000;
    } else if (g->t1_s != 0 && g->t2_s == 0 && (uint64_t)g->t1_s * 1000 < t2) {
        t1 = (uint64_t)g->t1_s * 1000;
    }
    t1 -= random % (t1 / 16 + 1);
    l->t1_ms = granted_ms + t1;
    l->t2_ms = granted_ms + t2;
    l->end_ms = granted_ms + all;
}

void lease_begin(struct lease *l, const uint8_t mac[static 6], const struct lease_grant *grant,
                 uint64_t granted_ms, uint32_t random)
{
    *l = (struct lease){.state = LEASE_BOUND, .grant = *grant, .sent_ms = granted_ms};
    memcpy(l->mac, mac, 6);
    lease_set_times(l, granted_ms, random);
    l->next_ms = l->t1_ms;
}

uint64_t lease_wake_ms(const struct lease *l)
{
    switch (l->state) {
    case LEASE_BOUND:
        return l->t1_ms;
    case LEASE_RENEWING:
        return l->next_ms < l->t2_ms ? l->next_ms : l->t2_ms;
    case LEASE_REBINDING:
        return l->next_ms < l->end_ms ? l->next_ms : l->end_ms;
    case LEASE_LOST:
        return l->next_ms;
    default:
        return UINT64_MAX;
    }
}

static void lease_enter(struct lease *l, enum lease_state state, uint64_t now_ms)
{
    l->state = state;
    l->next_ms = now_ms;
    l->tries = 0;
    l->discovering = l->refused = false;
    l->offered_server = (struct ip){.family = FAMILY_NONE};
}

/* Half of the time that remains until the next state, but not less than a minute (RFC 2131 section 4.4.5). */
static uint64_t lease_half(uint64_t now_ms, uint64_t until_ms)
{
    uint64_t half = (until_ms - now_ms) / 2;

    return now_ms + (half > LEASE_RETRY_MIN_MS ? half : LEASE_RETRY_MIN_MS);
}

static void lease_send(struct lease *l, uint64_t now_ms, uint32_t random, struct buf *ret, struct ip *ret_to)
{
    static const struct ip all = {.family = FAMILY_V4, .b = {255, 255, 255, 255}};
    struct lease_msg m = {.xid = random, .mac = l->mac, .type = LEASE_REQUEST};
    bool lost = l->state == LEASE_LOST, selecting = l->offered_server.family != FAMILY_NONE;
    uint64_t pause = (uint64_t)LOST_FIRST_MS << (l->tries < LOST_SHIFT_MAX ? l->tries : LOST_SHIFT_MAX);

    *ret_to = l->state == LEASE_RENEWING ? l->grant.server : all;
    if (!lost) {
        m.ciaddr = &l->grant.addr;
        l->next_ms = lease_half(now_ms, l->state == LEASE_RENEWING ? l->t2_ms : l->end_ms);
    } else {
        l->discovering = !selecting && l->tries % 2 == 1;
        m.type = l->discovering ? LEASE_DISCOVER : LEASE_REQUEST;
        m.wanted = &l->grant.addr;
        m.server = selecting ? &l->offered_server : NULL;
        /* The answer to an offer carries the offer's transaction (RFC 2131 section 4.3.2). */
        m.xid = selecting ? l->xid : random;
        l->next_ms = now_ms + pause - LOST_JITTER_MS + random % (2 * LOST_JITTER_MS + 1);
    }
    lease_msg_put(ret, &m);
    l->offered_server = (struct ip){.family = FAMILY_NONE};
    l->xid = m.xid;
    l->sent_ms = now_ms;
    l->refused = false;
    l->tries++;
}

enum lease_event lease_turn(struct lease *l, uint64_t now_ms, uint32_t random, struct buf *ret,
                            struct ip *ret_to)
{
    if (l->state == LEASE_NONE || now_ms < lease_wake_ms(l))
        return LEASE_NOTHING;
    if (l->state != LEASE_LOST && now_ms >= l->end_ms) {
        lease_enter(l, LEASE_LOST, now_ms);
        return LEASE_EXPIRED;
    }
    if ((l->state == LEASE_BOUND || l->state == LEASE_RENEWING) && now_ms >= l->t2_ms) {
        lease_enter(l, LEASE_REBINDING, now_ms);
        return LEASE_UNANSWERED;
    }
    if (l->state == LEASE_BOUND)
        lease_enter(l, LEASE_RENEWING, now_ms);
    lease_send(l, now_ms, random, ret, ret_to);
    return LEASE_SEND;
}

static enum lease_event lease_acked(struct lease *l, uint32_t random, const struct lease_grant *said)
{
    struct lease_grant g = *said;

    if (g.lease_s == 0)
        return LEASE_NOTHING;
    /* A server that says nothing of them has not taken them away. */
    if (g.router.family == FAMILY_NONE)
        g.router = l->grant.router;
    if (g.dns_count == 0) {
        memcpy(g.dns, l->grant.dns, sizeof(g.dns));
        g.dns_count = l->grant.dns_count;
    }
    l->grant = g;
    lease_enter(l, LEASE_BOUND, l->sent_ms);
    lease_set_times(l, l->sent_ms, random);
    l->xid = 0;
    return LEASE_RENEWED;
}

enum lease_event lease_received(struct lease *l, uint64_t now_ms, uint32_t random, struct span message,
                                struct lease_grant *ret_said)
{
    struct lease_grant said;
    enum lease_type type;

    if (l->state < LEASE_RENEWING || l->tries == 0 || !lease_msg_read(message, l->xid, l->mac, &type, &said))
        return LEASE_NOTHING;
    /* RENEWING asked one server; another one's answer was not asked for. */
    if (l->state == LEASE_RENEWING && !ip_eq(&said.server, &l->grant.server))
        return LEASE_NOTHING;
    if (type != (l->discovering ? LEASE_OFFER : LEASE_ACK) && (l->discovering || type != LEASE_NAK))
        return LEASE_NOTHING;
    if (type == LEASE_NAK || !ip_eq(&said.addr, &l->grant.addr)) {
        /* Told once for each of our messages: whoever repeats it shall not fill the journal. */
        bool told = l->refused;
        l->refused = true;
        *ret_said = said;
        return told ? LEASE_NOTHING : type == LEASE_NAK ? LEASE_REFUSED : LEASE_OTHER;
    }
    *ret_said = said;
    if (type == LEASE_ACK)
        return lease_acked(l, random, &said);
    l->offered_server = said.server;
    l->discovering = false;
    l->next_ms = now_ms;
    return LEASE_NOTHING;
}

uint32_t lease_left_s(const struct lease *l, uint64_t now_ms)
{
    uint64_t left = l->end_ms > now_ms ? (l->end_ms - now_ms) / 1000 : 0;

    return l->end_ms == UINT64_MAX ? UINT32_MAX : (uint32_t)left;
}
