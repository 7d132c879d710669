/*
 * join.c - a JoinConfiguration from its YAML tree: one table per map, one row per field, in kubeadm's order.
 *
 * Invariant: a field that no row names is refused. An empty string means an absent field where kubeadm fills in a default; null never does
 * (yaml_value.c).
 */
#include "config/join.h"

#include "config/join_check.h"
#include "config/join_fields.h"

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

static enum err read_control_plane(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"localAPIEndpoint", join_local_endpoint, 0},
        {"certificateKey", join_certificate_key, offsetof(struct join, certificate_key)},
    };
    (void)off;
    c->j->has_control_plane = true;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_ca_cert_path(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->ca_cert_path.n > 0 ? join_check_ca_cert_path(n, c->j->ca_cert_path, c->f) : e;
}

static const struct join_field join_fields[] = {
    {"apiVersion", join_type_meta, 0},
    {"kind", join_type_meta, 0},
    {"dryRun", join_bool_at, offsetof(struct join, dry_run)},
    {"nodeRegistration", join_node_registration, 0},
    {"caCertPath", read_ca_cert_path, offsetof(struct join, ca_cert_path)},
    {"discovery", read_discovery, 0},
    {"controlPlane", read_control_plane, 0},
    {"skipPhases", join_words_at, offsetof(struct join, skip_phases)},
    {"patches", join_patches, 0},
    {"timeouts", join_timeouts, 0},
};

enum err join_read(const struct yaml_node *doc, struct arena *arena, struct join *ret, struct fault *f)
{
    struct join j = {.root = doc};
    join_begin(&j);
    const struct join_ctx c = {.j = &j, .at = &j, .arena = arena, .f = f};
    enum err e = join_map(doc, join_fields, COUNT(join_fields), &c);
    if (e == OK && !j.has_bootstrap_token && !j.has_file)
        e = yaml_fault(f, ERR_CONFIG_FIELD, doc, "discovery is missing");
    if (e != OK)
        return e;
    join_end(&j);
    if (j.tls_bootstrap_token.n == 0 && j.has_bootstrap_token)
        j.tls_bootstrap_token = j.token;
    *ret = j;
    return OK;
}
