/*
 * discover_race.h - the two races of discover.h; private to discover*.c.
 */
#ifndef JOINBOOT_KUBE_DISCOVER_RACE_H
#define JOINBOOT_KUBE_DISCOVER_RACE_H

#include "firmware/kube/discover.h"

/* Starts to resolve d->target and to race its addresses; d->second says how an attempt is verified. ERR_DNS, ERR_NOMEM. */
enum err discover_race_start(struct discover *d, uint64_t now_ms) MUST_USE;
/* RACE_WON: d->race.winner is the lane. RACE_LOST: d->fault. */
enum race_step discover_race_turn(struct discover *d, uint64_t now_ms);
void discover_race_stop(struct discover *d);
uint64_t discover_race_wake_ms(const struct discover *d);

#endif
