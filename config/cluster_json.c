/*
 * cluster_json.c - a ClusterConfiguration as kubeadm would write it after filling in its defaults, in JSON with sorted keys.
 */
#include "config/cluster.h"
#include "config/docjson.h"

static void put_args(struct buf *ret, const struct cluster_args *args)
{
    if (args->count == 0)
        return;
    docjson_key(ret, "extraArgs");
    buf_str(ret, "[");
    for (unsigned i = 0; i < args->count; i++) {
        docjson_open(ret, NULL);
        docjson_text(ret, "name", args->item[i].name);
        docjson_text(ret, "value", args->item[i].value);
        docjson_close(ret);
    }
    buf_str(ret, "]");
}

static void put_envs(struct buf *ret, const struct cluster_envs *envs)
{
    if (envs->count == 0)
        return;
    docjson_key(ret, "extraEnvs");
    buf_str(ret, "[");
    for (unsigned i = 0; i < envs->count; i++) {
        const struct cluster_env *env = &envs->item[i];
        docjson_open(ret, NULL);
        docjson_text(ret, "name", env->name);
        docjson_text_if(ret, "value", env->value);
        if (env->has_field) {
            docjson_open(ret, "valueFrom");
            docjson_open(ret, "fieldRef");
            docjson_text(ret, "apiVersion", env->field_api);
            docjson_text(ret, "fieldPath", env->field_path);
            docjson_close(ret);
            docjson_close(ret);
        }
        docjson_close(ret);
    }
    buf_str(ret, "]");
}

static void put_volumes(struct buf *ret, const struct cluster_volumes *volumes)
{
    if (volumes->count == 0)
        return;
    docjson_key(ret, "extraVolumes");
    buf_str(ret, "[");
    for (unsigned i = 0; i < volumes->count; i++) {
        const struct cluster_volume *volume = &volumes->item[i];
        docjson_open(ret, NULL);
        docjson_text(ret, "hostPath", volume->host_path);
        docjson_text(ret, "mountPath", volume->mount_path);
        docjson_text(ret, "name", volume->name);
        docjson_text_if(ret, "pathType", volume->path_type);
        docjson_true_if(ret, "readOnly", volume->read_only);
        docjson_close(ret);
    }
    buf_str(ret, "]");
}

static void put_component(struct buf *ret, const char *key, const struct cluster_component *c,
                          const struct cluster_words *sans)
{
    docjson_open(ret, key);
    if (sans)
        docjson_words_if(ret, "certSANs", sans->item, sans->count);
    put_args(ret, &c->args);
    put_envs(ret, &c->envs);
    put_volumes(ret, &c->volumes);
    docjson_close(ret);
}

static void put_image(struct buf *ret, const struct cluster_image *image)
{
    docjson_text_if(ret, "imageRepository", image->repository);
    docjson_text_if(ret, "imageTag", image->tag);
}

static void put_local_etcd(struct buf *ret, const struct cluster_etcd *etcd)
{
    docjson_open(ret, "local");
    docjson_text(ret, "dataDir", etcd->data_dir);
    put_args(ret, &etcd->args);
    put_envs(ret, &etcd->envs);
    put_image(ret, &etcd->image);
    docjson_words_if(ret, "peerCertSANs", etcd->peer_sans.item, etcd->peer_sans.count);
    docjson_words_if(ret, "serverCertSANs", etcd->server_sans.item, etcd->server_sans.count);
    docjson_close(ret);
}

static void put_etcd(struct buf *ret, const struct cluster_etcd *etcd)
{
    docjson_open(ret, "etcd");
    if (etcd->has_local)
        put_local_etcd(ret, etcd);
    if (etcd->has_external) {
        docjson_open(ret, "external");
        docjson_text(ret, "caFile", etcd->ca_file);
        docjson_text(ret, "certFile", etcd->cert_file);
        docjson_words_if(ret, "endpoints", etcd->endpoints.item, etcd->endpoints.count);
        docjson_words_if(ret, "httpEndpoints", etcd->http_endpoints.item, etcd->http_endpoints.count);
        docjson_text(ret, "keyFile", etcd->key_file);
        docjson_close(ret);
    }
    docjson_close(ret);
}

/* kubeadm adds bindPort, and brackets around an IPv6 address, where no port is written. */
static void put_endpoint(struct buf *ret, const struct cluster *c, uint16_t bind_port)
{
    char text[300];
    struct buf b = BUF_OF(text);
    bool v6 = c->endpoint_ip.family == FAMILY_V6;
    if (c->control_plane_endpoint.n == 0 || c->endpoint_port != 0) {
        docjson_text_if(ret, "controlPlaneEndpoint", c->control_plane_endpoint);
        return;
    }
    buf_str(&b, v6 ? "[" : "");
    buf_put(&b, c->endpoint_host);
    buf_fmt(&b, "%s:%u", v6 ? "]" : "", bind_port);
    docjson_text(ret, "controlPlaneEndpoint", buf_span(&b));
}

static void put_gates(struct buf *ret, const struct cluster *c)
{
    if (c->gate_count == 0)
        return;
    docjson_open(ret, "featureGates");
    for (unsigned i = 0; i < c->gate_count; i++) {
        docjson_key(ret, NULL);
        buf_fmt(ret, "\"%.*s\":%s", (int)c->gates[i].name.n, (const char *)c->gates[i].name.p,
                c->gates[i].on ? "true" : "false");
    }
    docjson_close(ret);
}

static void put_networking(struct buf *ret, const struct cluster *c)
{
    docjson_open(ret, "networking");
    docjson_text(ret, "dnsDomain", c->dns_domain);
    docjson_text_if(ret, "podSubnet", c->pods.text);
    docjson_text(ret, "serviceSubnet", c->services.text);
    docjson_close(ret);
}

void cluster_put_json(const struct cluster *c, uint16_t bind_port, struct buf *ret)
{
    docjson_open(ret, NULL);
    put_component(ret, "apiServer", &c->api_server, &c->cert_sans);
    docjson_text(ret, "apiVersion", SPAN_LIT("kubeadm.k8s.io/v1beta4"));
    docjson_duration(ret, "caCertificateValidityPeriod", c->ca_certificate_validity_ms);
    docjson_duration(ret, "certificateValidityPeriod", c->certificate_validity_ms);
    docjson_text(ret, "certificatesDir", c->certificates_dir);
    docjson_text(ret, "clusterName", c->name);
    put_endpoint(ret, c, bind_port);
    put_component(ret, "controllerManager", &c->controller_manager, NULL);
    docjson_open(ret, "dns");
    docjson_true_if(ret, "disabled", c->dns_disabled);
    put_image(ret, &c->dns);
    docjson_close(ret);
    docjson_text(ret, "encryptionAlgorithm", c->encryption_algorithm);
    put_etcd(ret, &c->etcd);
    put_gates(ret, c);
    docjson_text(ret, "imageRepository", c->image_repository);
    docjson_text(ret, "kind", SPAN_LIT("ClusterConfiguration"));
    docjson_text_if(ret, "kubernetesVersion", c->kubernetes_version);
    put_networking(ret, c);
    docjson_open(ret, "proxy");
    docjson_true_if(ret, "disabled", c->proxy_disabled);
    docjson_close(ret);
    put_component(ret, "scheduler", &c->scheduler, NULL);
    docjson_close(ret);
}
