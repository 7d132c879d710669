/*
 * joined.h - `joinboot --joined PORT [ADDRESS]`: what is left to do after the machine was handed over to an installed system (firmware/agent/target.h).
 *
 * Waits until kubelet has its own certificate and /healthz there (127.0.0.1) answers 200, unless PORT is 0; then the file with the token is overwritten and
 * removed. Lines go to stdout and to the console in the journal's form. It goes on for ever, naming what is missing: nobody is there to press a key.
 */
#ifndef JOINBOOT_BOARDS_LINUX_JOINED_H
#define JOINBOOT_BOARDS_LINUX_JOINED_H

#include "firmware/base/base.h"

/* True if the command line asks for it. */
bool joined_is(int argc, char *const *argv);

/* Returns the exit status: 0 joined, 1 the token could not be removed, 2 usage. */
int joined_run(int argc, char *const *argv);

#endif
