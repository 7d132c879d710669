/*
 * cluster.c - a ClusterConfiguration from its YAML tree: one table per map, one row per field, in kubeadm's order.
 *
 * Invariant: a field that no row names is refused. An empty string means an absent field where kubeadm fills in a default.
 */
#include "config/cluster.h"

#include "config/cluster_fields.h"
#include "config/stricter.h"

static enum err read_api_server(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"extraArgs", cluster_args_at, offsetof(struct cluster, api_server.args)},
        {"extraVolumes", cluster_volumes_at, offsetof(struct cluster, api_server.volumes)},
        {"extraEnvs", cluster_envs_at, offsetof(struct cluster, api_server.envs)},
        {"certSANs", cluster_lower_sans_at, offsetof(struct cluster, cert_sans)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_dns(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"imageRepository", cluster_repository_at, offsetof(struct cluster, dns.repository)},
        {"imageTag", cluster_tag_at, offsetof(struct cluster, dns.tag)},
        {"disabled", join_bool_at, offsetof(struct cluster, dns_disabled)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

static enum err read_proxy(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"disabled", join_bool_at, offsetof(struct cluster, proxy_disabled)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}

/* A certificate that is valid for no time ends a cluster before it began. */
static enum err read_validity(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    const uint64_t *ms = join_at(c, off);
    enum err e = join_duration_at(n, c, off);
    if (e == OK && *ms == 0)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "must be longer than nothing" STRICTER("validity"));
    return e;
}

static const struct join_field cluster_rows[] = {
    {"apiVersion", join_type_meta, 0},
    {"kind", join_type_meta, 0},
    {"etcd", cluster_etcd, offsetof(struct cluster, etcd)},
    {"networking", cluster_networking, 0},
    {"kubernetesVersion", cluster_version, offsetof(struct cluster, kubernetes_version)},
    {"controlPlaneEndpoint", cluster_endpoint, offsetof(struct cluster, control_plane_endpoint)},
    {"apiServer", read_api_server, 0},
    {"controllerManager", cluster_component_at, offsetof(struct cluster, controller_manager)},
    {"scheduler", cluster_component_at, offsetof(struct cluster, scheduler)},
    {"dns", read_dns, 0},
    {"proxy", read_proxy, 0},
    {"certificatesDir", cluster_path_at, offsetof(struct cluster, certificates_dir)},
    {"imageRepository", cluster_repository_at, offsetof(struct cluster, image_repository)},
    {"featureGates", cluster_gates, 0},
    {"clusterName", cluster_text_at, offsetof(struct cluster, name)},
    {"encryptionAlgorithm", cluster_algorithm_at, offsetof(struct cluster, encryption_algorithm)},
    {"certificateValidityPeriod", read_validity, offsetof(struct cluster, certificate_validity_ms)},
    {"caCertificateValidityPeriod", read_validity, offsetof(struct cluster, ca_certificate_validity_ms)},
};

static void fill(struct span *field, const char *value)
{
    if (field->n == 0)
        *field = span_str(value);
}

static enum err fill_defaults(struct cluster *cl, struct fault *f)
{
    fill(&cl->dns_domain, "cluster.local");
    fill(&cl->certificates_dir, "/etc/kubernetes/pki");
    fill(&cl->image_repository, "registry.k8s.io");
    fill(&cl->name, "kubernetes");
    fill(&cl->encryption_algorithm, "RSA-2048");
    if (!cl->etcd.has_external)
        cl->etcd.has_local = true;
    if (cl->etcd.has_local)
        fill(&cl->etcd.data_dir, "/var/lib/etcd");
    if (cl->etcd.has_external && cl->etcd.http_endpoints.count == 0)
        cl->etcd.http_endpoints = cl->etcd.endpoints;
    if (cl->services.text.n > 0)
        return OK;
    cl->services.text = SPAN_LIT("10.96.0.0/12");
    return cluster_subnets_parse(cl->root, &cl->services, f);
}

enum err cluster_read(const struct yaml_node *doc, struct arena *arena, struct cluster *ret, struct fault *f)
{
    struct cluster cl = {
        .certificate_validity_ms = UINT64_C(8760) * 3600000,
        .ca_certificate_validity_ms = UINT64_C(87600) * 3600000,
        .root = doc,
    };
    const struct join_ctx c = {.at = &cl, .arena = arena, .f = f};
    enum err e = doc ? join_map(doc, cluster_rows, COUNT(cluster_rows), &c) : OK;
    if (e == OK)
        e = fill_defaults(&cl, f);
    if (e == OK)
        e = cluster_check_masks(&cl, doc, f);
    if (e == OK)
        e = cluster_check_gates(&cl, doc, f);
    if (e == OK)
        *ret = cl;
    return e;
}
