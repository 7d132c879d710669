/*
 * syslog.c - see syslog.h.
 */
#include "firmware/agent/agent.h"
#include "firmware/base/text.h"
#include "net/kernel.h"

enum {
    HEAD = 10,
    FACILITY = 3,
    ERROR = 3,
    NOTICE = 5,
    INFO = 6,
    DEBUG = 7,
    FIRST_MS = 50,
    GAP_MS = 5,
    RETRY_MS = 1000
};

static size_t oldest_size(const struct syslog *s)
{
    return HEAD + (size_t)(s->ring[8] << 8 | s->ring[9]);
}

static void drop_oldest(struct syslog *s)
{
    size_t n = oldest_size(s);

    s->used -= n;
    memmove(s->ring, s->ring + n, s->used);
}

void syslog_keep(struct syslog *s, uint64_t now_ms, struct span line)
{
    uint8_t *p;

    if (line.n > LIMIT_JOURNAL_LINE)
        line.n = LIMIT_JOURNAL_LINE;
    while (s->used + HEAD + line.n > sizeof(s->ring)) {
        drop_oldest(s);
        s->lost++;
    }
    p = s->ring + s->used;
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(now_ms >> (56 - 8 * i));
    p[8] = (uint8_t)(line.n >> 8);
    p[9] = (uint8_t)line.n;
    memcpy(p + HEAD, line.p, line.n);
    s->used += HEAD + line.n;
}

static unsigned severity(struct span event)
{
    return span_is(event, "error")   ? ERROR
           : span_is(event, "note")  ? NOTICE
           : span_is(event, "start") ? DEBUG
                                     : INFO;
}

void syslog_put(struct span line, int64_t time_s, struct span hostname, struct buf *ret)
{
    struct span phase, event, rest = span_trim(line);

    (void)span_cut(&rest, ' '); /* joinboot[seconds] */
    phase = span_cut(&rest, ' ');
    event = span_sub(rest, 0, span_find(rest, ' '));
    buf_fmt(ret, "<%u>1 ", FACILITY << 3 | severity(event));
    if (time_s > 0)
        text_time_put(ret, time_s);
    else
        buf_str(ret, "-");
    buf_fmt(ret, " %.*s joinboot - %.*s - %.*s", (int)hostname.n, (const char *)hostname.p, (int)phase.n,
            (const char *)phase.p, (int)rest.n, (const char *)rest.p);
}

/* Printable and without spaces, as a HOSTNAME has to be. */
static void put_hostname(const struct agent *a, struct buf *ret)
{
    if (a->node_name[0])
        buf_str(ret, a->node_name);
    else if (a->machine.id.has_uuid)
        text_uuid_put(ret, a->machine.id.uuid);
    else if (a->machine.mac_count)
        text_mac_put(ret, a->machine.macs[0]);
    else
        buf_str(ret, "-");
}

static int64_t time_of(const struct agent *a, uint64_t said_ms)
{
    if (a->time.quality == TIME_FLOOR)
        return 0;
    return agent_time(a) - (int64_t)((a->now_ms - said_ms) / 1000);
}

/* As it is now: the network looks less often, and what a kernel is given without a carrier is gone without an error. */
static bool has_carrier(const struct agent *a)
{
    struct board_nic nic;

    return a->board->nic_info(a->board->ctx, a->nic, &nic) == OK && nic.carrier;
}

/* The datagrams of whoever owns the network now; NULL: nobody does. */
static const struct datagrams *way(const struct agent *a)
{
    if (a->handed_over)
        return a->host->datagrams;
    if (!a->net_up || a->at.row == PHASE_COURIER || a->at.row == PHASE_REPORT ||
        !net_family_ready(&a->net, a->site.syslog.family, false))
        return NULL;
    return net_datagrams();
}

static void shut(struct syslog *s)
{
    if (s->via)
        s->via->close(s->id);
    s->via = NULL;
    s->asked = false;
}

/* Opens the socket, or another one when the kernel has become the network's owner. */
static bool opened(struct agent *a, const struct datagrams *via)
{
    struct syslog *s = &a->syslog;

    if (s->via == via)
        return true;
    shut(s);
    if (via->open(&a->site.syslog, a->site.syslog_port, &s->id) != OK)
        return false;
    s->via = via;
    return true;
}

/* What is sent now goes on the wire now. */
static bool reaches(struct agent *a)
{
    struct syslog *s = &a->syslog;
    bool yes = has_carrier(a) && (!s->via->reaches || s->via->reaches(s->id));

    /* An answer takes a millisecond, or somebody is missing. */
    if (!yes && !s->asked)
        s->next_ms = a->now_ms + FIRST_MS;
    s->asked = !yes;
    return yes;
}

static void put_next(struct agent *a, struct buf *ret)
{
    struct syslog *s = &a->syslog;
    char name[sizeof(a->node_name)], text[80];
    struct buf host = BUF_OF(name), note = BUF_OF(text);
    uint64_t said_ms = 0;

    put_hostname(a, &host);
    for (unsigned i = 0; i < 8; i++)
        said_ms = said_ms << 8 | s->ring[i];
    if (s->lost) {
        buf_fmt(&note, "joinboot[-] syslog note text=\"%u earlier lines were lost\"", s->lost);
        syslog_put(buf_span(&note), time_of(a, said_ms), buf_span(&host), ret);
    } else {
        syslog_put(span_of(s->ring + HEAD, oldest_size(s) - HEAD), time_of(a, said_ms), buf_span(&host), ret);
    }
}

void syslog_turn(struct agent *a)
{
    struct syslog *s = &a->syslog;
    const struct datagrams *via;
    uint8_t message[LIMIT_JOURNAL_LINE + 400];
    struct buf b = BUF_OF(message);

    if (a->site.syslog.family == FAMILY_NONE || s->used == 0 || a->now_ms < s->next_ms)
        return;
    via = way(a);
    if (!via)
        return;
    s->next_ms = a->now_ms + RETRY_MS;
    if (!opened(a, via) || !reaches(a))
        return;
    put_next(a, &b);
    if (via->send(s->id, buf_span(&b)) != OK) {
        shut(s); /* it may be bound to a card that lwIP has forgotten */
        return;
    }
    s->next_ms = a->now_ms + GAP_MS;
    if (s->lost)
        s->lost = 0;
    else
        drop_oldest(s);
}

uint64_t syslog_wake_ms(const struct agent *a)
{
    const struct syslog *s = &a->syslog;

    if (a->site.syslog.family == FAMILY_NONE || s->used == 0 || !way(a))
        return UINT64_MAX;
    return s->next_ms;
}
