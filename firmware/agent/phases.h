/*
 * phases.h - the rows of the product. The order is data (phases.c, and phases_bmc.c for a BMC); the loop (loop.c) drives them.
 */
#ifndef JOINBOOT_AGENT_PHASES_H
#define JOINBOOT_AGENT_PHASES_H

#include "firmware/agent/agent.h"

enum step { STEP_WAIT, STEP_DONE, STEP_ERROR };

struct phase {
    const char *name;
    enum err (*start)(struct agent *a); /* may be NULL; an error is a failed attempt */
    enum step (*step)(struct agent *a); /* WAIT: a->at.wake_ms says when at the latest; ERROR: a->fault */
    void (*stop)(struct agent *a);      /* may be NULL; always runs when an attempt ends; idempotent */
    void (*report)(struct agent *a);    /* may be NULL; adds pairs to the `done` line */
    uint32_t
        glance_ms; /* not 0: while the machine resumes, one attempt of at most so long, whose failure leads on to network */
    uint32_t deadline_ms;   /* of one attempt; 0: none, for rows that wait for ever by design */
    enum err late;          /* the error when the deadline passes */
    enum phase_id on_error; /* the row to go back to */
    enum phase_id next;     /* the row that comes after it; 0: the following one */
    bool needs_host;        /* is left out on a board without an operating system */
    unsigned roles;         /* set of 1 << enum bundle_role; 0: all */
    bool joins;             /* is left out while the machine resumes: it is a node already */
};

/* What a machine does: its rows, and what runs beside them. The board gives it to agent_run, so that a board without an operating system links no
 * row that it cannot use. */
struct phase_table {
    const struct phase *rows; /* PHASE_COUNT of them; one without a name is not in this table */
    enum phase_id (*after)(const struct agent *a, enum phase_id row, enum err e); /* the row to go back to */
    bool (*leaves_out)(const struct agent *a, enum phase_id row);                 /* may be NULL */
    uint32_t (*glance_ms)(const struct agent *a, enum phase_id row); /* may be NULL; as in struct phase */
    void (*release)(
        struct agent *a);          /* link starts anew: what later rows hold of the network is given back */
    void (*drop)(struct agent *a); /* ends what lies in the arena and is not only bytes: connections */
    void (*turn)(struct agent *a); /* once a turn */
    uint64_t (*wake_ms)(const struct agent *a); /* when it wants its next turn at the latest */
};

extern const struct phase phases[PHASE_COUNT]; /* a node's */
extern const struct phase_table phases_node;   /* uses host.h; on a board without it only as far as commit */
extern const struct phase_table phases_bmc;    /* needs nothing of host.h */

/* phases_node's row to go back to. A lost carrier, and a lost or duplicate address, lead to link from wherever they are met, since the network starts
 * anew there; a dead token leads to fetch, after the hand-over by way of link. */
enum phase_id phases_after(enum phase_id row, enum err e);

/* Of the families that the address row acquired: those of which no address is left. Text of a set of families. */
unsigned phases_families_lost(const struct agent *a);
const char *phases_families_text(unsigned families);
/* This machine has the address, and may use it. */
bool phases_has_address(const struct agent *a, const struct ip *ip);

/* A newer bundle ended the resumption, and a row on its way to commit failed: a->fault. True after the last of its tries: nothing of the node was touched
 * yet, so the machine is that node again, and takes no newer bundle until the next boot. */
bool phases_turn_back(struct agent *a);

/* Helper of steps: waits until `ms` from now. */
enum step phases_wait(struct agent *a, uint32_t ms);
enum { PHASES_STORE_MS = 1 }; /* between two looks at a storage that works */

/* Empties the arena. All that lives in it is ended first, so nobody else resets it: the connections of a fetch and of discovery take turns in it with
 * what was fetched. */
void phases_forget(struct agent *a);
/* The connections of a->https, idle and in the arena until that is emptied; a->https is stopped. NULL: there is no room. */
struct conn *phases_conns(struct agent *a);

/* Makes a->next durable, and a->state equal to it. ERR_BUSY: not yet; a->saving stays true, and the step waits and calls again. Otherwise OK, or
 * an error that stands in a->fault. What an attempt began and did not end is given up with it. */
enum err phases_save(struct agent *a) MUST_USE;

enum step identify_step(struct agent *a);
void identify_report(struct agent *a);
enum step root_step(struct agent *a);
void root_report(struct agent *a);
/* Formats a state partition that holds something else: WAIT, DONE with an empty record, or ERROR. */
enum step root_format(struct agent *a);
enum step resume_step(struct agent *a);
void resume_report(struct agent *a);

enum err link_start(struct agent *a);
enum step link_step(struct agent *a);
void link_report(struct agent *a);
void node_release(struct agent *a);
void node_drop(struct agent *a);
enum err address_start(struct agent *a);
enum step address_step(struct agent *a);
void address_report(struct agent *a);
enum step clock_step(struct agent *a);
void clock_report(struct agent *a);
enum step locate_step(struct agent *a);
void locate_report(struct agent *a);
enum err network_start(struct agent *a);
enum step network_step(struct agent *a);

enum err fetch_start(struct agent *a);
enum step fetch_step(struct agent *a);
void fetch_stop(struct agent *a);
void fetch_report(struct agent *a);
enum step verify_step(struct agent *a);
void verify_report(struct agent *a);
enum step parse_step(struct agent *a);
void parse_report(struct agent *a);
enum step accept_step(struct agent *a);
void accept_report(struct agent *a);
enum step commit_step(struct agent *a);
void commit_report(struct agent *a);

enum err discover_phase_start(struct agent *a);
enum step discover_phase_step(struct agent *a);
void discover_phase_stop(struct agent *a);
void discover_phase_report(struct agent *a);
enum step configure_step(struct agent *a);
void configure_stop(struct agent *a);
void configure_report(struct agent *a);

enum step preflight_step(struct agent *a);
enum step images_step(struct agent *a);
void images_report(struct agent *a);
enum err kubeadm_start(struct agent *a);
enum step kubeadm_step(struct agent *a);
void kubeadm_stop(struct agent *a);

enum step handoff_step(struct agent *a);
void handoff_report(struct agent *a);
enum err joined_start(struct agent *a);
enum step joined_step(struct agent *a);

/* Finds or makes the device key and prints the enrolment record, once a boot. A machine without a key, or with a damaged one, goes on: it is a node
 * perhaps, and its next bundle may be in clear. */
void phases_start_device(struct agent *a);

/* A BMC's own rows (phase_bmc.c). */
bool bmc_rests(const struct agent *a); /* in row serve: it does not look for a newer bundle now */
enum step bmc_resume_step(struct agent *a);
void bmc_resume_report(struct agent *a);
enum step bmc_parse_step(struct agent *a);
enum step bmc_accept_step(struct agent *a);
enum err bmc_commit_start(struct agent *a);
enum step bmc_commit_step(struct agent *a);
void bmc_commit_report(struct agent *a);
enum step bmc_serve_step(struct agent *a);
void bmc_drop(struct agent *a);

#endif
