/*
 * join_node.c - the map nodeRegistration: name, CRI socket, taints, kubelet's arguments, image pulls.
 */
#include "config/join_check.h"
#include "config/join_fields.h"
#include "config/stricter.h"

static enum err read_name(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->name.n > 0 ? join_check_name(n, c->arena, &c->j->name, c->f) : e;
}

static enum err read_cri_socket(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->cri_socket.n > 0 ? join_check_cri_socket(n, c->arena, &c->j->cri_socket, c->f)
                                             : e;
}

static enum err read_pull_policy(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    enum err e = join_string_at(n, c, off);
    return e == OK && c->j->image_pull_policy.n > 0 ? join_check_pull_policy(n, c->j->image_pull_policy, c->f)
                                                    : e;
}

/* A field of the item that was begun last in its list. */
static enum err read_arg_string(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct join_arg *arg = &c->j->kubelet_args[c->j->kubelet_arg_count - 1];
    return yaml_string(n, off == offsetof(struct join_arg, name) ? &arg->name : &arg->value, c->f);
}

static enum err read_arg(const struct yaml_node *n, const struct join_ctx *c)
{
    static const struct join_field fields[] = {
        {"name", read_arg_string, offsetof(struct join_arg, name)},
        {"value", read_arg_string, offsetof(struct join_arg, value)},
    };
    const struct join_arg *arg = &c->j->kubelet_args[c->j->kubelet_arg_count++];
    enum err e = join_map(n, fields, COUNT(fields), c);
    if (e == OK)
        e = join_check_arg(n, arg, c->f);
    if (e != OK || !span_is(arg->name, "node-ip"))
        return e;
    if (c->j->node_ip)
        return yaml_fault(c->f, ERR_CONFIG_FIELD, n, "node-ip is there twice" STRICTER("kubelet-arg"));
    c->j->node_ip = yaml_get(n, "value") ? yaml_get(n, "value") : n;
    return OK;
}

static enum err read_args(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    enum err e = join_items(n, JOIN_ARGS_MAX, c);
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next)
        e = read_arg(v, c);
    return e;
}

static enum err read_taint_string(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    struct join_taint *taint = &c->j->taints[c->j->taint_count - 1];
    return yaml_string(n, (struct span *)(void *)((uint8_t *)taint + off), c->f);
}

static enum err refuse_time_added(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    (void)off;
    return yaml_fault(c->f, ERR_CONFIG_FIELD, n,
                      "timeAdded is set by the cluster, not here" STRICTER("taint"));
}

/* null is what kubeadm itself writes for "no taints are given". */
static enum err read_taints(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"key", read_taint_string, offsetof(struct join_taint, key)},
        {"value", read_taint_string, offsetof(struct join_taint, value)},
        {"effect", read_taint_string, offsetof(struct join_taint, effect)},
        {"timeAdded", refuse_time_added, 0},
    };
    (void)off;
    if (n->type == YAML_SCALAR && n->plain && span_is(n->value, "null"))
        return OK;
    enum err e = join_items(n, JOIN_TAINTS_MAX, c);
    c->j->taints_given = true;
    for (const struct yaml_node *v = n->child; v && e == OK; v = v->next) {
        const struct join_taint *taint = &c->j->taints[c->j->taint_count++];
        e = join_map(v, fields, COUNT(fields), c);
        if (e == OK)
            e = join_check_taint(v, taint, c->f);
    }
    return e;
}

enum err join_node_registration(const struct yaml_node *n, const struct join_ctx *c, size_t off)
{
    static const struct join_field fields[] = {
        {"name", read_name, offsetof(struct join, name)},
        {"criSocket", read_cri_socket, offsetof(struct join, cri_socket)},
        {"taints", read_taints, 0},
        {"kubeletExtraArgs", read_args, 0},
        {"ignorePreflightErrors", join_words_at, offsetof(struct join, ignore_preflight_errors)},
        {"imagePullPolicy", read_pull_policy, offsetof(struct join, image_pull_policy)},
        {"imagePullSerial", join_bool_at, offsetof(struct join, image_pull_serial)},
    };
    (void)off;
    return join_map(n, fields, COUNT(fields), c);
}
