/*
 * phase_config.c - fetch, verify, parse, accept, commit: from untrusted bytes to a config that is for this machine, now, and is remembered.
 */
#include "config/join_supported.h"
#include "firmware/agent/courier.h"
#include "firmware/agent/handoff.h"
#include "firmware/agent/oneshot.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/target.h"
#include "firmware/base/text.h"

enum { COMMIT_RECORD, COMMIT_STOPPING, COMMIT_WIPING, NEWER_TRIES = 3 };

static enum err begin_fetch(struct agent *a)
{
    a->accepted = false;
    a->bundle_bytes.n = 0;
    a->bundle_bytes.overflow = false;
    phases_forget(a);
    struct conn *conns = phases_conns(a);
    if (!conns) {
        fault_clear(&a->https.fault);
        return fault_set(&a->https.fault, ERR_NOMEM, "the connections of a fetch");
    }
    return https_start(&a->https, &a->url, &a->site.roots, agent_time(a), a->time.quality, conns,
                       &a->bundle_bytes, a->now_ms);
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
    phases_forget(a);
    return verify_bundle(bundle_text(a), &a->site, &a->arena, &a->verified, &a->fault) == OK ? STEP_DONE
                                                                                             : STEP_ERROR;
}

void verify_report(struct agent *a)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];

    if (jose_thumbprint(&a->site.keys[verified_key(a->verified)], kid) == OK)
        journal_text(&a->journal, "kid", kid);
}

/* What this machine can do and this site permits. Of a closed bundle that is what NodeJoin says; accept asks again when it is open. */
static enum err check_documents(struct agent *a)
{
    enum err e = bundle_supported(&a->bundle, target_abilities(a, oneshot_abilities()),
                                  a->site.permit_unsafe_skip_ca, &a->fault);
    if (e == OK && !a->bundle.closed)
        e = join_args_permitted(&a->bundle.join, span_str(a->site.permit_kubelet_args), &a->fault);
    if (e == OK && !a->bundle.closed)
        oneshot_name_node(a);
    return e;
}

enum step parse_step(struct agent *a)
{
    enum err e = courier_check(a);
    if (e == OK)
        e = bundle_parse(a->verified, &a->arena, &a->bundle, &a->fault);
    if (e == OK)
        e = oneshot_check_mode(a, &a->fault);
    if (e == OK)
        e = target_check_mode(a, &a->fault);
    if (e == OK)
        e = check_documents(a);
    return e == OK ? STEP_DONE : STEP_ERROR;
}

void parse_report(struct agent *a)
{
    journal_text(&a->journal, "name", a->bundle.node.name);
    if (a->bundle.closed)
        journal_text(&a->journal, "sealed-to", a->bundle.node.sealed_to);
}

/* Documents that are sealed to this machine, now that all that NodeJoin says was accepted. */
static enum err open_documents(struct agent *a)
{
    struct jose_secret key;
    enum err e;

    if (!a->bundle.closed)
        return OK;
    e = device_secret(a->board, &key);
    if (e != OK)
        return fault_set(&a->fault, e, "the documents are sealed to %s", a->bundle.node.sealed_to);
    e = bundle_open(a->verified, &key, &a->arena, &a->bundle, &a->fault);
    wipe(&key, sizeof(key));
    return e == OK ? check_documents(a) : e;
}

/* The state partition holds something else, and only a bundle that is for this machine may permit to format it. */
static enum step format_state(struct agent *a)
{
    if (!a->bundle.node.format_state) {
        fault_set(&a->fault, ERR_STATE_FOREIGN, "the bundle does not say formatState: true");
        return STEP_ERROR;
    }
    return root_format(a);
}

/* kubeadm's work is done once. What it left behind is wiped and tried anew, but never when etcd has data or a member of ours: then only a newer
 * bundle that says so may. Nothing is touched before this is asked. */
static enum err check_spent(struct agent *a)
{
    const struct host *h = a->host;
    bool newer = memcmp(a->state.digest, verified_digest(a->verified), HASH_SIZE) != 0;

    if (!h || kernel_used() || (newer && a->bundle.node.reset) || a->state.wiping)
        return OK;
    /* An etcd elsewhere has data once an API server was to run. */
    bool elsewhere = a->bundle.role == BUNDLE_INIT && a->bundle.cluster.etcd.has_external &&
                     h->exists(h->ctx, "/etc/kubernetes/manifests/kube-apiserver.yaml");
    if (a->state.kubeadm && (elsewhere || a->state.member || h->exists(h->ctx, "/var/lib/etcd/member") ||
                             h->exists(h->ctx, "/etc/kubernetes/manifests/etcd.yaml")))
        return fault_set(&a->fault, ERR_KUBEADM_HALF, "kubeadm did not end");
    if (!a->state.kubeadm && (h->exists(h->ctx, "/var/lib/etcd/member") ||
                              h->exists(h->ctx, "/etc/kubernetes/manifests/kube-apiserver.yaml")))
        return fault_set(&a->fault, ERR_KUBEADM_HALF, "this machine is a control-plane node");
    return OK;
}

enum step accept_step(struct agent *a)
{
    enum step s;
    bool same;

    a->machine.now_s = agent_time(a);
    a->machine.quality = a->time.quality;
    if (nodejoin_accept(&a->bundle.node, verified_digest(a->verified), &a->site, &a->machine, &a->fault) !=
        OK)
        return STEP_ERROR;
    /* A newer bundle than the one that this node joined with is a new join. */
    same = memcmp(a->state.digest, verified_digest(a->verified), HASH_SIZE) == 0;
    if (!(a->resuming && same) && check_spent(a) != OK)
        return STEP_ERROR;
    /* Without a state partition there is no key to which anything could be sealed: it comes first, and the next bundle is sealed to the new key. */
    s = a->state_foreign && a->bundle.closed && !a->device.has_key ? format_state(a) : STEP_DONE;
    if (s != STEP_DONE)
        return s;
    /* Before the resumption ends: a bundle that cannot be opened takes no node down. */
    if (open_documents(a) != OK)
        return STEP_ERROR;
    if (a->resuming && !same && a->newer_code != OK) {
        fault_set(&a->fault, a->newer_code,
                  "this bundle led to no join since power-on, and is tried again at the next boot");
        return STEP_ERROR;
    }
    if (a->resuming && !same) {
        a->newer_tries = NEWER_TRIES;
        a->newer_ms = a->now_ms;
    }
    if (a->bundle.node.reset)
        a->newer_tries = 0;
    a->resuming = a->resuming && same;
    timekeeper_raise(&a->time, a->bundle.node.issued_s, a->now_ms);
    a->accepted = true;
    return a->state_foreign ? format_state(a) : target_check_device(a);
}

void accept_report(struct agent *a)
{
    char text[32];
    struct buf b = BUF_OF(text);

    journal_num(&a->journal, "sequence", a->bundle.node.sequence);
    text_time_put(&b, a->bundle.node.expires_s);
    journal_span(&a->journal, "expires", buf_span(&b));
}

/* Another bundle is another join: kubelet would go on in the old cluster under the old name if it found what it had there. The same holds for
 * a certificate that is of no use any more. */
static enum err forget_old_join(struct agent *a, struct state *next)
{
    enum err e;

    if (!next->joined || (!a->rejoin && memcmp(next->digest, verified_digest(a->verified), HASH_SIZE) == 0))
        return OK;
    a->newer_tries = 0; /* from here on there is no way back */
    e = a->host->remove_file(a->host->ctx, HANDOFF_KUBELET_CONF, true, &a->fault);
    if (e == OK)
        e = a->host->remove_file(a->host->ctx, HANDOFF_KUBELET_PEM, true, &a->fault);
    next->joined = false;
    return e;
}

/* The state with this bundle, into a->next. */
static enum err make_next(struct agent *a)
{
    const uint8_t *digest = verified_digest(a->verified);
    struct state *next = &a->next;
    enum err e = check_spent(a);

    *next = a->state;
    if (e == OK && a->host)
        e = forget_old_join(a, next);
    if (e != OK)
        return e;
    if (memcmp(next->digest, digest, HASH_SIZE) != 0)
        next->attempts = a->at.failures[PHASE_KUBEADM] = 0;
    next->wiping = next->wiping || next->kubeadm;
    next->kubeadm = next->member = false;
    /* Asked for once: the record with this bundle's digest says whether its wipe is still to be done. */
    if (a->host && a->bundle.node.reset && memcmp(next->digest, digest, HASH_SIZE) != 0)
        next->wiping = true;
    next->accepted = true;
    next->sequence = a->bundle.node.sequence;
    if (next->issued_s < a->bundle.node.issued_s)
        next->issued_s = a->bundle.node.issued_s;
    memcpy(next->digest, digest, HASH_SIZE);
    return OK;
}

static enum step remember(struct agent *a)
{
    enum err e = a->saving ? OK : make_next(a);

    if (e == OK)
        e = phases_save(a);
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK)
        return STEP_ERROR;
    a->machine.has_stored = true;
    a->machine.stored_sequence = a->state.sequence;
    memcpy(a->machine.stored_digest, a->state.digest, HASH_SIZE);
    a->rejoin = false;
    a->version_asked = false; /* jobs of later rows take the answer's place */
    return STEP_DONE;
}

static bool is_stopped(const struct agent *a, enum host_service which)
{
    struct host_service_status st;

    a->host->service_status(a->host->ctx, which, &st);
    return st.state == HOST_SERVICE_STOPPED;
}

/* Pods of this boot hold files and mounts below what is to be wiped: the machine starts anew, and wipes before anything runs. */
static bool pods_may_run(const struct agent *a)
{
    struct host_service_status st;

    a->host->service_status(a->host->ctx, HOST_KUBELET, &st);
    return st.starts > 0;
}

static enum step begin_wipe(struct agent *a)
{
    journal_note(&a->journal, a->now_ms, "commit", "reset: what the earlier join left is wiped");
    if (a->host->pid1 && pods_may_run(a)) {
        a->board->finish(a->board->ctx, BOARD_FINISH_REBOOT, 0);
        return phases_wait(a, 1000);
    }
    a->host->service_stop(a->host->ctx, HOST_KUBELET);
    if (a->host->pid1)
        a->host->service_stop(a->host->ctx, HOST_RUNTIME);
    a->at.sub = COMMIT_STOPPING;
    return phases_wait(a, 20);
}

/* The runtime of a running system, and what else it runs, are not ours to wipe. */
static enum step wipe_folders(struct agent *a)
{
    static const char *const folders[] = {"/etc/kubernetes",
                                          "/etc/cni/net.d",
                                          "/var/lib/kubelet",
                                          "/var/lib/cni",
                                          "/var/lib/containerd",
                                          "/var/lib/etcd",
                                          NULL};
    static const char *const of_kubeadm[] = {"/etc/kubernetes", "/var/lib/kubelet", "/var/lib/etcd", NULL};

    if (!is_stopped(a, HOST_KUBELET) || (a->host->pid1 && !is_stopped(a, HOST_RUNTIME)))
        return phases_wait(a, 50);
    if (a->host->job_wipe(a->host->ctx, a->host->pid1 ? folders : of_kubeadm, &a->fault) != OK)
        return STEP_ERROR;
    a->at.sub = COMMIT_WIPING;
    return phases_wait(a, 20);
}

static enum step await_wipe(struct agent *a)
{
    enum host_answer answer = a->saving ? HOST_YES : a->host->job_result(a->host->ctx);
    enum err e;

    if (answer == HOST_BUSY)
        return phases_wait(a, 50);
    if (!a->saving) {
        a->next = a->state;
        a->next.wiping = false;
        a->next.joined = false;
    }
    e = answer == HOST_YES ? phases_save(a) : ERR_FILE;
    if (e == ERR_BUSY)
        return phases_wait(a, PHASES_STORE_MS);
    if (e != OK) {
        fault_set(&a->fault, e, "the reset could not be finished");
        return STEP_ERROR;
    }
    return STEP_DONE;
}

enum step commit_step(struct agent *a)
{
    enum step s;

    switch (a->at.sub) {
    case COMMIT_RECORD:
        s = remember(a);
        return s == STEP_DONE && a->state.wiping ? begin_wipe(a) : s;
    case COMMIT_STOPPING:
        return wipe_folders(a);
    default:
        return await_wipe(a);
    }
}

void commit_report(struct agent *a)
{
    if (a->at.sub == COMMIT_WIPING)
        journal_text(&a->journal, "reset", "done");
}
