/*
 * jwe_tool.c - seals documents; see jwe_tool.h.
 */
#include "firmware/crypto/jwe_tool.h"

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/jwe_parts.h"
#include "firmware/crypto/rng.h"

enum err jwe_gcm_seal(struct span key, const uint8_t iv[static JWE_IV], struct span aad, uint8_t *data,
                      size_t n)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id;
    size_t got = 0;
    enum err e;

    psa_set_key_type(&a, PSA_KEY_TYPE_AES);
    psa_set_key_algorithm(&a, PSA_ALG_GCM);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_ENCRYPT);
    e = crypto_psa_err(psa_import_key(&a, key.p, key.n, &id), ERR_STATE);
    if (e != OK)
        return e;
    e = crypto_psa_err(
        psa_aead_encrypt(id, PSA_ALG_GCM, iv, JWE_IV, aad.p, aad.n, data, n, data, n + JWE_TAG, &got),
        ERR_STATE);
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    return e == OK && got != n + JWE_TAG ? ERR_STATE : e;
}

/* A fresh ephemeral key's public half, and the content key that it agrees on with `to`. */
static enum err agree(const struct jose_key *to, struct jose_key *ret_epk,
                      uint8_t ret_content[static JWE_KEY])
{
    struct span none = span_of(NULL, 0);
    struct jose_secret ephemeral;
    uint8_t z[32] = {0};
    enum err e = jose_generate(&ephemeral);

    if (e != OK)
        return e;
    e = jwe_agree(ephemeral.d, to, z);
    if (e == OK)
        e = jwe_derive(z, SPAN_LIT("A256GCM"), none, none, 256, ret_content);
    if (e == OK)
        *ret_epk = ephemeral.pub;
    wipe(&ephemeral, sizeof(ephemeral));
    wipe(z, sizeof(z));
    return e;
}

static void put(struct buf *ret, const void *p, size_t n)
{
    buf_u8(ret, '.');
    text_b64url_put(ret, span_of(p, n));
}

enum err jwe_seal(const struct jose_key *to, struct buf *plaintext, struct buf *ret)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    uint8_t content[JWE_KEY], iv[JWE_IV], text[JWE_HEADER_MAX];
    struct buf header = BUF_OF(text);
    size_t start = ret->n, n = plaintext->n;
    struct jose_key epk;
    struct span aad;
    enum err e;

    if (n == 0 || plaintext->overflow)
        return ERR_INPUT;
    if (plaintext->cap - n < JWE_TAG)
        return ERR_LIMIT;
    e = rng_bytes(iv, sizeof(iv));
    if (e == OK)
        e = jose_thumbprint(to, kid);
    if (e == OK)
        e = agree(to, &epk, content);
    if (e != OK)
        return e;
    jwe_header_put(&header, &epk, kid);
    text_b64url_put(ret, buf_span(&header));
    aad = span_of(ret->p + start, ret->n - start);
    e = jwe_gcm_seal(span_of(content, sizeof(content)), iv, aad, plaintext->p, n);
    wipe(content, sizeof(content));
    if (e != OK)
        return e;
    buf_u8(ret, '.');
    put(ret, iv, sizeof(iv));
    put(ret, plaintext->p, n);
    put(ret, plaintext->p + n, JWE_TAG);
    plaintext->n = 0;
    return ret->overflow ? ERR_LIMIT : OK;
}
