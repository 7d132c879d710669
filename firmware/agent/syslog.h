/*
 * syslog.h - the boot journal to a log server: a datagram of RFC 5424 over UDP (RFC 5426) for each line, so that an operator sees why a machine
 * does not join without standing before it.
 *
 *     <27>1 2026-11-23T15:39:57Z node-2 joinboot - fetch - error code=http.status ...
 *
 * Facility 3 (daemon); severity 3 for errors, 5 for notes, 7 for starts, else 6. TIMESTAMP is "-" while nobody has told the time, HOSTNAME the
 * node's name or, before it is known, its UUID or the first MAC; MSGID is the phase. What is said while there is no network, no carrier, or nobody who
 * answers for the server's or its router's address waits in a ring; the oldest lines give way, and how many did is said in their place. A line is
 * sent once, in order; what is lost on the way is lost. Nothing comes in, and nothing waits for it.
 */
#ifndef JOINBOOT_AGENT_SYSLOG_H
#define JOINBOOT_AGENT_SYSLOG_H

#include "firmware/base/ip.h"
#include "firmware/base/limits.h"

struct agent;
struct datagrams;

struct syslog {
    const struct datagrams *via; /* NULL: no socket is open */
    int id;
    uint64_t next_ms; /* no datagram before */
    bool asked;       /* whose link-layer address is missing, more than once */
    unsigned lost;    /* lines that gave way and are not told of yet */
    size_t used;
    uint8_t ring[LIMIT_SYSLOG]; /* the oldest first: milliseconds (8 bytes), length (2), line */
};

/* Keeps one journal line, said at now_ms. */
void syslog_keep(struct syslog *s, uint64_t now_ms, struct span line);

/* Once a turn: sends at most one datagram, when the network is up. */
void syslog_turn(struct agent *a);
/* When syslog_turn has something to do; UINT64_MAX: nothing. */
uint64_t syslog_wake_ms(const struct agent *a);

/* The message for a journal line (journal.h). time_s is 0 if nobody knows it. */
void syslog_put(struct span line, int64_t time_s, struct span hostname, struct buf *ret);

#endif
