/*
 * report.h - what becomes of this machine, as small JSON documents that are sent by POST to the site's `report-url` (config/SPEC.md, "Reports").
 *
 * Two events: a row failed (each error once in five minutes), and the machine is ready to hand over to kubelet. A report is sent when nobody else
 * needs the client and its memory: between two attempts of a row, from commit to handoff, and while a BMC serves and fetches nothing. Whoever comes
 * meanwhile breaks it off, and it is sent anew later; nothing waits for it, and its own failure is a note. Of the answer only the status counts.
 */
#ifndef JOINBOOT_AGENT_REPORT_H
#define JOINBOOT_AGENT_REPORT_H

#include "firmware/base/err.h"
#include "firmware/base/span.h"

enum { REPORT_MAX = 512 };

struct agent;

struct report {
    bool pending; /* `text` waits or is under way */
    bool busy;    /* it is under way in a->https */
    bool noted;   /* that one could not be sent was said */
    uint64_t next_ms, since_ms;
    enum err code;                   /* that `text` tells */
    struct buf content, answer;      /* answer holds nothing */
    uint8_t told[ERR_COUNT / 8 + 1]; /* errors that were heard since since_ms */
    uint8_t text[REPORT_MAX];
};

/* A row failed: a->failed, a->failed_row. */
void report_failed(struct agent *a);
/* A row starts: what it needs is given up; the first attempt of handoff makes a report. */
void report_row(struct agent *a);
/* Before the network goes. */
void report_stop(struct agent *a);
/* Once a turn, behind the rows. */
void report_turn(struct agent *a);
/* When report_turn has something to do; UINT64_MAX: only after net_poll. */
uint64_t report_wake_ms(const struct agent *a);

#endif
