/*
 * x509_mbed.h - what the files that let mbedTLS verify certificates share. Included by firmware/crypto/x509*.c only.
 */
#ifndef JOINBOOT_CRYPTO_X509_MBED_H
#define JOINBOOT_CRYPTO_X509_MBED_H

#include <mbedtls/x509_crt.h>

/* Algorithms and keys that are accepted (x509.h). */
extern const mbedtls_x509_crt_profile x509_profile;

#endif
