/*
 * bridge.h - TCP between the simulated link and real servers on 127.0.0.1: ends the node's connections in the scheduler and relays their bytes.
 *
 * The link loses nothing and has no delay, so nothing is ever sent twice. Real time passes only here: while a server owes an answer, simulated
 * time stands still.
 */
#ifndef JOINBOOT_TESTS_SCENARIO_BRIDGE_H
#define JOINBOOT_TESTS_SCENARIO_BRIDGE_H

#include "boards/sim/sim.h"

enum { BRIDGE_CONNS_MAX = 16, BRIDGE_PORTS_MAX = 4 };

/* Forgets all connections and ports. `send` takes a frame towards the node; the frames come from `mac`. */
void bridge_reset(void (*send)(struct span frame), const uint8_t *mac);
/* Forgets the connections: the node that had them is without power. */
void bridge_drop(void);
/* Connections of the node to `port`, whatever the address, end at 127.0.0.1:`real`. Others are not answered; real 0: they are refused. */
void bridge_port(uint16_t port, uint16_t real);
/* A frame of the node; others than TCP are ignored. */
void bridge_frame(struct span frame);
/* Moves bytes from the servers to the node. True if there were any: simulated time shall stand still. */
bool bridge_pump(void *unused);
/* Connections that were opened since bridge_reset. */
unsigned bridge_opened(void);

#endif
