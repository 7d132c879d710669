/*
 * join_json.c - a JoinConfiguration as kubeadm would write it after filling in its defaults, in JSON with sorted keys.
 *
 * What Go's encoder omits when empty is omitted, what it writes always (taints, token, an argument's value) is written.
 */
#include "config/docjson.h"
#include "config/join_fields.h"

void join_put_endpoint(const struct join *j, struct buf *ret)
{
    docjson_open(ret, "localAPIEndpoint");
    docjson_text_if(ret, "advertiseAddress", j->advertise_address);
    docjson_key(ret, "bindPort");
    buf_fmt(ret, "%u", j->bind_port);
    docjson_close(ret);
}

static void put_control_plane(struct buf *ret, const struct join *j)
{
    docjson_open(ret, "controlPlane");
    docjson_text_if(ret, "certificateKey", j->certificate_key);
    join_put_endpoint(j, ret);
    docjson_close(ret);
}

static void put_discovery(struct buf *ret, const struct join *j)
{
    docjson_open(ret, "discovery");
    if (j->has_bootstrap_token) {
        docjson_open(ret, "bootstrapToken");
        docjson_text_if(ret, "apiServerEndpoint", j->endpoint);
        docjson_words_if(ret, "caCertHashes", j->ca_hash_text, j->ca_hash_count);
        docjson_text(ret, "token", j->token);
        docjson_true_if(ret, "unsafeSkipCAVerification", j->unsafe_skip_ca);
        docjson_close(ret);
    }
    if (j->has_file) {
        docjson_open(ret, "file");
        docjson_text(ret, "kubeConfigPath", j->kubeconfig_path);
        docjson_close(ret);
    }
    docjson_text_if(ret, "tlsBootstrapToken", j->tls_bootstrap_token);
    docjson_close(ret);
}

static void put_args(struct buf *ret, const struct join *j)
{
    if (j->kubelet_arg_count == 0)
        return;
    docjson_key(ret, "kubeletExtraArgs");
    buf_str(ret, "[");
    for (unsigned i = 0; i < j->kubelet_arg_count; i++) {
        docjson_open(ret, NULL);
        docjson_text(ret, "name", j->kubelet_args[i].name);
        docjson_text(ret, "value", j->kubelet_args[i].value);
        docjson_close(ret);
    }
    buf_str(ret, "]");
}

/* A control-plane node without the field gets kubeadm's own taint; a worker gets null. */
static void put_taints(struct buf *ret, const struct join *j)
{
    static const struct join_taint control_plane = {
        .key = {(const uint8_t *)"node-role.kubernetes.io/control-plane", 37},
        .effect = {(const uint8_t *)"NoSchedule", 10},
    };
    bool own = !j->taints_given && j->has_control_plane;
    const struct join_taint *taints = own ? &control_plane : j->taints;
    unsigned count = own ? 1 : j->taint_count;
    docjson_key(ret, "taints");
    if (!j->taints_given && !own) {
        buf_str(ret, "null");
        return;
    }
    buf_str(ret, "[");
    for (unsigned i = 0; i < count; i++) {
        docjson_open(ret, NULL);
        docjson_text(ret, "effect", taints[i].effect);
        docjson_text(ret, "key", taints[i].key);
        docjson_text_if(ret, "value", taints[i].value);
        docjson_close(ret);
    }
    buf_str(ret, "]");
}

static void put_node_registration(struct buf *ret, const struct join *j)
{
    docjson_open(ret, "nodeRegistration");
    docjson_text(ret, "criSocket", j->cri_socket);
    docjson_words_if(ret, "ignorePreflightErrors", j->ignore_preflight_errors.item,
                     j->ignore_preflight_errors.count);
    docjson_text(ret, "imagePullPolicy", j->image_pull_policy);
    docjson_key(ret, "imagePullSerial");
    buf_str(ret, j->image_pull_serial ? "true" : "false");
    put_args(ret, j);
    docjson_text_if(ret, "name", j->name);
    put_taints(ret, j);
    docjson_close(ret);
}

static void put_timeouts(struct buf *ret, const struct join_timeouts *t)
{
    docjson_open(ret, "timeouts");
    docjson_duration(ret, "controlPlaneComponentHealthCheck", t->control_plane_component_health_check_ms);
    docjson_duration(ret, "discovery", t->discovery_ms);
    docjson_duration(ret, "etcdAPICall", t->etcd_api_call_ms);
    docjson_duration(ret, "kubeletHealthCheck", t->kubelet_health_check_ms);
    docjson_duration(ret, "kubernetesAPICall", t->kubernetes_api_call_ms);
    docjson_duration(ret, "tlsBootstrap", t->tls_bootstrap_ms);
    docjson_duration(ret, "upgradeManifests", t->upgrade_manifests_ms);
    docjson_close(ret);
}

static void put_patches(struct buf *ret, const struct join *j)
{
    if (!j->has_patches)
        return;
    docjson_open(ret, "patches");
    docjson_text_if(ret, "directory", j->patches_directory);
    docjson_close(ret);
}

void join_put_tail(const struct join *j, const struct join_timeouts *timeouts, struct buf *ret)
{
    put_node_registration(ret, j);
    put_patches(ret, j);
    docjson_words_if(ret, "skipPhases", j->skip_phases.item, j->skip_phases.count);
    put_timeouts(ret, timeouts);
}

void join_put_json(const struct join *j, struct buf *ret)
{
    docjson_open(ret, NULL);
    docjson_text(ret, "apiVersion", SPAN_LIT("kubeadm.k8s.io/v1beta4"));
    docjson_text(ret, "caCertPath", j->ca_cert_path);
    if (j->has_control_plane)
        put_control_plane(ret, j);
    put_discovery(ret, j);
    docjson_true_if(ret, "dryRun", j->dry_run);
    docjson_text(ret, "kind", SPAN_LIT("JoinConfiguration"));
    join_put_tail(j, &j->timeouts, ret);
    docjson_close(ret);
}
