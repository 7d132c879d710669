/*
 * clock.h - monotonic time, the wall clock, and noise.
 */
#ifndef JOINBOOT_BOARDS_LINUX_CLOCK_H
#define JOINBOOT_BOARDS_LINUX_CLOCK_H

#include "firmware/base/fault.h"

/* Milliseconds since the kernel started. */
uint64_t clock_now_ms(void);

/* Seconds since 1970: the system's clock, or as PID 1 the hardware clock (/dev/rtc0, taken as UTC) if nobody has set the system's. False if
 * neither was ever set. */
bool clock_wall(bool pid1, int64_t *ret_unix_s);

/* Sets the system's clock, and the hardware clock if there is one. ERR_HANDOFF. */
enum err clock_set(int64_t unix_s, struct fault *f) MUST_USE;

/* Noise from the kernel's generator: 8 bits per byte, or jitter that is worth nothing while that one is not ready. Returns how many bytes. */
size_t clock_noise(uint8_t *ret, size_t n, uint32_t *ret_bits);

/* Without a hardware source the kernel collects entropy by itself (from its timer's jitter, about a second) only while somebody waits for it: a child
 * does. It ends when the generator is ready, and is reaped as any other. False: no child could be started. */
bool clock_ask_for_noise(void);

#endif
