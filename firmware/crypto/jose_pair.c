/*
 * jose_pair.c - key pairs on P-256: made, and completed from their private number; see jose.h.
 */
#include "firmware/crypto/crypto_mbed.h"
#include "firmware/crypto/jose.h"

static psa_key_attributes_t attributes(void)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;

    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_EXPORT);
    return a;
}

/* Both halves of a key in PSA's store, which is then removed from it. */
static enum err take(psa_key_id_t id, struct jose_secret *ret)
{
    struct jose_secret k = {0};
    uint8_t point[65]; /* 4, x, y: SEC 1 section 2.3.3 */
    size_t n = 0;
    enum err e = crypto_psa_err(psa_export_key(id, k.d, sizeof(k.d), &n), ERR_STATE);

    if (e == OK)
        e = crypto_psa_err(psa_export_public_key(id, point, sizeof(point), &n), ERR_STATE);
    if (psa_destroy_key(id) != PSA_SUCCESS && e == OK)
        e = ERR_STATE;
    if (e == OK && n != sizeof(point))
        e = ERR_STATE;
    if (e == OK) {
        memcpy(k.pub.x, point + 1, 32);
        memcpy(k.pub.y, point + 33, 32);
        *ret = k;
    }
    wipe(&k, sizeof(k));
    return e;
}

enum err jose_generate(struct jose_secret *ret)
{
    psa_key_attributes_t a = attributes();
    psa_key_id_t id;
    enum err e;

    if (!crypto_started())
        return ERR_STATE;
    e = crypto_psa_err(psa_generate_key(&a, &id), ERR_STATE);
    return e == OK ? take(id, ret) : e;
}

enum err jose_secret_of(const uint8_t d[static 32], struct jose_secret *ret)
{
    psa_key_attributes_t a = attributes();
    psa_key_id_t id;
    enum err e;

    if (!crypto_started())
        return ERR_STATE;
    e = crypto_psa_err(psa_import_key(&a, d, 32, &id), ERR_INPUT);
    return e == OK ? take(id, ret) : e;
}
