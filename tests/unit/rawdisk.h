/*
 * rawdisk.h - an emulated raw storage (boards/board.h) for tests of the record log: it records what changes it, can fail at any call, and can be
 * as slow as flash.
 */
#ifndef JOINBOOT_TESTS_UNIT_RAWDISK_H
#define JOINBOOT_TESTS_UNIT_RAWDISK_H

#include "boards/board.h"

enum { SIZE_MAX_EMULATED = 4096, OPS_MAX = 16 };

enum op_kind { ERASE, PROG, SYNC };

struct op {
    enum op_kind kind;
    uint32_t off, n;
    uint8_t data[1024];
};

struct rawdisk {
    struct storage st;
    uint8_t bytes[SIZE_MAX_EMULATED];
    struct op ops[OPS_MAX];
    unsigned op_count;
    unsigned calls;   /* of any kind, reads included */
    unsigned fail_at; /* the call with this number (1 = first) fails; 0 never */
    unsigned slow;    /* so many calls behind a prog, erase or set_used answer ERR_BUSY */
    unsigned busy;    /* of them still to come */
    unsigned refused; /* calls that answered it */
    bool used;        /* what is_used says */
};

struct geometry {
    int line;
    uint32_t prog, erase, size;
    uint8_t blank;
};

/* All blank, of this geometry. */
void rawdisk_make(struct rawdisk *d, const struct geometry *g);
/* It has is_used and set_used from now on. */
void rawdisk_remember(struct rawdisk *d);

#endif
