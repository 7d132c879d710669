/*
 * join_supported.c - what is valid but cannot be honoured by this agent, and the addresses that node-ip names.
 */
#include "config/join.h"

/* Arguments that tune a kubelet. Whatever is not here might replace what joinboot itself decides (names, files, certificates), open the
 * kubelet to others (authentication, ports), or make it run programs: it is refused. */
static const char *const allowed_args[] = {
    "allowed-unsafe-sysctls",
    "cloud-provider",
    "container-log-max-files",
    "container-log-max-size",
    "cpu-cfs-quota",
    "cpu-cfs-quota-period",
    "cpu-manager-policy",
    "cpu-manager-policy-options",
    "enforce-node-allocatable",
    "event-burst",
    "event-qps",
    "eviction-hard",
    "eviction-max-pod-grace-period",
    "eviction-minimum-reclaim",
    "eviction-pressure-transition-period",
    "eviction-soft",
    "eviction-soft-grace-period",
    "fail-swap-on",
    "feature-gates",
    "image-gc-high-threshold",
    "image-gc-low-threshold",
    "kube-api-burst",
    "kube-api-qps",
    "kube-reserved",
    "local-storage-capacity-isolation",
    "log-flush-frequency",
    "logging-format",
    "max-open-files",
    "max-pods",
    "memory-manager-policy",
    "minimum-image-ttl-duration",
    "node-ip",
    "node-labels",
    "node-status-max-images",
    "node-status-update-frequency",
    "pod-infra-container-image",
    "pod-max-pids",
    "pods-per-core",
    "protect-kernel-defaults",
    "provider-id",
    "register-with-taints",
    "registry-burst",
    "registry-qps",
    "reserved-cpus",
    "reserved-memory",
    "resolv-conf",
    "runtime-request-timeout",
    "serialize-image-pulls",
    "sync-frequency",
    "system-reserved",
    "topology-manager-policy",
    "topology-manager-policy-options",
    "topology-manager-scope",
    "v",
    "vmodule",
    "volume-stats-agg-period",
};

static enum err unsupported(const struct join *j, const char *field, const char *why, struct fault *f)
{
    const struct yaml_node *n = yaml_get(j->root, field);
    return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, n ? n : j->root, "%s", why);
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

static enum err check_args(const struct join *j, struct fault *f)
{
    for (unsigned i = 0; i < j->kubelet_arg_count; i++) {
        bool found = false;
        for (size_t k = 0; k < COUNT(allowed_args) && !found; k++)
            found = span_is(j->kubelet_args[i].name, allowed_args[k]);
        if (!found)
            return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, arg_node(j, i),
                              "this kubelet argument is not on the agent's allow-list");
    }
    return OK;
}

enum err join_supported(const struct join *j, bool permit_unsafe_skip_ca, struct fault *f)
{
    const struct yaml_node *control_plane = yaml_get(j->root, "controlPlane");
    const struct yaml_node *discovery = yaml_get(j->root, "discovery");
    if (j->has_control_plane)
        return yaml_fault(f, ERR_CONFIG_CONTROL_PLANE, control_plane,
                          "this document joins a control-plane node");
    if (j->has_file)
        return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(discovery, "file"),
                          "discovery by file; use bootstrapToken");
    if (j->has_patches && j->patches_directory.n > 0)
        return unsupported(
            j, "patches",
            "patches are files on a machine; put the values into the cluster's kubelet configuration", f);
    if (j->skip_phases.count > 0)
        return unsupported(j, "skipPhases", "the agent has other phases than kubeadm", f);
    if (j->dry_run)
        return unsupported(j, "dryRun", "the agent joins or does not", f);
    if (j->unsafe_skip_ca && !permit_unsafe_skip_ca)
        return yaml_fault(f, ERR_CONFIG_UNSAFE,
                          yaml_get(yaml_get(discovery, "bootstrapToken"), "unsafeSkipCAVerification"),
                          "the site does not permit unsafeSkipCAVerification");
    return check_args(j, f);
}

static struct span arg_value(const struct join *j, const char *name)
{
    for (unsigned i = 0; i < j->kubelet_arg_count; i++) {
        if (span_is(j->kubelet_args[i].name, name))
            return j->kubelet_args[i].value;
    }
    return (struct span){NULL, 0};
}

enum err join_node_ips(const struct join *j, struct ip ret[static 2], unsigned *ret_count, struct fault *f)
{
    struct ip ips[2];
    unsigned count = 0;
    if (!j->node_ip) {
        *ret_count = 0;
        return OK;
    }
    struct span rest = arg_value(j, "node-ip");
    for (bool more = true; more; count++) {
        more = span_find(rest, ',') < rest.n;
        if (count == COUNT(ips))
            return yaml_fault(f, ERR_CONFIG_FIELD, j->node_ip, "node-ip has more than two addresses");
        if (ip_parse(span_cut(&rest, ','), &ips[count]) != OK || !ip_is_usable(&ips[count]))
            return yaml_fault(f, ERR_CONFIG_FIELD, j->node_ip,
                              "node-ip must be one or two usable addresses with a comma and no space");
    }
    if (count == 2 && ips[0].family == ips[1].family)
        return yaml_fault(f, ERR_CONFIG_FIELD, j->node_ip,
                          "node-ip's two addresses must be of different families");
    memcpy(ret, ips, count * sizeof(ips[0]));
    *ret_count = count;
    return OK;
}
