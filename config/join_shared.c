/*
 * join_shared.c - what JoinConfiguration and InitConfiguration have in common: local endpoint, certificate key, patches, timeouts, defaults.
 *
 * c->j is filled in; c->at is c->j here.
 */
#include "config/duration.h"
#include "config/join_check.h"
#include "config/join_fields.h"
#include "config/stricter.h"

static enum err read_advertise(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->advertise_address.n > 0
               ? join_check_advertise(n, c->arena, &c->j->advertise_address, c->f)
               : e;
}

static enum err read_bind_port(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    uint64_t port = 0;
    (void)off;
    enum err e = yaml_u64(n, UINT16_MAX, &port, c->f);
    if (e == OK && port > 0)
        c->j->bind_port = (uint16_t)port;
    return e;
}

enum err join_local_endpoint(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"advertiseAddress", read_advertise, offsetof(struct join, advertise_address)},
        {"bindPort", read_bind_port, 0},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

enum err join_certificate_key(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->certificate_key.n > 0 ? join_check_certificate_key(n, c->j->certificate_key, c->f)
                                                  : e;
}

enum err join_patches(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"directory", join_string_at, offsetof(struct join, patches_directory)}};
    (void)off;
    c->j->has_patches = true;
    return join_map(n, fields, COUNT(fields), c);
}

enum err join_duration_at(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct span text;
    enum err e = yaml_string(n, &text, c->f);
    if (e != OK)
        return e;
    e = duration_parse(text, join_at(c, off));
    if (e == ERR_LIMIT)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                          "must be whole milliseconds and not negative" STRICTER("timeout"));
    return e == OK ? OK : yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be a duration such as 5m0s");
}

enum err join_timeouts(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"controlPlaneComponentHealthCheck", join_duration_at,
         offsetof(struct join, timeouts.control_plane_component_health_check_ms)},
        {"kubeletHealthCheck", join_duration_at, offsetof(struct join, timeouts.kubelet_health_check_ms)},
        {"kubernetesAPICall", join_duration_at, offsetof(struct join, timeouts.kubernetes_api_call_ms)},
        {"etcdAPICall", join_duration_at, offsetof(struct join, timeouts.etcd_api_call_ms)},
        {"tlsBootstrap", join_duration_at, offsetof(struct join, timeouts.tls_bootstrap_ms)},
        {"discovery", join_duration_at, offsetof(struct join, timeouts.discovery_ms)},
        {"upgradeManifests", join_duration_at, offsetof(struct join, timeouts.upgrade_manifests_ms)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

/* apiVersion and kind were looked at by bundle_select.c. */
enum err join_type_meta(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    struct span s;
    return yaml_string(n, &s, c->f);
}

void join_begin(struct join *j)
{
    j->image_pull_serial = true;
    j->bind_port = 6443;
    j->timeouts = (struct join_timeouts){
        .control_plane_component_health_check_ms = 4 * 60000,
        .kubelet_health_check_ms = 4 * 60000,
        .kubernetes_api_call_ms = 60000,
        .etcd_api_call_ms = 2 * 60000,
        .tls_bootstrap_ms = 5 * 60000,
        .discovery_ms = 5 * 60000,
        .upgrade_manifests_ms = 5 * 60000,
    };
}

void join_end(struct join *j)
{
    if (j->cri_socket.n == 0)
        j->cri_socket = SPAN_LIT("unix:///var/run/containerd/containerd.sock");
    if (j->image_pull_policy.n == 0)
        j->image_pull_policy = SPAN_LIT("IfNotPresent");
    if (j->ca_cert_path.n == 0)
        j->ca_cert_path = SPAN_LIT("/etc/kubernetes/pki/ca.crt");
}
