/*
 * reclog.h - the record log: one small state that survives a power cut at any moment, on any raw storage (boards/board.h).
 *
 * Layout: one erase block with the mark, then two areas of equal size that take turns, each a multiple of erase_size; so a storage has at least
 * three erase blocks. A record is a header (magic, length, sequence, CRC-32 of header and body) and a body. A new record goes into the area that
 * does not hold the newest good one: erase its blocks, program body, program header, sync. Whatever is cut, the older record is still whole; so a reader
 * finds the old or the new state, never neither.
 *
 * The mark is programmed once, after the first record is durable, and never erased: a storage with a mark but without a good record has lost its
 * state, one without a mark was never provisioned (a cut first write included). Blank means all bytes 0xff, or all 0 as in a new file. A board may
 * keep a second mark elsewhere (is_used in board.h): then the state is lost, too, if the whole storage was erased.
 */
#ifndef JOINBOOT_BASE_RECLOG_H
#define JOINBOOT_BASE_RECLOG_H

#include "boards/board.h"

enum { RECLOG_HEADER = 32, RECLOG_PROG_MAX = 512 };

/* A record on its way to the storage. Zeroed: nothing was begun. It may be given up and zeroed at any time, with the effect of a power cut. */
struct reclog_job {
    unsigned step;
    uint32_t area; /* that it goes to */
    uint32_t at;   /* bytes of this step that were started */
    uint8_t header[RECLOG_HEADER];
};

/* Where a record lies. It is valid as long as it is the newest: what is written takes the place of the older one. */
struct reclog_record {
    uint32_t at; /* offset of the body in the storage */
    uint32_t n;  /* bytes of it */
    uint64_t seq;
};

/* The newest good record, whose every byte was read. Errors of reclog_read. */
enum err reclog_find(const struct storage *st, struct reclog_record *ret) MUST_USE;
/* n bytes of its body from `off` on, as they are now. ERR_LIMIT: not all of them are in it; ERR_STORE_IO; ERR_BUSY. */
enum err reclog_piece(const struct storage *st, const struct reclog_record *r, uint32_t off, uint8_t *ret,
                      uint32_t n) MUST_USE;

/* The newest good record's body. ERR_STORE_EMPTY: nothing was ever stored; ERR_STORE_LOST: there was something and none of it is whole;
 * ERR_STORE_IO; ERR_BUSY: the storage is at work, ask again; ERR_LIMIT: cap is too small; ERR_STATE: a geometry that cannot hold a log. ret_body
 * is scratch on failure. */
enum err reclog_read(const struct storage *st, uint8_t *ret_body, size_t cap, size_t *ret_n,
                     uint64_t *ret_seq) MUST_USE;

/* Stores a new record with the next sequence, as far as it goes without waiting. OK: it is durable. ERR_BUSY: call again later with the same
 * body. After any other answer the job is zeroed: ERR_STORE_FULL, ERR_STORE_IO, ERR_STATE as above; ERR_STORE_LOST: nothing is written over a
 * damaged log. One job at a time writes to a storage. */
enum err reclog_write(const struct storage *st, struct span body, struct reclog_job *job) MUST_USE;

/* Bytes that a body may have, 0 for a geometry that cannot hold a log. */
size_t reclog_capacity(const struct storage *st);

#endif
