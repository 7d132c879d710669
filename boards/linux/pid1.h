/*
 * pid1.h - what PID 1 owes a machine: mounts, devices, orphans, power buttons, a clean end, and that it never ends itself.
 */
#ifndef JOINBOOT_BOARDS_LINUX_PID1_H
#define JOINBOOT_BOARDS_LINUX_PID1_H

#include "firmware/base/base.h"

struct system;

/* First of all: console on 0, 1 and 2, environment, handlers for our own crashes. */
void pid1_early(void);

/* Mounts, cgroups, loopback, modules; the kernel's IPv6 is kept off links that appear. What fails is said on the console. */
void pid1_prepare(struct system *s);

/* Opens the power buttons and the watchdog that are there now. */
void pid1_open_devices(struct system *s);

/* True if / is on a disk that can be written: then the state file lasts. False on the initramfs, on tmpfs and on read-only roots. */
bool pid1_root_is_lasting(void);

/* True if the firmware started a signed image (UEFI Secure Boot). False: nothing that this board can see authenticates the image, its site
 * configuration and the keys in it. */
bool pid1_is_authenticated(void);

/* Once a turn: new devices, power buttons. True if a button was pressed. */
bool pid1_poll(struct system *s);

/* Asks the processes of all pods to end, and kills those that have not after a grace time. kubelet, which would start them anew, has ended before. */
void pid1_end_pods(struct system *s);

/* Ends all processes, unmounts, switches the machine off or starts it anew. Does not return. */
_Noreturn void pid1_end(struct system *s, bool reboot);

#endif
