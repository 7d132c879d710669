/*
 * flashmodel.h - a model of the FMC and its flash chip in the place of boards/ast2600-evb/fmc_io.c.
 *
 * It is stricter than a chip: what a chip leaves open (a command while it is busy, a program across the page's end, the wrong number of address
 * bytes) fails the test. Time passes with the bytes on the bus, at 12.5 MHz, and between turns; program and erase take longer than the datasheets
 * of such chips allow. What it did is kept as a list, for images of a power cut at any operation.
 */
#ifndef JOINBOOT_TESTS_UNIT_FLASHMODEL_H
#define JOINBOOT_TESTS_UNIT_FLASHMODEL_H

#include "firmware/base/span.h"

enum {
    FLASHMODEL_SIZE = 0x200000, /* what the map uses but its last area */
    FLASHMODEL_OPS = 2048,
    FLASHMODEL_PROGRAM_MS = 5,
    FLASHMODEL_ERASE_MS = 400
};

struct flashmodel_op {
    bool erase;
    uint32_t off, n;
    uint8_t data[256];
};

struct flashmodel {
    uint8_t bytes[FLASHMODEL_SIZE];
    uint64_t now_ns, busy_until_ns;
    bool writable, never_ready;
    bool protected_blocks; /* the chip takes no write enable */
    bool bad_cells;        /* what is written is not what is kept */
    uint32_t conf, ctrl;
    uint8_t in[300]; /* what was sent since the chip was selected */
    size_t in_n;
    uint32_t out_n; /* bytes read since then */
    struct flashmodel_op ops[FLASHMODEL_OPS];
    unsigned op_count;
};

extern struct flashmodel flashmodel;

/* A blank chip behind a controller that was just reset. */
void flashmodel_init(void);
/* The controller is reset, as by a watchdog; the chip goes on with what it does. */
void flashmodel_reset(void);
void flashmodel_pass(uint32_t ms);

/* Ways in which an operation can be torn. */
enum { FLASHMODEL_TEARS = 8 };
/* Does operation `op` on an image, torn in way `how`: from nothing at all to nearly all of it. */
void flashmodel_tear(uint8_t *image, const struct flashmodel_op *op, unsigned how);
void flashmodel_apply(uint8_t *image, const struct flashmodel_op *op);

#endif
