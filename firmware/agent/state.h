/*
 * state.h - what the agent remembers over a power cut: one record of fixed form in the record log (firmware/base/reclog.h).
 *
 * Byte layout, big-endian: u8 version (1), u8 flags (1: a bundle was accepted, 2: kubelet was started), u16 zero, u64 sequence, i64 issuedAt
 * in seconds since 1970, 32 bytes SHA-256 of what is signed in the accepted bundle, 32 bytes random seed. 84 bytes. The join config itself is
 * not stored: it has a token.
 */
#ifndef JOINBOOT_AGENT_STATE_H
#define JOINBOOT_AGENT_STATE_H

#include "boards/board.h"
#include "firmware/crypto/hash.h"
#include "firmware/crypto/rng.h"

struct state {
    bool accepted;
    bool joined; /* kubelet was started here: its files, and a Node of this machine's name, are our own */
    uint64_t sequence;
    int64_t issued_s;
    uint8_t digest[HASH_SIZE];
    uint8_t seed[RNG_SEED_SIZE];
};

/* Reads it. A storage that was never written gives a zeroed state and OK; so does storage NULL. ERR_STORE_LOST, ERR_STORE_IO. */
enum err state_load(const struct storage *st, struct state *ret) MUST_USE;
/* Makes it durable. OK without effect if storage is NULL. ERR_STORE_IO. */
enum err state_save(const struct storage *st, const struct state *s) MUST_USE;

#endif
