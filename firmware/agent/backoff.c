/*
 * backoff.c - see backoff.h.
 */
#include "firmware/agent/backoff.h"

uint32_t backoff_ms(unsigned failures, uint32_t random)
{
    uint32_t full = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < failures && full < BACKOFF_CAP_MS; i++)
        full *= 2;
    if (full > BACKOFF_CAP_MS)
        full = BACKOFF_CAP_MS;
    return full / 2 + random % (full / 2 + 1);
}
