/*
 * courier.c - see courier.h.
 */
#include "firmware/agent/courier.h"

#include "config/courier.h"
#include "firmware/base/text.h"
#include "net/hostlink.h"
#include "net/kernel.h"

enum { LOOKS_MS = 50, CONNECT_MS = 1500, REPORTS = 5 };

/* A running system keeps its own network and the link: there the config server is asked as ever, unless the site says that it is never asked. */
static enum site_via via(const struct agent *a)
{
    return kernel_used() && a->site.via != SITE_VIA_BMC ? SITE_VIA_NETWORK : a->site.via;
}

static unsigned network_failures(const struct agent *a)
{
    unsigned n = 0;

    for (unsigned row = PHASE_LINK; row <= PHASE_FETCH; row++)
        n += a->at.failures[row];
    return n;
}

bool courier_leaves_out(const struct agent *a, enum phase_id row)
{
    bool only = via(a) == SITE_VIA_BMC;

    switch (row) {
    case PHASE_COURIER:
        return via(a) == SITE_VIA_NETWORK ||
               (via(a) == SITE_VIA_BMC_LAST && network_failures(a) < COURIER_TRIES);
    case PHASE_LOCATE:
    case PHASE_FETCH:
        return a->from_bmc || only;
    case PHASE_VERIFY:
    case PHASE_PARSE:
    case PHASE_ACCEPT:
        return only && !a->from_bmc;
    case PHASE_REPORT:
        return !a->from_bmc;
    default:
        return false;
    }
}

enum phase_id courier_back(const struct agent *a, enum phase_id row, enum phase_id back)
{
    bool asks = via(a) == SITE_VIA_BMC || via(a) == SITE_VIA_BMC_FIRST ||
                (via(a) == SITE_VIA_BMC_LAST && (a->from_bmc || network_failures(a) + 1 >= COURIER_TRIES));

    /* What came over the link outlives a network that has to be acquired anew, but not the hand-over, which uses its memory. */
    bool again = back == PHASE_FETCH || (a->from_bmc && row >= PHASE_HANDOFF && back == PHASE_LINK) ||
                 (!a->from_bmc && row <= PHASE_FETCH && back >= PHASE_LINK);

    return asks && again && row > PHASE_COURIER ? PHASE_COURIER : back;
}

enum err courier_check(struct agent *a)
{
    bool clear = true;
    enum err e = OK;

    if (a->from_bmc)
        e = courier_read(a->verified, &a->arena, &a->bundle.node, &clear, &a->fault);
    if (e == OK && a->from_bmc && clear && !a->site.permit_unsealed)
        e = fault_set(&a->fault, ERR_CONFIG_CLEAR, "kubeadm's documents are in clear");
    return e;
}

bool courier_is_link(const struct agent *a, const struct board_nic *nic)
{
    const struct board_identity *id = &a->machine.id;

    if (strcmp(a->site.bmc_link, SITE_BMC_SMBIOS) == 0)
        return id->has_bmc_mac && memcmp(id->bmc_mac, nic->mac, sizeof(nic->mac)) == 0;
    return strcmp(a->site.bmc_link, nic->name) == 0;
}

static enum err find_link(const struct agent *a, unsigned *ret_i, struct board_nic *ret)
{
    unsigned count = a->board->nic_count(a->board->ctx), i = 0;

    while (i < count && (a->board->nic_info(a->board->ctx, i, ret) != OK || !courier_is_link(a, ret)))
        i++;
    *ret_i = i;
    return i < count ? OK : ERR_LINK_NONE;
}

/* The agent's stack on the link to the BMC. */
static enum err open_link(struct agent *a)
{
    const struct net_options options = {
        .dad = NET_DAD_OPTIMISTIC, .families = FAMILIES_BOTH, .host_link = true};
    struct board_nic nic;
    unsigned i;
    enum err e = find_link(a, &i, &nic);

    if (e != OK)
        return fault_set(&a->fault, e, "%s", a->site.bmc_link);
    e = net_start(a->board, i, &options, a->now_ms);
    a->net_up = e == OK;
    return e;
}

void courier_stop(struct agent *a)
{
    plain_stop(&a->plain);
    if (a->net_up)
        net_stop();
    a->net_up = false;
}

enum err courier_start(struct agent *a)
{
    /* What came over the link was of no use; where the network may be asked as well, it is its turn. */
    bool refused = a->from_bmc && via(a) != SITE_VIA_BMC;

    a->at.sub = refused;
    a->from_bmc = false;
    a->accepted = false;
    /* Coming back from a later row: the network starts anew behind this one. */
    a->table->release(a);
    if (a->net_up)
        net_stop();
    a->net_up = false;
    return OK;
}

/* One attempt to connect after the other: the BMC may still be starting, and the link has no address yet at first. The fixed address and the one that
 * DHCP names take turns; the fixed one is first, since nothing is named yet in the turn in which the link comes up. */
static enum plain_step ask(struct agent *a, const char *path, const char *put, struct buf *body)
{
    struct ip bmc = hostlink_address();
    enum plain_step s;

    if (!a->plain.open) {
        body->n = 0;
        body->overflow = false;
        a->at.mark_ms = a->now_ms;
        a->bmc_named = !a->bmc_named && net_bmc(&bmc);
        (void)!plain_start(&a->plain, net_transport(), &bmc, path, put, body);
        return PLAIN_WAIT;
    }
    s = plain_step(&a->plain);
    if (s == PLAIN_FAILED && a->plain.fault.code == ERR_CONNECT)
        return PLAIN_WAIT;
    if (s == PLAIN_WAIT && !a->plain.connected && a->now_ms - a->at.mark_ms >= CONNECT_MS)
        plain_stop(&a->plain);
    return s;
}

/* The BMC has nothing for this machine now. Where the network may be asked as well, that is no end. */
static enum step went_wrong(struct agent *a)
{
    if (via(a) == SITE_VIA_BMC && !a->resuming && !phases_turn_back(a))
        return STEP_ERROR;
    journal_fault(&a->journal, a->now_ms, a->table->rows[a->at.row].name, &a->fault, 1, 0);
    fault_clear(&a->fault);
    for (unsigned row = PHASE_LINK; row <= PHASE_FETCH; row++)
        a->at.failures[row] = 0;
    return STEP_DONE;
}

enum step courier_step(struct agent *a)
{
    uint64_t wait_ms = a->resuming ? COURIER_GLANCE_MS : COURIER_MS;
    enum plain_step s;

    if (a->at.sub)
        return STEP_DONE;
    if (kernel_used()) {
        fault_set(&a->fault, ERR_SITE_SYNTAX,
                  "`via = bmc` with --one-shot: only the network can be asked; say bmc-first or bmc-last");
        return went_wrong(a);
    }
    /* A link that is not there may still come, as that of a BMC which starts. */
    if (!a->net_up && open_link(a) != OK) {
        if (a->now_ms - a->at.start_ms >= wait_ms)
            return went_wrong(a);
        fault_clear(&a->fault);
        return phases_wait(a, LOOKS_MS);
    }
    s = ask(a, "/bundle", NULL, &a->bundle_bytes);
    if (s == PLAIN_DONE && a->plain.http.status == 200) {
        a->from_bmc = true;
        return STEP_DONE;
    }
    if (s == PLAIN_DONE)
        fault_set(&a->fault, ERR_HTTP_STATUS, "status %u of the BMC", a->plain.http.status);
    else if (s == PLAIN_FAILED)
        a->fault = a->plain.fault;
    else if (a->now_ms - a->at.start_ms >= wait_ms)
        fault_set(&a->fault, ERR_CONNECT, "no BMC answers on %s", a->site.bmc_link);
    else
        return phases_wait(a, LOOKS_MS);
    return went_wrong(a);
}

void courier_report(struct agent *a)
{
    struct board_nic nic;
    unsigned i;

    journal_text(&a->journal, "link", find_link(a, &i, &nic) == OK ? nic.name : a->site.bmc_link);
    if (a->from_bmc)
        journal_text(&a->journal, "found", a->bmc_named ? "dhcp" : "fixed");
    journal_num(&a->journal, "bytes", a->from_bmc ? a->bundle_bytes.n : 0);
}

enum err report_start(struct agent *a)
{
    (void)!open_link(a);
    fault_clear(&a->fault);
    return OK;
}

/* A BMC that cannot be told goes on serving until its window ends: nothing that this node depends on. */
enum step report_step(struct agent *a)
{
    char digest[2 * HASH_SIZE + 1];
    struct buf hex = BUF_OF(digest), body = BUF_OF(a->file_mem);
    enum plain_step s;

    text_hex_put(&hex, span_of(a->state.digest, HASH_SIZE));
    buf_u8(&hex, 0);
    s = a->net_up ? ask(a, "/joined", digest, &body) : PLAIN_FAILED;
    if (s == PLAIN_WAIT && a->now_ms - a->at.start_ms < COURIER_MS)
        return phases_wait(a, LOOKS_MS);
    if (s != PLAIN_DONE || a->plain.http.status != 204) {
        fault_set(&a->fault, s == PLAIN_DONE ? ERR_HTTP_STATUS : ERR_CONNECT, "the BMC was not told");
        if (a->at.failures[PHASE_REPORT] < REPORTS)
            return STEP_ERROR;
        journal_fault(&a->journal, a->now_ms, "report", &a->fault, REPORTS, 0);
    }
    return STEP_DONE;
}
