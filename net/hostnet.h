/*
 * hostnet.h - a BMC's link to its host on lwIP: a second interface beside that of net.h, with fixed addresses and a small HTTP server on it
 * (SPEC.md, "The link between a BMC and its host"). What may come in is hostlink.h's to say. No lwIP type is visible here.
 *
 * The two links share lwIP and nothing else: sockets are bound to their interface, the default route is never this one's, frames of the host lie in
 * buffers of their own, and its connections are the first that are given up when memory runs short. One caller, one thread.
 */
#ifndef JOINBOOT_NET_HOSTNET_H
#define JOINBOOT_NET_HOSTNET_H

#include "boards/board.h"
#include "firmware/crypto/hash.h"
#include "firmware/base/ip.h"

enum {
    HOSTNET_CONNS = 2,
    HOSTNET_FRAMES = 4,     /* of the host that are held at once */
    HOSTNET_PER_TURN = 16,  /* frames */
    HOSTNET_PIECE = 1024,   /* bytes of an answer that are read at once; a connection holds two pieces */
    HOSTNET_CONN_MS = 10000 /* a connection takes no longer, whatever the host does */
};

/* What the server says. The bytes are the caller's and stay as they are until the next hostnet_serve. */
struct hostnet_content {
    size_t bundle_n; /* bytes of the bundle; 0: there is none */
    /* n bytes of it from `off` on, all of them. ERR_BUSY: not now, ask again; any other error ends the connection. */
    enum err (*read)(void *ctx, size_t off, uint8_t *ret, size_t n);
    void *ctx;
    bool closed; /* it is not given out now */
    uint8_t digest[HASH_SIZE];
    struct span status; /* JSON, at most HOSTNET_PIECE bytes */
};

struct hostnet_status {
    bool carrier;
    unsigned served; /* bundles that were given out whole */
    uint64_t frames_in, frames_dropped;
};

/* Opens the card. ERR_LINK_NONE, ERR_NOMEM, or the board's error. */
enum err hostnet_start(const struct board *board, unsigned nic, uint64_t now_ms) MUST_USE;
/* Moves frames and timers; at most a bounded number. True if frames came in. Nothing before hostnet_start. */
bool hostnet_poll(uint64_t now_ms);
uint64_t hostnet_wake_ms(uint64_t now_ms);
/* From now on this is served; connections that still send something else are ended. */
void hostnet_serve(const struct hostnet_content *content);
/* True once after the host has reported that it joined with the bundle that is served. */
bool hostnet_take_joined(void);
void hostnet_status(struct hostnet_status *ret);
/* True if a frame that came in over the other link, and that guard_frame() let pass, is for an address of this one. */
bool hostnet_is_meant(struct span frame);

#endif
