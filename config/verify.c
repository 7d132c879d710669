/*
 * verify.c - is this bundle signed by a key that this site trusts? (RFC 7515 compact, RFC 7518 ES256)
 *
 * Nothing that came from outside is parsed here: the three parts are split at their dots, the protected header is compared with the one
 * byte string that each trusted key demands, the signature is checked over the exact bytes, and only then is the payload decoded.
 */
#include "config/verify.h"

#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"

struct verified {
    struct span payload;
    uint8_t digest[HASH_SIZE];
    unsigned key;
};

enum {
    HEADER_MAX = 256
}; /* base64url of {"alg":"ES256","kid":"<43>","typ":"joinboot-nodejoin+jws"} is 138 */

/* Is the header the one that this key demands? */
static enum err header_matches(struct span header, const struct jose_key *key, bool *ret)
{
    uint8_t text[HEADER_MAX];
    struct buf want = BUF_OF(text);
    enum err e = jose_header_put(&want, key, VERIFY_TYP_BUNDLE);
    if (e != OK)
        return e;
    if (want.overflow)
        return ERR_LIMIT;
    *ret = span_eq(header, buf_span(&want));
    return OK;
}

/* Does the decoded header name a trusted key anywhere, or did a trusted key sign these bytes? Bytes are compared; nothing is parsed. */
static bool from_trusted_key(const struct jose_compact *jws, const uint8_t sig[static JOSE_SIG],
                             const struct site *site)
{
    uint8_t text[4 * HEADER_MAX];
    struct buf header = BUF_OF(text);
    bool readable = text_b64url(jws->header, &header) == OK;
    for (unsigned i = 0; i < site->key_count; i++) {
        char kid[JOSE_THUMBPRINT_TEXT + 1];
        if (readable && jose_thumbprint(&site->keys[i], kid) == OK &&
            span_find_str(buf_span(&header), kid) < header.n)
            return true;
        if (jose_es256_verify(&site->keys[i], jws->signing_input, sig) == OK)
            return true;
    }
    return false;
}

/* The trusted key whose exact header this is and who signed the exact bytes. */
static enum err find_key(const struct jose_compact *jws, const uint8_t sig[static JOSE_SIG],
                         const struct site *site, unsigned *ret, struct fault *f)
{
    bool header_seen = false;
    for (unsigned i = 0; i < site->key_count; i++) {
        bool matches = false;
        enum err e = header_matches(jws->header, &site->keys[i], &matches);
        if (e != OK)
            return fault_set(f, e, "the header that a trusted key demands could not be made");
        if (!matches)
            continue;
        header_seen = true;
        e = jose_es256_verify(&site->keys[i], jws->signing_input, sig);
        if (e == ERR_NOMEM)
            return fault_set(f, e, "no memory to verify the signature");
        if (e == OK) {
            *ret = i;
            return OK;
        }
    }
    if (header_seen)
        return fault_set(f, ERR_CONFIG_SIGNATURE,
                         "the bytes are not what the key named in the header signed");
    if (from_trusted_key(jws, sig, site))
        return fault_set(f, ERR_CONFIG_HEADER,
                         "the key is trusted, but alg, kid, typ or another part of the header differs");
    return fault_set(f, ERR_CONFIG_KEY, "none of this site's %u trusted keys is named in the header",
                     site->key_count);
}

static enum err read_signature(struct span text, uint8_t ret[static JOSE_SIG], struct fault *f)
{
    uint8_t sig[JOSE_SIG];
    struct buf b = BUF_OF(sig);
    if (text_b64url(text, &b) != OK || b.n != JOSE_SIG)
        return fault_set(f, ERR_CONFIG_ENVELOPE, "the signature is not 64 bytes in base64url");
    memcpy(ret, sig, JOSE_SIG);
    return OK;
}

/* The decoded payload in the arena, made known to the gate. */
static enum err take_payload(struct span text, struct arena *arena, struct span *ret, struct fault *f)
{
    size_t cap = text.n / 4 * 3 + 3;
    struct buf b = {.p = arena_take(arena, cap), .cap = cap};
    if (!b.p)
        return fault_set(f, ERR_NOMEM, "no memory for the payload");
    if (text_b64url(text, &b) != OK)
        return fault_set(f, ERR_CONFIG_ENVELOPE, "the payload is not base64url");
    enum err e = gate_admit(GATE_SIGNATURE, buf_span(&b));
    if (e != OK)
        return fault_set(f, e, "the payload's digest could not be made");
    *ret = buf_span(&b);
    return OK;
}

enum err verify_bundle(struct span bundle, const struct site *site, struct arena *arena,
                       const struct verified **ret, struct fault *f)
{
    struct jose_compact jws;
    uint8_t sig[JOSE_SIG];
    if (bundle.n > LIMIT_BUNDLE)
        return fault_set(f, ERR_CONFIG_ENVELOPE, "larger than 128 KiB");
    if (jose_split(bundle, &jws) != OK)
        return fault_set(f, ERR_CONFIG_ENVELOPE, "not three parts of base64url with two dots between them");
    enum err e = read_signature(jws.signature, sig, f);
    if (e != OK)
        return e;
    unsigned key = 0;
    e = find_key(&jws, sig, site, &key, f);
    if (e != OK)
        return e;
    struct verified *v = arena_take(arena, sizeof(*v));
    if (!v)
        return fault_set(f, ERR_NOMEM, "no memory for the payload");
    v->key = key;
    /* Not over the signature: anybody can turn (r, s) into (r, n - s), which is as good; what is signed nobody can change. */
    e = hash_sha256(jws.signing_input, v->digest);
    if (e != OK)
        return fault_set(f, e, "the bundle's digest could not be made");
    e = take_payload(jws.payload, arena, &v->payload, f);
    if (e != OK)
        return e;
    *ret = v;
    return OK;
}

struct span verified_payload(const struct verified *v)
{
    return v->payload;
}

const uint8_t *verified_digest(const struct verified *v)
{
    return v->digest;
}

unsigned verified_key(const struct verified *v)
{
    return v->key;
}
