/*
 * backoff.h - how long to wait before the next attempt: capped exponential with jitter, for ever.
 *
 * The n-th failure waits between half and all of min(BACKOFF_FIRST_MS * 2^(n-1), BACKOFF_CAP_MS), so that a rack that was switched on at once
 * does not come back at once.
 */
#ifndef JOINBOOT_AGENT_BACKOFF_H
#define JOINBOOT_AGENT_BACKOFF_H

#include "firmware/base/base.h"

enum { BACKOFF_FIRST_MS = 500, BACKOFF_CAP_MS = 30000 };

/* Milliseconds to wait after `failures` failures in a row (1 = the first); `random` is any random number. */
uint32_t backoff_ms(unsigned failures, uint32_t random);

#endif
