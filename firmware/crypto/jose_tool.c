/*
 * jose_tool.c - signs, and reads and writes private JWKs; see jose_tool.h.
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
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_SIGN_HASH);
    return a;
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

static enum err read_secret(struct span jwk, enum jose_jwk_purpose purpose, struct jose_secret *ret)
{
    struct jose_secret k, real;
    enum err e = jose_jwk_read(jwk, purpose, &k.pub, k.d);

    if (e != OK)
        return e;
    e = jose_secret_of(k.d, &real);
    /* A d that does not belong to x and y would sign what nobody can verify. */
    if (e == OK && memcmp(&real.pub, &k.pub, sizeof(real.pub)) != 0)
        e = ERR_INPUT;
    if (e == OK)
        *ret = k;
    wipe(&k, sizeof(k));
    wipe(&real, sizeof(real));
    return e;
}

enum err jose_secret_parse(struct span jwk, struct jose_secret *ret)
{
    return read_secret(jwk, JOSE_JWK_SIGN, ret);
}

enum err jose_device_parse(struct span jwk, struct jose_key *ret)
{
    return jose_jwk_read(jwk, JOSE_JWK_SEAL, ret, NULL);
}

enum err jose_device_secret_parse(struct span jwk, struct jose_secret *ret)
{
    return read_secret(jwk, JOSE_JWK_UNSEAL, ret);
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
