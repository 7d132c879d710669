/*
 * join_preflight.c - ignorePreflightErrors and timeouts: what they mean for the agent.
 *
 * kubeadm's names of checks are compared without regard to case (preflight.setHasItemOrAll). The table has every check that `kubeadm join` makes on
 * a worker (kubeadm's preflight/checks.go, 1.35 to 1.37).
 */
#include "config/join_supported.h"

enum { NOTHING = 0, REFUSED = 256 };

struct check_row {
    const char *name;
    unsigned
        set; /* enum join_ignore, NOTHING: the agent has no such check or makes the condition true itself; REFUSED */
    const char *reason;
};

/* clang-format off */
static const struct check_row checks[] = {
    {"Swap", JOIN_IGNORE_SWAP, NULL},
    {"Port-10250", JOIN_IGNORE_PORT, NULL},
    {"KubeletVersion", JOIN_IGNORE_VERSION, NULL},
    {"ContainerRuntimeVersion", NOTHING, NULL},
    {"DirAvailable--etc-kubernetes-manifests", NOTHING, NULL},
    {"FileContent--proc-sys-net-ipv4-ip_forward", NOTHING, NULL},
    {"FileContent--proc-sys-net-ipv6-conf-default-forwarding", NOTHING, NULL},
    {"FileContent--proc-sys-net-bridge-bridge-nf-call-iptables", NOTHING, NULL},
    {"FileContent--proc-sys-net-bridge-bridge-nf-call-ip6tables", NOTHING, NULL},
    {"FileExisting-cp", NOTHING, NULL},
    {"FileExisting-losetup", NOTHING, NULL},
    {"FileExisting-mount", NOTHING, NULL},
    {"Firewalld", NOTHING, NULL},
    {"HTTPProxy", NOTHING, NULL},
    {"HTTPProxyCIDR", NOTHING, NULL},
    {"Hostname", NOTHING, NULL},
    {"ImagePull", NOTHING, NULL},
    {"IsPrivilegedUser", NOTHING, NULL},
    {"Mem", NOTHING, NULL},
    {"NumCPU", NOTHING, NULL},
    {"Service-Kubelet", NOTHING, NULL},
    {"SystemVerification", NOTHING, NULL},
    {"all", REFUSED, "it would also go on with another join's files; give the names of the checks"},
    {"CRI", REFUSED, "kubelet ends without its container runtime"},
    {"FileAvailable--etc-kubernetes-bootstrap-kubelet.conf", REFUSED, "an earlier join's files go with `reset: true` in NodeJoin"},
    {"FileAvailable--etc-kubernetes-kubelet.conf", REFUSED, "an earlier join's files go with `reset: true` in NodeJoin"},
    {"FileAvailable--etc-kubernetes-pki-ca.crt", REFUSED, "another cluster's CA would stay; a CA that is equal is left alone anyway"},
};
/* clang-format on */

static const struct check_row *find(struct span name)
{
    for (size_t i = 0; i < COUNT(checks); i++) {
        if (span_is_nocase(name, checks[i].name))
            return &checks[i];
    }
    return NULL;
}

enum err join_ignored(const struct join *j, unsigned *ret_set, struct fault *f)
{
    const struct yaml_node *list = yaml_get(yaml_get(j->root, "nodeRegistration"), "ignorePreflightErrors");
    const struct yaml_node *n = list ? list->child : NULL;
    unsigned set = 0;
    for (unsigned i = 0; i < j->ignore_preflight_errors.count; i++, n = n ? n->next : NULL) {
        const struct check_row *row = find(j->ignore_preflight_errors.item[i]);
        if (!row)
            return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, n ? n : j->root,
                              "no check that kubeadm makes on a worker has this name");
        if (row->set == REFUSED)
            return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, n ? n : j->root, "%s: %s", row->name, row->reason);
        set |= row->set;
    }
    *ret_set = set;
    return OK;
}

uint32_t join_timeout_ms(const struct join *j, const char *name, uint64_t value_ms, uint32_t otherwise)
{
    static const uint64_t day_ms = 24 * 3600 * 1000;
    if (!yaml_get(yaml_get(j->root, "timeouts"), name) || value_ms == 0)
        return otherwise;
    return (uint32_t)(value_ms < day_ms ? value_ms : day_ms);
}
