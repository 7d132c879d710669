/*
 * phases_bmc.c - what a BMC does between power-on and serving its host, in order. It is a courier: it fetches the host's bundle over its own
 * network, checks that it is signed, and for that host, and now, keeps it, and hands the still signed bytes on; the host's own agent verifies
 * them again. Nothing here reads more of a bundle than NodeJoin.
 *
 * What hands the bundle to the host runs beside the rows (serve.h), so that a row that fails takes nothing away from the host.
 */
#include "firmware/agent/phases.h"

/* A row is read as a row: */
/* clang-format off */
static const struct phase rows[PHASE_COUNT] = {
    /* board -> who this BMC is, what it trusts, which host it serves */
    [PHASE_IDENTIFY] = {.name = "identify", .step = identify_step, .report = identify_report,
                        .deadline_ms = 60000, .late = ERR_ENTROPY, .on_error = PHASE_IDENTIFY},
    /* stored state -> the highest accepted sequence, and the bundle that the host is served from now on */
    [PHASE_RESUME] = {.name = "resume", .step = bmc_resume_step, .report = bmc_resume_report,
                      .deadline_ms = 10000, .late = ERR_STORE_IO, .on_error = PHASE_RESUME},
    /* -> carrier on the management NIC */
    [PHASE_LINK] = {.name = "link", .start = link_start, .step = link_step, .report = link_report,
                    .deadline_ms = 30000, .late = ERR_LINK_CARRIER, .on_error = PHASE_LINK},
    /* -> the declared families, addressed and routed */
    [PHASE_ADDRESS] = {.name = "address", .start = address_start, .step = address_step, .report = address_report,
                       .deadline_ms = 600000, .late = ERR_ADDRESS_FAMILY, .on_error = PHASE_LINK},
    /* -> a time and its quality */
    [PHASE_CLOCK] = {.name = "clock", .step = clock_step, .report = clock_report,
                     .deadline_ms = 5000, .late = ERR_CLOCK, .on_error = PHASE_CLOCK},
    /* -> where to fetch from */
    [PHASE_LOCATE] = {.name = "locate", .step = locate_step, .report = locate_report,
                      .deadline_ms = 5000, .late = ERR_LOCATE_NONE, .on_error = PHASE_LOCATE},
    /* -> bytes, untrusted */
    [PHASE_FETCH] = {.name = "fetch", .start = fetch_start, .step = fetch_step, .stop = fetch_stop, .report = fetch_report,
                     .deadline_ms = 30000, .late = ERR_HTTP_SLOW, .on_error = PHASE_FETCH},
    /* bytes -> signed by a key of this site */
    [PHASE_VERIFY] = {.name = "verify", .step = verify_step, .report = verify_report,
                      .deadline_ms = 5000, .late = ERR_DEADLINE, .on_error = PHASE_FETCH},
    /* signed bytes -> NodeJoin; a token in clear does not go on without a permission */
    [PHASE_PARSE] = {.name = "parse", .step = bmc_parse_step, .report = parse_report,
                     .deadline_ms = 5000, .late = ERR_DEADLINE, .on_error = PHASE_FETCH},
    /* NodeJoin -> for this BMC's host, this cluster, now, and not older than what was accepted before */
    [PHASE_ACCEPT] = {.name = "accept", .step = bmc_accept_step, .report = accept_report,
                      .deadline_ms = 5000, .late = ERR_DEADLINE, .on_error = PHASE_FETCH},
    /* -> durable: the bundle, then its sequence */
    [PHASE_COMMIT] = {.name = "commit", .start = bmc_commit_start, .step = bmc_commit_step, .report = bmc_commit_report,
                      .deadline_ms = 60000, .late = ERR_STORE_IO, .on_error = PHASE_COMMIT},
    /* -> something newer on the server, which is looked at from verify on */
    [PHASE_SERVE] = {.name = "serve", .step = bmc_serve_step, .stop = fetch_stop, .on_error = PHASE_SERVE, .next = PHASE_VERIFY},
};
/* clang-format on */

static enum phase_id after(const struct agent *a, enum phase_id row, enum err e)
{
    (void)a;
    switch (e) {
    case ERR_LINK_CARRIER:
    case ERR_LINK_NONE:
    case ERR_ADDRESS_DUPLICATE:
    case ERR_ADDRESS_LOST:
        return row > PHASE_LINK ? PHASE_LINK : rows[row].on_error;
    default:
        return rows[row].on_error;
    }
}

const struct phase_table phases_bmc = {
    .rows = rows,
    .after = after,
    .release = bmc_drop,
    .drop = bmc_drop,
    .turn = serve_turn,
    .wake_ms = serve_wake_ms,
};
