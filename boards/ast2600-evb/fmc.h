/*
 * fmc.h - one SPI transaction with the boot flash.
 *
 * Outside of a transaction the controller is in read mode, as after reset: the boot ROM of the next start, a watchdog's reset included, finds the
 * flash as it expects it.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_FMC_H
#define JOINBOOT_BOARDS_AST2600_EVB_FMC_H

#include "firmware/base/span.h"

/* Chip select 0 is SPI flash that may be written to. */
void fmc_start(void);

/* Selects the chip, sends `command` and then `out`, reads n bytes, and deselects it. */
void fmc_transfer(struct span command, struct span out, uint8_t *ret, size_t n);

#endif
