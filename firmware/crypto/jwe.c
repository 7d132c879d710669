/*
 * jwe.c - opens sealed documents; see jwe.h.
 *
 * The header is compared, not parsed: what stands in its three slots is put into the one byte string that is allowed, and that must be the
 * header. So an algorithm, a compression or a critical extension cannot be asked for.
 */
#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/jwe_parts.h"

#define HEAD   "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\""
#define BEFORE "\",\"y\":\""
#define BEHIND "\"},\"kid\":\""
#define TAIL   "\"}"

enum {
    SLOT = 43, /* 32 bytes in base64url */
    SLOT_X = sizeof(HEAD) - 1,
    SLOT_Y = SLOT_X + SLOT + sizeof(BEFORE) - 1,
    SLOT_KID = SLOT_Y + SLOT + sizeof(BEHIND) - 1,
    HEADER = SLOT_KID + SLOT + sizeof(TAIL) - 1
};
_Static_assert((int)HEADER <= (int)JWE_HEADER_MAX, "the header fits");
_Static_assert((int)SLOT == (int)JOSE_THUMBPRINT_TEXT, "a thumbprint is 32 bytes too");

/* A JWE's parts. The texts point into it. */
struct parts {
    struct span header, ciphertext, tag;
    uint8_t iv[JWE_IV];
    struct jose_key epk;
    char kid[JOSE_THUMBPRINT_TEXT + 1];
};

void jwe_header_put(struct buf *ret, const struct jose_key *epk, const char *kid)
{
    buf_str(ret, HEAD);
    text_b64url_put(ret, span_of(epk->x, sizeof(epk->x)));
    buf_str(ret, BEFORE);
    text_b64url_put(ret, span_of(epk->y, sizeof(epk->y)));
    buf_str(ret, BEHIND);
    buf_str(ret, kid);
    buf_str(ret, TAIL);
}

static bool exactly(struct span text, uint8_t *ret, size_t n)
{
    struct buf b = {.p = ret, .cap = n};

    return text_b64url(text, &b) == OK && b.n == n;
}

static enum err read_header(struct parts *p)
{
    uint8_t text[JWE_HEADER_MAX], want_text[JWE_HEADER_MAX], thumbprint[HASH_SIZE];
    struct buf header = BUF_OF(text), want = BUF_OF(want_text);
    struct span kid;

    if (text_b64url(p->header, &header) != OK)
        return ERR_SEAL_HEADER;
    kid = span_sub(buf_span(&header), SLOT_KID, SLOT);
    if (!exactly(span_sub(buf_span(&header), SLOT_X, SLOT), p->epk.x, sizeof(p->epk.x)) ||
        !exactly(span_sub(buf_span(&header), SLOT_Y, SLOT), p->epk.y, sizeof(p->epk.y)) ||
        !exactly(kid, thumbprint, sizeof(thumbprint)) || span_to_cstr(kid, p->kid, sizeof(p->kid)) != OK)
        return ERR_SEAL_HEADER;
    jwe_header_put(&want, &p->epk, p->kid);
    return span_eq(buf_span(&header), buf_span(&want)) ? OK : ERR_SEAL_HEADER;
}

static enum err split(struct span jwe, struct parts *ret)
{
    struct parts p = {.header = span_cut(&jwe, '.')};
    struct span key = span_cut(&jwe, '.');
    struct span iv = span_cut(&jwe, '.');
    uint8_t tag[JWE_TAG];
    enum err e;

    p.ciphertext = span_cut(&jwe, '.');
    p.tag = jwe;
    /* Of direct agreement there is no encrypted key; an empty text seals nothing. */
    if (key.n > 0 || !jose_is_b64url(p.header) || !jose_is_b64url(p.ciphertext) || !jose_is_b64url(p.tag) ||
        !exactly(iv, p.iv, sizeof(p.iv)))
        return ERR_SEAL_FORM;
    /* Each bit that a tag lacks makes a forgery twice as likely. */
    if (!exactly(p.tag, tag, sizeof(tag)))
        return ERR_SEAL_TAG;
    e = read_header(&p);
    if (e == OK)
        *ret = p;
    return e;
}

enum err jwe_agree(const uint8_t d[static 32], const struct jose_key *other, uint8_t ret_z[static 32])
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    uint8_t point[65] = {4}, z[32]; /* uncompressed, SEC 1 section 2.3.3 */
    psa_key_id_t id;
    size_t n = 0;
    bool gone;
    enum err e;

    if (!crypto_started())
        return ERR_STATE;
    memcpy(point + 1, other->x, 32);
    memcpy(point + 33, other->y, 32);
    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_algorithm(&a, PSA_ALG_ECDH);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_DERIVE);
    e = crypto_psa_err(psa_import_key(&a, d, 32, &id), ERR_INPUT);
    if (e != OK)
        return e;
    /* PSA refuses a point that is not on the curve: from its answers d could be learned (invalid-curve attack). */
    e = crypto_psa_err(psa_raw_key_agreement(PSA_ALG_ECDH, id, point, sizeof(point), z, sizeof(z), &n),
                       ERR_SEAL_POINT);
    gone = psa_destroy_key(id) == PSA_SUCCESS;
    if (e == OK)
        memcpy(ret_z, z, sizeof(z));
    wipe(z, sizeof(z));
    return e == OK && !gone ? ERR_STATE : e;
}

static struct span be32(uint8_t to[static 4], size_t v)
{
    to[0] = (uint8_t)(v >> 24);
    to[1] = (uint8_t)(v >> 16);
    to[2] = (uint8_t)(v >> 8);
    to[3] = (uint8_t)v;
    return span_of(to, 4);
}

enum err jwe_derive(const uint8_t z[static 32], struct span alg, struct span apu, struct span apv,
                    uint32_t bits, uint8_t ret_key[static JWE_KEY])
{
    uint8_t round[4], alg_n[4], apu_n[4], apv_n[4], bits_text[4];
    const struct span parts[] = {be32(round, 1),       span_of(z, 32),
                                 be32(alg_n, alg.n),   alg,
                                 be32(apu_n, apu.n),   apu,
                                 be32(apv_n, apv.n),   apv,
                                 be32(bits_text, bits)};

    return hash_sha256_parts(parts, COUNT(parts), ret_key);
}

enum err jwe_gcm_open(struct span key, const uint8_t iv[static JWE_IV], struct span aad, uint8_t *data,
                      size_t n)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id;
    size_t got = 0;
    enum err e;

    psa_set_key_type(&a, PSA_KEY_TYPE_AES);
    psa_set_key_algorithm(&a, PSA_ALG_GCM);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_DECRYPT);
    e = crypto_psa_err(psa_import_key(&a, key.p, key.n, &id), ERR_STATE);
    if (e != OK)
        return e;
    e = crypto_psa_err(
        psa_aead_decrypt(id, PSA_ALG_GCM, iv, JWE_IV, aad.p, aad.n, data, n + JWE_TAG, data, n, &got),
        ERR_SEAL_CHANGED);
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    return e == OK && got != n ? ERR_STATE : e;
}

/* The content key of these parts for the holder of d. */
static enum err content_key(const struct parts *p, const uint8_t d[static 32], uint8_t ret[static JWE_KEY])
{
    struct span none = span_of(NULL, 0);
    uint8_t z[32];
    enum err e = jwe_agree(d, &p->epk, z);

    if (e == OK)
        e = jwe_derive(z, SPAN_LIT("A256GCM"), none, none, 256, ret);
    wipe(z, sizeof(z));
    return e;
}

enum err jwe_look(struct span jwe, char ret_kid[static JOSE_THUMBPRINT_TEXT + 1])
{
    struct parts p;
    enum err e = split(jwe, &p);

    if (e == OK)
        memcpy(ret_kid, p.kid, sizeof(p.kid));
    return e;
}

/* Ciphertext and tag, side by side behind what the buffer has already. */
static enum err join(const struct parts *p, struct buf *to, size_t *ret_n)
{
    struct buf b = {.p = to->p + to->n, .cap = to->cap - to->n};
    enum err e = to->overflow ? ERR_LIMIT : text_b64url(p->ciphertext, &b);

    *ret_n = b.n;
    return e == OK ? text_b64url(p->tag, &b) : e;
}

enum err jwe_open(struct span jwe, const struct jose_secret *key, struct buf *ret)
{
    char own[JOSE_THUMBPRINT_TEXT + 1];
    uint8_t content[JWE_KEY] = {0};
    struct parts p;
    size_t n = 0;
    enum err e = split(jwe, &p);

    if (e == OK)
        e = jose_thumbprint(&key->pub, own);
    if (e != OK)
        return e;
    if (memcmp(own, p.kid, sizeof(own)) != 0)
        return ERR_SEAL_RECIPIENT;
    e = join(&p, ret, &n);
    if (e != OK)
        return e;
    e = content_key(&p, key->d, content);
    if (e == OK)
        e = jwe_gcm_open(span_of(content, sizeof(content)), p.iv, p.header, ret->p + ret->n, n);
    wipe(content, sizeof(content));
    if (e == OK)
        ret->n += n;
    else
        wipe(ret->p + ret->n, n);
    return e;
}
