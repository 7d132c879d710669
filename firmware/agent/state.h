/*
 * state.h - what the agent remembers over a power cut: one record in the record log (firmware/base/reclog.h).
 *
 * Byte layout, big-endian. Head, 84 bytes: u8 version, u8 flags (1: a bundle was accepted, 2: kubelet was started, 4: a wipe was begun and is
 * not known to be whole, 8: kubeadm was started and is not known to have ended well, 16: it added a member to the cluster's etcd), u8 attempts, u8 zero,
 * u64 sequence, i64 issuedAt in seconds since 1970, 32 bytes SHA-256 of what is signed in the accepted bundle, 32 bytes random seed. Version 1 ends here.
 * Later ones go on with struct state_node in the order of its fields: texts and lists with a u16 or u8 count before them, booleans and prefix lengths as
 * u8, an address as u8 family (0, 4, 6) and 16 bytes. Version 2 ends before `healthz`, version 3 has all of it. The join config itself is not stored:
 * it has a token.
 */
#ifndef JOINBOOT_AGENT_STATE_H
#define JOINBOOT_AGENT_STATE_H

#include "config/nodejoin.h"
#include "firmware/base/reclog.h"
#include "firmware/crypto/rng.h"

enum { STATE_NAME = 254, STATE_TEXT = 256 };

/* What a machine needs in order to be the same node again with nobody to ask. */
struct state_node {
    char host[STATE_NAME]; /* host name */
    char node[STATE_NAME]; /* the Node's name */
    char cri[STATE_TEXT];  /* criSocket */
    char ca[STATE_TEXT];   /* path of the cluster's CA certificates */
    unsigned families;
    struct nodejoin_network v4, v6;
    struct ip node_ips[2]; /* those that the document names; none: the agent fills in what it acquired */
    unsigned node_ip_count;
    uint16_t healthz_port;
    bool fail_swap_on;
    struct ip healthz; /* of healthz_port; family NONE: 127.0.0.1 */
    unsigned ignored;  /* preflight checks left out: set of enum join_ignore */
};

struct state {
    bool accepted;
    bool joined;  /* kubelet was started here: its files, and a Node of this machine's name, are our own */
    bool kubeadm; /* kubeadm was started for the accepted bundle and is not known to have ended well */
    bool member;  /* that kubeadm said that it had added a member to the cluster's etcd */
    unsigned attempts; /* of kubeadm for the accepted bundle, none of which ended well; at most 255 */
    bool wiping;       /* the accepted bundle asked for a reset that is not known to be whole */
    uint64_t sequence;
    int64_t issued_s;
    uint8_t digest[HASH_SIZE];
    uint8_t seed[RNG_SEED_SIZE];
    struct state_node node; /* zeroed until joined, and in a record of version 1 */
};

/* Reads it. A storage that was never written gives a zeroed state and OK; so does storage NULL. ERR_STORE_LOST, ERR_STORE_IO; ERR_BUSY: ask again. */
enum err state_load(const struct storage *st, struct state *ret) MUST_USE;
/* Makes it durable, as far as it goes without waiting; ERR_BUSY: call again later with the same state (reclog_write). OK without effect if storage
 * is NULL. ERR_STORE_IO, ERR_STORE_LOST. */
enum err state_save(const struct storage *st, const struct state *s, struct reclog_job *job) MUST_USE;

#endif
