/*
 * fmc_io.c - see fmc_io.h. The board maps both ranges as device memory: accesses stay in their order and width.
 */
#include "boards/ast2600-evb/fmc_io.h"

#define FMC_BASE   0x1e620000u
#define FMC_WINDOW 0x20000000u

uint32_t fmc_io_get(enum fmc_register reg)
{
    return *(volatile const uint32_t *)(uintptr_t)(FMC_BASE + (uint32_t)reg);
}

void fmc_io_put(enum fmc_register reg, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(FMC_BASE + (uint32_t)reg) = value;
}

void fmc_io_out(uint8_t byte)
{
    *(volatile uint8_t *)(uintptr_t)FMC_WINDOW = byte;
}

uint8_t fmc_io_in(void)
{
    return *(volatile const uint8_t *)(uintptr_t)FMC_WINDOW;
}

uint32_t fmc_io_in4(void)
{
    return *(volatile const uint32_t *)(uintptr_t)FMC_WINDOW;
}
