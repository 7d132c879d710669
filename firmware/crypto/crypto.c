/*
 * crypto.c - the process-wide side of mbedTLS: heap, clock and random numbers (see crypto.h and mbedtls_config.h).
 */
#include "firmware/crypto/crypto_mbed.h"

#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>

#include "firmware/crypto/heap.h"
#include "firmware/crypto/rng.h"

static bool started;
static int64_t time_s;
static unsigned users; /* of the key store */
static bool leaked;    /* it may hold keys of users that ended */

enum err crypto_start(void *heap, size_t heap_size)
{
    enum err e;

    if (started)
        return ERR_STATE;
    if (!rng_ready())
        return ERR_ENTROPY;
    e = heap_init(heap, heap_size);
    if (e != OK)
        return e;
    e = crypto_psa_err(psa_crypto_init(), ERR_STATE);
    started = e == OK;
    return e;
}

bool crypto_started(void)
{
    return started;
}

size_t crypto_heap_peak(void)
{
    return heap_peak();
}

size_t crypto_heap_used(void)
{
    return heap_used();
}

size_t crypto_heap_calls(void)
{
    return heap_calls();
}

void crypto_heap_fail_at(size_t n)
{
    heap_fail_at(n);
}

void crypto_user_begin(void)
{
    users++;
}

void crypto_user_end(bool failed)
{
    users--;
    leaked = leaked || failed;
    if (users > 0 || !leaked)
        return;
    mbedtls_psa_crypto_free();
    started =
        psa_crypto_init() == PSA_SUCCESS; /* needs no memory, only the rng, which does not become unready */
    leaked = false;
}

void crypto_set_time(int64_t unix_s)
{
    time_s = unix_s;
}

enum err crypto_psa_err(psa_status_t status, enum err other)
{
    switch (status) {
    case PSA_SUCCESS:
        return OK;
    case PSA_ERROR_INSUFFICIENT_MEMORY:
        return ERR_NOMEM;
    case PSA_ERROR_INSUFFICIENT_ENTROPY:
        return ERR_ENTROPY;
    default:
        return other;
    }
}

enum err crypto_p256_public(const uint8_t xy[static 64], enum err otherwise, psa_key_id_t *ret)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    uint8_t point[65] = {4}; /* uncompressed, SEC 1 section 2.3.3 */

    if (!started)
        return ERR_STATE;
    memcpy(point + 1, xy, 64);
    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_algorithm(&a, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_VERIFY_HASH);
    return crypto_psa_err(psa_import_key(&a, point, sizeof(point), ret), otherwise);
}

/*
 * What mbedTLS calls.
 */

void *crypto_calloc(size_t n, size_t size)
{
    size_t all;

    if (__builtin_mul_overflow(n, size, &all))
        return NULL;
    return heap_take(all);
}

void crypto_free(void *p)
{
    heap_give(p);
}

long long crypto_time(long long *ret)
{
    if (ret != NULL)
        *ret = time_s;
    return time_s;
}

/* Only the age of tickets, which are not compiled in, is measured with it. */
mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return time_s * 1000;
}

/* Calendar date of a time, by counting in years that begin in March (days of 400 years repeat). */
struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *t, struct tm *ret)
{
    long long day = *t / 86400, second = *t % 86400, era, of_era, year, of_year, month;

    if (second < 0) {
        second += 86400;
        day--;
    }
    day += 719468; /* from 0000-03-01 to 1970-01-01 */
    era = (day >= 0 ? day : day - 146096) / 146097;
    of_era = day - era * 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153; /* 0 is March */
    memset(ret, 0, sizeof(*ret));
    ret->tm_mday = (int)(of_year - (153 * month + 2) / 5 + 1);
    ret->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    ret->tm_year = (int)(year + era * 400 + (month >= 10 ? 1 : 0) - 1900);
    ret->tm_hour = (int)(second / 3600);
    ret->tm_min = (int)(second / 60 % 60);
    ret->tm_sec = (int)(second % 60);
    return ret;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *output,
                                             size_t output_size, size_t *output_length)
{
    (void)context;
    if (rng_bytes(output, output_size) != OK)
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    *output_length = output_size;
    return PSA_SUCCESS;
}
