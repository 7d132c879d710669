/*
 * crc32.h - CRC-32 of IEEE 802.3, reflected, as in RFC 1952: it finds accidents, and stops nobody.
 */
#ifndef JOINBOOT_BASE_CRC32_H
#define JOINBOOT_BASE_CRC32_H

#include "firmware/base/span.h"

#define CRC32_START UINT32_MAX

/* Goes on with more bytes. Begins with CRC32_START; the CRC is the complement of the last result. */
uint32_t crc32_add(uint32_t crc, struct span s);

#endif
