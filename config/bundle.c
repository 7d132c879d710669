/*
 * bundle.c - what a signed payload holds: NodeJoin, then one JoinConfiguration that means the same node.
 */
#include "config/nodejoin.h"

/* kubeadm's document may leave the name to the machine; NodeJoin may not, and both must mean the same node. */
static enum err check_name(const struct bundle *b, struct fault *f)
{
    if (b->join.name.n == 0 || span_is(b->join.name, b->node.name))
        return OK;
    const struct yaml_node *name = yaml_get(yaml_get(b->join.root, "nodeRegistration"), "name");
    return yaml_fault(f, ERR_CONFIG_FIELD, name, "is another name than NodeJoin's");
}

enum err bundle_parse(const struct verified *v, bool permit_unsafe_skip_ca, struct arena *arena,
                      struct bundle *ret, struct fault *f)
{
    struct yaml_stream stream;
    struct bundle b;
    const struct yaml_node *join_doc = NULL;
    enum err e = yaml_parse(verified_payload(v), arena, &stream, f);
    if (e != OK)
        return e;
    if (stream.count == 0)
        return fault_set(f, ERR_CONFIG_KIND, "the payload has no document");
    e = nodejoin_read(stream.docs[0], &b.node, f);
    if (e == OK)
        e = join_select(&stream, 1, &join_doc, f);
    if (e == OK)
        e = join_read(join_doc, arena, &b.join, f);
    if (e == OK)
        e = join_supported(&b.join, permit_unsafe_skip_ca, f);
    struct ip ips[2];
    unsigned count = 0;
    if (e == OK)
        e = join_node_ips(&b.join, ips, &count, f);
    if (e == OK)
        e = check_name(&b, f);
    if (e == OK)
        *ret = b;
    return e;
}
