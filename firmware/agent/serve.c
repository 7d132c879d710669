/*
 * serve.c - see serve.h.
 */
#include "firmware/agent/serve.h"

#include "firmware/agent/agent.h"
#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "net/hostnet.h"

enum { OPEN_RETRY_MS = 1000, GIVEN_MS = 1000 };

static const char row[] = "serve";

/* What the host can read without the bundle. */
static void put_status(struct serve *s)
{
    struct buf b = BUF_OF(s->status);

    buf_str(&b, "{\"schema\":\"joinboot-bmc/1\",\"name\":");
    json_put_string(&b, span_str(s->has_bundle ? s->name : ""));
    buf_fmt(&b, ",\"sequence\":%llu,\"sha256\":\"", (unsigned long long)s->sequence);
    text_hex_put(&b, span_of(s->digest, s->has_bundle ? sizeof(s->digest) : 0));
    buf_fmt(&b, "\",\"open\":%s,\"joined\":%s}\n", s->open && s->has_bundle ? "true" : "false",
            s->joined ? "true" : "false");
    buf_u8(&b, 0);
}

static enum err read_piece(void *ctx, size_t off, uint8_t *ret, size_t n)
{
    const struct agent *a = ctx;

    return reclog_piece(a->board->bundles, &a->serve.offered, (uint32_t)off, ret, (uint32_t)n);
}

/* Gives the server what it says from now on. */
static void tell(struct agent *a)
{
    struct serve *s = &a->serve;
    struct hostnet_content content = {.closed = !s->open, .read = read_piece, .ctx = a};

    put_status(s);
    if (s->has_bundle)
        content.bundle_n = s->offered.n;
    memcpy(content.digest, s->digest, sizeof(content.digest));
    content.status = span_str(s->status);
    hostnet_serve(&content);
}

/* The newest record is the bundle with these bytes. */
static void note_stored(struct serve *s, const struct reclog_record *r, struct span bundle)
{
    s->stored = *r;
    s->has_stored = hash_sha256(bundle, s->stored_hash) == OK;
}

enum err serve_load(struct agent *a)
{
    const struct storage *st = a->board->bundles;
    struct buf *b = &a->bundle_bytes;
    struct reclog_record r;
    enum err e = st ? reclog_find(st, &r) : ERR_STORE_EMPTY;

    a->serve.has_bundle = a->serve.has_stored = false;
    if (e == OK)
        e = r.n > b->cap ? ERR_STORE_LOST : reclog_piece(st, &r, 0, b->p, r.n);
    if (e != OK)
        return e;
    b->n = r.n;
    note_stored(&a->serve, &r, buf_span(b));
    return OK;
}

bool serve_has(const struct agent *a, struct span bundle)
{
    uint8_t hash[HASH_SIZE];

    return a->serve.has_stored && hash_sha256(bundle, hash) == OK &&
           memcmp(hash, a->serve.stored_hash, HASH_SIZE) == 0;
}

bool serve_offers(const struct agent *a)
{
    const struct serve *s = &a->serve;

    return s->has_bundle && s->has_stored && s->offered.seq == s->stored.seq &&
           memcmp(s->digest, verified_digest(a->verified), HASH_SIZE) == 0;
}

/* What is served is not overwritten under the hands of a host that reads it: if it is not the newest record, or no record is whole, it is not served any
 * more from here on. */
static enum err make_way(struct agent *a)
{
    struct serve *s = &a->serve;
    struct reclog_record r = {.n = 0};
    enum err e = reclog_find(a->board->bundles, &r);

    if (e == ERR_BUSY)
        return e;
    s->has_stored = false;
    if (s->has_bundle && (e != OK || r.at != s->offered.at || r.seq != s->offered.seq)) {
        s->has_bundle = false;
        tell(a);
        journal_begin(&a->journal, a->now_ms, row, "withdrawn");
        journal_num(&a->journal, "sequence", s->sequence);
        journal_end(&a->journal);
    }
    return OK;
}

enum err serve_store(struct agent *a, struct span bundle)
{
    const struct storage *st = a->board->bundles;
    struct serve *s = &a->serve;
    struct reclog_record r;
    enum err e = st ? OK : ERR_STORE_EMPTY;

    if (e == OK && s->storing.step == 0)
        e = make_way(a);
    if (e == OK)
        e = reclog_write(st, bundle, &s->storing);
    /* What is damaged here can be fetched again, and the sequence is not here: without its mark the log begins anew. */
    if (st && e == ERR_STORE_LOST) {
        e = st->erase(st->ctx, 0, st->erase_size);
        if (e == OK)
            e = reclog_write(st, bundle, &s->storing);
    }
    if (e == OK)
        e = reclog_find(st, &r);
    if (e == OK)
        note_stored(s, &r, bundle);
    return e;
}

/* A window begins; it is told if none was open, or the bundle is a fresh one. */
static void open_window(struct agent *a, bool fresh)
{
    struct serve *s = &a->serve;
    bool was = s->open;

    s->open = true;
    s->joined = false;
    s->open_ms = a->now_ms;
    tell(a);
    if ((was && !fresh) || !s->has_bundle)
        return;
    journal_begin(&a->journal, a->now_ms, row, "open");
    journal_num(&a->journal, "sequence", s->sequence);
    journal_end(&a->journal);
}

void serve_take(struct agent *a)
{
    struct serve *s = &a->serve;

    s->offered = s->stored;
    s->sequence = a->bundle.node.sequence;
    s->expires_s = a->bundle.node.expires_s;
    memcpy(s->digest, verified_digest(a->verified), HASH_SIZE);
    memcpy(s->name, a->bundle.node.name, sizeof(s->name));
    s->has_bundle = true;
    open_window(a, true);
}

static void start(struct agent *a)
{
    struct serve *s = &a->serve;
    struct board_nic nic;
    unsigned count = a->board->nic_count(a->board->ctx), i = 0;
    struct fault f = {0};
    enum err e = ERR_LINK_NONE;

    while (i < count &&
           (a->board->nic_info(a->board->ctx, i, &nic) != OK || strcmp(nic.name, a->site.host_link) != 0))
        i++;
    if (i < count)
        e = hostnet_start(a->board, i, a->now_ms);
    s->on = e == OK;
    if (s->on) {
        open_window(a, false);
        return;
    }
    /* A USB gadget comes when the host is there: said once. */
    if (s->retry_ms == 0) {
        fault_set(&f, e, "the link to the host, %s", a->site.host_link);
        journal_fault(&a->journal, a->now_ms, row, &f, 1, OPEN_RETRY_MS);
    }
    s->retry_ms = a->now_ms + OPEN_RETRY_MS;
}

static void close_window(struct agent *a, const char *why)
{
    a->serve.open = false;
    tell(a);
    journal_begin(&a->journal, a->now_ms, row, "closed");
    journal_text(&a->journal, "why", why);
    journal_end(&a->journal);
}

static void follow_link(struct agent *a)
{
    struct serve *s = &a->serve;
    struct hostnet_status st;

    hostnet_status(&st);
    if (st.carrier && !s->carrier)
        open_window(a, false);
    s->carrier = st.carrier;
    if (st.served != s->served && (s->served == 0 || a->now_ms - s->given_ms >= GIVEN_MS)) {
        s->served = st.served;
        s->given_ms = a->now_ms;
        journal_begin(&a->journal, a->now_ms, row, "given");
        journal_num(&a->journal, "sequence", s->sequence);
        journal_num(&a->journal, "times", s->served);
        journal_end(&a->journal);
    }
}

void serve_turn(struct agent *a)
{
    struct serve *s = &a->serve;
    uint64_t window_ms = (uint64_t)a->site.serve_window_s * 1000;

    if (!a->crypto_started || !a->site.host_link[0])
        return;
    if (!s->on && a->now_ms >= s->retry_ms)
        start(a);
    if (!s->on)
        return;
    s->more = hostnet_poll(a->now_ms);
    follow_link(a);
    if (hostnet_take_joined() && !s->joined) {
        s->joined = true;
        close_window(a, "joined");
    }
    /* A clock that may run ahead closes nothing: whether it has expired the host judges, too. */
    if (s->open && s->has_bundle && timekeeper_least(&a->time, a->now_ms) >= s->expires_s)
        close_window(a, "expired");
    if (s->open && window_ms && a->now_ms - s->open_ms >= window_ms)
        close_window(a, "window");
}

uint64_t serve_wake_ms(const struct agent *a)
{
    const struct serve *s = &a->serve;
    uint64_t window_ms = (uint64_t)a->site.serve_window_s * 1000;
    uint64_t wake = s->on ? hostnet_wake_ms(a->now_ms) : s->retry_ms;

    if (!a->crypto_started || !a->site.host_link[0])
        return UINT64_MAX;
    if (s->more)
        return a->now_ms;
    return s->open && window_ms && s->open_ms + window_ms < wake ? s->open_ms + window_ms : wake;
}
