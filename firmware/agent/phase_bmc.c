/*
 * phase_bmc.c - the rows that only a BMC has: resume, parse, accept and commit of a bundle that is another machine's, and serve.
 *
 * Two records are kept, the bundle (board.h: bundles) and the state with its sequence. The bundle is durable first: a cut between the two leaves
 * a bundle that is newer than the state says, and resume accepts it as it would any.
 */
#include "config/courier.h"
#include "config/yaml_heap.h"
#include "firmware/agent/backoff.h"
#include "firmware/agent/phases.h"
#include "firmware/base/text.h"
#include "firmware/crypto/heap.h"

enum { REFRESH_WAITING, REFRESH_FETCHING, REFRESH_MAX_MS = 30000 };

/* The text of a bundle may end in a newline, which is no part of it. */
static struct span fetched(const struct agent *a)
{
    return span_trim(buf_span(&a->bundle_bytes));
}

static enum err parse(struct agent *a)
{
    bool clear = true;
    enum err e = courier_read(a->verified, &a->arena, &a->bundle.node, &clear, &a->fault);

    if (e == OK && clear && !a->site.permit_unsealed)
        e = fault_set(&a->fault, ERR_CONFIG_CLEAR, "kubeadm's documents are in clear");
    return e;
}

static enum err accept(struct agent *a)
{
    enum err e;

    a->machine.now_s = agent_time(a);
    a->machine.quality = a->time.quality;
    e = nodejoin_accept(&a->bundle.node, verified_digest(a->verified), &a->site, &a->machine, &a->fault);
    if (e == OK)
        timekeeper_raise(&a->time, a->bundle.node.issued_s, a->now_ms);
    return e;
}

static void recall(struct agent *a)
{
    a->machine.has_stored = a->state.accepted;
    a->machine.stored_sequence = a->state.sequence;
    memcpy(a->machine.stored_digest, a->state.digest, HASH_SIZE);
}

/* ERR_BUSY: call again. */
static enum err remember(struct agent *a)
{
    enum err e;

    if (!a->saving) {
        if (a->state.accepted && memcmp(a->state.digest, verified_digest(a->verified), HASH_SIZE) == 0)
            return OK;
        a->next = a->state;
        a->next.accepted = true;
        a->next.sequence = a->bundle.node.sequence;
        if (a->next.issued_s < a->bundle.node.issued_s)
            a->next.issued_s = a->bundle.node.issued_s;
        memcpy(a->next.digest, verified_digest(a->verified), HASH_SIZE);
    }
    e = phases_save(a);
    if (e == OK)
        recall(a);
    return e;
}

static enum err verify_stored(struct agent *a)
{
    enum err e = verify_bundle(fetched(a), &a->site, &a->arena, &a->verified, &a->fault);

    if (e == OK)
        e = parse(a);
    return e == OK ? accept(a) : e;
}

/* The stored bundle passes every check anew: the site's keys, host or cluster may be others since. ERR_BUSY: call again. */
static enum err check_stored(struct agent *a)
{
    enum err e = OK;

    if (!a->saving) {
        phases_forget(a);
        e = serve_load(a);
        if (e == ERR_STORE_EMPTY)
            return OK;
        if (e == ERR_BUSY)
            return e;
        e = e == OK ? verify_stored(a) : fault_set(&a->fault, e, "stored bundle");
    }
    if (e == OK)
        e = remember(a);
    if (e == OK)
        serve_take(a);
    return e;
}

enum step bmc_resume_step(struct agent *a)
{
    enum err e = a->saving ? OK : state_load(a->board->storage, &a->state);

    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK) {
        fault_set(&a->fault, e, "state record");
        return STEP_ERROR;
    }
    if (!a->saving) {
        recall(a);
        timekeeper_init(&a->time, agent_build_time(), a->now_ms);
        if (a->state.accepted)
            timekeeper_raise(&a->time, a->state.issued_s, a->now_ms);
    }
    e = check_stored(a);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    /* A stored bundle that is of no use is no reason not to fetch another one. */
    if (e != OK) {
        journal_fault(&a->journal, a->now_ms, "resume", &a->fault, 1, 0);
        fault_clear(&a->fault);
    }
    if (!a->board->storage || !a->board->bundles)
        journal_note(&a->journal, a->now_ms, "resume",
                     "no state storage: neither bundle nor sequence survives a power cycle");
    phases_start_device(a);
    return STEP_DONE;
}

void bmc_resume_report(struct agent *a)
{
    journal_num(&a->journal, "sequence", a->state.sequence);
    journal_text(&a->journal, "bundle", a->serve.has_bundle ? a->serve.name : "none");
}

enum step bmc_parse_step(struct agent *a)
{
    if (fetched(a).n > LIMIT_COURIER) {
        fault_set(&a->fault, ERR_HTTP_SIZE, "a BMC keeps at most %d bytes", LIMIT_COURIER);
        return STEP_ERROR;
    }
    return parse(a) == OK ? STEP_DONE : STEP_ERROR;
}

enum step bmc_accept_step(struct agent *a)
{
    return accept(a) == OK ? STEP_DONE : STEP_ERROR;
}

enum err bmc_commit_start(struct agent *a)
{
    a->serve.storing = (struct reclog_job){0};
    return OK;
}

enum step bmc_commit_step(struct agent *a)
{
    bool there = a->saving || serve_offers(a) || serve_has(a, fetched(a));
    enum err e = there ? OK : serve_store(a, fetched(a));

    if (e != OK && e != ERR_BUSY) {
        fault_set(&a->fault, e, "storing the bundle");
        return STEP_ERROR;
    }
    if (e == OK)
        e = remember(a);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK)
        return STEP_ERROR;
    if (!a->serve.has_bundle || a->serve.offered.seq != a->serve.stored.seq)
        serve_take(a);
    return STEP_DONE;
}

/* How near a small machine came to its budgets (limits.h) on the way here, in bytes. */
void bmc_commit_report(struct agent *a)
{
    journal_num(&a->journal, "heap", heap_peak());
    journal_num(&a->journal, "yaml", yaml_heap_peak());
    journal_num(&a->journal, "arena", a->arena.peak);
}

/* A failure is told, and the next look is after a growing time; the host is served meanwhile. */
static void refresh_failed(struct agent *a)
{
    uint32_t wait = backoff_ms(++a->serve.refresh_failures, rng_u32());

    fetch_stop(a);
    if (wait < a->site.refresh_s * 1000)
        wait = a->site.refresh_s * 1000;
    journal_fault(&a->journal, a->now_ms, "serve", &a->fault, a->serve.refresh_failures, wait);
    a->failed = a->fault;
    a->failed_row = PHASE_SERVE;
    report_failed(a);
    fault_clear(&a->fault);
    a->at.sub = REFRESH_WAITING;
    a->at.mark_ms = a->now_ms + wait;
}

static enum step refresh(struct agent *a)
{
    enum step s = fetch_step(a);

    if (s == STEP_WAIT && a->now_ms - a->at.mark_ms >= REFRESH_MAX_MS) {
        fault_set(&a->fault, ERR_HTTP_SLOW, "looking for a newer bundle");
        s = STEP_ERROR;
    }
    if (s == STEP_ERROR) {
        refresh_failed(a);
        return phases_wait(a, (uint32_t)(a->at.mark_ms - a->now_ms));
    }
    if (s == STEP_WAIT) {
        uint64_t end = a->at.mark_ms + REFRESH_MAX_MS;

        a->at.wake_ms = a->at.wake_ms < end ? a->at.wake_ms : end;
        return STEP_WAIT;
    }
    a->serve.refresh_failures = 0;
    if (!serve_has(a, fetched(a)))
        return STEP_DONE;
    fetch_stop(a);
    a->at.sub = REFRESH_WAITING;
    a->at.mark_ms = a->now_ms + a->site.refresh_s * 1000;
    return phases_wait(a, a->site.refresh_s * 1000);
}

bool bmc_rests(const struct agent *a)
{
    return a->at.sub == REFRESH_WAITING;
}

enum step bmc_serve_step(struct agent *a)
{
    if (a->at.sub == REFRESH_FETCHING)
        return refresh(a);
    if (a->at.mark_ms == 0)
        a->at.mark_ms = a->now_ms + a->site.refresh_s * 1000;
    if (a->now_ms < a->at.mark_ms)
        return phases_wait(a, (uint32_t)(a->at.mark_ms - a->now_ms));
    a->at.mark_ms = a->now_ms;
    report_stop(a);
    if (fetch_start(a) != OK) {
        refresh_failed(a);
        return phases_wait(a, (uint32_t)(a->at.mark_ms - a->now_ms));
    }
    a->at.sub = REFRESH_FETCHING;
    return refresh(a);
}

void bmc_drop(struct agent *a)
{
    https_stop(&a->https);
}
