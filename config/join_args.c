/*
 * join_args.c - kubelet's command line: one row for each argument that kubelet 1.35 to 1.37 has, and who decides about it.
 *
 * Three kinds of rows: without a reason, the document decides. DANGEROUS: it opens the node or takes it away from its cluster, so the site
 * configuration has to permit it as well as the signer. OURS: the agent or the cluster's configuration decides, never the document. kubelet exits
 * when it is given an argument that it does not have, so a name without a row is refused.
 */
#include "config/join_check.h"
#include "config/join_supported.h"
#include "firmware/base/text.h"

enum kind { FREE = 0, DANGEROUS, OURS };

struct arg_row {
    const char *name;
    enum kind kind;
    const char *reason;
};

#define FILES_WHY  "the agent and kubelet must agree where this is"
#define CGROUP_WHY "the agent decides in which cgroups runtime, kubelet and pods are"
#define CRI_WHY    "criSocket decides this"
#define HEALTH_WHY "the agent asks the health endpoint that the cluster's configuration names"
#define EXIT_WHY   "kubelet would end, and the agent would start it again"
#define TLS_WHY    "kubelet's API may become readable on the wire"
#define POD_WHY    "kubelet runs pods that the cluster does not know of"
#define RUN_WHY    "kubelet runs programs from there as root"
#define ACCESS_WHY "others than the API server may use kubelet's API, which runs commands in pods"
#define STATS_WHY  "kubelet sends statistics to another machine"

/* In alphabetical order, for the search and for the reader. */
/* clang-format off */
static const struct arg_row rows[] = {
    {"address", DANGEROUS, "kubelet's API listens on other addresses than those of the node"},
    {"allowed-unsafe-sysctls", DANGEROUS, "pods may change kernel settings that other pods share"},
    {"anonymous-auth", DANGEROUS, ACCESS_WHY},
    {"application-metrics-count-limit", FREE, NULL},
    {"authentication-token-webhook", DANGEROUS, ACCESS_WHY},
    {"authentication-token-webhook-cache-ttl", FREE, NULL},
    {"authorization-mode", DANGEROUS, ACCESS_WHY},
    {"authorization-webhook-cache-authorized-ttl", FREE, NULL},
    {"authorization-webhook-cache-unauthorized-ttl", FREE, NULL},
    {"bootstrap-kubeconfig", OURS, FILES_WHY},
    {"cert-dir", OURS, FILES_WHY},
    {"cgroup-driver", OURS, CGROUP_WHY},
    {"cgroup-root", OURS, CGROUP_WHY},
    {"cgroups-per-qos", OURS, CGROUP_WHY},
    {"client-ca-file", DANGEROUS, ACCESS_WHY},
    {"cloud-provider", FREE, NULL},
    {"cluster-dns", FREE, NULL},
    {"cluster-domain", FREE, NULL},
    {"config", OURS, FILES_WHY},
    {"config-dir", OURS, FILES_WHY},
    {"container-log-max-files", FREE, NULL},
    {"container-log-max-size", FREE, NULL},
    {"container-runtime-endpoint", OURS, CRI_WHY},
    {"contention-profiling", FREE, NULL},
    {"cpu-cfs-quota", FREE, NULL},
    {"cpu-cfs-quota-period", FREE, NULL},
    {"cpu-manager-policy", FREE, NULL},
    {"cpu-manager-policy-options", FREE, NULL},
    {"cpu-manager-reconcile-period", FREE, NULL},
    {"enable-controller-attach-detach", FREE, NULL},
    {"enable-debugging-handlers", FREE, NULL},
    {"enable-server", DANGEROUS, "without its server kubelet gives no logs and no health"},
    {"enforce-node-allocatable", FREE, NULL},
    {"event-burst", FREE, NULL},
    {"event-qps", FREE, NULL},
    {"eviction-hard", FREE, NULL},
    {"eviction-max-pod-grace-period", FREE, NULL},
    {"eviction-minimum-reclaim", FREE, NULL},
    {"eviction-pressure-transition-period", FREE, NULL},
    {"eviction-soft", FREE, NULL},
    {"eviction-soft-grace-period", FREE, NULL},
    {"exit-on-lock-contention", OURS, EXIT_WHY},
    {"experimental-mounter-path", DANGEROUS, RUN_WHY},
    {"fail-cgroupv1", FREE, NULL},
    {"fail-swap-on", FREE, NULL},
    {"feature-gates", FREE, NULL},
    {"file-check-frequency", FREE, NULL},
    {"hairpin-mode", FREE, NULL},
    {"healthz-bind-address", OURS, HEALTH_WHY},
    {"healthz-port", OURS, HEALTH_WHY},
    {"hostname-override", FREE, NULL},
    {"housekeeping-interval", FREE, NULL},
    {"http-check-frequency", FREE, NULL},
    {"image-credential-provider-bin-dir", DANGEROUS, RUN_WHY},
    {"image-credential-provider-config", DANGEROUS, RUN_WHY},
    {"image-gc-high-threshold", FREE, NULL},
    {"image-gc-low-threshold", FREE, NULL},
    {"image-service-endpoint", OURS, CRI_WHY},
    {"kernel-memcg-notification", FREE, NULL},
    {"kube-api-burst", FREE, NULL},
    {"kube-api-content-type", FREE, NULL},
    {"kube-api-qps", FREE, NULL},
    {"kube-reserved", FREE, NULL},
    {"kube-reserved-cgroup", OURS, CGROUP_WHY},
    {"kubeconfig", OURS, FILES_WHY},
    {"kubelet-cgroups", OURS, CGROUP_WHY},
    {"local-storage-capacity-isolation", FREE, NULL},
    {"lock-file", OURS, EXIT_WHY},
    {"log-flush-frequency", FREE, NULL},
    {"log-json-info-buffer-size", FREE, NULL},
    {"log-json-split-stream", FREE, NULL},
    {"log-text-info-buffer-size", FREE, NULL},
    {"log-text-split-stream", FREE, NULL},
    {"logging-format", FREE, NULL},
    {"make-iptables-util-chains", FREE, NULL},
    {"manifest-url", DANGEROUS, POD_WHY},
    {"manifest-url-header", DANGEROUS, POD_WHY},
    {"max-open-files", FREE, NULL},
    {"max-pods", FREE, NULL},
    {"maximum-dead-containers", FREE, NULL},
    {"maximum-dead-containers-per-container", FREE, NULL},
    {"memory-manager-policy", FREE, NULL},
    {"minimum-container-ttl-duration", FREE, NULL},
    {"minimum-image-ttl-duration", FREE, NULL},
    {"node-ip", FREE, NULL},
    {"node-labels", FREE, NULL},
    {"node-status-max-images", FREE, NULL},
    {"node-status-update-frequency", FREE, NULL},
    {"oom-score-adj", DANGEROUS, "the kernel may end kubelet before it ends pods"},
    {"pod-cidr", FREE, NULL},
    {"pod-manifest-path", DANGEROUS, POD_WHY},
    {"pod-max-pids", FREE, NULL},
    {"pods-per-core", FREE, NULL},
    {"port", OURS, "the cluster reaches kubelet at port 10250, and preflight looks whether it is free"},
    {"protect-kernel-defaults", FREE, NULL},
    {"provider-id", FREE, NULL},
    {"qos-reserved", FREE, NULL},
    {"read-only-port", DANGEROUS, "everybody reads the pods of this node, their environment included"},
    {"register-node", DANGEROUS, "the machine may never become a node"},
    {"register-with-taints", FREE, NULL},
    {"registry-burst", FREE, NULL},
    {"registry-qps", FREE, NULL},
    {"reserved-cpus", FREE, NULL},
    {"reserved-memory", FREE, NULL},
    {"resolv-conf", FREE, NULL},
    {"root-dir", OURS, FILES_WHY},
    {"rotate-certificates", DANGEROUS, "the node is lost when its first certificate expires"},
    {"rotate-server-certificates", FREE, NULL},
    {"runonce", OURS, EXIT_WHY},
    {"runtime-cgroups", OURS, CGROUP_WHY},
    {"runtime-request-timeout", FREE, NULL},
    {"seccomp-default", FREE, NULL},
    {"serialize-image-pulls", FREE, NULL},
    {"storage-driver-db", DANGEROUS, STATS_WHY},
    {"storage-driver-host", DANGEROUS, STATS_WHY},
    {"streaming-connection-idle-timeout", FREE, NULL},
    {"sync-frequency", FREE, NULL},
    {"system-cgroups", OURS, CGROUP_WHY},
    {"system-reserved", FREE, NULL},
    {"system-reserved-cgroup", OURS, CGROUP_WHY},
    {"tls-cert-file", DANGEROUS, TLS_WHY},
    {"tls-cipher-suites", DANGEROUS, TLS_WHY},
    {"tls-min-version", DANGEROUS, TLS_WHY},
    {"tls-private-key-file", DANGEROUS, TLS_WHY},
    {"topology-manager-policy", FREE, NULL},
    {"topology-manager-policy-options", FREE, NULL},
    {"topology-manager-scope", FREE, NULL},
    {"v", FREE, NULL},
    {"version", OURS, EXIT_WHY},
    {"vmodule", FREE, NULL},
    {"volume-plugin-dir", DANGEROUS, RUN_WHY},
    {"volume-stats-agg-period", FREE, NULL},
};
/* clang-format on */

static const struct arg_row *find(struct span name)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (span_is(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

/* The YAML item of the argument with this index. */
static const struct yaml_node *arg_node(const struct join *j, unsigned index)
{
    const struct yaml_node *args = yaml_get(yaml_get(j->root, "nodeRegistration"), "kubeletExtraArgs");
    const struct yaml_node *n = args ? args->child : NULL;
    while (n && index-- > 0)
        n = n->next;
    return n;
}

bool join_arg_is_dangerous(struct span name)
{
    const struct arg_row *row = find(name);
    return row && row->kind == DANGEROUS;
}

struct span join_arg_value(const struct join *j, const char *name)
{
    for (unsigned i = j->kubelet_arg_count; i > 0; i--) {
        if (span_is(j->kubelet_args[i - 1].name, name))
            return j->kubelet_args[i - 1].value;
    }
    return (struct span){NULL, 0};
}

/* The namespace is this domain or one below it. */
static bool is_within(struct span space, const char *domain)
{
    size_t n = strlen(domain);
    return span_is(space, domain) ||
           (space.n > n && space.p[space.n - n - 1] == '.' && span_ends(space, domain));
}

/* kubelet may set a label of Kubernetes' own namespaces only if it is one of these (k8s.io/kubelet/pkg/apis/well_known_labels.go). */
static bool kubelet_may_set(struct span key)
{
    static const char *const names[] = {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    };
    struct span rest = key;
    struct span space = span_find(key, '/') < key.n ? span_cut(&rest, '/') : span_sub(key, 0, 0);
    if (!is_within(space, "kubernetes.io") && !is_within(space, "k8s.io"))
        return true;
    if (is_within(space, "kubelet.kubernetes.io") || is_within(space, "node.kubernetes.io"))
        return true;
    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is(key, names[i]))
            return true;
    }
    return false;
}

/* node-labels: key=value pairs with commas between them. kubelet exits for the ones that are refused here. */
static enum err check_labels(const struct yaml_node *n, struct span value, struct fault *f)
{
    for (bool more = value.n > 0; more;) {
        more = span_find(value, ',') < value.n;
        struct span text = span_cut(&value, ',');
        struct span key = span_cut(&text, '=');
        if (!join_check_label(key, text))
            return yaml_fault(f, ERR_CONFIG_FIELD, n, "node-labels: %.*s is not a label [prefix/]name=value",
                              (int)(key.n > 80 ? 80 : key.n), (const char *)key.p);
        if (!kubelet_may_set(key))
            return yaml_fault(f, ERR_CONFIG_FIELD, n,
                              "node-labels: kubelet exits for %.*s; let an administrator set it with kubectl",
                              (int)(key.n > 80 ? 80 : key.n), (const char *)key.p);
    }
    return OK;
}

/* register-with-taints: key[=value]:effect with commas between them. */
static enum err check_taints(const struct yaml_node *n, struct span value, struct fault *f)
{
    for (bool more = value.n > 0; more;) {
        more = span_find(value, ',') < value.n;
        struct span effect = span_cut(&value, ',');
        struct span rest = span_cut(&effect, ':');
        struct join_taint taint = {.effect = effect};
        taint.key = span_cut(&rest, '=');
        taint.value = rest;
        enum err e = join_check_taint(n, &taint, f);
        if (e != OK)
            return e;
    }
    return OK;
}

static enum err check_value(const struct yaml_node *n, const struct join_arg *arg, struct fault *f)
{
    if (span_is(arg->name, "node-labels"))
        return check_labels(n, arg->value, f);
    if (span_is(arg->name, "register-with-taints"))
        return check_taints(n, arg->value, f);
    if (span_is(arg->name, "hostname-override") && !text_is_subdomain(arg->value))
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "hostname-override must be a lower-case RFC 1123 subdomain, a node's name");
    return OK;
}

enum err join_args_supported(const struct join *j, struct fault *f)
{
    for (unsigned i = 0; i < j->kubelet_arg_count; i++) {
        const struct arg_row *row = find(j->kubelet_args[i].name);
        if (!row)
            return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, arg_node(j, i),
                              "kubelet of the supported versions has no such argument, and would exit");
        if (row->kind == OURS)
            return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, arg_node(j, i), "%s: %s", row->name, row->reason);
        enum err e = check_value(arg_node(j, i), &j->kubelet_args[i], f);
        if (e != OK)
            return e;
    }
    return OK;
}

/* One of the words between commas. */
static bool is_listed(struct span list, struct span word)
{
    while (list.n > 0) {
        if (span_eq(span_trim(span_cut(&list, ',')), word))
            return true;
    }
    return false;
}

enum err join_args_permitted(const struct join *j, struct span permitted, struct fault *f)
{
    for (unsigned i = 0; i < j->kubelet_arg_count; i++) {
        const struct arg_row *row = find(j->kubelet_args[i].name);
        if (row && row->kind == DANGEROUS && !is_listed(permitted, j->kubelet_args[i].name))
            return yaml_fault(f, ERR_CONFIG_PERMIT, arg_node(j, i),
                              "needs `permit-kubelet-args = %s` in the site configuration: %s", row->name,
                              row->reason);
    }
    return OK;
}
