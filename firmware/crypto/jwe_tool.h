/*
 * jwe_tool.h - the sealer's half of jwe.h: linked into joinctl and tests, never into the agent.
 */
#ifndef JOINBOOT_CRYPTO_JWE_TOOL_H
#define JOINBOOT_CRYPTO_JWE_TOOL_H

#include "firmware/crypto/jwe.h"

/* Appends a JWE that only `to` opens, with an ephemeral key and an iv that are used once. The plaintext is encrypted where it lies, for which its
 * buffer needs JWE_TAG bytes of room, and is gone afterwards. ERR_INPUT if it is empty, ERR_SEAL_POINT if `to` is not on the curve, ERR_LIMIT if
 * a buffer is too small (ret may then hold a part), ERR_NOMEM, ERR_ENTROPY, ERR_STATE before crypto_start(). */
enum err jwe_seal(const struct jose_key *to, struct buf *plaintext, struct buf *ret) MUST_USE;

#endif
