/*
 * flash_gate.h - the gate of flash.h, for the files of the flash driver only.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_FLASH_GATE_H
#define JOINBOOT_BOARDS_AST2600_EVB_FLASH_GATE_H

#include "boards/ast2600-evb/flash.h"

/* Starts to program within one page if the map permits it. ERR_STATE: it does not; ERR_BUSY, ERR_STORE_IO. */
enum err flash_gate_program(struct flash *f, uint32_t off, const void *p, uint32_t n) MUST_USE;

#endif
