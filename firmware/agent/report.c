/*
 * report.c - see report.h. Invariant: a->https is this file's only while report.busy.
 */
#include "firmware/agent/phases.h"
#include "firmware/base/text.h"

enum { AGAIN_MS = 300000, RETRY_MS = 10000, LIMIT_MS = 10000 };

/* Codes, names of rows and nodes, UUIDs and MACs need no escapes. */
static void compose(struct agent *a, const char *event, const char *phase, enum err code, unsigned attempt)
{
    struct report *r = &a->report;
    struct buf *b = &r->content;

    *b = BUF_OF(r->text);
    buf_fmt(
        b,
        "{\"schema\":\"joinboot-report/1\",\"role\":\"%s\",\"event\":\"%s\",\"phase\":\"%s\",\"code\":\"%s\",\"attempt\":%u,"
        "\"sequence\":%llu,\"uptimeMs\":%llu,\"node\":\"%s\"",
        a->site.host_link[0] ? "bmc" : "node", event, phase, err_name(code), attempt,
        (unsigned long long)a->state.sequence, (unsigned long long)(a->now_ms - a->journal.start_ms),
        a->node_name);
    if (a->machine.id.has_uuid) {
        buf_str(b, ",\"uuid\":\"");
        text_uuid_put(b, a->machine.id.uuid);
        buf_u8(b, '"');
    }
    if (a->machine.mac_count) {
        buf_str(b, ",\"mac\":\"");
        text_mac_put(b, a->machine.macs[0]);
        buf_u8(b, '"');
    }
    if (a->time.quality != TIME_FLOOR) {
        buf_str(b, ",\"time\":\"");
        text_time_put(b, agent_time(a));
        buf_u8(b, '"');
    }
    buf_u8(b, '}');
    r->pending = a->site.report_url[0] && !b->overflow;
    r->next_ms = a->now_ms;
    r->code = code;
}

void report_stop(struct agent *a)
{
    if (a->report.busy) {
        https_stop(&a->https);
        a->report.next_ms = a->now_ms;
    }
    a->report.busy = false;
}

void report_failed(struct agent *a)
{
    struct report *r = &a->report;
    unsigned e = (unsigned)a->failed.code % ERR_COUNT;

    if (a->now_ms - r->since_ms >= AGAIN_MS) {
        memset(r->told, 0, sizeof(r->told));
        r->since_ms = a->now_ms;
    }
    if (r->told[e / 8] & 1u << e % 8)
        return;
    report_stop(a);
    compose(a, "failed", a->table->rows[a->failed_row].name, (enum err)e, a->at.failures[a->failed_row]);
}

static bool is_idle(const struct agent *a)
{
    return (a->at.row >= PHASE_COMMIT && a->at.row <= PHASE_HANDOFF) ||
           (a->at.row == PHASE_SERVE && bmc_rests(a));
}

void report_row(struct agent *a)
{
    if (!is_idle(a))
        report_stop(a);
    if (a->at.row == PHASE_HANDOFF && a->at.attempts[PHASE_HANDOFF] == 1) {
        report_stop(a);
        compose(a, "ready", a->table->rows[PHASE_HANDOFF].name, OK, 1);
    }
}

static bool may_run(const struct agent *a)
{
    bool pause = !a->at.running &&
                 a->now_ms < a->at.retry_ms; /* of a row that failed; between two good ones there is none */

    return a->net_up && a->families && (pause || is_idle(a)) && a->at.row != PHASE_REPORT;
}

static void begin(struct agent *a)
{
    struct report *r = &a->report;
    struct conn *conns = phases_conns(a);
    struct url url = {.host = ""};

    (void)!url_parse(span_str(a->site.report_url), &url);
    r->next_ms = a->now_ms + LIMIT_MS; /* also of the next try, where there is no memory now */
    r->answer = (struct buf){0};
    r->busy = conns != NULL;
    if (!conns)
        return;
    /* A start that failed is found by the first step. */
    (void)!https_post(&a->https, &url, &a->site.roots, agent_time(a), a->time.quality, buf_span(&r->content),
                      conns, &r->answer, a->now_ms);
}

void report_turn(struct agent *a)
{
    struct report *r = &a->report;
    enum https_step s;

    if (!r->pending || !may_run(a))
        return;
    if (!r->busy && a->now_ms >= r->next_ms)
        begin(a);
    if (!r->busy)
        return;
    s = https_step(&a->https, a->now_ms);
    if (s == HTTPS_WAIT && a->now_ms < r->next_ms)
        return;
    r->pending = s != HTTPS_DONE;
    if (!r->pending)
        r->told[r->code / 8] |= (uint8_t)(1u << r->code % 8);
    if (r->pending && !r->noted)
        journal_note(&a->journal, a->now_ms, "report",
                     a->https.fault.text[0] ? a->https.fault.text : "no answer from report-url");
    r->noted = r->pending;
    report_stop(a);
    r->next_ms = a->now_ms + RETRY_MS;
}

uint64_t report_wake_ms(const struct agent *a)
{
    const struct report *r = &a->report;
    uint64_t wake = r->busy ? https_wake_ms(&a->https) : UINT64_MAX;

    if (!r->pending || !may_run(a))
        return UINT64_MAX;
    return wake < r->next_ms ? wake : r->next_ms;
}
