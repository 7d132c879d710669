/*
 * packed.c - see packed.h.
 */
#include "firmware/base/packed.h"

#include "firmware/base/crc32.h"

enum { LENGTH_AT = 4, CRC_AT = 12 };

static const char magic[] = "JBP1";

static void put_u32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void packed_header(struct span body, uint8_t ret[static PACKED_HEADER])
{
    memset(ret, 0, PACKED_HEADER);
    memcpy(ret, magic, 4);
    put_u32(ret + LENGTH_AT, (uint32_t)body.n);
    put_u32(ret + CRC_AT, ~crc32_add(crc32_add(CRC32_START, span_of(ret, CRC_AT)), body));
}

enum err packed_length(const uint8_t header[static PACKED_HEADER], uint32_t size, uint32_t *ret)
{
    uint32_t n = get_u32(header + LENGTH_AT);
    bool blank = true;

    for (unsigned i = 0; i < PACKED_HEADER; i++)
        blank = blank && header[i] == 0xff;
    if (blank)
        return ERR_STORE_EMPTY;
    if (memcmp(header, magic, 4) != 0 || size < PACKED_HEADER || n > size - PACKED_HEADER)
        return ERR_STORE_LOST;
    *ret = n;
    return OK;
}

enum err packed_check(const uint8_t header[static PACKED_HEADER], struct span body)
{
    uint8_t want[PACKED_HEADER];

    packed_header(body, want);
    return memcmp(header, want, sizeof(want)) == 0 ? OK : ERR_STORE_LOST;
}
