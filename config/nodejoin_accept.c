/*
 * nodejoin_accept.c - is this bundle for this machine, now? The checks stand in the order in which a refusal helps the operator most:
 * wrong machine, wrong cluster, old, expired.
 */
#include "config/nodejoin.h"

enum {
    SKEW_S = 300
}; /* a signer's clock may be this far ahead, as kubeadm's CA certificates are backdated */

static bool has_mac(const struct machine *m, const uint8_t mac[static 6])
{
    for (unsigned i = 0; i < m->mac_count; i++) {
        if (memcmp(m->macs[i], mac, 6) == 0)
            return true;
    }
    return false;
}

/* All that are given must match: a board that was moved into another machine is another machine. */
enum err nodejoin_bound(const struct nodejoin *n, const struct machine *m, struct fault *f)
{
    if (!n->has_uuid && n->serial[0] == 0 && n->mac_count == 0)
        return fault_set(f, ERR_CONFIG_BINDING, "it is bound to no machine");
    if (n->has_uuid && (!m->id.has_uuid || memcmp(n->uuid, m->id.uuid, sizeof(n->uuid)) != 0))
        return fault_set(f, ERR_CONFIG_BINDING, "binding.uuid is not this machine's");
    if (n->serial[0] && strcmp(n->serial, m->id.serial) != 0)
        return fault_set(f, ERR_CONFIG_BINDING, "binding.serial is not this machine's");
    for (unsigned i = 0; i < n->mac_count; i++) {
        if (!has_mac(m, n->macs[i]))
            return fault_set(f, ERR_CONFIG_BINDING, "binding.macs[%u] is no network card of this machine", i);
    }
    return OK;
}

static enum err check_sequence(const struct nodejoin *n, const uint8_t digest[static HASH_SIZE],
                               const struct machine *m, struct fault *f)
{
    if (!m->has_stored || n->sequence > m->stored_sequence)
        return OK;
    if (n->sequence < m->stored_sequence)
        return fault_set(f, ERR_CONFIG_SEQUENCE, "sequence %llu, and %llu was accepted before",
                         (unsigned long long)n->sequence, (unsigned long long)m->stored_sequence);
    if (memcmp(digest, m->stored_digest, HASH_SIZE) != 0)
        return fault_set(f, ERR_CONFIG_EQUIVOCATION, "sequence %llu was accepted with other bytes",
                         (unsigned long long)n->sequence);
    return OK;
}

/* At TIME_FLOOR the clock is only a lower bound: "expired" is certain, "not yet" is not. */
static enum err check_window(const struct nodejoin *n, const struct machine *m, struct fault *f)
{
    if (m->now_s >= n->expires_s)
        return fault_set(f, ERR_CONFIG_EXPIRED, "it expired %lld s ago",
                         (long long)(m->now_s - n->expires_s));
    if (m->quality != TIME_FLOOR && n->issued_s - SKEW_S > m->now_s)
        return fault_set(f, ERR_CONFIG_FUTURE, "it was issued %lld s from now",
                         (long long)(n->issued_s - m->now_s));
    return OK;
}

enum err nodejoin_accept(const struct nodejoin *n, const uint8_t digest[static HASH_SIZE],
                         const struct site *site, const struct machine *m, struct fault *f)
{
    enum err e = nodejoin_bound(n, m, f);
    if (e == OK && strcmp(n->cluster, site->cluster) != 0)
        e = fault_set(f, ERR_CONFIG_CLUSTER, "it is for %s; this site's cluster is %s", n->cluster,
                      site->cluster);
    if (e == OK)
        e = check_sequence(n, digest, m, f);
    if (e == OK)
        e = check_window(n, m, f);
    /* Whoever can read a bundle has its token; a site that seals does not take one by mistake. */
    if (e == OK && site->sealed_required && n->sealed.n == 0)
        e = fault_set(f, ERR_SEAL_REQUIRED, "the site configuration says sealed = required");
    return e;
}
