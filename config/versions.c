/*
 * versions.c - the table of supported minors (versions.h).
 */
#include "config/versions.h"

#include "firmware/base/text.h"

enum { KUBELET_SKEW = 3 };

/* In rising order. */
static const struct versions_minor table[] = {
    {.minor = 35, .cri_socket_gate = true, .v1beta3 = true},
    {.minor = 36, .cri_socket_gate = true, .v1beta3 = true},
    {.minor = 37},
};

const struct versions_minor *versions_find(unsigned minor)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        if (table[i].minor == minor)
            return &table[i];
    }
    return NULL;
}

enum err versions_read(struct span text, unsigned *ret_minor)
{
    static const char prefix[] = "Kubernetes ";
    uint64_t minor, patch;
    struct span s = span_trim(text);
    size_t n = 0;

    if (span_starts(s, prefix))
        s = span_sub(s, sizeof(prefix) - 1, s.n);
    if (span_starts(s, "v"))
        s = span_sub(s, 1, s.n);
    if (!span_starts(s, "1."))
        return ERR_INPUT;
    s = span_sub(s, 2, s.n);
    if (text_u64(span_cut(&s, '.'), 999, &minor))
        return ERR_INPUT;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    if (text_u64(span_sub(s, 0, n), 999, &patch) || (n < s.n && s.p[n] != '-' && s.p[n] != '+'))
        return ERR_INPUT;
    *ret_minor = (unsigned)minor;
    return OK;
}

enum err versions_check(unsigned cluster_minor, const char *cluster, struct span kubelet, struct fault *f)
{
    unsigned minor;

    if (!versions_find(cluster_minor))
        return fault_set(f, ERR_VERSION_SKEW, "the cluster is %s; 1.%u to 1.%u are supported", cluster,
                         table[0].minor, table[COUNT(table) - 1].minor);
    if (span_trim(kubelet).n == 0)
        return OK;
    if (versions_read(kubelet, &minor))
        return fault_set(f, ERR_VERSION_SKEW, "the kubelet's version cannot be read");
    if (minor > cluster_minor)
        return fault_set(f, ERR_VERSION_SKEW, "the kubelet is 1.%u, newer than the cluster, which is %s",
                         minor, cluster);
    if (cluster_minor - minor > KUBELET_SKEW)
        return fault_set(f, ERR_VERSION_SKEW,
                         "the kubelet is 1.%u, more than %d minors older than the cluster, which is %s",
                         minor, KUBELET_SKEW, cluster);
    return OK;
}
