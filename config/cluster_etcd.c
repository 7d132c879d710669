/*
 * cluster_etcd.c - the map etcd of a ClusterConfiguration: on the control-plane nodes, or somewhere else.
 */
#include "config/cluster_fields.h"
#include "config/stricter.h"
#include "firmware/base/text.h"

static enum err read_local(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"imageRepository", cluster_repository_at, offsetof(struct cluster_etcd, image.repository)},
        {"imageTag", cluster_tag_at, offsetof(struct cluster_etcd, image.tag)},
        {"dataDir", cluster_path_at, offsetof(struct cluster_etcd, data_dir)},
        {"extraArgs", cluster_args_at, offsetof(struct cluster_etcd, args)},
        {"extraEnvs", cluster_envs_at, offsetof(struct cluster_etcd, envs)},
        {"serverCertSANs", cluster_sans_at, offsetof(struct cluster_etcd, server_sans)},
        {"peerCertSANs", cluster_sans_at, offsetof(struct cluster_etcd, peer_sans)},
    };
    (void)off;
    struct cluster_etcd *etcd = c->at;
    etcd->has_local = true;
    return join_map(n, fields, COUNT(fields), c);
}

/* https://host[:port] or http://host[:port], perhaps with a path of plain characters. */
static enum err check_url(const struct yaml_node *n, struct span url, bool tls, struct fault *f)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~";
    struct ip ip;
    uint16_t port = 0;
    bool https = span_starts(url, "https://");
    if (tls && !https)
        return yaml_fault(f, ERR_CONFIG_FIELD, n,
                          "must be https, as certificates are given" STRICTER("etcd-url"));
    if (!https && !span_starts(url, "http://"))
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "must be an https or http URL" STRICTER("etcd-url"));
    struct span rest = span_sub(url, https ? 8 : 7, url.n), host = span_cut(&rest, '/');
    bool good = ip_hostport_parse(host, &host, &ip, &port) == OK || text_is_hostname(host) ||
                ip_parse(host, &ip) == OK;
    for (size_t i = 0; i < rest.n && good; i++)
        good = memchr(plain, rest.p[i], sizeof(plain) - 1) != NULL;
    return good ? OK : yaml_fault(f, ERR_CONFIG_FIELD, n, "must be https://host:port" STRICTER("etcd-url"));
}

static enum err check_urls(const struct yaml_node *list, const struct cluster_words *urls, bool tls,
                           struct fault *f)
{
    enum err e = OK;
    const struct span *url = urls->item;
    for (const struct yaml_node *v = list ? list->child : NULL; v && e == OK; v = v->next)
        e = check_url(v, *url++, tls, f);
    return e;
}

static enum err check_external(const struct yaml_node *n, const struct cluster_etcd *etcd, struct fault *f)
{
    bool cert = etcd->cert_file.n > 0, key = etcd->key_file.n > 0, ca = etcd->ca_file.n > 0;
    if (cert != key)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "needs both or none of certFile and keyFile");
    if (cert && !ca)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "certFile and keyFile need caFile");
    if (etcd->endpoints.count == 0)
        return yaml_fault(f, ERR_CONFIG_FIELD, n, "needs at least one endpoint");
    enum err e = check_urls(yaml_get(n, "endpoints"), &etcd->endpoints, ca || cert, f);
    return e == OK ? check_urls(yaml_get(n, "httpEndpoints"), &etcd->http_endpoints, false, f) : e;
}

static enum err read_external(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"endpoints", cluster_words_at, offsetof(struct cluster_etcd, endpoints)},
        {"httpEndpoints", cluster_words_at, offsetof(struct cluster_etcd, http_endpoints)},
        {"caFile", cluster_path_at, offsetof(struct cluster_etcd, ca_file)},
        {"certFile", cluster_path_at, offsetof(struct cluster_etcd, cert_file)},
        {"keyFile", cluster_path_at, offsetof(struct cluster_etcd, key_file)},
    };
    (void)off;
    struct cluster_etcd *etcd = c->at;
    etcd->has_external = true;
    enum err e = join_map(n, fields, COUNT(fields), c);
    return e == OK ? check_external(n, etcd, c->f) : e;
}

enum err cluster_etcd(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {{"local", read_local, 0}, {"external", read_external, 0}};
    struct cluster_etcd *etcd = join_at(c, off);
    enum err e = cluster_map_at(n, c, etcd, fields, COUNT(fields));
    if (e == OK && etcd->has_local && etcd->has_external)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "local and external exclude each other");
    return e;
}
