/*
 * flash.h - the boot flash as the board uses it: two record logs, site configuration, device key, boot counter, each in its area (map.h).
 *
 * Invariant: all writing goes through one gate that knows the map. Code, site and map are never written, the key and the mark of use only where
 * they are blank, and nothing outside the record logs is erased. Nothing waits: ERR_BUSY means to ask again.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_FLASH_H
#define JOINBOOT_BOARDS_AST2600_EVB_FLASH_H

#include "boards/ast2600-evb/flash_nor.h"
#include "boards/ast2600-evb/map.h"
#include "boards/board.h"

struct flash;

/* One area as a storage. */
struct flash_log {
    struct flash *flash;
    enum map_area area;
};

struct flash {
    struct flash_nor nor;
    struct flash_log logs[2];
    struct storage state, bundle; /* for struct board */
};

/* Zeroed: nothing was begun. */
struct flash_key_job {
    enum {
        FLASH_KEY_FIND,
        FLASH_KEY_BODY,
        FLASH_KEY_HEADER,
        FLASH_KEY_SYNC,
        FLASH_KEY_DONE
    } step;       /* the next one */
    uint32_t off; /* of the slot */
};

/* ERR_STORE_IO: the chip is not this board's; ERR_BUSY: it still does what it was told before a reset. The struct must stay where it is. */
enum err flash_start(struct flash *f) MUST_USE;

/* The site configuration. ERR_STORE_EMPTY: none; ERR_STORE_LOST: damaged; ERR_LIMIT; ERR_STORE_IO; ERR_BUSY. */
enum err flash_site(struct flash *f, uint8_t *ret, size_t cap, size_t *ret_n) MUST_USE;

/* The device key's area (board.h). It lies in the first slot of 4 KiB whose header has a cleared bit: that is programmed when the 64 bytes behind it are
 * durable, so that a torn header says as much as a whole one, and a slot that a power cut left without one is passed over. Whether the 64 bytes are
 * whole they say themselves (config/enrol.h): a damaged key does not make way for another. ERR_STORE_EMPTY: no key was written; ERR_STORE_IO;
 * ERR_BUSY. */
enum err flash_key(struct flash *f, uint8_t ret[static BOARD_KEY_SIZE]) MUST_USE;

/* Writes the device key of a machine that has none, into the first blank slot. ERR_BUSY: call again with the same key. ERR_STATE: there is a key;
 * ERR_STORE_FULL: no slot is blank; ERR_STORE_IO. */
enum err flash_write_key(struct flash *f, const uint8_t key[static BOARD_KEY_SIZE],
                         struct flash_key_job *job) MUST_USE;

/* How often flash_count_boot was called in the life of this flash; it stops at FLASH_BOOTS_MAX. ERR_BUSY. */
enum { FLASH_BOOTS_MAX = 8 * 0x10000 };
enum err flash_boots(struct flash *f, uint32_t *ret) MUST_USE;
/* Starts to clear the next bit. ERR_BUSY, ERR_STORE_IO. */
enum err flash_count_boot(struct flash *f) MUST_USE;

#endif
