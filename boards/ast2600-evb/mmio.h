/*
 * mmio.h - the one way to a device register. On the machine (mmio.c) an access is a load or store; a test on the host brings a model of the
 * device in its place, so that what the drivers do to the registers is what is tested.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_MMIO_H
#define JOINBOOT_BOARDS_AST2600_EVB_MMIO_H

#include "firmware/base/base.h"

uint32_t mmio_read(uint32_t addr);
void mmio_write(uint32_t addr, uint32_t value);
/* What was written to memory before is visible to devices before what is written to memory or registers after. */
void mmio_barrier(void);

#endif
