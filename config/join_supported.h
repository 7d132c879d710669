/*
 * join_supported.h - which parts of a valid JoinConfiguration the agent honours, and which of them a site has to permit.
 */
#ifndef JOINBOOT_CONFIG_JOIN_SUPPORTED_H
#define JOINBOOT_CONFIG_JOIN_SUPPORTED_H

#include "config/join.h"

/* kubeletExtraArgs: names that kubelet has and the agent leaves to the document (the table in join_args.c), values of node-labels and
 * register-with-taints that kubelet does not exit for, a hostname-override that is a node's name. ERR_CONFIG_UNSUPPORTED for a name,
 * ERR_CONFIG_FIELD for a value; the fault has the position and the reason. */
enum err join_args_supported(const struct join *j, struct fault *f) MUST_USE;

/* The dangerous ones among the arguments must be in `permitted`, the site's comma-separated permit-kubelet-args. ERR_CONFIG_PERMIT with the
 * reason and the line that the site configuration would need. */
enum err join_args_permitted(const struct join *j, struct span permitted, struct fault *f) MUST_USE;

/* True if a site may permit this argument: its name is that of a dangerous one. */
bool join_arg_is_dangerous(struct span name);

/* The last value of an argument, as kubelet takes it; empty if there is none. */
struct span join_arg_value(const struct join *j, const char *name);

/* Preflight checks of the agent that ignorePreflightErrors may leave out. */
enum join_ignore { JOIN_IGNORE_SWAP = 1, JOIN_IGNORE_PORT = 2, JOIN_IGNORE_VERSION = 4 };

/* ignorePreflightErrors as a set of enum join_ignore. Names of kubeadm's checks that the agent does not make, or whose condition it establishes
 * itself, change nothing. ERR_CONFIG_UNSUPPORTED for names that would be dangerous to obey and for names that no check has. */
enum err join_ignored(const struct join *j, unsigned *ret_set, struct fault *f) MUST_USE;

/* The value of timeouts.NAME if the document gives it, else `otherwise`. Milliseconds, at most a day. */
uint32_t join_timeout_ms(const struct join *j, const char *name, uint64_t value_ms, uint32_t otherwise);

#endif
