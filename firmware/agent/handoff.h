/*
 * handoff.h - what kubelet is given: where its files are, and rendering them with what the agent knows.
 */
#ifndef JOINBOOT_AGENT_HANDOFF_H
#define JOINBOOT_AGENT_HANDOFF_H

#include "firmware/agent/agent.h"

#define HANDOFF_BOOTSTRAP_CONF "/etc/kubernetes/bootstrap-kubelet.conf"
#define HANDOFF_KUBELET_CONF   "/etc/kubernetes/kubelet.conf"
#define HANDOFF_KUBELET_PEM    "/var/lib/kubelet/pki/kubelet-client-current.pem"

/* Renders one file into a->file. RENDER_CONFIG also fills a->kubelet. render_put()'s errors. */
enum err handoff_render(struct agent *a, enum render_file which) MUST_USE;

/* Starts the container runtime of the site configuration, if it is ours to start. Idempotent. ERR_SPAWN. */
enum err handoff_start_runtime(struct agent *a) MUST_USE;

/* kubelet would exit on a host that swaps. */
bool handoff_fails_on_swap(const struct agent *a);

/* kubelet begins to tell its version, as a job; configure reads it. ERR_SPAWN. */
enum err handoff_ask_version(struct agent *a) MUST_USE;

/* The path of the runtime's socket. ERR_LIMIT. */
enum err handoff_cri_path(const struct agent *a, char *ret, size_t cap) MUST_USE;

/* Starts kubelet with the arguments of kubeadm-flags.env, or lets the service manager of a running system do it. --node-ip is set anew there if
 * no document names it. ERR_FILE, ERR_SPAWN. */
enum err handoff_start_kubelet(struct agent *a) MUST_USE;
/* What was started, into the journal. */
void handoff_tell_start(struct agent *a, const char *const *argv);

/* resolv.conf(5): a line for each server; and the file, from what the network told. None: nothing is written. */
void handoff_put_resolvers(struct buf *ret, const struct ip *dns, unsigned count);
enum err handoff_write_resolvers(struct agent *a) MUST_USE;

/* The last lines of a program, one journal line each. */
void handoff_tell_output(struct agent *a, enum host_service which);

/* Makes durable that this machine is the node that the bundle describes; or, by_kubeadm, that kubeadm begins to make it one. ERR_BUSY: the storage
 * is at work, call again. */
enum err handoff_record(struct agent *a, bool by_kubeadm) MUST_USE;

#endif
