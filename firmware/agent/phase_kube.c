/*
 * phase_kube.c - discover and configure: the cluster proven, then read. Both rows drive one struct discover over one connection, which
 * therefore lives on when discover is done and is closed by configure, or by discover if that fails.
 */
#include "firmware/agent/handoff.h"
#include "firmware/agent/phases.h"

enum err discover_phase_start(struct agent *a)
{
    struct discover_input in = {
        .join = &a->bundle.join,
        .node_name = a->node_name,
        .now_s = agent_time(a),
        .quality = a->time.quality,
        .arena = &a->arena,
        .own_node = a->state.joined && memcmp(a->state.digest, verified_digest(a->verified), HASH_SIZE) == 0,
    };
    enum err e = render_node_name(&a->bundle.join, a->bundle.node.name, a->node_name);

    a->trusted = false;
    if (e != OK)
        return fault_set(&a->fault, e, "node name");
    e = discover_start(&a->discover, &in, a->now_ms);
    if (e != OK)
        a->fault = a->discover.fault;
    return e;
}

/* Both rows go on with the one discovery: WAIT, DONE with a->cluster filled, or ERROR. */
static enum step go_on(struct agent *a)
{
    switch (discover_step(&a->discover, a->now_ms, &a->cluster)) {
    case DISCOVER_WAIT:
        a->at.wake_ms = discover_wake_ms(&a->discover);
        return STEP_WAIT;
    case DISCOVER_DONE:
        return STEP_DONE;
    default:
        a->fault = a->discover.fault;
        return STEP_ERROR;
    }
}

enum step discover_phase_step(struct agent *a)
{
    enum step s = go_on(a);

    if (s == STEP_WAIT && discover_trusted(&a->discover))
        s = STEP_DONE;
    a->trusted = s == STEP_DONE;
    return s;
}

void discover_phase_stop(struct agent *a)
{
    if (!a->trusted)
        discover_stop(&a->discover);
}

void discover_phase_report(struct agent *a)
{
    const struct discover_result *r = &a->discover.result;

    journal_text(&a->journal, "family", r->prover.family == FAMILY_V6 ? "ipv6" : "ipv4");
    journal_ip(&a->journal, "server", &r->prover);
    journal_text(&a->journal, "tls", r->tls);
    journal_span(&a->journal, "endpoint", r->server);
}

enum step configure_step(struct agent *a)
{
    enum step s = go_on(a);

    if (s != STEP_DONE)
        return s;
    /* Rendered once here, so that a configuration that cannot be rendered is refused before anything is stored or written. */
    return handoff_render(a, RENDER_CONFIG) == OK ? STEP_DONE : STEP_ERROR;
}

void configure_stop(struct agent *a)
{
    discover_stop(&a->discover);
    a->trusted = false;
}

void configure_report(struct agent *a)
{
    journal_text(&a->journal, "kubernetes", a->cluster.cluster.version);
    journal_text(&a->journal, "node", a->node_name);
    journal_num(&a->journal, "connections", a->cluster.connections);
    if (a->kubelet.dropped[0])
        journal_text(&a->journal, "dropped", a->kubelet.dropped);
}
