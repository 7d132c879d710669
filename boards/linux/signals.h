/*
 * signals.h - signals, latched. They are blocked except while the loop sleeps (ppoll with another mask), so they interrupt nothing.
 *
 * The only process globals of this board are here: what a handler can reach.
 */
#ifndef JOINBOOT_BOARDS_LINUX_SIGNALS_H
#define JOINBOOT_BOARDS_LINUX_SIGNALS_H

#include <signal.h>

#include "firmware/base/base.h"

struct signals_seen {
    bool child;  /* a child ended */
    bool stop;   /* SIGTERM or SIGINT; as PID 1 also SIGPWR and SIGUSR2 */
    bool reboot; /* as PID 1: SIGINT, which is Ctrl-Alt-Del */
};

void signals_init(bool pid1);
/* What came since the last call. */
void signals_take(struct signals_seen *ret);
/* The mask to sleep with. */
const sigset_t *signals_sleep_mask(void);
/* In a forked child before exec: default handlers, nothing blocked. */
void signals_reset(void);
/* The same, and without handlers of crashes, which would start the machine anew: for a child. */
void signals_default(void);

#endif
