/*
 * gate.h - remembers which bytes were proven, so that the YAML parser can refuse all others.
 *
 * In the agent the linker wraps yaml_parser_parse (--wrap): the wrapper aborts the process unless the parser's input is exactly a span that was
 * admitted here and whose SHA-256 is still the same. Admissions are made by config/verify.c (a trusted signature), by the token's JWS check
 * on cluster-info, for what was sealed within a signed payload (config/bundle.c), for answers of an API server whose chain was verified, and for
 * a kubeconfig and patches in files that a bundle names. See firmware/DESIGN.md.
 */
#ifndef JOINBOOT_CONFIG_GATE_H
#define JOINBOOT_CONFIG_GATE_H

#include "firmware/base/span.h"

/* GATE_OWN_FILE: a file of this machine's root that a signed bundle names. */
enum gate_proof { GATE_SIGNATURE = 1, GATE_TOKEN_JWS, GATE_VERIFIED_PEER, GATE_SEAL, GATE_OWN_FILE };

/* Admits exactly these bytes. The newest few admissions are kept. */
enum err gate_admit(enum gate_proof proof, struct span bytes) MUST_USE;
/* True if exactly these bytes are admitted and unchanged. */
bool gate_admitted(struct span bytes);
void gate_clear(void);

#endif
