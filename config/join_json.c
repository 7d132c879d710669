/*
 * join_json.c - a JoinConfiguration as kubeadm would write it after filling in its defaults, in JSON with sorted keys.
 *
 * What Go's encoder omits when empty is omitted, what it writes always (taints, token, an argument's value) is written.
 */
#include "config/duration.h"
#include "config/join.h"

/* A string with the escapes of RFC 8259. */
static void put_string(struct buf *ret, struct span s)
{
    buf_str(ret, "\"");
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == '"' || c == '\\')
            buf_fmt(ret, "\\%c", c);
        else if (c < 0x20)
            buf_fmt(ret, "\\u00%02x", c);
        else
            buf_u8(ret, c);
    }
    buf_str(ret, "\"");
}

/* Writes a comma unless a bracket was just opened, and the key. */
static void put_key(struct buf *ret, const char *key)
{
    uint8_t last = ret->n > 0 ? ret->p[ret->n - 1] : 0;
    if (last != '{' && last != '[')
        buf_str(ret, ",");
    if (key)
        buf_fmt(ret, "\"%s\":", key);
}

static void put_text(struct buf *ret, const char *key, struct span value)
{
    put_key(ret, key);
    put_string(ret, value);
}

static void put_text_if(struct buf *ret, const char *key, struct span value)
{
    if (value.n > 0)
        put_text(ret, key, value);
}

static void put_words_if(struct buf *ret, const char *key, const struct span *words, unsigned count)
{
    if (count == 0)
        return;
    put_key(ret, key);
    buf_str(ret, "[");
    for (unsigned i = 0; i < count; i++)
        put_text(ret, NULL, words[i]);
    buf_str(ret, "]");
}

static void put_control_plane(struct buf *ret, const struct join *j)
{
    put_key(ret, "controlPlane");
    buf_str(ret, "{");
    put_text_if(ret, "certificateKey", j->certificate_key);
    put_key(ret, "localAPIEndpoint");
    buf_str(ret, "{");
    put_text_if(ret, "advertiseAddress", j->advertise_address);
    put_key(ret, "bindPort");
    buf_fmt(ret, "%u}}", j->bind_port);
}

static void put_discovery(struct buf *ret, const struct join *j)
{
    put_key(ret, "discovery");
    buf_str(ret, "{");
    if (j->has_bootstrap_token) {
        put_key(ret, "bootstrapToken");
        buf_str(ret, "{");
        put_text_if(ret, "apiServerEndpoint", j->endpoint);
        put_words_if(ret, "caCertHashes", j->ca_hash_text, j->ca_hash_count);
        put_text(ret, "token", j->token);
        if (j->unsafe_skip_ca) {
            put_key(ret, "unsafeSkipCAVerification");
            buf_str(ret, "true");
        }
        buf_str(ret, "}");
    }
    if (j->has_file) {
        put_key(ret, "file");
        buf_str(ret, "{");
        put_text(ret, "kubeConfigPath", j->kubeconfig_path);
        buf_str(ret, "}");
    }
    put_text_if(ret, "tlsBootstrapToken", j->tls_bootstrap_token);
    buf_str(ret, "}");
}

static void put_args(struct buf *ret, const struct join *j)
{
    if (j->kubelet_arg_count == 0)
        return;
    put_key(ret, "kubeletExtraArgs");
    buf_str(ret, "[");
    for (unsigned i = 0; i < j->kubelet_arg_count; i++) {
        put_key(ret, NULL);
        buf_str(ret, "{");
        put_text(ret, "name", j->kubelet_args[i].name);
        put_text(ret, "value", j->kubelet_args[i].value);
        buf_str(ret, "}");
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
    put_key(ret, "taints");
    if (!j->taints_given && !own) {
        buf_str(ret, "null");
        return;
    }
    buf_str(ret, "[");
    for (unsigned i = 0; i < count; i++) {
        put_key(ret, NULL);
        buf_str(ret, "{");
        put_text(ret, "effect", taints[i].effect);
        put_text(ret, "key", taints[i].key);
        put_text_if(ret, "value", taints[i].value);
        buf_str(ret, "}");
    }
    buf_str(ret, "]");
}

static void put_node_registration(struct buf *ret, const struct join *j)
{
    put_key(ret, "nodeRegistration");
    buf_str(ret, "{");
    put_text(ret, "criSocket", j->cri_socket);
    put_words_if(ret, "ignorePreflightErrors", j->ignore_preflight_errors.item,
                 j->ignore_preflight_errors.count);
    put_text(ret, "imagePullPolicy", j->image_pull_policy);
    put_key(ret, "imagePullSerial");
    buf_str(ret, j->image_pull_serial ? "true" : "false");
    put_args(ret, j);
    put_text_if(ret, "name", j->name);
    put_taints(ret, j);
    buf_str(ret, "}");
}

static void put_duration(struct buf *ret, const char *key, uint64_t ms)
{
    put_key(ret, key);
    buf_str(ret, "\"");
    duration_put(ret, ms);
    buf_str(ret, "\"");
}

static void put_timeouts(struct buf *ret, const struct join_timeouts *t)
{
    put_key(ret, "timeouts");
    buf_str(ret, "{");
    put_duration(ret, "controlPlaneComponentHealthCheck", t->control_plane_component_health_check_ms);
    put_duration(ret, "discovery", t->discovery_ms);
    put_duration(ret, "etcdAPICall", t->etcd_api_call_ms);
    put_duration(ret, "kubeletHealthCheck", t->kubelet_health_check_ms);
    put_duration(ret, "kubernetesAPICall", t->kubernetes_api_call_ms);
    put_duration(ret, "tlsBootstrap", t->tls_bootstrap_ms);
    put_duration(ret, "upgradeManifests", t->upgrade_manifests_ms);
    buf_str(ret, "}");
}

static void put_patches(struct buf *ret, const struct join *j)
{
    if (!j->has_patches)
        return;
    put_key(ret, "patches");
    buf_str(ret, "{");
    put_text_if(ret, "directory", j->patches_directory);
    buf_str(ret, "}");
}

void join_put_json(const struct join *j, struct buf *ret)
{
    buf_str(ret, "{");
    put_text(ret, "apiVersion", SPAN_LIT("kubeadm.k8s.io/v1beta4"));
    put_text(ret, "caCertPath", j->ca_cert_path);
    if (j->has_control_plane)
        put_control_plane(ret, j);
    put_discovery(ret, j);
    if (j->dry_run) {
        put_key(ret, "dryRun");
        buf_str(ret, "true");
    }
    put_text(ret, "kind", SPAN_LIT("JoinConfiguration"));
    put_node_registration(ret, j);
    put_patches(ret, j);
    put_words_if(ret, "skipPhases", j->skip_phases.item, j->skip_phases.count);
    put_timeouts(ret, &j->timeouts);
    buf_str(ret, "}");
}
