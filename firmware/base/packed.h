/*
 * packed.h - one body in an area of flash that is otherwise blank: site configuration, device key, map.
 *
 *   header, 16 bytes, little-endian: 0 magic "JBP1", 4 length of the body (u32), 8 zero (u32), 12 CRC-32 (u32) of the first 12 bytes and the body
 *
 * The body follows, then 0xff to the area's end.
 */
#ifndef JOINBOOT_BASE_PACKED_H
#define JOINBOOT_BASE_PACKED_H

#include "firmware/base/span.h"

enum { PACKED_HEADER = 16 };

/* The header of a body of at most UINT32_MAX bytes. */
void packed_header(struct span body, uint8_t ret[static PACKED_HEADER]);

/* Bytes of the body behind a header, in an area of `size` bytes. ERR_STORE_EMPTY: the area is blank; ERR_STORE_LOST: something else is there. */
enum err packed_length(const uint8_t header[static PACKED_HEADER], uint32_t size, uint32_t *ret) MUST_USE;

/* This is the body that the header was made for. ERR_STORE_LOST. */
enum err packed_check(const uint8_t header[static PACKED_HEADER], struct span body) MUST_USE;

#endif
