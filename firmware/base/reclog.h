/*
 * reclog.h - the record log: one small state that survives a power cut at any moment, on any raw storage (boards/board.h).
 *
 * Layout: one erase block with the mark, then two areas of equal size that take turns, each a multiple of erase_size; so a storage has at least
 * three erase blocks. A record is a header (magic, length, sequence, CRC-32 of header and body) and a body. A new record goes into the area that
 * does not hold the newest good one: erase, program body, program header, sync. Whatever is cut, the older record is still whole; so a reader
 * finds the old or the new state, never neither.
 *
 * The mark is programmed once, after the first record is durable, and never erased: a storage with a mark but without a good record has lost its
 * state, one without a mark was never provisioned (a cut first write included). Blank means all bytes 0xff, or all 0 as in a new file.
 */
#ifndef JOINBOOT_BASE_RECLOG_H
#define JOINBOOT_BASE_RECLOG_H

#include "boards/board.h"

enum { RECLOG_HEADER = 32, RECLOG_PROG_MAX = 512 };

/* The newest good record's body. ERR_STORE_EMPTY: nothing was ever stored; ERR_STORE_LOST: there was something and none of it is whole;
 * ERR_STORE_IO; ERR_LIMIT: cap is too small; ERR_STATE: a geometry that cannot hold a log. ret_body is scratch on failure. */
enum err reclog_read(const struct storage *st, uint8_t *ret_body, size_t cap, size_t *ret_n,
                     uint64_t *ret_seq) MUST_USE;

/* Stores a new record with the next sequence. Durable when it returns OK. ERR_STORE_FULL, ERR_STORE_IO, ERR_STATE as above; ERR_STORE_LOST:
 * nothing is written over a damaged log. */
enum err reclog_write(const struct storage *st, struct span body) MUST_USE;

/* Bytes that a body may have, 0 for a geometry that cannot hold a log. */
size_t reclog_capacity(const struct storage *st);

#endif
