/*
 * bundle.c - what a signed payload holds: NodeJoin, then kubeadm's documents, which mean the same node.
 */
#include "config/bundle.h"

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

enum err bundle_check(const struct bundle *b, struct fault *f)
{
    struct ip ips[2];
    unsigned count = 0;
    enum err e = join_node_ips(&b->join, ips, &count, f);
    return e == OK ? check_name(b, f) : e;
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

enum err bundle_parse(const struct verified *v, struct arena *arena, struct bundle *ret, struct fault *f)
{
    struct yaml_stream stream;
    struct bundle b;
    enum err e = yaml_parse(verified_payload(v), arena, &stream, f);
    if (e != OK)
        return e;
    if (stream.count == 0)
        return fault_set(f, ERR_CONFIG_KIND, "the payload has no document");
    e = nodejoin_read(stream.docs[0], &b.node, f);
    if (e == OK)
        e = bundle_kubeadm(&stream, 1, arena, &b, f);
    if (e == OK)
        e = bundle_check(&b, f);
    if (e != OK)
        return e;
    b.kubeadm_yaml = behind_first(verified_payload(v), &stream);
    *ret = b;
    return OK;
}
