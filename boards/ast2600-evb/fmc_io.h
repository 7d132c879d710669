/*
 * fmc_io.h - the registers of the firmware SPI memory controller (FMC), and the one way to them. On the machine (fmc_io.c) an access is a load or
 * store; a test on the host brings a model of controller and chip in its place.
 *
 * Source of names and bits: the Linux driver spi-aspeed-smc and QEMU 7.2's device model aspeed_smc, for chip select 0.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_FMC_IO_H
#define JOINBOOT_BOARDS_AST2600_EVB_FMC_IO_H

#include "firmware/base/base.h"

enum fmc_register {
    FMC_CONF = 0x00, /* type of each chip, and whether it may be written to */
    FMC_CTRL0 = 0x10 /* how the window of chip select 0 works */
};

#define FMC_CONF_TYPE0_MASK 3u
#define FMC_CONF_TYPE0_SPI  2u
#define FMC_CONF_WRITE0     (1u << 16)

#define FMC_CTRL_MODE_MASK  3u
#define FMC_CTRL_READ       0u /* a load from the window is a READ command with three address bytes */
#define FMC_CTRL_USER       3u /* what is stored to the window goes out on the bus, and a load clocks bytes in */
#define FMC_CTRL_STOP       (1u << 2) /* user mode: the chip is not selected */

uint32_t fmc_io_get(enum fmc_register reg);
void fmc_io_put(enum fmc_register reg, uint32_t value);
/* In user mode: one byte out; one byte in; four bytes in, the first one lowest. */
void fmc_io_out(uint8_t byte);
uint8_t fmc_io_in(void);
uint32_t fmc_io_in4(void);

#endif
