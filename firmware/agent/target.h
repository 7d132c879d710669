/*
 * target.h - hand-off mode switch-root: the agent is the init of an initramfs, makes an installed system the root of everything, writes kubelet's
 * files and the network's configuration into it, and becomes that system's own init (/sbin/init). What is left to do, until the node has joined,
 * does a unit below /run, which outlives the switch (boards/linux/joined.h).
 *
 * The mode is the machine's: the site configuration's `target` names the installed system, because a machine that is a node already starts
 * without network, and so without a bundle. NodeJoin's target.root must be the same device. Units are written below /run at each boot, so that
 * nothing in the system starts a kubelet that the agent has not looked at.
 */
#ifndef JOINBOOT_AGENT_TARGET_H
#define JOINBOOT_AGENT_TARGET_H

#include "firmware/agent/phases.h"

/* This machine hands over to an installed system. */
bool target_used(const struct agent *a);

/* What such a machine can do, or, if it is none, what is left of `can`: bits of enum bundle_ability. */
unsigned target_abilities(const struct agent *a, unsigned can);

/* Refuses a bundle whose handOff or role does not fit this machine: ERR_CONFIG_UNSUPPORTED with the way out. */
enum err target_check_mode(const struct agent *a, struct fault *f) MUST_USE;

/* target.root names the device that is mounted: WAIT, DONE, or ERR_TARGET_OTHER. */
enum step target_check_device(struct agent *a);

/* The installed system runs container runtime and kubelet itself, and kubeadm's work is its operator's; a machine that is a node already needs
 * no network before it hands over. */
bool target_leaves_out(const struct agent *a, enum phase_id row);

/* A machine that is a node already looks for a newer bundle, if there is a network; not 0: for at most so long in this row. */
uint32_t target_glance_ms(const struct agent *a, enum phase_id row);

/* A machine that is a node already: its certificate is looked at here, since no row for it follows. One that is of no use leads to a new join. */
void target_resume(struct agent *a);

/* Init, networkd, kubelet and its unit are there: ERR_TARGET_SYSTEM. */
enum step target_preflight(struct agent *a);

/* systemd-resolved will manage /etc/resolv.conf. */
bool target_resolved(const struct agent *a);

/* One step of the hand-over (phase_handoff.c) after kubelet's files. */
enum err target_do_step(struct agent *a, unsigned step) MUST_USE;

/* Wipes what is secret, and switches. Comes back only with an error. */
enum step target_switch(struct agent *a);

#endif
