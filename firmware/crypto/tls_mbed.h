/*
 * tls_mbed.h - what tls.c and tls_data.c share: the part of struct tls that belongs to mbedTLS.
 */
#ifndef JOINBOOT_CRYPTO_TLS_MBED_H
#define JOINBOOT_CRYPTO_TLS_MBED_H

#include <mbedtls/ssl.h>

#include "firmware/crypto/tls.h"

struct tls_priv {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    size_t first_failures; /* heap_failures() at tls_start() */
    size_t
        failures; /* heap_failures() before the last call of mbedTLS, which reports some of them as other errors */
};

static inline struct tls_priv *tls_priv(struct tls *t)
{
    return (struct tls_priv *)(void *)t->priv;
}

/* To FAILED, with the reason for mbedTLS' error `bad`. The error. */
enum err tls_fail(struct tls *t, int bad);

/* mbedTLS' callbacks. */
int tls_bio_send(void *ctx, const unsigned char *p, size_t n);
int tls_bio_recv(void *ctx, unsigned char *p, size_t n);

#endif
