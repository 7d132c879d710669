/*
 * clusterinfo.c - the order of clusterinfo.h: signature, then YAML, then pin. Nothing of the kubeconfig is looked at before its JWS is good.
 */
#include "firmware/kube/clusterinfo.h"

#include "config/gate.h"
#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/crypto/jose.h"
#include "firmware/kube/yamlout.h"

enum { TOKEN_ID = 6, TOKEN_SECRET = 16, JWS_MAX = 512, JWS_EXTRA = 128 };

static bool take(struct arena *arena, size_t cap, struct buf *ret)
{
    uint8_t *p = arena_take(arena, cap);

    *ret = (struct buf){.p = p, .cap = p ? cap : 0};
    return p != NULL;
}

/* data[key] of the ConfigMap. */
static enum err data_text(struct span body, const char *key, struct buf *ret, struct fault *f)
{
    const char *const path[] = {"data", key, NULL};
    bool found = false;
    enum err e = json_get(body, path, ret, &found);

    if (e && e != ERR_LIMIT)
        return fault_set(f, ERR_DISCOVER_SYNTAX, "cluster-info is not the JSON of a ConfigMap");
    if (e)
        return fault_set(f, ERR_DISCOVER_SYNTAX, "%s in cluster-info is too long", key);
    if (!found)
        ret->n = 0;
    return OK;
}

static enum err check_jws(struct span body, struct span token, struct span kubeconfig, struct arena *arena,
                          struct fault *f)
{
    struct span id = span_sub(token, 0, TOKEN_ID), secret = span_sub(token, TOKEN_ID + 1, token.n);
    char key[32];
    struct buf name = {.p = (uint8_t *)key, .cap = sizeof(key) - 1};
    uint8_t text[JWS_MAX];
    struct buf jws = BUF_OF(text), scratch;
    size_t used = arena->used;

    if (token.n != TOKEN_ID + 1 + TOKEN_SECRET || token.p[TOKEN_ID] != '.')
        return fault_set(f, ERR_STATE, "not a bootstrap token");
    buf_str(&name, "jws-kubeconfig-");
    buf_put(&name, id);
    key[name.n] = 0;
    enum err e = data_text(body, key, &jws, f);
    if (e)
        return e;
    if (jws.n == 0)
        return fault_set(f, ERR_DISCOVER_MISSING, "cluster-info has no %s", key);
    if (!take(arena, kubeconfig.n / 3 * 4 + 4 + JWS_EXTRA, &scratch))
        return fault_set(f, ERR_NOMEM, "cluster-info is too large");
    e = jose_hs256_detached(buf_span(&jws), id, secret, kubeconfig, &scratch);
    arena_rewind(arena, used);
    return e ? fault_set(f, e, "%s is not this token's signature", key) : OK;
}

static enum err text_of(const struct yaml_node *map, const char *key, struct span *ret, struct fault *f)
{
    const struct yaml_node *n = yaml_get(map, key);

    if (!n || n->type != YAML_SCALAR || n->value.n == 0 ||
        (n->plain && yamlout_resolve(n->value) != YAMLOUT_STRING))
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, n ? n : map, "%s must be a text that is not empty", key);
    *ret = n->value;
    return OK;
}

static enum err read_server(const struct yaml_node *cluster, struct clusterinfo *ret, struct fault *f)
{
    enum err e = text_of(cluster, "server", &ret->server_text, f);

    if (e)
        return e;
    const struct yaml_node *n = yaml_get(cluster, "server");
    e = url_parse(ret->server_text, &ret->server);
    if (e == ERR_URL_PLAIN)
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, n, "the server must be https, not http");
    if (e || strcmp(ret->server.path, "/") != 0)
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, n, "the server is not https://host[:port]");
    return OK;
}

/* The DER of the next CERTIFICATE block (RFC 7468), appended to storage. *ret_der is empty if there is none. */
static enum err next_certificate(struct span *pem, struct buf *storage, struct span *ret_der)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    size_t at = span_find_str(*pem, begin);
    struct buf der = {.p = storage->p + storage->n, .cap = storage->cap - storage->n};

    *ret_der = (struct span){0};
    if (at == pem->n)
        return OK;
    *pem = span_sub(*pem, at + sizeof(begin) - 1, pem->n);
    size_t to = span_find_str(*pem, end);
    if (to == pem->n || text_b64(span_trim(span_sub(*pem, 0, to)), true, &der))
        return ERR_INPUT;
    *pem = span_sub(*pem, to + sizeof(end) - 1, pem->n);
    storage->n += der.n;
    *ret_der = buf_span(&der);
    return der.n > 0 ? OK : ERR_INPUT;
}

static bool is_pinned(const struct join *join, const uint8_t digest[static HASH_SIZE])
{
    for (unsigned i = 0; i < join->ca_hash_count; i++) {
        if (equal_ct(digest, join->ca_hashes[i], HASH_SIZE))
            return true;
    }
    return false;
}

/* One certificate of the bundle: becomes a root if it is a CA that may vouch for the API server. */
static enum err consider(const struct join *join, struct span der, struct x509_roots *roots, struct fault *f)
{
    uint8_t digest[HASH_SIZE];
    bool pins = join->ca_hash_count > 0;

    enum err e = x509_spki_sha256(der, digest);
    if (e)
        return fault_set(f, e == ERR_NOMEM ? e : ERR_DISCOVER_SYNTAX, "a CA certificate cannot be read");
    if (pins && !is_pinned(join, digest))
        return OK;
    e = x509_roots_add_der(roots, der);
    if (e == ERR_NOMEM || e == ERR_LIMIT)
        return fault_set(f, e, "too many CA certificates");
    /* A server's own certificate as a pin would let that server speak for the whole cluster. */
    return e && pins
               ? fault_set(f, ERR_DISCOVER_PIN, "the pinned certificate in cluster-info is not a usable CA")
               : OK;
}

static enum err choose_roots(const struct join *join, struct arena *arena, struct clusterinfo *ret,
                             struct fault *f)
{
    struct x509_roots roots = {0};
    struct span pem = ret->ca_pem, der;
    struct buf storage;
    unsigned count = 0;

    if (join->ca_hash_count == 0 && !join->unsafe_skip_ca && !join->has_file)
        return fault_set(f, ERR_DISCOVER_PIN, "there are no caCertHashes");
    if (!take(arena, ret->ca_pem.n, &storage))
        return fault_set(f, ERR_NOMEM, "the CA is too large");
    for (;; count++) {
        if (next_certificate(&pem, &storage, &der))
            return fault_set(f, ERR_DISCOVER_SYNTAX, "the CA certificates are not PEM");
        if (der.n == 0)
            break;
        enum err e = consider(join, der, &roots, f);
        if (e)
            return e;
    }
    if (count == 0)
        return fault_set(f, ERR_DISCOVER_SYNTAX, "there is no CA certificate");
    if (roots.count == 0)
        return fault_set(f, ERR_DISCOVER_PIN, "none of the %u CA certificates is pinned or may sign", count);
    ret->roots = roots;
    return OK;
}

enum err clusterinfo_cluster(const struct yaml_node *cluster, const struct join *join, struct arena *arena,
                             struct clusterinfo *ret, struct fault *f)
{
    struct span encoded;
    struct buf pem;
    enum err e = read_server(cluster, ret, f);

    if (!e)
        e = text_of(cluster, "certificate-authority-data", &encoded, f);
    if (e)
        return e;
    if (!take(arena, encoded.n / 4 * 3 + 3, &pem))
        return fault_set(f, ERR_NOMEM, "the CA is too large");
    if (text_b64(encoded, false, &pem))
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, yaml_get(cluster, "certificate-authority-data"),
                          "is not base64 of CA certificates");
    ret->ca_pem = buf_span(&pem);
    return choose_roots(join, arena, ret, f);
}

/* The one cluster of the kubeconfig. kubeadm names it "" and takes no other. */
static enum err read_cluster(const struct yaml_stream *s, const struct join *join, struct arena *arena,
                             struct clusterinfo *ret, struct fault *f)
{
    const struct yaml_node *root = s->count == 1 ? s->docs[0] : NULL;
    const struct yaml_node *list = yaml_get(root, "clusters"), *kind = yaml_get(root, "kind");

    if (!kind || kind->type != YAML_SCALAR || !span_is(kind->value, "Config"))
        return fault_set(f, ERR_DISCOVER_SYNTAX, "cluster-info's kubeconfig is not of kind Config");
    if (!list || list->type != YAML_SEQ || !list->child || list->child->next)
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, list ? list : root, "there must be exactly one cluster");
    const struct yaml_node *name = yaml_get(list->child, "name"), *cluster = yaml_get(list->child, "cluster");
    if (!name || name->type != YAML_SCALAR || name->value.n != 0)
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, name ? name : list, "the cluster's name must be \"\"");
    if (!cluster || cluster->type != YAML_MAP)
        return yaml_fault(f, ERR_DISCOVER_SYNTAX, list, "the cluster must be a map");
    return clusterinfo_cluster(cluster, join, arena, ret, f);
}

static enum err read(struct span body, const struct join *join, struct arena *arena, struct clusterinfo *ret,
                     struct fault *f)
{
    struct clusterinfo c = {0};
    struct yaml_stream stream;
    struct fault why = {0};
    struct buf text;

    if (!take(arena, body.n, &text))
        return fault_set(f, ERR_NOMEM, "cluster-info is too large");
    enum err e = data_text(body, "kubeconfig", &text, f);
    if (e)
        return e;
    if (text.n == 0)
        return fault_set(f, ERR_DISCOVER_SYNTAX, "cluster-info has no kubeconfig");
    c.kubeconfig = buf_span(&text);
    e = check_jws(body, join->token, c.kubeconfig, arena, f);
    if (e)
        return e;
    e = gate_admit(GATE_TOKEN_JWS, c.kubeconfig);
    if (e)
        return fault_set(f, e, "cluster-info");
    e = yaml_parse(c.kubeconfig, arena, &stream, &why);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "cluster-info is too large");
    if (e)
        return fault_at(f, ERR_DISCOVER_SYNTAX, why.line, why.column, why.path, "%s", why.text);
    e = read_cluster(&stream, join, arena, &c, f);
    if (!e)
        *ret = c;
    return e;
}

enum err clusterinfo_read(struct span body, const struct join *join, struct arena *arena,
                          struct clusterinfo *ret, struct fault *f)
{
    size_t used = arena->used;
    enum err e = read(body, join, arena, ret, f);

    if (e)
        arena_rewind(arena, used);
    return e;
}
