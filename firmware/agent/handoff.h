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

#endif
