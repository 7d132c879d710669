/*
 * cpu.c - see cpu.h. Cortex-A7: ARM DDI 0406C (ARMv7-A), chapters B3 (short descriptors) and B8 (generic timer).
 */
#include "boards/ast2600-evb/cpu.h"

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"

enum { SECTIONS = 4096, SECTION_SHIFT = 20, TIMER_HZ = 1125000000 };

/* First-level descriptor of a section, DDI 0406C B3.5.1. */
#define SECTION       2u
#define BUFFERABLE    (1u << 2)
#define CACHEABLE     (1u << 3)
#define NO_EXECUTE    (1u << 4)
#define PRIVILEGED    (1u << 10) /* AP: no access for user mode, of which there is none */
#define NORMAL        (1u << 12) /* TEX: ordinary memory */
#define READ_ONLY     (1u << 15)
#define CODE          (SECTION | PRIVILEGED | NORMAL | CACHEABLE | BUFFERABLE | READ_ONLY)
#define DATA          (SECTION | PRIVILEGED | NORMAL | CACHEABLE | BUFFERABLE | NO_EXECUTE)
#define DMA           (SECTION | PRIVILEGED | NORMAL | NO_EXECUTE)
#define DEVICE        (SECTION | PRIVILEGED | BUFFERABLE | NO_EXECUTE)
#define SCTLR_MMU     (1u << 0)
#define SCTLR_DCACHE  (1u << 2)
#define SCTLR_PREDICT (1u << 11)
#define SCTLR_ICACHE  (1u << 12)
#define ACTLR_SMP     (1u << 6) /* Cortex-A7 TRM 4.3.31: to be set before the caches are */

/* Of the linker script. */
extern uint8_t cpu_code_start[], cpu_data_start[], cpu_dma_start[];

static __attribute__((section(".bss.table"))) _Alignas(SECTIONS * sizeof(uint32_t)) uint32_t table[SECTIONS];

static void map(uintptr_t start, uint32_t size, uint32_t attributes)
{
    uint32_t first = (uint32_t)start >> SECTION_SHIFT;

    for (uint32_t i = first; i < first + (size >> SECTION_SHIFT); i++)
        table[i] = i << SECTION_SHIFT | attributes;
}

void cpu_map(void)
{
    const uint32_t section = 1u << SECTION_SHIFT;
    uint32_t control, auxiliary;

    /* The table is not in what start.S clears. */
    memset(table, 0, sizeof(table));
    map(AST_APB, AST_APB_SIZE, DEVICE);
    map(AST_FMC_MEM, section, DEVICE);
    map(AST_GIC & ~(section - 1), section, DEVICE);
    map((uintptr_t)cpu_code_start, section, CODE);
    map((uintptr_t)cpu_data_start, section, DATA);
    map((uintptr_t)cpu_dma_start, section, DMA);

    __asm__ volatile("mrc p15, 0, %0, c1, c0, 1" : "=r"(auxiliary));
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 1" ::"r"(auxiliary | ACTLR_SMP));
    __asm__ volatile("mcr p15, 0, %0, c8, c7, 0\n\t" /* TLBIALL */
                     "mcr p15, 0, %0, c7, c5, 0\n\t" /* ICIALLU */
                     "mcr p15, 0, %0, c7, c5, 6\n\t" /* BPIALL */
                     "mcr p15, 0, %0, c2, c0, 2\n\t" /* TTBCR: one table */
                     "mcr p15, 0, %1, c2, c0, 0\n\t" /* TTBR0 */
                     "mcr p15, 0, %2, c3, c0, 0\n\t" /* DACR: domain 0 as the sections say */
                     "dsb\n\tisb" ::"r"(0),
                     "r"(table), "r"(1)
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
