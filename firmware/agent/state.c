/*
 * state.c - see state.h.
 */
#include "firmware/agent/state.h"

#include "firmware/base/reclog.h"

enum { VERSION = 1, FLAG_ACCEPTED = 1, FLAG_JOINED = 2, SIZE = 84 };

static void put_u64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

enum err state_load(const struct storage *st, struct state *ret)
{
    uint8_t body[SIZE];
    size_t n = 0;
    uint64_t seq;
    enum err e = st ? reclog_read(st, body, sizeof(body), &n, &seq) : ERR_STORE_EMPTY;

    if (e == ERR_STORE_EMPTY) {
        memset(ret, 0, sizeof(*ret));
        return OK;
    }
    if (e == ERR_LIMIT)
        return ERR_STORE_LOST;
    if (e != OK)
        return e;
    /* A record of another form must not read as "never provisioned": that would bring the sequence back to 0. */
    if (n != SIZE || body[0] != VERSION || (body[1] & ~(FLAG_ACCEPTED | FLAG_JOINED)) != 0)
        return ERR_STORE_LOST;
    ret->accepted = (body[1] & FLAG_ACCEPTED) != 0;
    ret->joined = (body[1] & FLAG_JOINED) != 0;
    ret->sequence = get_u64(body + 4);
    ret->issued_s = (int64_t)get_u64(body + 12);
    memcpy(ret->digest, body + 20, HASH_SIZE);
    memcpy(ret->seed, body + 52, RNG_SEED_SIZE);
    wipe(body, sizeof(body));
    return OK;
}

enum err state_save(const struct storage *st, const struct state *s)
{
    uint8_t body[SIZE] = {VERSION};
    enum err e;

    if (!st)
        return OK;
    body[1] = (uint8_t)((s->accepted ? FLAG_ACCEPTED : 0) | (s->joined ? FLAG_JOINED : 0));
    put_u64(body + 4, s->sequence);
    put_u64(body + 12, (uint64_t)s->issued_s);
    memcpy(body + 20, s->digest, HASH_SIZE);
    memcpy(body + 52, s->seed, RNG_SEED_SIZE);
    e = reclog_write(st, span_of(body, sizeof(body)));
    wipe(body, sizeof(body));
    return e;
}
