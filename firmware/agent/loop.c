/*
 * loop.c - drives the rows of a table (phases.c, phases_bmc.c). Only this file sleeps, and only until the nearest of: what the row asked for, lwIP's next timeout,
 * the host's, and the row's deadline.
 *
 * Invariant: at most one row is running; its stop() has run before another row starts. Every failure is journalled once, with its attempt
 * and the time of the next one, and is tried again for ever.
 */
#include "firmware/agent/backoff.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/target.h"
#include "firmware/base/text.h"

int64_t agent_time(const struct agent *a)
{
    return timekeeper_now(&a->time, a->now_ms);
}

void agent_init(struct agent *a, const struct phase_table *table, const struct board *board,
                const struct host *host)
{
    a->table = table;
    a->board = board;
    a->host = host;
    a->now_ms = board->now_ms(board->ctx);
    journal_init(&a->journal, board);
    a->journal.copy = &a->syslog;
    if (host && !host->pid1)
        a->journal.start_ms = a->now_ms;
    arena_init(&a->arena, a->arena_mem, sizeof(a->arena_mem));
    a->bundle_bytes = BUF_OF(a->bundle_mem);
    a->file = BUF_OF(a->file_mem);
    a->line = BUF_OF(a->line_mem);
    timekeeper_init(&a->time, agent_build_time(), a->now_ms);
}

enum step phases_wait(struct agent *a, uint32_t ms)
{
    a->at.wake_ms = a->now_ms + ms;
    return STEP_WAIT;
}

void phases_forget(struct agent *a)
{
    a->table->drop(a);
    arena_reset(&a->arena);
    a->verified = NULL;
    a->conns = NULL;
}

struct conn *phases_conns(struct agent *a)
{
    const size_t n = RACE_PARALLEL * sizeof(*a->conns);

    if (!a->conns)
        a->conns = arena_take(&a->arena, n);
    else
        memset(a->conns, 0, n);
    return a->conns;
}

enum err phases_save(struct agent *a)
{
    enum err e = state_save(a->board->storage, &a->next, &a->storing);

    a->saving = e == ERR_BUSY;
    if (e == OK)
        a->state = a->next;
    return e == OK || e == ERR_BUSY ? e : fault_set(&a->fault, e, "state record");
}

static void stop_row(struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];

    if (a->at.running && p->stop)
        p->stop(a);
    a->at.running = false;
}

static void enter(struct agent *a, enum phase_id row)
{
    a->at.row = row;
    a->at.retry_ms = a->now_ms;
}

/* True for rows that this board, this bundle or this boot leaves out. */
static bool is_left_out(const struct agent *a, const struct phase *p)
{
    if (!p->name || (a->table->leaves_out && a->table->leaves_out(a, (enum phase_id)(p - a->table->rows))))
        return true;
    if ((p->needs_host && !a->host) || (p->joins && a->resuming))
        return true;
    return p->roles != 0 && !(p->roles & 1u << a->bundle.role);
}

static enum phase_id next_row(const struct agent *a)
{
    const struct phase *rows = a->table->rows;
    unsigned row = rows[a->at.row].next ? rows[a->at.row].next : a->at.row + 1u;

    while (row < PHASE_COUNT && is_left_out(a, &rows[row]))
        row++;
    return (enum phase_id)row;
}

/* What a wrong clock may have caused: a hint is dropped, and the floor is tried. */
static bool blames_clock(enum err e)
{
    return e == ERR_CONFIG_EXPIRED || e == ERR_CONFIG_FUTURE || e == ERR_TLS_EXPIRED || e == ERR_TLS_FUTURE;
}

/* How long this row may take while it is only a look; 0: it is none. */
static uint32_t glance_ms(const struct agent *a)
{
    uint32_t ms = a->table->glance_ms ? a->table->glance_ms(a, a->at.row) : 0;

    return ms ? ms : a->resuming ? a->table->rows[a->at.row].glance_ms : 0;
}

/* A machine that is a node already only looks whether there is something new. */
static void glance_failed(struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];

    stop_row(a);
    journal_fault(&a->journal, a->now_ms, p->name, &a->fault, ++a->at.failures[a->at.row], 0);
    journal_note(&a->journal, a->now_ms, p->name, "goes on as the node that this machine is");
    enter(a, target_used(a) ? PHASE_PREFLIGHT : PHASE_NETWORK);
}

/* Of the machine's own Node the cluster learns only after a while that it is not Ready any more. */
enum { STILL_READY_MS = 120000 };

bool phases_turn_back(struct agent *a)
{
    bool still_ready = a->fault.code == ERR_NODE_EXISTS && a->now_ms - a->newer_ms < STILL_READY_MS;

    if (a->newer_tries == 0 || still_ready || --a->newer_tries > 0)
        return false;
    a->newer_code = a->fault.code;
    a->resuming = true;
    a->accepted = a->from_bmc = false;
    return true;
}

/* The rows in which the network is up and nothing of the node was touched. */
static bool turns_back(struct agent *a)
{
    return a->at.row >= PHASE_LOCATE && a->at.row < PHASE_COMMIT && phases_turn_back(a);
}

/* A server that is not who it should be, and a node-ip that nobody gave us, may be the word of a rogue DHCP server, router or resolver that was the
 * first to answer. Seldom enough that a mistake of the operator costs little time: at the 4th, 8th, 16th ... failure in a row. */
static bool path_is_suspect(const struct agent *a, unsigned failures)
{
    enum err e = a->fault.code;
    bool peer = e == ERR_TLS || e == ERR_TLS_ROOT || e == ERR_TLS_NAME;
    bool address = a->at.row == PHASE_NETWORK && e == ERR_NODE_IP;

    return a->net_up && !kernel_used() && failures >= 4 && (failures & (failures - 1)) == 0 &&
           (address || (peer && (a->at.row == PHASE_FETCH || a->at.row == PHASE_DISCOVER)));
}

/* Who led there is avoided for a time, and the network is acquired anew. */
static void try_another_path(struct agent *a)
{
    journal_note(&a->journal, a->now_ms, a->table->rows[a->at.row].name,
                 "the path may be wrong; another DHCP server, router and resolver get their chance");
    net_reacquire(FAMILY_V4, a->now_ms);
    net_reacquire(FAMILY_V6, a->now_ms);
}

static void row_failed(struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];
    enum phase_id back = a->table->after(a, a->at.row, a->fault.code);
    unsigned failures = ++a->at.failures[a->at.row];
    uint32_t wait = backoff_ms(failures, rng_u32());

    a->failed = a->fault;
    a->failed_row = a->at.row;
    stop_row(a);
    report_failed(a);
    if (blames_clock(a->fault.code) && timekeeper_drop_hint(&a->time, a->now_ms))
        journal_note(&a->journal, a->now_ms, p->name,
                     "the real-time clock may be wrong; the floor is used from now on");
    journal_fault(&a->journal, a->now_ms, p->name, &a->fault, failures, wait);
    if (path_is_suspect(a, failures)) {
        try_another_path(a);
        back = PHASE_ADDRESS;
        wait = 0;
    }
    a->at.row = back;
    a->at.retry_ms = a->now_ms + wait;
}

static void row_done(struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];

    journal_begin(&a->journal, a->now_ms, p->name, "done");
    journal_num(&a->journal, "start_ms", a->at.first_ms[a->at.row] - a->journal.start_ms);
    journal_num(&a->journal, "ms", a->now_ms - a->at.first_ms[a->at.row]);
    journal_num(&a->journal, "attempts", a->at.attempts[a->at.row]);
    if (p->report)
        p->report(a);
    journal_end(&a->journal);
    stop_row(a);
    if (a->failed_row == a->at.row)
        fault_clear(&a->failed);
    a->at.failures[a->at.row] = 0;
    a->at.attempts[a->at.row] = 0;
    enter(a, next_row(a));
}

static enum step start_row(struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];
    enum err e;

    fault_clear(&a->fault);
    a->at.running = true;
    a->at.start_ms = a->now_ms;
    a->at.wake_ms = a->now_ms;
    a->at.sub = 0;
    a->at.mark_ms = 0;
    a->at.limit_ms = 0;
    a->saving = false;
    a->storing = (struct reclog_job){.step = 0};
    if (a->at.attempts[a->at.row]++ == 0)
        a->at.first_ms[a->at.row] = a->now_ms;
    if (a->journal.level == JOURNAL_DEBUG) {
        journal_begin(&a->journal, a->now_ms, p->name, "start");
        journal_end(&a->journal);
    }
    report_row(a);
    e = p->start ? p->start(a) : OK;
    if (e == OK)
        return STEP_WAIT;
    fault_set(&a->fault, e, "%s", "");
    return STEP_ERROR;
}

/* A short flap ends nothing: a switch port that renegotiates, a lease that is asked for anew. */
enum { FLAP_MS = 1000 };

/* Losses that end any later row: the carrier, all addresses of a family, or an address of which another machine says that it is its own. */
static bool network_lost(struct agent *a)
{
    char text[IP_TEXT_MAX];
    struct buf mac;
    char mac_text[24];

    if (!a->net_up || a->at.row <= PHASE_LINK || a->at.row == PHASE_REPORT || a->at.row == PHASE_COUNT)
        return false;
    if (!a->at.running)
        fault_clear(&a->fault);
    if (a->net.duplicate) {
        mac = BUF_OF(mac_text);
        text_mac_put(&mac, a->net.duplicate_mac);
        fault_set(&a->fault, ERR_ADDRESS_DUPLICATE, "%s is also used by %.*s",
                  ip_text(&a->net.duplicate_addr, text), (int)mac.n, mac_text);
        return true;
    }
    if (a->net.carrier)
        a->carrier_ms = a->now_ms;
    if (a->now_ms - a->carrier_ms >= FLAP_MS) {
        fault_set(&a->fault, ERR_LINK_CARRIER, "lost during %s", a->table->rows[a->at.row].name);
        return true;
    }
    if (a->at.row == PHASE_ADDRESS || !a->net.carrier || phases_families_lost(a) == 0)
        a->families_ms = a->now_ms;
    if (a->now_ms - a->families_ms < FLAP_MS)
        return false;
    fault_set(&a->fault, ERR_ADDRESS_LOST, "%s lost during %s", phases_families_text(phases_families_lost(a)),
              a->table->rows[a->at.row].name);
    return true;
}

/* Of this attempt; 0: none. */
static uint32_t deadline_ms(const struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];

    if (glance_ms(a))
        return glance_ms(a);
    return a->at.limit_ms ? a->at.limit_ms : p->deadline_ms;
}

static enum step run_row(struct agent *a)
{
    const struct phase *p = &a->table->rows[a->at.row];
    enum step s;

    if (!a->at.running && start_row(a) == STEP_ERROR)
        return STEP_ERROR;
    s = p->step(a);
    uint32_t deadline = deadline_ms(a);
    if (s == STEP_WAIT && deadline && a->now_ms - a->at.start_ms >= deadline) {
        fault_set(&a->fault, p->late, "not done after %u s", (unsigned)(deadline / 1000));
        return STEP_ERROR;
    }
    return s;
}

static uint64_t sooner(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

static uint64_t next_wake(const struct agent *a, uint64_t host_wake)
{
    uint64_t wake =
        sooner(sooner(host_wake, a->table->wake_ms(a)), sooner(syslog_wake_ms(a), report_wake_ms(a)));

    if (a->at.row == PHASE_COUNT)
        return a->net_up ? sooner(wake, net_wake_ms(a->now_ms)) : wake;
    if (!a->at.running)
        wake = sooner(wake, a->at.retry_ms);
    else
        wake = sooner(wake, a->at.wake_ms);
    if (a->at.running && deadline_ms(a))
        wake = sooner(wake, a->at.start_ms + deadline_ms(a));
    if (a->net_up)
        wake = sooner(wake, net_wake_ms(a->now_ms));
    return wake;
}

/* Rows that need no waiting follow each other within one turn, until one waits, fails or the turn has become long. */
static void run_rows(struct agent *a)
{
    uint64_t begin = a->now_ms;
    enum step s;

    /* Also while a row waits for its next attempt, whose start would only fail in another way. */
    if (network_lost(a)) {
        row_failed(a);
        return;
    }
    while (a->at.row < PHASE_COUNT && a->now_ms >= a->at.retry_ms) {
        s = run_row(a);
        if (s == STEP_WAIT)
            return;
        if (s == STEP_ERROR && (glance_ms(a) || turns_back(a)))
            glance_failed(a);
        else if (s == STEP_ERROR)
            row_failed(a);
        else
            row_done(a);
        a->now_ms = a->board->now_ms(a->board->ctx);
        if (s == STEP_ERROR || a->now_ms - begin >= LIMIT_TURN_MS / 2)
            return;
    }
}

uint64_t agent_turn(struct agent *a)
{
    uint64_t host_wake = UINT64_MAX;
    uint64_t begin, end;
    bool reboot = false, more = false, late;

    begin = a->now_ms = a->board->now_ms(a->board->ctx);
    if (a->host && a->host->poll(a->host->ctx, a->now_ms, &host_wake, &reboot)) {
        a->stop_asked = true;
        stop_row(a);
        a->board->finish(a->board->ctx, reboot ? BOARD_FINISH_REBOOT : BOARD_FINISH_POWEROFF, 0);
        return a->now_ms;
    }
    if (a->net_up) {
        net_poll(a->now_ms);
        net_status(&a->net);
    }
    a->table->turn(a);
    run_rows(a);
    /* What a report has to do, up to the signatures of a chain, does not come on top of what a row did: it gets the next turn, at once. */
    late = a->board->now_ms(a->board->ctx) - begin >= LIMIT_TURN_MS / 2;
    if (!late)
        report_turn(a);
    syslog_turn(a);
    /* What this turn made is sent in this turn. An answer that is there already is a row's to read, before the loop sleeps. */
    if (a->net_up)
        more = net_poll(a->now_ms);
    end = a->board->now_ms(a->board->ctx);
    if (end - begin > a->longest_turn_ms)
        a->longest_turn_ms = (uint32_t)(end - begin);
    a->board->feed(a->board->ctx);
    a->now_ms = end;
    return more || late ? end : next_wake(a, host_wake);
}

int agent_run(struct agent *a, const struct phase_table *table, const struct board *board,
              const struct host *host)
{
    agent_init(a, table, board, host);
    while (!a->stop_asked)
        board->sleep_until(board->ctx, agent_turn(a));
    if (a->net_up)
        net_stop();
    return 0;
}
