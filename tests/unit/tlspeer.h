/*
 * tlspeer.h - a real TLS server (openssl s_server, a child process on a loopback port), and the pump between its socket and the engine.
 */
#ifndef JOINBOOT_TESTS_UNIT_TLSPEER_H
#define JOINBOOT_TESTS_UNIT_TLSPEER_H

#include <sys/types.h>

#include "firmware/crypto/tls.h"

struct tlspeer {
    pid_t pid;
    int sock;
};

/* Makes the certificates of certificates.sh. */
void tlspeer_set_up(void);
/* The roots in a PEM file of certificates.sh. They stay until exit. */
struct x509_roots tlspeer_roots(const char *pem);
/* A demand for a DNS name or an IP address, at the real time, which is trusted. */
struct x509_demand tlspeer_demand(const char *host);

/* Serves NAME.pem with NAME.key, and connects to it. */
struct tlspeer tlspeer_start(const char *name, const char *options);
void tlspeer_stop(const struct tlspeer *p);
/* Moves what there is, in pieces of at most `piece` bytes; waits a little if there is nothing. */
void tlspeer_pump(struct tls *t, const struct tlspeer *p, size_t piece);
/* Until the handshake is over. */
void tlspeer_handshake(struct tls *t, const struct tlspeer *p, size_t piece);

#endif
