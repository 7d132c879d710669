/*
 * cpu.h - the processor: address map and caches, time, sleep.
 *
 * Memory as the processor sees it, in blocks of 2 MiB: code and constants can be read and executed, data can be read and written, the DMA section
 * is data that is not cached, devices are ordered; only code can be executed, and only data can be written. Everything else, the 2 MiB at address 0
 * with them, is a fault; but what stands in the first GiB shows at the same place of the second, too, and the other way round.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_CPU_H
#define JOINBOOT_BOARDS_AST2600_EVB_CPU_H

#include "firmware/base/base.h"

/* Called once, by start.S, with caches and MMU off. */
void cpu_map(void);
/* The interrupt controller passes the timer's and the MACs' interrupts, so that they end a sleep. They are never taken. */
void cpu_interrupts(void);
uint64_t cpu_now_ms(void);
/* Sleeps until then, or until an interrupt is pending, whichever is first. */
void cpu_sleep(uint64_t wake_ms);

#endif
