/*
 * enrol_tool.h - the operator's side of enrol.h: reads what machines said about themselves. Linked into joinctl and tests, never into the agent.
 */
#ifndef JOINBOOT_CONFIG_ENROL_TOOL_H
#define JOINBOOT_CONFIG_ENROL_TOOL_H

#include "config/enrol.h"

/* A public device key: an enrolment record, of which ret_machine gets who it is (*ret_has_machine true; false if it does not say, as that of an image),
 * or a bare JWK. ERR_INPUT, also if a record's kid is not its key's. */
enum err enrol_read(struct span text, struct jose_key *ret_key, struct machine *ret_machine,
                    bool *ret_has_machine) MUST_USE;

#endif
