/*
 * flash_nor.h - the commands of the boot flash, a Macronix MX66U51235F: 64 MiB, 4 KiB sectors, 256-byte pages.
 *
 * Program and erase are started; while one is under way every function answers ERR_BUSY and does nothing. What was written is read back before the
 * next operation. All commands with an address are those that always take four bytes of it: the chip never enters its 4-byte mode (EN4B), so a
 * reset at any moment finds it in the 3-byte mode that the boot ROM, and loads from the window, use.
 *
 * Source: JEDEC JESD216 for the command set; opcodes and ID as in the Linux driver spi-nor and QEMU 7.2's model m25p80.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_FLASH_NOR_H
#define JOINBOOT_BOARDS_AST2600_EVB_FLASH_NOR_H

#include "firmware/base/span.h"

enum { FLASH_NOR_PAGE = 256, FLASH_NOR_SECTOR = 4096 };

enum flash_nor_work { FLASH_NOR_NONE, FLASH_NOR_PROGRAM, FLASH_NOR_ERASE };

struct flash_nor {
    enum flash_nor_work work; /* started, and not known to have ended */
    uint32_t off;
    uint32_t n;
    bool failed;                  /* what ended last is not what was asked for; told once */
    uint8_t page[FLASH_NOR_PAGE]; /* what is programmed */
};

/* ERR_STORE_IO: another chip, or none; ERR_BUSY: it still does what it was told before a reset. */
enum err flash_nor_start(struct flash_nor *f) MUST_USE;
/* ERR_BUSY. */
enum err flash_nor_read(struct flash_nor *f, uint32_t off, void *ret, uint32_t n) MUST_USE;
/* Starts to program within one page; bits can only be cleared. ERR_BUSY; ERR_STORE_IO: the chip refused, or the operation before has failed. */
enum err flash_nor_program(struct flash_nor *f, uint32_t off, const void *p, uint32_t n) MUST_USE;
/* Starts to erase one sector. Errors as above. */
enum err flash_nor_erase(struct flash_nor *f, uint32_t off) MUST_USE;
/* All that was started has ended well: OK. Errors as above. */
enum err flash_nor_sync(struct flash_nor *f) MUST_USE;

#endif
