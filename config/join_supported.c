/*
 * join_supported.c - what is valid but cannot be honoured by this agent, and the addresses that node-ip names.
 */
#include "config/join_supported.h"

static enum err unsupported(const struct join *j, const char *field, const char *why, struct fault *f)
{
    const struct yaml_node *n = yaml_get(j->root, field);
    return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, n ? n : j->root, "%s", why);
}

enum err join_supported(const struct join *j, bool permit_unsafe_skip_ca, struct fault *f)
{
    const struct yaml_node *control_plane = yaml_get(j->root, "controlPlane");
    const struct yaml_node *discovery = yaml_get(j->root, "discovery");
    unsigned ignored = 0;
    if (j->has_control_plane)
        return yaml_fault(f, ERR_CONFIG_CONTROL_PLANE, control_plane,
                          "this document joins a control-plane node");
    if (j->has_file && !span_starts(j->kubeconfig_path, "/"))
        return yaml_fault(f, ERR_CONFIG_UNSUPPORTED, yaml_get(discovery, "file"),
                          "a URL is not fetched; give a path on the machine that joins");
    if (j->patches_directory.n > 0 && !span_starts(j->patches_directory, "/"))
        return unsupported(j, "patches", "the directory must be an absolute path on the machine that joins",
                           f);
    if (j->skip_phases.count > 0)
        return unsupported(j, "skipPhases", "the agent has other phases than kubeadm", f);
    if (j->dry_run)
        return unsupported(j, "dryRun", "the agent joins or does not", f);
    if (j->unsafe_skip_ca && !permit_unsafe_skip_ca)
        return yaml_fault(f, ERR_CONFIG_UNSAFE,
                          yaml_get(yaml_get(discovery, "bootstrapToken"), "unsafeSkipCAVerification"),
                          "the site does not permit unsafeSkipCAVerification");
    enum err e = join_ignored(j, &ignored, f);
    return e == OK ? join_args_supported(j, f) : e;
}

enum err join_node_ips(const struct join *j, struct ip ret[static 2], unsigned *ret_count, struct fault *f)
{
    struct ip ips[2];
    unsigned count = 0;
    if (!j->node_ip) {
        *ret_count = 0;
        return OK;
    }
    struct span rest = join_arg_value(j, "node-ip");
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
