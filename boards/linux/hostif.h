/*
 * hostif.h - which network card leads to the BMC, as the machine's firmware says it: SMBIOS structure 42, Management Controller Host Interface
 * (DSP0134 section 7.43), with a network interface of the Redfish Host Interface specification (DSP0270 section 6).
 *
 * Invariant: firmware tables are data of unknown quality. Nothing is read beyond what a structure says it has, and what does not fit is passed over.
 */
#ifndef JOINBOOT_BOARDS_LINUX_HOSTIF_H
#define JOINBOOT_BOARDS_LINUX_HOSTIF_H

#include "firmware/base/span.h"

/* A walk over the table, which comes in pieces of any size. Zeroed at the start. */
struct hostif {
    uint8_t body[255]; /* of the structure that is being read, without its strings */
    size_t n;
    unsigned zeros; /* two of them end the strings */
    bool broken;    /* a structure shorter than its header: nothing behind it can be found */
};

/* Goes on with the next bytes of the table. True if a structure names its card by MAC, which only the second forms of the descriptors (device types
 * 04h, USB, and 05h, PCI) do; ret is untouched otherwise. */
bool hostif_feed(struct hostif *h, struct span table, uint8_t ret[static 6]);

/* The same with the tables of this machine below `root` ("" on a real one). False also if there are none, as on most boards without SMBIOS. */
bool hostif_read(const char *root, uint8_t ret[static 6]);

#endif
