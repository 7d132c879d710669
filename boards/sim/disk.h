/*
 * disk.h - the raw storage of a simulated machine, kept by the scheduler, with a power cut at any operation.
 *
 * The record log lies first, then the bundle of a BMC, then the device key. What was programmed or erased since the last sync may be lost or kept. A cut
 * during an operation keeps a prefix of it. It can be as slow as flash: then an operation is begun at once, and every later one is refused until it is
 * done.
 */
#ifndef JOINBOOT_BOARDS_SIM_DISK_H
#define JOINBOOT_BOARDS_SIM_DISK_H

#include "firmware/base/span.h"

enum {
    DISK_BLOCK = 4096,
    DISK_STATE = 3 * DISK_BLOCK,    /* the record log */
    DISK_BUNDLES = 19 * DISK_BLOCK, /* behind it: the bundle that a BMC keeps */
    DISK_KEY = DISK_BLOCK,          /* behind that: the device key */
    DISK_KEY_AT = DISK_STATE + DISK_BUNDLES,
    DISK_SIZE = DISK_STATE + DISK_BUNDLES + DISK_KEY,
    DISK_LOG_MAX = 1024
};

enum disk_op { DISK_READ, DISK_PROG, DISK_ERASE, DISK_SYNC };

enum disk_part { DISK_NOTHING, DISK_HALF, DISK_ALL, DISK_PARTS };

struct disk {
    uint8_t now[DISK_SIZE];     /* what a read gives */
    uint8_t durable[DISK_SIZE]; /* at the last sync */
    unsigned ops;               /* operations since disk_power_on */
    uint8_t log[DISK_LOG_MAX];  /* their kinds, enum disk_op */
    unsigned cut_at;            /* the power is cut during this operation, counted from 1; 0: never */
    enum disk_part cut_part;    /* how much of it is done */
    bool cut_unsynced;          /* nothing that was not synced is kept but this part */
    bool io_error;              /* every operation fails */
    bool state_error;           /* what would change the record log fails */
    uint32_t prog_ms, erase_ms; /* how long these take; 0: they are done at once */
    uint64_t now_ms;            /* set by the scheduler */
    uint64_t busy_until_ms;
};

/* All bytes 0xff. */
void disk_init(struct disk *d);
void disk_power_on(struct disk *d);
/* What is left without power. */
void disk_power_off(struct disk *d);
/* One operation on n bytes at off; `data` is read from for DISK_PROG, written to for DISK_READ. False: the power was cut, and the image is what is
 * left of it. *ret_e: OK, ERR_STORE_IO, ERR_BUSY. */
bool disk_do(struct disk *d, enum disk_op op, uint32_t off, uint8_t *data, uint32_t n,
             enum err *ret_e) MUST_USE;

#endif
