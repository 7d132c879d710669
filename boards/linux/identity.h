/*
 * identity.h - who this machine is: SMBIOS (DSP0134, as the kernel prints it in /sys/class/dmi/id), else the devicetree's serial-number.
 */
#ifndef JOINBOOT_BOARDS_LINUX_IDENTITY_H
#define JOINBOOT_BOARDS_LINUX_IDENTITY_H

#include "boards/board.h"

/* Reads the machine's identity below `root` ("" on a real machine). What is a maker's placeholder counts as absent. Never fails: a machine
 * without UUID and serial is known by its MAC addresses. */
void identity_read(const char *root, struct board_identity *ret);

/* False for texts that makers leave in when they wrote nothing. */
bool identity_is_serial(struct span text);
/* False for UUIDs of all zeros, all ones, and well-known constants shared by whole product lines. */
bool identity_is_uuid(const uint8_t uuid[static 16]);

#endif
