/*
 * jose_tool.c - makes keys and signs; see jose_tool.h.
 */
#include "firmware/crypto/jose_tool.h"

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/jose_jwk.h"

static psa_key_attributes_t pair_attributes(void)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;

    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_algorithm(&a, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
    return a;
}

static enum err public_of(psa_key_id_t id, struct jose_key *ret)
{
    uint8_t point[65];
    size_t n;
    enum err e = crypto_psa_err(psa_export_public_key(id, point, sizeof(point), &n), ERR_INPUT);

    if (e == OK && n != sizeof(point))
        e = ERR_INPUT;
    if (e == OK) {
        memcpy(ret->x, point + 1, 32);
        memcpy(ret->y, point + 33, 32);
    }
    return e;
}

enum err jose_generate(struct jose_secret *ret)
{
    psa_key_attributes_t a = pair_attributes();
    struct jose_secret k = {0};
    psa_key_id_t id;
    size_t n;
    enum err e;

    if (!crypto_started())
        return ERR_STATE;
    e = crypto_psa_err(psa_generate_key(&a, &id), ERR_STATE);
    if (e != OK)
        return e;
    e = crypto_psa_err(psa_export_key(id, k.d, sizeof(k.d), &n), ERR_STATE);
    if (e == OK)
        e = public_of(id, &k.pub);
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    if (e == OK)
        *ret = k;
    wipe(&k, sizeof(k));
    return e;
}

void jose_secret_put(struct buf *ret, const struct jose_secret *key)
{
    buf_str(ret, "{\"crv\":\"P-256\",\"d\":\"");
    text_b64url_put(ret, span_of(key->d, sizeof(key->d)));
    buf_str(ret, "\",\"kty\":\"EC\",\"x\":\"");
    text_b64url_put(ret, span_of(key->pub.x, sizeof(key->pub.x)));
    buf_str(ret, "\",\"y\":\"");
    text_b64url_put(ret, span_of(key->pub.y, sizeof(key->pub.y)));
    buf_str(ret, "\"}");
}

enum err jose_secret_parse(struct span jwk, struct jose_secret *ret)
{
    psa_key_attributes_t a = pair_attributes();
    struct jose_secret k;
    struct jose_key real;
    psa_key_id_t id;
    enum err e = jose_jwk_read(jwk, true, &k.pub, k.d);

    if (e != OK)
        return e;
    e = crypto_psa_err(psa_import_key(&a, k.d, sizeof(k.d), &id), ERR_INPUT);
    if (e != OK)
        goto out;
    e = public_of(id, &real);
    /* A d that does not belong to x and y would sign what nobody can verify. */
    if (e == OK && (memcmp(real.x, k.pub.x, 32) != 0 || memcmp(real.y, k.pub.y, 32) != 0))
        e = ERR_INPUT;
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    if (e == OK)
        *ret = k;
out:
    wipe(&k, sizeof(k));
    return e;
}

enum err jose_es256_sign(const struct jose_secret *key, struct span data, uint8_t ret_sig[static JOSE_SIG])
{
    psa_key_attributes_t a = pair_attributes();
    uint8_t digest[HASH_SIZE], sig[JOSE_SIG];
    psa_key_id_t id;
    size_t n = 0;
    enum err e;

    if (!crypto_started())
        return ERR_STATE;
    e = hash_sha256(data, digest);
    if (e == OK)
        e = crypto_psa_err(psa_import_key(&a, key->d, sizeof(key->d), &id), ERR_INPUT);
    if (e != OK)
        return e;
    e = crypto_psa_err(
        psa_sign_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, sizeof(digest), sig, sizeof(sig), &n),
        ERR_STATE);
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    if (e == OK && n != sizeof(sig))
        e = ERR_STATE;
    if (e == OK)
        memcpy(ret_sig, sig, sizeof(sig));
    return e;
}

enum err jose_sign_compact(const struct jose_secret *key, const char *typ, struct span payload,
                           struct buf *ret)
{
    uint8_t sig[JOSE_SIG];
    size_t start = ret->n;
    enum err e = jose_header_put(ret, &key->pub, typ);

    if (e != OK)
        return e;
    buf_u8(ret, '.');
    text_b64url_put(ret, payload);
    if (ret->overflow)
        return ERR_LIMIT;
    e = jose_es256_sign(key, span_of(ret->p + start, ret->n - start), sig);
    if (e != OK)
        return e;
    buf_u8(ret, '.');
    text_b64url_put(ret, span_of(sig, sizeof(sig)));
    return ret->overflow ? ERR_LIMIT : OK;
}
