/*
 * node.h - the side of the simulated machine (sim.h) that is in the node's process: the board that the agent sees.
 */
#ifndef JOINBOOT_BOARDS_SIM_NODE_H
#define JOINBOOT_BOARDS_SIM_NODE_H

#include "boards/sim/sim.h"

/* Runs one boot of the agent over the socket until it ends; returns the exit status of the process. */
int node_run(struct sim *s, int sock);

#endif
