/*
 * oneshot.h - hand-off mode one-shot: the agent is a service of a system that is up (net/kernel.h), which keeps its network, its name, its clock,
 * its container runtime and its kubelet. The agent writes kubelet's files, has the service manager restart kubelet, and ends when it joined.
 *
 * The mode is the process's: kernel_used() is the one question that the rows ask.
 */
#ifndef JOINBOOT_AGENT_ONESHOT_H
#define JOINBOOT_AGENT_ONESHOT_H

#include "firmware/agent/phases.h"
#include "net/kernel.h"

/* NodeJoin's name is the Node's, as if kubeadm's document named it, since the system keeps its own. For a bundle that was just parsed. */
void oneshot_name_node(struct agent *a);
/* The system's name in lower case: kubelet needs `--hostname-override` where the Node is called otherwise. ERR_IO, ERR_LIMIT. */
enum err oneshot_hostname(const struct agent *a, char ret[static RENDER_NAME_MAX]) MUST_USE;

/* What this process can do: bits of enum bundle_ability. */
unsigned oneshot_abilities(void);

/* Refuses a bundle whose handOff is another one: ERR_CONFIG_UNSUPPORTED. */
enum err oneshot_check_mode(const struct agent *a, struct fault *f) MUST_USE;

/* The system has something that restarts kubelet and keeps it running after the agent's end: ERR_SERVICE_MANAGER. */
enum err oneshot_check_manager(struct agent *a) MUST_USE;

/* Port 10250 may be in use: by the kubelet of an earlier attempt, which will be restarted. */
bool oneshot_keeps_port(const struct agent *a);

/* Before forwarding is switched on: what shall hold after the next boot as well is written to sysctl.d, and links that follow router
 * advertisements go on doing so (the kernel would drop their default route). ERR_FILE, ERR_FORWARDING. */
enum err oneshot_prepare_forwarding(struct agent *a) MUST_USE;

/* Asks the service manager to restart kubelet. ERR_SPAWN. */
enum err oneshot_restart_kubelet(struct agent *a) MUST_USE;
/* Until the service manager has done it: WAIT, DONE, or ERROR with its words in the journal. */
enum step oneshot_await_kubelet(struct agent *a);

/* Nobody waits any more: the token leaves disk and memory. */
void oneshot_give_up(struct agent *a);

#endif
