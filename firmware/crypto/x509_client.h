/*
 * x509_client.h - is a stored client certificate still this node's, and its cluster's? (RFC 5280; Kubernetes: the common name is
 * system:node:NAME, extendedKeyUsage clientAuth.)
 */
#ifndef JOINBOOT_CRYPTO_X509_CLIENT_H
#define JOINBOOT_CRYPTO_X509_CLIENT_H

#include "firmware/crypto/x509.h"

/* Bytes of `scratch` that certificate and CA certificates need at most. */
enum { X509_CLIENT_SCRATCH = 24 * 1024 };

/* Checks the first certificate of `pem` against the CA certificates of `ca_pem`: path, time, usage, common name. What it says of time follows
 * x509_demand: at TIME_FLOOR only expiry before now_s is told. ERR_RESUME_EXPIRED; ERR_RESUME_CERT for everything else, with the reason in f;
 * ERR_NOMEM; ERR_STATE without crypto_start(). */
enum err x509_client_check(struct span pem, struct span ca_pem, const char *common_name, int64_t now_s,
                           enum time_quality quality, struct buf *scratch, struct fault *f) MUST_USE;

#endif
