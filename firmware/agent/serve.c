/*
 * serve.c - see serve.h.
 */
#include "firmware/agent/serve.h"

#include "firmware/agent/agent.h"

enum err serve_load(struct agent *a)
{
    struct serve *s = &a->serve;
    uint64_t seq;
    size_t n = 0;
    enum err e = a->board->bundles ? reclog_read(a->board->bundles, s->bytes, sizeof(s->bytes), &n, &seq)
                                   : ERR_STORE_EMPTY;

    s->has_bundle = false;
    s->n = e == OK ? n : 0;
    return e == ERR_LIMIT ? ERR_STORE_LOST : e;
}

enum err serve_store(struct agent *a, struct span bundle)
{
    return a->board->bundles ? reclog_write(a->board->bundles, bundle, &a->serve.storing) : OK;
}

void serve_take(struct agent *a, struct span bundle)
{
    struct serve *s = &a->serve;

    if (bundle.p != s->bytes)
        memcpy(s->bytes, bundle.p, bundle.n);
    s->n = bundle.n;
    s->sequence = a->bundle.node.sequence;
    memcpy(s->digest, verified_digest(a->verified), HASH_SIZE);
    memcpy(s->name, a->bundle.node.name, sizeof(s->name));
    s->has_bundle = true;
}
