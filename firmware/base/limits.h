/*
 * limits.h - every budget of the firmware in one place. Static asserts beside the users sum the worst phase.
 *
 * The sizes that depend on the machine are a board's: sizes.h beside this file for machines with an operating system, or the header that the
 * board's build names as JOINBOOT_SIZES.
 */
#ifndef JOINBOOT_BASE_LIMITS_H
#define JOINBOOT_BASE_LIMITS_H

#ifndef JOINBOOT_SIZES
#define JOINBOOT_SIZES "firmware/base/sizes.h"
#endif
#include JOINBOOT_SIZES

enum {
    LIMIT_COURIER = 32 * 1024, /* a bundle that a BMC keeps for its host */
    LIMIT_YAML_DEPTH = 16,
    LIMIT_YAML_EVENTS = 5000,
    LIMIT_PATCHES = 16 * 1024, /* all patches of the kubelet configuration */
    LIMIT_JOURNAL_LINE = 512,
    LIMIT_TURN_MS = 100
};

#endif
