/*
 * journal.h - the boot journal: one structured line per event on the board's console.
 *
 *     joinboot[0.412] fetch done ms=84 attempts=1 family=ipv6 url=https://config.lab/n1.jws tls=TLSv1.3
 *
 * Monotonic seconds, phase, event, then key=value pairs; a value with a space, quote, backslash or `=` is written in double quotes with \" and
 * \\ escaped, control characters as \xNN. `make lab` builds its report from these lines and from nothing else. Secrets are never given to it.
 */
#ifndef JOINBOOT_AGENT_JOURNAL_H
#define JOINBOOT_AGENT_JOURNAL_H

#include "boards/board.h"
#include "firmware/base/fault.h"
#include "firmware/base/ip.h"
#include "firmware/base/limits.h"

enum journal_level { JOURNAL_QUIET, JOURNAL_NORMAL, JOURNAL_DEBUG };

struct syslog;

struct journal {
    const struct board *board;
    struct syslog *copy; /* gets every line, too; NULL: nobody does */
    enum journal_level level;
    uint64_t
        start_ms;    /* times are printed since this moment: power-on, or the start of an ordinary process */
    uint64_t now_ms; /* of the line that is begun */
    struct buf line;
    uint8_t bytes[LIMIT_JOURNAL_LINE];
};

void journal_init(struct journal *j, const struct board *board);

/* Starts a line; the journal_* calls that follow add pairs; journal_end writes it. A line that is too long is cut and ends in "...". */
void journal_begin(struct journal *j, uint64_t now_ms, const char *phase, const char *event);
void journal_num(struct journal *j, const char *key, uint64_t value);
void journal_text(struct journal *j, const char *key, const char *value);
void journal_span(struct journal *j, const char *key, struct span value);
void journal_ip(struct journal *j, const char *key, const struct ip *value);
void journal_prefix(struct journal *j, const char *key, const struct ip_prefix *value);
void journal_end(struct journal *j);

/* One line for an error with its peer and position, and one that explains it and says what to do next. */
void journal_fault(struct journal *j, uint64_t now_ms, const char *phase, const struct fault *f,
                   unsigned attempt, uint32_t retry_ms);
/* A plain line for the operator, such as a line of kubelet's output. */
void journal_note(struct journal *j, uint64_t now_ms, const char *phase, const char *text);

#endif
