/*
 * phase_boot.c - identify, root and resume: entropy, what this machine trusts, who it is, where its files are, and what it accepted before.
 */
#include "firmware/agent/handoff.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/resume.h"
#include "firmware/agent/target.h"
#include "firmware/base/text.h"
#include "firmware/crypto/crypto.h"

enum { ROOT_POLL_MS = 10, NOISE_CALLS = 16 };

/* Collects noise until 256 bits are credited (SECURITY P21: no key before that). */
static bool collect_noise(struct agent *a)
{
    uint8_t noise[64];
    uint32_t bits = 0;
    size_t n = 1;

    /* A source that is credited little gives much at once; one that has nothing now is asked again later. */
    for (unsigned i = 0; i < NOISE_CALLS && n && !rng_ready(); i++) {
        n = a->board->noise(a->board->ctx, noise, sizeof(noise), &bits);
        if (n && rng_add(span_of(noise, n), bits) != OK)
            fault_set(NULL, ERR_ENTROPY, "health test");
        wipe(noise, sizeof(noise));
        rng_mix(span_of(&a->now_ms, sizeof(a->now_ms)));
    }
    return rng_ready();
}

/* The stored seed is mixed in, and its successor is durable before anything else is drawn: OK; ERR_BUSY: call again. A damaged store is resume's to
 * tell. A machine whose record lies on the state partition does it when that is there. */
static enum err renew_seed(struct agent *a)
{
    enum err e = a->saving ? OK : state_load(a->board->storage, &a->state);

    if (e != OK) {
        memset(&a->state, 0, sizeof(a->state));
        return e == ERR_BUSY ? e : OK;
    }
    if (!a->saving) {
        a->next = a->state;
        rng_mix(span_of(a->state.seed, sizeof(a->state.seed)));
        e = rng_next_seed(a->next.seed);
    }
    if (e == OK)
        e = phases_save(a);
    if (e == OK)
        a->seeded = a->board->storage != NULL;
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

static enum err read_machine(const struct agent *a, struct machine *ret)
{
    struct board_nic nic;
    unsigned count = a->board->nic_count(a->board->ctx);
    enum err e = a->board->identity(a->board->ctx, &ret->id);

    ret->mac_count = 0;
    for (unsigned i = 0; i < count && ret->mac_count < COUNT(ret->macs); i++) {
        if (a->board->nic_info(a->board->ctx, i, &nic) == OK)
            memcpy(ret->macs[ret->mac_count++], nic.mac, sizeof(nic.mac));
    }
    return e;
}

static enum err read_identity(struct agent *a)
{
    const struct machine *m = &a->machine;
    enum err e = read_machine(a, &a->machine);

    if (e != OK)
        return fault_set(&a->fault, e, "identity");
    if (!m->id.has_uuid && !m->id.serial[0] && m->mac_count == 0)
        return fault_set(&a->fault, ERR_IDENTITY, "no UUID, no serial number, no NIC");
    return OK;
}

/* A site that names a link to a host makes a BMC of this machine: bundles are for that host. */
static enum err become_bmc(struct agent *a)
{
    if (!a->site.host_link[0])
        return a->table == &phases_bmc
                   ? fault_set(&a->fault, ERR_SITE_SYNTAX, "a BMC's site has a `host-link` line")
                   : OK;
    a->table = &phases_bmc;
    a->machine.id = a->site.host;
    a->machine.mac_count = a->site.host_mac_count;
    memcpy(a->machine.macs, a->site.host_macs, sizeof(a->site.host_macs));
    return OK;
}

enum step identify_step(struct agent *a)
{
    if (!collect_noise(a))
        return phases_wait(a, 20);
    if (!a->crypto_started) {
        enum err e = renew_seed(a);

        if (e == ERR_BUSY)
            return phases_wait(a, PHASES_STORE_MS);
        if (e == OK)
            e = crypto_start(a->crypto_heap, sizeof(a->crypto_heap));
        if (e != OK) {
            fault_set(&a->fault, e, "starting the random source");
            return STEP_ERROR;
        }
        a->crypto_started = true;
    }
    return read_site(a) == OK && read_identity(a) == OK && become_bmc(a) == OK ? STEP_DONE : STEP_ERROR;
}

struct identity_keys {
    const char *uuid, *serial, *mac;
};

static void report_machine(struct agent *a, const struct machine *m, const struct identity_keys *keys)
{
    char text[48];
    struct buf b = BUF_OF(text);

    if (m->id.has_uuid) {
        text_uuid_put(&b, m->id.uuid);
        journal_span(&a->journal, keys->uuid, buf_span(&b));
    }
    if (m->id.serial[0])
        journal_text(&a->journal, keys->serial, m->id.serial);
    for (unsigned i = 0; i < m->mac_count; i++) {
        b = BUF_OF(text);
        text_mac_put(&b, m->macs[i]);
        journal_span(&a->journal, keys->mac, buf_span(&b));
    }
}

void identify_report(struct agent *a)
{
    static const struct identity_keys own = {"uuid", "serial", "mac"},
                                      host = {"host_uuid", "host_serial", "host_mac"};
    struct machine self = {.mac_count = 0};

    journal_text(&a->journal, "board", a->board->name);
    if (read_machine(a, &self) == OK)
        report_machine(a, &self, &own);
    if (a->site.host_link[0])
        report_machine(a, &a->machine, &host);
    journal_num(&a->journal, "keys", a->site.key_count);
    journal_text(&a->journal, "cluster", a->site.cluster);
}

enum err agent_enrolment(struct agent *a, const struct board *board, struct buf *ret, struct fault *f)
{
    uint64_t end;
    enum err e;

    agent_init(a, NULL, board, NULL); /* no row runs */
    for (end = a->now_ms + phases[PHASE_IDENTIFY].deadline_ms; !collect_noise(a);) {
        if (a->now_ms >= end)
            return fault_set(f, ERR_ENTROPY, "after %u s",
                             (unsigned)(phases[PHASE_IDENTIFY].deadline_ms / 1000));
        board->sleep_until(board->ctx, a->now_ms + 20);
        a->now_ms = board->now_ms(board->ctx);
    }
    e = crypto_start(a->crypto_heap, sizeof(a->crypto_heap));
    if (e == OK)
        e = read_identity(a);
    if (e == OK)
        e = device_start(board, &a->device);
    if (e == OK)
        e = device_enrolment(&a->device, &a->machine, ret);
    return e == OK ? OK : fault_set(f, e, "%s", a->fault.text);
}

static enum err take_root(struct agent *a, bool may_format, enum host_answer *ret)
{
    bool installed = target_used(a);
    const struct host_root want = {.root = installed ? a->site.target : a->site.root,
                                   .state = a->site.state,
                                   .may_format = may_format,
                                   .installed = installed};

    *ret = HOST_YES;
    if (!a->host->root_step)
        return OK;
    fault_clear(&a->fault);
    return a->host->root_step(a->host->ctx, &want, ret, &a->fault);
}

enum step root_step(struct agent *a)
{
    enum host_answer answer;
    enum err e = take_root(a, false, &answer);

    if (e == ERR_STATE_FOREIGN) {
        /* What is there is not touched. A bundle for this machine may permit it; until then nothing is remembered. */
        journal_fault(&a->journal, a->now_ms, "root", &a->fault, 1, 0);
        a->state_foreign = true;
        return STEP_DONE;
    }
    if (e != OK)
        return STEP_ERROR;
    if (answer != HOST_YES)
        return phases_wait(a, ROOT_POLL_MS);
    /* The record that lasts lies elsewhere than the one in memory that identify may have found. */
    a->seeded = a->seeded && !a->site.state[0] && !target_used(a);
    return STEP_DONE;
}

void phases_start_device(struct agent *a)
{
    uint8_t text[ENROL_RECORD_MAX];
    struct buf b = BUF_OF(text);
    struct machine self = {.mac_count = 0}; /* on a BMC a->machine is its host */
    enum err e;

    if (a->device.has_key)
        return;
    e = device_start(a->board, &a->device);
    if (e == OK)
        e = read_machine(a, &self);
    if (e == OK)
        e = device_enrolment(&a->device, &self, &b);
    if (e == OK) {
        a->board->console(a->board->ctx, buf_span(&b));
        return;
    }
    /* A BMC opens nothing. */
    if (e == ERR_DEVICE_NONE && (!a->site.sealed_required || a->site.host_link[0]))
        return;
    fault_set(&a->fault, e, a->site.host_link[0] ? "no enrolment record" : "no sealed bundle can be opened");
    journal_fault(&a->journal, a->now_ms, "resume", &a->fault, 1, 0);
    fault_clear(&a->fault);
}

enum step root_format(struct agent *a)
{
    enum host_answer answer;
    enum err e = take_root(a, true, &answer);

    if (e == OK && answer != HOST_YES)
        return phases_wait(a, ROOT_POLL_MS);
    if (e == OK)
        e = renew_seed(a);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK) {
        fault_set(&a->fault, e, "formatting the state partition");
        return STEP_ERROR;
    }
    a->state_foreign = false;
    phases_start_device(a);
    return STEP_DONE;
}

void root_report(struct agent *a)
{
    journal_text(&a->journal, "root",
                 target_used(a)    ? a->site.target
                 : a->site.root[0] ? a->site.root
                                   : "initramfs");
    journal_text(&a->journal, "state",
                 a->state_foreign   ? "foreign"
                 : a->site.state[0] ? a->site.state
                                    : "none");
}

/* What needs no network begins while that is acquired: the runtime, not before a wipe of its files nor without the partition that they lie on, and
 * the question which kubelet this is. Where that fails, preflight and discover say so. */
static void begin_early(struct agent *a)
{
    if (!a->host || !a->host->pid1 || a->state.wiping || a->state_foreign)
        return;
    (void)!handoff_start_runtime(a);
    if (!a->resuming && !target_used(a))
        (void)!handoff_ask_version(a);
    fault_clear(&a->fault);
}

enum step resume_step(struct agent *a)
{
    const char *why = "";
    enum err e = a->saving ? OK : state_load(a->board->storage, &a->state);

    if (e == OK && !a->seeded)
        e = renew_seed(a);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK) {
        fault_set(&a->fault, e, "state record");
        return STEP_ERROR;
    }
    if (!a->board->storage)
        journal_note(&a->journal, a->now_ms, "resume",
                     "no state storage: the accepted sequence does not survive a power cycle");
    /* A failed attempt ends in a new boot: the pauses between attempts grow on. */
    a->at.failures[PHASE_KUBEADM] = a->state.attempts;
    a->machine.has_stored = a->state.accepted;
    a->machine.stored_sequence = a->state.sequence;
    memcpy(a->machine.stored_digest, a->state.digest, HASH_SIZE);
    timekeeper_init(&a->time, agent_build_time(), a->now_ms);
    if (a->state.accepted)
        timekeeper_raise(&a->time, a->state.issued_s, a->now_ms);
    phases_start_device(a);
    a->resuming = resume_possible(a, &why);
    if (*why)
        journal_note(&a->journal, a->now_ms, "resume", why);
    target_resume(a);
    begin_early(a);
    return STEP_DONE;
}

void resume_report(struct agent *a)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];

    journal_num(&a->journal, "sequence", a->state.sequence);
    if (a->resuming)
        journal_text(&a->journal, "node", a->state.node.node);
    if (a->device.has_key && jose_thumbprint(&a->device.key, kid) == OK)
        journal_text(&a->journal, "device", kid);
}
