/*
 * ksock.h - the kernel's sockets as transports of net/: byte streams and datagrams of an ordinary process, none of which blocks.
 *
 * A socket wakes the loop when it may go on: to be connected, to write after a short write, to be read after it was read dry. Nobody is woken
 * again for what was told once and not read, so a peer that hangs up on an idle connection does not make the loop spin.
 */
#ifndef JOINBOOT_BOARDS_LINUX_KSOCK_H
#define JOINBOOT_BOARDS_LINUX_KSOCK_H

#include <poll.h>

#include "net/kernel.h"

enum { KSOCK_MAX = 16 };

extern const struct transport ksock_streams;
extern const struct datagrams ksock_datagrams;

/* The kernel's index of the link that link-local servers are on. */
void ksock_link(unsigned index);

/* Adds what is to be waited for; how many entries. */
unsigned ksock_poll(struct pollfd ret[static KSOCK_MAX]);
/* Takes poll(2)'s answer for these entries. */
void ksock_woken(const struct pollfd *list, unsigned n);

/* A socket was read since the last call, and not dry. */
bool ksock_progress(void);

#endif
