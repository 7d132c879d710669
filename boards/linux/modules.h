/*
 * modules.h - PID 1 loads the kernel modules that the machine's devices want, with what those need (finit_module(2)). Compressed files are left to
 * the kernel to unpack. A driver's firmware is the kernel's to find, below /lib/firmware of the root of that moment.
 */
#ifndef JOINBOOT_BOARDS_LINUX_MODULES_H
#define JOINBOOT_BOARDS_LINUX_MODULES_H

#include "firmware/base/span.h"

enum { MODULES_FOLDER = 128, MODULES_TRIED = 512 };

struct modules {
    char folder[MODULES_FOLDER];     /* /lib/modules/RELEASE; empty: there are none */
    struct span alias, dep, softdep; /* mapped files */
    unsigned loaded, failed;
    uint32_t tried
        [MODULES_TRIED]; /* hashes of modaliases that were looked up: devices of a kind are looked up once */
    unsigned tried_count;
    char first_failed[64];
    int first_error; /* errno of it */
};

/* Finds and maps the running kernel's files. Without them nothing is ever loaded. Again on another root: the files there take the place of the
 * old ones, and every device is looked up once more. */
void modules_init(struct modules *m);

/* Loads what the devices want that are there now, again until no new device appears. Returns how many modules were loaded. */
unsigned modules_coldplug(struct modules *m);

/* Loads what devices want that came: `next` gives the modalias of one after the other, then NULL. Those that were looked up before are skipped:
 * their modules are loaded, or cannot be. A child does it, which nobody waits for, since a driver takes as long as its hardware takes. */
void modules_for_devices(struct modules *m, const char *(*next)(void *ctx), void *ctx);

/* Loads a module by name, with what it needs. True if it is loaded now, or built in. */
bool modules_load(struct modules *m, const char *name);

#endif
