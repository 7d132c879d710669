/*
 * soc.h - the small parts of the chip: noise source and watchdog.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_SOC_H
#define JOINBOOT_BOARDS_AST2600_EVB_SOC_H

#include "firmware/base/base.h"

enum { SOC_WATCHDOG_S = 8 };

/* Switches the hardware generator on. */
void soc_noise_start(void);
/* n bytes of its output as they come, and the entropy to claim for them: a quarter bit per byte, so that 256 bits stand for 1 KiB of raw output.
 * Nothing is known of how good the generator is on silicon, and the emulator's is the host's. rng.c tests and hashes it. */
size_t soc_noise(uint8_t *ret, size_t n, uint32_t *ret_bits);

/* Starts the watchdog: without soc_watchdog_feed() for SOC_WATCHDOG_S it resets the chip. */
void soc_watchdog_start(void);
void soc_watchdog_feed(void);
/* Resets the chip by the watchdog, within a millisecond. */
void soc_reset(void);

#endif
