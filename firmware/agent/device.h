/*
 * device.h - the device key: made once on this machine, or found in its image; what is sealed to it, this machine alone can read.
 *
 * The secret half is in memory only while it is made or used. A key that is there is never replaced, also not a damaged one: the operator has
 * enrolled it, and bundles are sealed to it.
 */
#ifndef JOINBOOT_AGENT_DEVICE_H
#define JOINBOOT_AGENT_DEVICE_H

#include "config/enrol.h"

struct device {
    bool has_key;
    struct jose_key key;
    enum err why; /* without a key: ERR_DEVICE_NONE, ERR_DEVICE_KEY, ERR_STORE_IO, ... */
};

/* Finds the key or makes one; the random source is ready and crypto started. *ret is filled also where there is none. ERR_DEVICE_NONE if the board has
 * no place for it, ERR_DEVICE_KEY if it is damaged, ERR_STORE_IO, ERR_NOMEM. */
enum err device_start(const struct board *board, struct device *ret) MUST_USE;

/* The pair, for as short as possible: the caller wipes it. Errors as device_start(). */
enum err device_secret(const struct board *board, struct jose_secret *ret) MUST_USE;

/* One line of JSON (enrol.h) and a line end. Nothing without a key. */
enum err device_enrolment(const struct device *d, const struct machine *m, struct buf *ret) MUST_USE;

#endif
