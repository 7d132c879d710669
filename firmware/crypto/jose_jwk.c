/*
 * jose_jwk.c - reads JWKs (RFC 7517): see jose.h and jose_tool.h.
 */
#include "firmware/crypto/jose_jwk.h"

#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"

enum member { KTY, CRV, X, Y, D, K, ALG, USE, KEY_OPS, MEMBERS };

static const char *const names[MEMBERS] = {
    [KTY] = "kty", [CRV] = "crv",         [X] = "x", [Y] = "y", [D] = "d", [K] = "k", [ALG] = "alg",
    [USE] = "use", [KEY_OPS] = "key_ops",
};

struct members {
    struct span value[MEMBERS];
    bool seen[MEMBERS];
    unsigned ops; /* those in key_ops */
};

enum { OP_VERIFY = 1, OP_SIGN = 2, OP_AGREE = 4 }; /* RFC 7517 section 4.3 */

static const struct {
    const char *name;
    unsigned op;
} ops[] = {{"verify", OP_VERIFY}, {"sign", OP_SIGN}, {"deriveKey", OP_AGREE}, {"deriveBits", OP_AGREE}};

/* What a JWK may say of itself, if it says anything: RFC 7517 sections 4.2 to 4.4, RFC 7518 sections 3.1 and 4.6. */
static const struct purpose {
    bool private;
    const char *alg, *use;
    unsigned op;
} purposes[] = {
    [JOSE_JWK_VERIFY] = {.alg = "ES256", .use = "sig", .op = OP_VERIFY},
    [JOSE_JWK_SIGN] = {.private = true, .alg = "ES256", .use = "sig", .op = OP_SIGN},
    [JOSE_JWK_SEAL] = {.alg = "ECDH-ES", .use = "enc", .op = OP_AGREE},
    [JOSE_JWK_UNSEAL] = {.private = true, .alg = "ECDH-ES", .use = "enc", .op = OP_AGREE},
};

static enum member member_of(struct span key)
{
    unsigned m = 0;

    while (m < MEMBERS && !span_is(key, names[m]))
        m++;
    return (enum member)m;
}

/* Escapes would give one name two spellings. */
static bool plain(struct span s)
{
    return span_find(s, '\\') == s.n;
}

/* Reads over the rest of a container whose begin was just read. */
static enum err skip(struct json *j)
{
    unsigned depth = 1;

    while (depth > 0) {
        enum json_event ev = json_next(j);

        if (ev == JSON_ERROR || ev == JSON_END)
            return ERR_INPUT;
        depth += ev == JSON_OBJECT || ev == JSON_ARRAY;
        depth -= ev == JSON_OBJECT_END || ev == JSON_ARRAY_END;
    }
    return OK;
}

static enum err read_key_ops(struct json *j, struct members *m)
{
    enum json_event ev;

    for (ev = json_next(j); ev == JSON_STRING; ev = json_next(j)) {
        for (unsigned i = 0; i < COUNT(ops); i++)
            m->ops |= span_is(j->raw, ops[i].name) ? ops[i].op : 0;
    }
    return ev == JSON_ARRAY_END ? OK : ERR_INPUT;
}

static enum err read_member(struct json *j, struct members *m)
{
    enum member which = plain(j->raw) ? member_of(j->raw) : MEMBERS;
    enum json_event ev;

    if (!plain(j->raw) || (which < MEMBERS && m->seen[which]))
        return ERR_INPUT;
    ev = json_next(j);
    if (which == MEMBERS)
        return ev == JSON_OBJECT || ev == JSON_ARRAY ? skip(j) : ev == JSON_ERROR ? ERR_INPUT : OK;
    m->seen[which] = true;
    if (which == KEY_OPS)
        return ev == JSON_ARRAY ? read_key_ops(j, m) : ERR_INPUT;
    m->value[which] = j->raw;
    return ev == JSON_STRING && plain(j->raw) ? OK : ERR_INPUT;
}

static enum err read_members(struct span jwk, struct members *ret)
{
    struct json j;
    enum json_event ev;
    enum err e = OK;

    json_init(&j, jwk);
    if (json_next(&j) != JSON_OBJECT)
        return ERR_INPUT;
    for (ev = json_next(&j); ev == JSON_KEY && e == OK; ev = e == OK ? json_next(&j) : JSON_ERROR)
        e = read_member(&j, ret);
    if (e == OK && (ev != JSON_OBJECT_END || json_next(&j) != JSON_END))
        e = ERR_INPUT;
    return e;
}

static enum err coordinate(struct span text, uint8_t ret[static 32])
{
    struct buf b = {.p = ret, .cap = 32};

    return text.n == 43 && text_b64url(text, &b) == OK && b.n == 32 ? OK : ERR_INPUT;
}

static bool on_curve(const uint8_t xy[static 64], enum err *ret)
{
    psa_key_id_t id;

    *ret = crypto_p256_public(xy, ERR_INPUT, &id);
    return *ret == OK && psa_destroy_key(id) == PSA_SUCCESS;
}

/* A key that was made for one purpose serves no other. */
static bool serves(const struct members *m, const struct purpose *p)
{
    return m->seen[D] == p->private && (!m->seen[ALG] || span_is(m->value[ALG], p->alg)) &&
           (!m->seen[USE] || span_is(m->value[USE], p->use)) && (!m->seen[KEY_OPS] || (m->ops & p->op));
}

enum err jose_jwk_read(struct span jwk, enum jose_jwk_purpose purpose, struct jose_key *ret,
                       uint8_t ret_d[32])
{
    const bool private = purposes[purpose].private;
    struct members m = {0};
    uint8_t xy[64], d[32] = {0};
    enum err e = read_members(jwk, &m);

    if (e != OK)
        goto out;
    e = ERR_INPUT;
    if (!span_is(m.value[KTY], "EC") || !span_is(m.value[CRV], "P-256") || m.seen[K])
        goto out;
    if (!serves(&m, &purposes[purpose]))
        goto out;
    if (coordinate(m.value[X], xy) != OK || coordinate(m.value[Y], xy + 32) != OK)
        goto out;
    if (private && coordinate(m.value[D], d) != OK)
        goto out;
    if (!on_curve(xy, &e))
        goto out;
    memcpy(ret->x, xy, 32);
    memcpy(ret->y, xy + 32, 32);
    if (private && ret_d)
        memcpy(ret_d, d, 32);
    e = OK;
out:
    wipe(d, sizeof(d));
    return e;
}

enum err jose_key_parse(struct span jwk, struct jose_key *ret)
{
    return jose_jwk_read(jwk, JOSE_JWK_VERIFY, ret, NULL);
}
