/*
 * phase_config.c - fetch, verify, parse, accept, commit: from untrusted bytes to a config that is for this machine, now, and is remembered.
 */
#include "firmware/agent/handoff.h"
#include "firmware/agent/phases.h"
#include "firmware/base/text.h"

static enum err begin_fetch(struct agent *a)
{
    a->bundle_bytes.n = 0;
    a->bundle_bytes.overflow = false;
    return https_start(&a->https, &a->url, &a->site.roots, agent_time(a), a->time.quality, &a->bundle_bytes,
                       a->now_ms);
}

enum err fetch_start(struct agent *a)
{
    enum err e = begin_fetch(a);

    if (e != OK)
        a->fault = a->https.fault;
    return e;
}

/* The verified peer's Date is a better time, if the peer's own certificates are good at that time. */
static enum step take_date(struct agent *a)
{
    struct conn *c = https_conn(&a->https);
    enum err e;

    if (a->https.date_s == 0 || !c)
        return STEP_DONE;
    if (a->https.date_s < a->time.floor_s) {
        journal_note(&a->journal, a->now_ms, "fetch", "the server's Date is below the floor and is not used");
        return STEP_DONE;
    }
    e = tls_recheck(&c->tls, a->https.date_s, TIME_TRUSTED);
    if (e != OK) {
        fault_set(&a->fault, e, "at the server's own Date");
        return STEP_ERROR;
    }
    timekeeper_trust(&a->time, a->https.date_s, a->now_ms);
    return STEP_DONE;
}

enum step fetch_step(struct agent *a)
{
    enum https_step s = https_step(&a->https, a->now_ms);
    enum err code = a->https.fault.code;

    if (s == HTTPS_WAIT) {
        a->at.wake_ms = https_wake_ms(&a->https);
        return STEP_WAIT;
    }
    if (s == HTTPS_DONE)
        return take_date(a);
    /* A clock that was only a hint may be what made the certificate fail: the floor is tried once. */
    if ((code == ERR_TLS_EXPIRED || code == ERR_TLS_FUTURE) && timekeeper_drop_hint(&a->time, a->now_ms)) {
        journal_note(&a->journal, a->now_ms, "fetch",
                     "the real-time clock makes the server's certificate fail; trying again at the floor");
        https_stop(&a->https);
        if (begin_fetch(a) == OK)
            return phases_wait(a, 0);
    }
    a->fault = a->https.fault;
    return STEP_ERROR;
}

void fetch_stop(struct agent *a)
{
    https_stop(&a->https);
}

void fetch_report(struct agent *a)
{
    uint8_t text[URL_MAX + 64];
    struct buf b = BUF_OF(text);

    url_put(&b, &a->https.url);
    journal_text(&a->journal, "family", a->https.peer.family == FAMILY_V6 ? "ipv6" : "ipv4");
    journal_ip(&a->journal, "server", &a->https.peer);
    journal_span(&a->journal, "url", buf_span(&b));
    journal_text(&a->journal, "tls", a->https.tls);
    journal_num(&a->journal, "bytes", a->bundle_bytes.n);
    clock_report(a);
}

/* A config that was signed by hand into a file ends in a newline; it is no part of the JWS. */
static struct span bundle_text(const struct agent *a)
{
    return span_trim(buf_span(&a->bundle_bytes));
}

enum step verify_step(struct agent *a)
{
    arena_reset(&a->arena);
    a->verified = NULL;
    return verify_bundle(bundle_text(a), &a->site, &a->arena, &a->verified, &a->fault) == OK ? STEP_DONE
                                                                                             : STEP_ERROR;
}

void verify_report(struct agent *a)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];

    if (jose_thumbprint(&a->site.keys[verified_key(a->verified)], kid) == OK)
        journal_text(&a->journal, "kid", kid);
}

enum step parse_step(struct agent *a)
{
    return bundle_parse(a->verified, a->site.permit_unsafe_skip_ca, &a->arena, &a->bundle, &a->fault) == OK
               ? STEP_DONE
               : STEP_ERROR;
}

void parse_report(struct agent *a)
{
    journal_text(&a->journal, "name", a->bundle.node.name);
}

enum step accept_step(struct agent *a)
{
    a->machine.now_s = agent_time(a);
    a->machine.quality = a->time.quality;
    if (nodejoin_accept(&a->bundle.node, verified_digest(a->verified), &a->site, &a->machine, &a->fault) !=
        OK)
        return STEP_ERROR;
    timekeeper_raise(&a->time, a->bundle.node.issued_s, a->now_ms);
    return STEP_DONE;
}

void accept_report(struct agent *a)
{
    char text[32];
    struct buf b = BUF_OF(text);

    journal_num(&a->journal, "sequence", a->bundle.node.sequence);
    text_time_put(&b, a->bundle.node.expires_s);
    journal_span(&a->journal, "expires", buf_span(&b));
}

/* Another bundle is another join: kubelet would go on in the old cluster under the old name if it found what it had there. */
static enum err forget_old_join(struct agent *a, struct state *next)
{
    enum err e;

    if (!next->joined || memcmp(next->digest, verified_digest(a->verified), HASH_SIZE) == 0)
        return OK;
    e = a->host->remove_file(a->host->ctx, HANDOFF_KUBELET_CONF, true, &a->fault);
    if (e == OK)
        e = a->host->remove_file(a->host->ctx, HANDOFF_KUBELET_PEM, true, &a->fault);
    next->joined = false;
    return e;
}

enum step commit_step(struct agent *a)
{
    const uint8_t *digest = verified_digest(a->verified);
    struct state next = a->state;
    enum err e = a->host ? forget_old_join(a, &next) : OK;

    next.accepted = true;
    next.sequence = a->bundle.node.sequence;
    if (next.issued_s < a->bundle.node.issued_s)
        next.issued_s = a->bundle.node.issued_s;
    memcpy(next.digest, digest, HASH_SIZE);
    if (e == OK)
        e = state_save(a->board->storage, &next);
    if (e != OK) {
        fault_set(&a->fault, e, "state record");
        return STEP_ERROR;
    }
    a->state = next;
    a->machine.has_stored = true;
    a->machine.stored_sequence = next.sequence;
    memcpy(a->machine.stored_digest, next.digest, HASH_SIZE);
    return STEP_DONE;
}
