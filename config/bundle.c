/*
 * bundle.c - what a signed payload holds: NodeJoin, then kubeadm's documents, which mean the same node.
 */
#include "config/bundle.h"

#include "config/gate.h"
#include "firmware/crypto/jwe.h"

const char *bundle_role_name(enum bundle_role role)
{
    static const char *const names[] = {
        [BUNDLE_WORKER] = "worker",
        [BUNDLE_CONTROL_PLANE] = "control-plane",
        [BUNDLE_INIT] = "init",
    };
    return names[role];
}

void bundle_put_json(const struct bundle *b, struct buf *ret)
{
    buf_str(ret, "[");
    if (b->role == BUNDLE_INIT) {
        init_put_json(&b->init, &b->join, ret);
        cluster_put_json(&b->cluster, b->join.bind_port, ret);
    } else {
        join_put_json(&b->join, ret);
    }
    buf_str(ret, "]");
}

/* kubeadm's document may leave the name to the machine; NodeJoin may not, and both must mean the same node. */
static enum err check_name(const struct bundle *b, struct fault *f)
{
    if (b->join.name.n == 0 || span_is(b->join.name, b->node.name))
        return OK;
    const struct yaml_node *name = yaml_get(yaml_get(b->join.root, "nodeRegistration"), "name");
    return yaml_fault(f, ERR_CONFIG_FIELD, name, "is another name than NodeJoin's");
}

/* What couriers and operators were told must be what the machine becomes. */
static enum err check_role(const struct bundle *b, struct fault *f)
{
    if (!b->node.has_role || b->node.role == b->role)
        return OK;
    return yaml_fault(f, ERR_CONFIG_FIELD, yaml_get(b->node.root, "role"), "the documents make a %s node",
                      bundle_role_name(b->role));
}

enum err bundle_check(const struct bundle *b, struct fault *f)
{
    struct ip ips[2];
    unsigned count = 0;
    enum err e = join_node_ips(&b->join, ips, &count, f);
    if (e == OK)
        e = check_name(b, f);
    return e == OK ? check_role(b, f) : e;
}

/* The bytes behind the marker line that ends the first document; a `---` in front of the first document ends nothing. A line that begins with
 * it is a marker wherever it stands, and documents have nothing on theirs (yaml_scan.c). */
static struct span behind_first(struct span payload, const struct yaml_stream *stream)
{
    struct span rest = payload, found = span_sub(payload, payload.n, 0);
    for (uint32_t line = 1; rest.n > 0 && line < stream->docs[1]->line; line++) {
        if (span_starts(span_cut(&rest, '\n'), "---"))
            found = rest;
    }
    return found;
}

/* kubeadm's documents among those from `first` on. */
static enum err take_clear(const struct yaml_stream *stream, unsigned first, struct arena *arena,
                           struct bundle *b, struct fault *f)
{
    enum err e = bundle_kubeadm(stream, first, arena, b, f);
    if (e == OK)
        e = bundle_check(b, f);
    b->closed = false;
    return e;
}

static enum err take_closed(const struct yaml_stream *stream, struct bundle *b, struct fault *f)
{
    if (stream->count > 1)
        return yaml_fault(f, ERR_CONFIG_SEALED, stream->docs[1], "a document in clear beside sealed ones");
    b->closed = true;
    b->role = b->node.role;
    return OK;
}

enum err bundle_parse(const struct verified *v, struct arena *arena, struct bundle *ret, struct fault *f)
{
    struct yaml_stream stream;
    struct bundle b = {.role = BUNDLE_WORKER};
    enum err e = yaml_parse(verified_payload(v), arena, &stream, f);
    if (e != OK)
        return e;
    if (stream.count == 0)
        return fault_set(f, ERR_CONFIG_KIND, "the payload has no document");
    e = nodejoin_read(stream.docs[0], &b.node, f);
    if (e == OK && b.node.sealed.n > 0)
        e = take_closed(&stream, &b, f);
    else if (e == OK)
        e = take_clear(&stream, 1, arena, &b, f);
    if (e != OK)
        return e;
    if (!b.closed)
        b.kubeadm_yaml = behind_first(verified_payload(v), &stream);
    *ret = b;
    return OK;
}

enum err bundle_open(const struct verified *v, const struct jose_secret *key, struct arena *arena,
                     struct bundle *b, struct fault *f)
{
    struct yaml_stream stream;
    struct bundle open = *b;
    struct buf plain = {.cap = b->node.sealed.n};
    size_t used = arena->used;
    enum err e;
    if (!b->closed)
        return OK;
    if (!gate_admitted(verified_payload(v)))
        return fault_set(f, ERR_STATE, "only what was verified is opened");
    plain.p = arena_take(arena, plain.cap);
    if (!plain.p)
        return fault_set(f, ERR_NOMEM, "no memory for the sealed documents");
    e = jwe_open(b->node.sealed, key, &plain);
    if (e == OK)
        e = gate_admit(GATE_SEAL, buf_span(&plain));
    if (e != OK)
        yaml_fault(f, e, yaml_get(b->node.root, "sealed"), "sealed to %s", b->node.sealed_to);
    else
        e = yaml_parse(buf_span(&plain), arena, &stream, f);
    if (e == OK)
        e = take_clear(&stream, 0, arena, &open, f);
    open.kubeadm_yaml = buf_span(&plain);
    if (e == OK)
        *b = open;
    else
        arena_rewind(arena, used);
    return e;
}
