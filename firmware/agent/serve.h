/*
 * serve.h - a BMC holds its host's bundle and hands it over the link to that host, beside whatever row is running: a management network that is
 * down, or a bundle that is refused, ends nothing here.
 *
 * The bundle is where the board stores it (board.h: bundles) and is read from there in pieces; no copy of it is in memory. The log has two places,
 * and a record is written over the older one. So what is served is the newest record, and when it no longer is, it is withdrawn before the next write.
 *
 * It is given out within a window (site: serve-window) that begins at the BMC's own start, when the link comes up, which is what the host's power-on
 * or reset looks like from here, and when there is another bundle; and that ends when the host reports that it joined.
 */
#ifndef JOINBOOT_AGENT_SERVE_H
#define JOINBOOT_AGENT_SERVE_H

#include "config/nodejoin.h"
#include "firmware/base/limits.h"
#include "firmware/base/reclog.h"

struct agent;

struct serve {
    bool on;           /* the link is open */
    bool more;         /* frames came in with the last poll: there may be others */
    uint64_t retry_ms; /* when opening it is tried again */
    bool carrier;
    bool open;   /* the bundle is given out */
    bool joined; /* the host said so in this window */
    uint64_t open_ms;
    unsigned served;
    uint64_t given_ms;         /* when that was told last */
    int64_t expires_s;         /* of the bundle */
    char status[512];          /* JSON */
    unsigned refresh_failures; /* of looking for a newer bundle, one after the other */
    bool has_bundle;           /* accepted for the host, and `offered` */
    uint64_t sequence;
    char name[254]; /* NodeJoin's */
    uint8_t digest[HASH_SIZE];
    struct reclog_job storing; /* while a bundle is on its way to the storage */
    bool has_stored;           /* `stored` is the newest record, and `stored_hash` the SHA-256 of its bytes */
    struct reclog_record stored, offered;
    uint8_t stored_hash[HASH_SIZE];
};

/* The bundle that the board stored, into a->bundle_bytes. ERR_STORE_EMPTY: there is none; ERR_STORE_LOST, ERR_STORE_IO; ERR_BUSY. */
enum err serve_load(struct agent *a) MUST_USE;
/* This is what is stored, byte for byte. */
bool serve_has(const struct agent *a, struct span bundle);
/* What a->verified holds is served and is the newest record, whatever form its signature has: of (r, s) anybody can make (r, n - s). */
bool serve_offers(const struct agent *a);
/* Makes these bytes durable. ERR_BUSY: call again with the same bytes. ERR_STORE_EMPTY: the board has no place for them; ERR_STORE_FULL,
 * ERR_STORE_IO. */
enum err serve_store(struct agent *a, struct span bundle) MUST_USE;
/* From now on the stored bundle is handed over, which a->bundle.node and a->verified describe. */
void serve_take(struct agent *a);

/* Once a turn: the link, the window, the host's reports. */
void serve_turn(struct agent *a);
uint64_t serve_wake_ms(const struct agent *a);

#endif
