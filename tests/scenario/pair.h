/*
 * pair.h - two simulated machines: the BMC (`machine` of scenario.h) and its host, one wire apart. NIC 0 of each leads to the scripted link, where
 * the config server is for the BMC only and the cluster for the host only; NIC 1 is the wire.
 */
#ifndef JOINBOOT_TESTS_SCENARIO_PAIR_H
#define JOINBOOT_TESTS_SCENARIO_PAIR_H

#include "tests/scenario/scenario.h"

#define PAIR_HOST_MAC "02:00:00:00:0c:01" /* of the host's NIC 1; bundles are bound to it */

extern struct sim pair_host;
/* Sees every frame of the BMC; NULL: nobody looks. Set anew by pair_setup. */
extern void (*pair_look)(unsigned nic, struct span frame);

/* Sees every frame on the wire between the two before it arrives, and may change it; false: it is lost. NULL: all arrive. Set anew by pair_setup. */
extern bool (*pair_wire)(struct buf *frame);

int pair_setup(void **unused);
int pair_teardown(void **unused);
/* The sites of both, with these lines, and the servers behind them. */
void pair_sites(const char *bmc, const char *host);
void pair_boot_host(void);
/* Drives both for so long. Fails the test if a promise of scenario.h is broken. */
void pair_run(uint64_t ms);
/* `text` must come on this machine's console within so many milliseconds. */
void pair_expect(struct sim *s, const char *text, uint64_t ms);
/* How often a text stands on a console. */
unsigned pair_count(const struct sim *s, const char *text);

#define PAIR(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)

#endif
