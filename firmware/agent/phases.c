/*
 * phases.c - the product on one page: what a machine does between power-on and being a node, in order.
 *
 * A row that fails goes back to the row in `on_error` after a backoff; lost carrier and lost addresses go back further (phases_after). Nothing
 * ever gives up: nobody is there to press a key. A machine that is a node already leaves out the rows that join (`joins`), and where it only looks
 * for news (`glance_ms`) a failure leads on. What switch-root leaves out or shortens beside that is in target.c.
 */
#include "firmware/agent/courier.h"
#include "firmware/agent/keeper.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/target.h"

enum {
    WORKER = 1 << BUNDLE_WORKER,
    KUBEADM = 1 << BUNDLE_CONTROL_PLANE | 1 << BUNDLE_INIT,
    JOINERS = WORKER | 1 << BUNDLE_CONTROL_PLANE
};

/* A row is read as a row: */
/* clang-format off */
const struct phase phases[PHASE_COUNT] = {
    /* board -> who this machine is, what it trusts */
    [PHASE_IDENTIFY] = {.name = "identify", .step = identify_step, .report = identify_report,
                        .deadline_ms = 60000, .late = ERR_ENTROPY, .on_error = PHASE_IDENTIFY},
    /* -> the node image is /, and what lasts lies on the state partition */
    [PHASE_ROOT] = {.name = "root", .step = root_step, .report = root_report,
                    .deadline_ms = 120000, .late = ERR_ROOT_MISSING, .on_error = PHASE_ROOT, .needs_host = true},
    /* stored state -> the highest accepted sequence; a machine that is a node already leaves the rows out that join */
    [PHASE_RESUME] = {.name = "resume", .step = resume_step, .report = resume_report, .deadline_ms = 10000, .late = ERR_STORE_IO, .on_error = PHASE_RESUME},
    /* the link to the BMC -> bytes, untrusted; only where the site says so */
    [PHASE_COURIER] = {.name = "bmc", .start = courier_start, .step = courier_step, .stop = courier_stop, .report = courier_report,
                       .deadline_ms = 15000, .late = ERR_HTTP_SLOW, .on_error = PHASE_COURIER},
    /* -> carrier on the right NIC */
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
                      .glance_ms = 1000, .deadline_ms = 5000, .late = ERR_LOCATE_NONE, .on_error = PHASE_LOCATE},
    /* -> bytes, untrusted */
    [PHASE_FETCH] = {.name = "fetch", .start = fetch_start, .step = fetch_step, .stop = fetch_stop, .report = fetch_report,
                     .glance_ms = 3000, .deadline_ms = 30000, .late = ERR_HTTP_SLOW, .on_error = PHASE_FETCH},
    /* bytes -> signed by a key of this site */
    [PHASE_VERIFY] = {.name = "verify", .step = verify_step, .report = verify_report,
                      .glance_ms = 1000, .deadline_ms = 5000, .late = ERR_DEADLINE, .on_error = PHASE_FETCH},
    /* signed bytes -> documents, checked at least as strictly as kubeadm does */
    [PHASE_PARSE] = {.name = "parse", .step = parse_step, .report = parse_report,
                     .glance_ms = 1000, .deadline_ms = 5000, .late = ERR_DEADLINE, .on_error = PHASE_FETCH},
    /* documents -> for this machine, this cluster, now, and not older than what was accepted before */
    [PHASE_ACCEPT] = {.name = "accept", .step = accept_step, .report = accept_report,
                      .glance_ms = 1000, .deadline_ms = 5000, .late = ERR_DEADLINE, .on_error = PHASE_FETCH},
    /* the config's network section -> the required families and node-ip on this machine */
    [PHASE_NETWORK] = {.name = "network", .start = network_start, .step = network_step, .report = address_report,
                       .deadline_ms = 30000, .late = ERR_ADDRESS_FAMILY, .on_error = PHASE_FETCH},
    /* token and pin -> the cluster's CA and endpoint */
    [PHASE_DISCOVER] = {.name = "discover", .start = discover_phase_start, .step = discover_phase_step, .stop = discover_phase_stop,
                        .report = discover_phase_report, .roles = JOINERS, .deadline_ms = 30000, .late = ERR_HTTP_SLOW, .on_error = PHASE_FETCH, .needs_host = true, .joins = true},
    /* the cluster -> kubelet's configuration */
    [PHASE_CONFIGURE] = {.name = "configure", .step = configure_step, .stop = configure_stop, .report = configure_report, .roles = JOINERS,
                         .deadline_ms = 30000, .late = ERR_HTTP_SLOW, .on_error = PHASE_FETCH, .needs_host = true, .joins = true},
    /* -> durable; the sequence is raised, and what an earlier join left is gone if the config says so */
    [PHASE_COMMIT] = {.name = "commit", .step = commit_step, .report = commit_report,
                      .deadline_ms = 300000, .late = ERR_STORE_IO, .on_error = PHASE_COMMIT, .joins = true},
    /* -> this host can run a kubelet */
    [PHASE_PREFLIGHT] = {.name = "preflight", .step = preflight_step, .deadline_ms = 120000, .late = ERR_CRI,
                         .on_error = PHASE_PREFLIGHT, .needs_host = true},
    /* -> the runtime has the container images that the node image brings */
    [PHASE_IMAGES] = {.name = "images", .step = images_step, .report = images_report,
                      .deadline_ms = 600000, .late = ERR_IMAGES, .on_error = PHASE_PREFLIGHT, .needs_host = true},
    /* -> the kernel, or who keeps the network here, has addresses, routes, settings; a worker's kubelet has its files and runs */
    [PHASE_HANDOFF] = {.name = "handoff", .step = handoff_step, .report = handoff_report,
                       .deadline_ms = 30000, .late = ERR_HANDOFF, .on_error = PHASE_LINK, .needs_host = true},
    /* control-plane join and init: -> the image's own kubeadm has made this machine such a node; kubelet runs meanwhile */
    [PHASE_KUBEADM] = {.name = "kubeadm", .start = kubeadm_start, .step = kubeadm_step, .stop = kubeadm_stop, .roles = KUBEADM,
                       .deadline_ms = 600000, .late = ERR_KUBEADM, .on_error = PHASE_LINK, .needs_host = true, .joins = true},
    /* -> kubelet is healthy and has its own certificate; the token is gone */
    [PHASE_JOINED] = {.name = "joined", .start = joined_start, .step = joined_step, .on_error = PHASE_JOINED, .needs_host = true},
    /* -> the BMC knows that its bundle has done its work */
    [PHASE_REPORT] = {.name = "report", .start = report_start, .step = report_step, .stop = courier_stop,
                      .deadline_ms = 15000, .late = ERR_HTTP_SLOW, .on_error = PHASE_REPORT, .needs_host = true},
};
/* clang-format on */

enum phase_id phases_after(enum phase_id row, enum err e)
{
    switch (e) {
    case ERR_LINK_CARRIER:
    case ERR_LINK_NONE:
    case ERR_ADDRESS_DUPLICATE:
    case ERR_ADDRESS_LOST:
        return row > PHASE_LINK ? PHASE_LINK : phases[row].on_error;
    case ERR_API_UNAUTHORIZED:
    case ERR_CSR_DENIED:
    case ERR_CSR_PENDING:
    case ERR_KUBEADM_HALF:
    case ERR_NO_ENDPOINT:
        /* Only a newer bundle helps, and it may be there. After hand-over the network has to be taken back first. */
        if (row >= PHASE_HANDOFF)
            return PHASE_LINK;
        return row > PHASE_FETCH ? PHASE_FETCH : phases[row].on_error;
    default:
        return phases[row].on_error;
    }
}

static enum phase_id after(const struct agent *a, enum phase_id row, enum err e)
{
    return courier_back(a, row, phases_after(row, e));
}

static bool leaves_out(const struct agent *a, enum phase_id row)
{
    return target_leaves_out(a, row) || courier_leaves_out(a, row);
}

const struct phase_table phases_node = {
    .rows = phases,
    .after = after,
    .leaves_out = leaves_out,
    .glance_ms = target_glance_ms,
    .release = node_release,
    .drop = node_drop,
    .turn = keeper_turn,
    .wake_ms = keeper_wake_ms,
};
