/*
 * duration.h - durations in the text form of Go's time package, as Kubernetes documents use it: "5m0s", "1h2m3.5s", "250ms".
 */
#ifndef JOINBOOT_CONFIG_DURATION_H
#define JOINBOOT_CONFIG_DURATION_H

#include "firmware/base/span.h"

/* Milliseconds. ERR_INPUT if Go would refuse it; ERR_LIMIT if Go would accept it, but it is negative or no whole number of milliseconds. */
enum err duration_parse(struct span text, uint64_t *ret_ms) MUST_USE;
/* As Go prints it: 4m0s, 1h0m0s, 1.5s, 250ms, 0s. */
void duration_put(struct buf *ret, uint64_t ms);

#endif
