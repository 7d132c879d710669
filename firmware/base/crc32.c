/*
 * crc32.c - see crc32.h. Bit by bit: records are short, and a table is a kilobyte of flash.
 */
#include "firmware/base/crc32.h"

uint32_t crc32_add(uint32_t crc, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        crc ^= s.p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1u ? UINT32_C(0xedb88320) : 0u);
    }
    return crc;
}
