/*
 * join.c - a JoinConfiguration from its YAML tree: one table per map, one row per field, in kubeadm's order.
 *
 * Invariant: a field that no row names is refused. Two fields are checked and have no effect on the agent yet: timeouts.discovery and
 * ignorePreflightErrors. An empty string means an absent field where kubeadm fills in a default; null never does (yaml_value.c).
 */
#include "config/join.h"

#include "config/duration.h"
#include "config/join_check.h"
#include "config/join_fields.h"
#include "config/stricter.h"

static enum err read_token(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct span *token = join_at(c, off);
    enum err e = yaml_string(n, token, c->f);
    return e == OK && token->n > 0 ? join_check_token(n, *token, c->f) : e;
}

static enum err read_hashes(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    enum err e = join_items(n, JOIN_HASHES_MAX, c);
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next) {
        unsigned i = c->j->ca_hash_count++;
        e = yaml_string(v, &c->j->ca_hash_text[i], c->f);
        if (e == OK)
            e = join_check_hash(v, c->j->ca_hash_text[i], c->j->ca_hashes[i], c->f);
    }
    return e;
}

static enum err read_endpoint(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->endpoint.n > 0 ? join_check_endpoint(n, c->j, c->f) : e;
}

static enum err read_kubeconfig(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK ? join_check_kubeconfig(n, c->j->kubeconfig_path, c->f) : e;
}

static enum err read_bootstrap_token(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"token", read_token, offsetof(struct join, token)},
        {"apiServerEndpoint", read_endpoint, offsetof(struct join, endpoint)},
        {"caCertHashes", read_hashes, 0},
        {"unsafeSkipCAVerification", join_bool_at, offsetof(struct join, unsafe_skip_ca)},
    };
    (void)off;
    enum err e = join_map(n, fields, COUNT(fields), c);
    c->j->has_bootstrap_token = true;
    if (e == OK && c->j->token.n == 0)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, n, "token is missing");
    if (e == OK && c->j->endpoint.n == 0)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, n, "apiServerEndpoint is missing");
    if (e == OK && c->j->ca_hash_count == 0 && !c->j->unsafe_skip_ca)
        e = yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                       "caCertHashes is missing, and unsafeSkipCAVerification is not true");
    return e;
}

static enum err read_file(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"kubeConfigPath", read_kubeconfig, offsetof(struct join, kubeconfig_path)}};
    (void)off;
    c->j->has_file = true;
    enum err e = join_map(n, fields, COUNT(fields), c);
    return e == OK && c->j->kubeconfig_path.n == 0
               ? yaml_fault(c->f, ERR_CONFIG_FIELD, n, "kubeConfigPath is missing")
               : e;
}

static enum err read_discovery(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"bootstrapToken", read_bootstrap_token, 0},
        {"file", read_file, 0},
        {"tlsBootstrapToken", read_token, offsetof(struct join, tls_bootstrap_token)},
    };
    (void)off;
    enum err e = join_map(n, fields, COUNT(fields), c);
    if (e == OK && c->j->has_bootstrap_token == c->j->has_file)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "needs exactly one of bootstrapToken and file");
    return e;
}

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

static enum err read_local_endpoint(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"advertiseAddress", read_advertise, offsetof(struct join, advertise_address)},
        {"bindPort", read_bind_port, 0},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_certificate_key(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->certificate_key.n > 0 ? join_check_certificate_key(n, c->j->certificate_key, c->f)
                                                  : e;
}

static enum err read_control_plane(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"localAPIEndpoint", read_local_endpoint, 0},
        {"certificateKey", read_certificate_key, offsetof(struct join, certificate_key)},
    };
    (void)off;
    c->j->has_control_plane = true;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_patches(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"directory", join_string_at, offsetof(struct join, patches_directory)}};
    (void)off;
    c->j->has_patches = true;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_duration(const struct yaml_node *n, const struct join_ctx *c, size_t off)
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

static enum err read_timeouts(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"controlPlaneComponentHealthCheck", read_duration,
         offsetof(struct join, timeouts.control_plane_component_health_check_ms)},
        {"kubeletHealthCheck", read_duration, offsetof(struct join, timeouts.kubelet_health_check_ms)},
        {"kubernetesAPICall", read_duration, offsetof(struct join, timeouts.kubernetes_api_call_ms)},
        {"etcdAPICall", read_duration, offsetof(struct join, timeouts.etcd_api_call_ms)},
        {"tlsBootstrap", read_duration, offsetof(struct join, timeouts.tls_bootstrap_ms)},
        {"discovery", read_duration, offsetof(struct join, timeouts.discovery_ms)},
        {"upgradeManifests", read_duration, offsetof(struct join, timeouts.upgrade_manifests_ms)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_ca_cert_path(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->ca_cert_path.n > 0 ? join_check_ca_cert_path(n, c->j->ca_cert_path, c->f) : e;
}

/* apiVersion and kind were looked at by join_select. */
static enum err read_nothing(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    struct span s;
    return yaml_string(n, &s, c->f);
}

static const struct join_field join_fields[] = {
    {"apiVersion", read_nothing, 0},
    {"kind", read_nothing, 0},
    {"dryRun", join_bool_at, offsetof(struct join, dry_run)},
    {"nodeRegistration", join_node_registration, 0},
    {"caCertPath", read_ca_cert_path, offsetof(struct join, ca_cert_path)},
    {"discovery", read_discovery, 0},
    {"controlPlane", read_control_plane, 0},
    {"skipPhases", join_words_at, offsetof(struct join, skip_phases)},
    {"patches", read_patches, 0},
    {"timeouts", read_timeouts, 0},
};

/* Values that kubeadm fills in where a document has an empty string or nothing. */
static void fill_defaults(struct join *j)
{
    if (j->cri_socket.n == 0)
        j->cri_socket = SPAN_LIT("unix:///var/run/containerd/containerd.sock");
    if (j->image_pull_policy.n == 0)
        j->image_pull_policy = SPAN_LIT("IfNotPresent");
    if (j->ca_cert_path.n == 0)
        j->ca_cert_path = SPAN_LIT("/etc/kubernetes/pki/ca.crt");
    if (j->tls_bootstrap_token.n == 0 && j->has_bootstrap_token)
        j->tls_bootstrap_token = j->token;
}

enum err join_read(const struct yaml_node *doc, struct arena *arena, struct join *ret, struct fault *f)
{
    struct join j = {
        .image_pull_serial = true,
        .bind_port = 6443,
        .timeouts =
            {
                .control_plane_component_health_check_ms = 4 * 60000,
                .kubelet_health_check_ms = 4 * 60000,
                .kubernetes_api_call_ms = 60000,
                .etcd_api_call_ms = 2 * 60000,
                .tls_bootstrap_ms = 5 * 60000,
                .discovery_ms = 5 * 60000,
                .upgrade_manifests_ms = 5 * 60000,
            },
        .root = doc,
    };
    const struct join_ctx c = {.j = &j, .arena = arena, .f = f};
    enum err e = join_map(doc, join_fields, COUNT(join_fields), &c);
    if (e == OK && !j.has_bootstrap_token && !j.has_file)
        e = yaml_fault(f, ERR_CONFIG_FIELD, doc, "discovery is missing");
    if (e != OK)
        return e;
    fill_defaults(&j);
    *ret = j;
    return OK;
}
