/*
 * mmio.c - see mmio.h. Device memory is strongly enough ordered in itself; the barrier is for descriptors, which lie in ordinary memory.
 */
#include "boards/ast2600-evb/mmio.h"

uint32_t mmio_read(uint32_t addr)
{
    return *(volatile const uint32_t *)(uintptr_t)addr;
}

void mmio_write(uint32_t addr, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)addr = value;
}

void mmio_barrier(void)
{
    __asm__ volatile("dsb" ::: "memory");
}
