/*
 * phase_boot.c - identify and resume: entropy, what this machine trusts, who it is, and what it accepted before.
 */
#include "firmware/agent/phases.h"
#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"

/* Collects noise until 256 bits are credited (SECURITY P21: no key before that). */
static bool collect_noise(struct agent *a)
{
    uint8_t noise[64];
    uint32_t bits = 0;
    size_t n;

    if (rng_ready())
        return true;
    n = a->board->noise(a->board->ctx, noise, sizeof(noise), &bits);
    if (n && rng_add(span_of(noise, n), bits) != OK)
        fault_set(NULL, ERR_ENTROPY, "health test");
    wipe(noise, sizeof(noise));
    rng_mix(span_of(&a->now_ms, sizeof(a->now_ms)));
    return rng_ready();
}

/* The stored seed is mixed in, and its successor is durable before anything else is drawn. A damaged store is resume's to tell. */
static enum err renew_seed(struct agent *a)
{
    enum err e = state_load(a->board->storage, &a->state);

    if (e != OK) {
        memset(&a->state, 0, sizeof(a->state));
        return OK;
    }
    rng_mix(span_of(a->state.seed, sizeof(a->state.seed)));
    e = rng_next_seed(a->state.seed);
    if (e == OK)
        e = state_save(a->board->storage, &a->state);
    return e;
}

static enum err read_site(struct agent *a)
{
    struct span text = a->board->site(a->board->ctx);
    enum err e;

    if (text.n == 0)
        return fault_set(&a->fault, ERR_SITE_MISSING, "empty site area");
    e = site_parse(text, &a->site, &a->fault);
    if (e == OK)
        e = site_cmdline(a->board->cmdline(a->board->ctx), &a->site, &a->fault);
    if (e == OK)
        a->journal.level = (enum journal_level)a->site.log;
    return e;
}

static enum err read_identity(struct agent *a)
{
    struct machine *m = &a->machine;
    struct board_nic nic;
    unsigned count = a->board->nic_count(a->board->ctx);
    enum err e = a->board->identity(a->board->ctx, &m->id);

    if (e != OK)
        return fault_set(&a->fault, e, "identity");
    m->mac_count = 0;
    for (unsigned i = 0; i < count && m->mac_count < COUNT(m->macs); i++) {
        if (a->board->nic_info(a->board->ctx, i, &nic) == OK)
            memcpy(m->macs[m->mac_count++], nic.mac, sizeof(nic.mac));
    }
    if (!m->id.has_uuid && !m->id.serial[0] && m->mac_count == 0)
        return fault_set(&a->fault, ERR_IDENTITY, "no UUID, no serial number, no NIC");
    return OK;
}

enum step identify_step(struct agent *a)
{
    if (!collect_noise(a))
        return phases_wait(a, 20);
    if (!a->crypto_started) {
        enum err e = renew_seed(a);

        if (e == OK)
            e = crypto_start(a->crypto_heap, sizeof(a->crypto_heap));
        if (e != OK) {
            fault_set(&a->fault, e, "starting the random source");
            return STEP_ERROR;
        }
        a->crypto_started = true;
    }
    return read_site(a) == OK && read_identity(a) == OK ? STEP_DONE : STEP_ERROR;
}

void identify_report(struct agent *a)
{
    char text[48];
    struct buf b = BUF_OF(text);

    journal_text(&a->journal, "board", a->board->name);
    if (a->machine.id.has_uuid) {
        text_uuid_put(&b, a->machine.id.uuid);
        journal_span(&a->journal, "uuid", buf_span(&b));
    }
    if (a->machine.id.serial[0])
        journal_text(&a->journal, "serial", a->machine.id.serial);
    for (unsigned i = 0; i < a->machine.mac_count; i++) {
        b = BUF_OF(text);
        text_mac_put(&b, a->machine.macs[i]);
        journal_span(&a->journal, "mac", buf_span(&b));
    }
    journal_num(&a->journal, "keys", a->site.key_count);
    journal_text(&a->journal, "cluster", a->site.cluster);
}

enum step resume_step(struct agent *a)
{
    enum err e = state_load(a->board->storage, &a->state);

    if (e != OK) {
        fault_set(&a->fault, e, "state record");
        return STEP_ERROR;
    }
    if (!a->board->storage)
        journal_note(&a->journal, a->now_ms, "resume",
                     "no state storage: the accepted sequence does not survive a power cycle");
    a->machine.has_stored = a->state.accepted;
    a->machine.stored_sequence = a->state.sequence;
    memcpy(a->machine.stored_digest, a->state.digest, HASH_SIZE);
    timekeeper_init(&a->time, agent_build_time(), a->now_ms);
    if (a->state.accepted)
        timekeeper_raise(&a->time, a->state.issued_s, a->now_ms);
    return STEP_DONE;
}
