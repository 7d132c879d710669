/*
 * enrol.h - what a machine's device key is to others (SPEC.md): the enrolment record, and the area in which the key lies.
 *
 * The area has BOARD_KEY_SIZE bytes: the private number (32, big-endian), then the SHA-256 of the text "joinboot device key" and that number, by which
 * damage is known.
 */
#ifndef JOINBOOT_CONFIG_ENROL_H
#define JOINBOOT_CONFIG_ENROL_H

#include "config/nodejoin.h"

enum { ENROL_RECORD_MAX = 1024 };

/* Appends one line of JSON without its end: who this machine is, and the public half of its key. ERR_LIMIT if ret is too small. */
enum err enrol_put(struct buf *ret, const struct jose_key *key, const struct machine *m) MUST_USE;

enum err enrol_area_put(const uint8_t d[static 32], uint8_t ret[static BOARD_KEY_SIZE]) MUST_USE;
/* The caller wipes *ret. ERR_DEVICE_KEY if the area is damaged; ERR_NOMEM, ERR_STATE before crypto_start(). */
enum err enrol_area_read(const uint8_t area[static BOARD_KEY_SIZE], struct jose_secret *ret) MUST_USE;

#endif
