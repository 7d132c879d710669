/*
 * jose.c - JWS compact, ES256 and the bootstrap token's HS256; see jose.h.
 */
#include "firmware/crypto/jose.h"

#include "firmware/base/text.h"
#include "firmware/crypto/crypto_mbed.h"

enum { TOKEN_ID = 6, TOKEN_SECRET = 16, TOKEN_HEADER_MAX = 64 };

void jose_key_put(struct buf *ret, const struct jose_key *key)
{
    buf_str(ret, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
    text_b64url_put(ret, span_of(key->x, sizeof(key->x)));
    buf_str(ret, "\",\"y\":\"");
    text_b64url_put(ret, span_of(key->y, sizeof(key->y)));
    buf_str(ret, "\"}");
}

enum err jose_thumbprint(const struct jose_key *key, char ret[static JOSE_THUMBPRINT_TEXT + 1])
{
    uint8_t text[160], digest[HASH_SIZE];
    struct buf canonical = BUF_OF(text), out = {.p = (uint8_t *)ret, .cap = JOSE_THUMBPRINT_TEXT};
    enum err e;

    jose_key_put(&canonical, key);
    e = canonical.overflow ? ERR_LIMIT : hash_sha256(buf_span(&canonical), digest);
    if (e != OK)
        return e;
    text_b64url_put(&out, span_of(digest, sizeof(digest)));
    ret[JOSE_THUMBPRINT_TEXT] = '\0';
    return OK;
}

/* Value of a base64url digit, or -1. */
static int digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool jose_is_b64url(struct span s)
{
    static const int spare[4] = {0, 0, 15, 3};

    if (s.n == 0 || s.n % 4 == 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (digit(s.p[i]) < 0)
            return false;
    return (digit(s.p[s.n - 1]) & spare[s.n % 4]) == 0;
}

enum err jose_split(struct span jws, struct jose_compact *ret)
{
    struct span rest = jws;
    struct jose_compact c = {0};

    c.header = span_cut(&rest, '.');
    c.payload = span_cut(&rest, '.');
    c.signature = rest;
    if (!jose_is_b64url(c.header) || !jose_is_b64url(c.payload) || !jose_is_b64url(c.signature))
        return ERR_CONFIG_ENVELOPE;
    c.signing_input = span_sub(jws, 0, c.header.n + 1 + c.payload.n);
    *ret = c;
    return OK;
}

enum err jose_header_put(struct buf *ret, const struct jose_key *key, const char *typ)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    uint8_t text[192];
    struct buf header = BUF_OF(text);
    enum err e = jose_thumbprint(key, kid);

    if (e != OK)
        return e;
    buf_fmt(&header, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"%s\"}", kid, typ);
    text_b64url_put(ret, buf_span(&header));
    return header.overflow || ret->overflow ? ERR_LIMIT : OK;
}

enum err jose_es256_verify(const struct jose_key *key, struct span data, const uint8_t sig[static JOSE_SIG])
{
    uint8_t xy[64], digest[HASH_SIZE];
    psa_key_id_t id;
    enum err e;

    memcpy(xy, key->x, 32);
    memcpy(xy + 32, key->y, 32);
    e = hash_sha256(data, digest);
    if (e == OK)
        e = crypto_p256_public(xy, ERR_CONFIG_SIGNATURE, &id);
    if (e != OK)
        return e;
    e = crypto_psa_err(
        psa_verify_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, sizeof(digest), sig, JOSE_SIG),
        ERR_CONFIG_SIGNATURE);
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    return e;
}

static bool is_token_part(struct span s, size_t n)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    return s.n == n;
}

/* Appends h "." base64url(content), signs it, and leaves h ".." base64url(signature) in `expected`. */
static enum err detached(struct span header, struct span secret, struct span content, struct buf *scratch,
                         struct buf *expected)
{
    size_t start = scratch->n;
    uint8_t mac[HASH_SIZE];
    enum err e;

    text_b64url_put(expected, header);
    buf_put(scratch, buf_span(expected));
    buf_u8(scratch, '.');
    text_b64url_put(scratch, content);
    if (scratch->overflow)
        return ERR_LIMIT;
    e = hash_hmac_sha256(secret, span_of(scratch->p + start, scratch->n - start), mac);
    buf_str(expected, "..");
    text_b64url_put(expected, span_of(mac, sizeof(mac)));
    wipe(mac, sizeof(mac));
    return e == OK && expected->overflow ? ERR_LIMIT : e;
}

enum err jose_hs256_detached(struct span jws, struct span token_id, struct span secret, struct span content,
                             struct buf *scratch)
{
    uint8_t header_text[TOKEN_HEADER_MAX], text[2 * TOKEN_HEADER_MAX];
    struct buf header = BUF_OF(header_text), expected = BUF_OF(text);
    struct buf before = *scratch;
    enum err e;

    if (!is_token_part(token_id, TOKEN_ID) || !is_token_part(secret, TOKEN_SECRET))
        return ERR_INPUT;
    buf_str(&header, "{\"alg\":\"HS256\",\"kid\":\"");
    buf_put(&header, token_id);
    buf_str(&header, "\"}");
    e = detached(buf_span(&header), secret, content, scratch, &expected);
    if (e == OK && (jws.n != expected.n || !equal_ct(jws.p, expected.p, expected.n)))
        e = ERR_DISCOVER_JWS;
    wipe(text, sizeof(text));
    *scratch = before;
    return e;
}
