/*
 * cpu.c - see cpu.h. Cortex-A7: ARM DDI 0406C (ARMv7-A), chapters B3 (long descriptors) and B8 (generic timer).
 */
#include "boards/ast2600-evb/cpu.h"

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"

/* A level-2 table maps a GiB in blocks of 2 MiB. */
enum { BLOCKS = 512, BLOCK_SHIFT = 21, TABLES = 4, TIMER_HZ = 1125000000 };

/* Long descriptors, DDI 0406C B3.6.1 and B3.6.2. */
#define TABLE      3u
#define BLOCK      1u
#define MEMORY(n)  ((uint32_t)(n) << 2) /* which byte of MAIR says what kind of memory it is */
#define READ_ONLY  (1u << 7)            /* no access for user mode, of which there is none */
#define ACCESSED   (1u << 10)
#define NO_EXECUTE (1ull << 54)
#define CODE       (BLOCK | MEMORY(1) | ACCESSED | READ_ONLY)
#define DATA       (BLOCK | MEMORY(1) | ACCESSED | NO_EXECUTE)
#define DMA        (BLOCK | MEMORY(2) | ACCESSED | NO_EXECUTE)
#define DEVICE     (BLOCK | MEMORY(0) | ACCESSED | NO_EXECUTE)
#define MAIR0 \
    0x0044ff04u /* B4.1.104: 0 device, 1 ordinary memory, cached, written back, 2 ordinary memory, not cached */
#define TTBCR_LONG    (1u << 31) /* EAE, B4.1.153; TTBR0 for all addresses */

#define SCTLR_MMU     (1u << 0)
#define SCTLR_DCACHE  (1u << 2)
#define SCTLR_PREDICT (1u << 11)
#define SCTLR_ICACHE  (1u << 12)
#define ACTLR_SMP     (1u << 6) /* Cortex-A7 TRM 4.3.31: to be set before the caches are */

/* Of the linker script. */
extern uint8_t cpu_code_start[], cpu_data_start[], cpu_dma_start[];

/* One after the other: the table of both GiB that have devices, which stand at different places in them; that of memory's; and the four entries of
 * level 1. */
static __attribute__((section(".bss.table"))) _Alignas(BLOCKS *
                                                       sizeof(uint64_t)) uint64_t tables[2 * BLOCKS + TABLES];

static void map(uint64_t *table, uint32_t start, uint64_t attributes)
{
    uint32_t block = start >> BLOCK_SHIFT;

    table[block % BLOCKS] = (uint64_t)block << BLOCK_SHIFT | attributes;
}

void cpu_map(void)
{
    uint64_t *devices = tables, *memory = tables + BLOCKS, *top = tables + 2 * BLOCKS;
    uint32_t control, auxiliary;

    /* Not in what start.S clears. */
    memset(tables, 0, sizeof(tables));
    map(devices, AST_APB, DEVICE);
    map(devices, AST_FMC_MEM, DEVICE);
    map(devices, AST_GIC, DEVICE);
    map(memory, (uint32_t)(uintptr_t)cpu_code_start, CODE);
    map(memory, (uint32_t)(uintptr_t)cpu_data_start, DATA);
    map(memory, (uint32_t)(uintptr_t)cpu_dma_start, DMA);
    top[AST_APB >> 30] = top[AST_GIC >> 30] = (uintptr_t)devices | TABLE;
    top[AST_DRAM >> 30] = (uintptr_t)memory | TABLE;

    __asm__ volatile("mrc p15, 0, %0, c1, c0, 1" : "=r"(auxiliary));
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 1" ::"r"(auxiliary | ACTLR_SMP));
    __asm__ volatile("mcr p15, 0, %0, c8, c7, 0\n\t"  /* TLBIALL */
                     "mcr p15, 0, %0, c7, c5, 0\n\t"  /* ICIALLU */
                     "mcr p15, 0, %0, c7, c5, 6\n\t"  /* BPIALL */
                     "mcr p15, 0, %1, c2, c0, 2\n\t"  /* TTBCR */
                     "mcrr p15, 0, %2, %0, c2\n\t"    /* TTBR0 */
                     "mcr p15, 0, %3, c10, c2, 0\n\t" /* MAIR0 */
                     "dsb\n\tisb" ::"r"(0),
                     "r"(TTBCR_LONG), "r"(top), "r"(MAIR0)
                     : "memory");
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    control |= SCTLR_MMU | SCTLR_DCACHE | SCTLR_ICACHE | SCTLR_PREDICT;
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" ::"r"(control) : "memory");
}

static void enable(unsigned irq)
{
    uint32_t target = AST_GIC + GICD_ITARGETSR + irq / 4 * 4;

    /* The first 32 belong to this processor and have no target. */
    if (irq >= 32)
        mmio_write(target, mmio_read(target) | 1u << irq % 4 * 8);
    mmio_write(AST_GIC + GICD_ISENABLER + irq / 32 * 4, 1u << irq % 32);
}

void cpu_interrupts(void)
{
    mmio_write(AST_GIC + GICD_CTLR, 1);
    mmio_write(AST_GIC + GICC_PMR, 0xff);
    mmio_write(AST_GIC + GICC_CTLR, 1);
    enable(IRQ_TIMER_SECURE);
    enable(IRQ_TIMER);
    enable(IRQ_MAC1);
    enable(IRQ_MAC2);
}

/* Ticks in a millisecond. A loader may have left the frequency register empty. */
static uint32_t ticks_per_ms(void)
{
    uint32_t hz;

    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hz)); /* CNTFRQ */
    return (hz ? hz : TIMER_HZ) / 1000;
}

static uint64_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("isb\n\tmrrc p15, 0, %0, %1, c14" : "=r"(low), "=r"(high)); /* CNTPCT */
    return (uint64_t)high << 32 | low;
}

uint64_t cpu_now_ms(void)
{
    return ticks() / ticks_per_ms();
}

void cpu_sleep(uint64_t wake_ms)
{
    uint64_t at = wake_ms * ticks_per_ms();

    __asm__ volatile("mcrr p15, 2, %0, %1, c14\n\t"      /* CNTP_CVAL */
                     "mcr p15, 0, %2, c14, c2, 1\n\t"    /* CNTP_CTL: on, not masked */
                     "isb\n\tdsb\n\twfi\n\t"             /* also a masked interrupt ends it */
                     "mcr p15, 0, %3, c14, c2, 1\n\tisb" /* off, and its interrupt with it */
                     ::"r"((uint32_t)at),
                     "r"((uint32_t)(at >> 32)), "r"(1), "r"(0)
                     : "memory");
}
