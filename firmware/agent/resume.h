/*
 * resume.h - the second boot: a machine that is a node already goes straight to its kubelet, with the config server down and the token deleted.
 *
 * What is needed is in the state record (struct state_node) and in kubelet's own files. The config server is still asked, once and briefly: a
 * newer bundle leads to a new join. Everything that fails on the way from locate to accept leads on, not back.
 */
#ifndef JOINBOOT_AGENT_RESUME_H
#define JOINBOOT_AGENT_RESUME_H

#include "firmware/agent/agent.h"

/* True if the record and kubelet's files say that this machine is a node. ret_why: a word for the operator where it is not. */
bool resume_possible(const struct agent *a, const char **ret_why);

/* The parts of a bundle that later rows read, from the record; a->bundle's texts then point into a->state. */
void resume_load(struct agent *a);

/* Kubelet's client certificate against the clock, the Node's name and the cluster's CA. A clock that is only a hint and makes it fail is dropped,
 * and the floor decides, but where it says "expired" only if it is years ahead of the floor. ERR_RESUME_CERT, ERR_RESUME_EXPIRED, ERR_NOMEM. */
enum err resume_check_certificate(struct agent *a) MUST_USE;

/* What the record shall hold of this join; a->bundle, a->node_name and a->kubelet are filled. ERR_LIMIT if a text does not fit. */
enum err resume_remember(const struct agent *a, struct state_node *ret) MUST_USE;

#endif
