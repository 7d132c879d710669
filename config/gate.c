/*
 * gate.c - the few newest admissions, each a place in memory with the SHA-256 of what lay there.
 *
 * Invariant: a slot with n > 0 was filled by gate_admit for bytes that had their proof at that moment. The digest is compared again at each
 * question, so bytes that were changed or replaced afterwards are no longer admitted.
 */
#include "config/gate.h"

#include "firmware/crypto/hash.h"

enum { GATE_SLOTS = 4 };

static struct slot {
    enum gate_proof proof;
    struct span bytes;
    uint8_t digest[HASH_SIZE];
} slots[GATE_SLOTS];

static unsigned next_slot;

enum err gate_admit(enum gate_proof proof, struct span bytes)
{
    struct slot s = {.proof = proof, .bytes = bytes};
    if (proof != GATE_SIGNATURE && proof != GATE_TOKEN_JWS && proof != GATE_VERIFIED_PEER &&
        proof != GATE_SEAL && proof != GATE_OWN_FILE)
        return ERR_STATE;
    enum err e = hash_sha256(bytes, s.digest);
    if (e != OK)
        return e;
    slots[next_slot] = s;
    next_slot = (next_slot + 1) % GATE_SLOTS;
    return OK;
}

bool gate_admitted(struct span bytes)
{
    uint8_t digest[HASH_SIZE];
    for (unsigned i = 0; i < GATE_SLOTS; i++) {
        const struct slot *s = &slots[i];
        if (s->proof == 0 || s->bytes.p != bytes.p || s->bytes.n != bytes.n)
            continue;
        if (hash_sha256(bytes, digest) == OK && memcmp(digest, s->digest, sizeof(digest)) == 0)
            return true;
    }
    return false;
}

void gate_clear(void)
{
    memset(slots, 0, sizeof(slots));
    next_slot = 0;
}
