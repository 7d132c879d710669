/*
 * courier.h - the host's side of a BMC that hands the bundle over: the rows `bmc` and `report`, and what they leave out.
 *
 * The BMC is asked at its fixed link-local address (hostlink_address), in turn with the one that DHCP on the link names, if it does (net_bmc): that
 * is how a BMC with software of its own is found. Whoever answers there can only deny: the bundle is signed.
 *
 * The link to the BMC is used alone: the agent's stack runs on it before the network is acquired, and again after the node has joined, and is ended
 * in between with all that it learnt. So no route, resolver or address of that link is ever beside those of the network, nor given to the kernel.
 */
#ifndef JOINBOOT_AGENT_COURIER_H
#define JOINBOOT_AGENT_COURIER_H

#include "firmware/agent/phases.h"

enum {
    COURIER_TRIES = 3,       /* failures of the network before a site's last resort is asked */
    COURIER_MS = 10000,      /* for one answer, the BMC's own start included */
    COURIER_GLANCE_MS = 3000 /* of a machine that is a node already */
};

/* Is this the card that leads to the BMC, by the site's `bmc-link`? */
bool courier_is_link(const struct agent *a, const struct board_nic *nic);
/* The bundle comes by way of the BMC: the rows that look for it elsewhere; or there is no BMC: the rows that ask it. */
bool courier_leaves_out(const struct agent *a, enum phase_id row);
/* Where to go back to instead: a bundle of the BMC that is of no use is asked for again, there. */
enum phase_id courier_back(const struct agent *a, enum phase_id row, enum phase_id back);
/* A bundle that came over the link in clear needs the site's permission: ERR_CONFIG_CLEAR. For a bundle that was just verified. */
enum err courier_check(struct agent *a) MUST_USE;

enum err courier_start(struct agent *a);
enum step courier_step(struct agent *a);
void courier_stop(struct agent *a);
void courier_report(struct agent *a);
enum err report_start(struct agent *a);
enum step report_step(struct agent *a);

#endif
