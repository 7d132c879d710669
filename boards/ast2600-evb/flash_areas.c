/*
 * flash_areas.c - see flash.h: site configuration, device key, boot counter.
 */
#include "boards/ast2600-evb/flash_gate.h"
#include "firmware/base/packed.h"

_Static_assert((int)PACKED_HEADER + (int)BOARD_KEY_SIZE <= (int)FLASH_NOR_PAGE,
               "a key is programmed at once");

/* The packed body at `off`, which has `size` bytes of room. */
static enum err read_packed(struct flash *f, uint32_t off, uint32_t size, uint8_t *ret, size_t cap,
                            size_t *ret_n)
{
    uint8_t header[PACKED_HEADER];
    uint32_t n = 0;
    enum err e = flash_nor_read(&f->nor, off, header, sizeof(header));

    if (e == OK)
        e = packed_length(header, size, &n);
    if (e == OK && n > cap)
        e = ERR_LIMIT;
    if (e == OK)
        e = flash_nor_read(&f->nor, off + PACKED_HEADER, ret, n);
    if (e == OK)
        e = packed_check(header, span_of(ret, n));
    if (e == OK)
        *ret_n = n;
    return e;
}

enum err flash_site(struct flash *f, uint8_t *ret, size_t cap, size_t *ret_n)
{
    return read_packed(f, map_rows[MAP_SITE].off, map_rows[MAP_SITE].size, ret, cap, ret_n);
}

/* The bytes from `off` on are all 0xff. */
static enum err is_blank(struct flash *f, uint32_t off, uint32_t n, bool *ret)
{
    uint8_t piece[FLASH_NOR_PAGE];
    bool blank = true;

    for (uint32_t at = 0; blank && at < n; at += sizeof(piece)) {
        uint32_t part = n - at < sizeof(piece) ? n - at : (uint32_t)sizeof(piece);
        enum err e = flash_nor_read(&f->nor, off + at, piece, part);

        if (e != OK)
            return e;
        for (unsigned i = 0; i < part; i++)
            blank = blank && piece[i] == 0xff;
    }
    *ret = blank;
    return OK;
}

enum err flash_key(struct flash *f, uint8_t ret[static BOARD_KEY_SIZE])
{
    const struct map_row *row = &map_rows[MAP_KEY];
    bool blank = true;

    for (uint32_t at = 0; at < row->size; at += MAP_SECTOR) {
        enum err e = is_blank(f, row->off + at, PACKED_HEADER, &blank);

        if (e != OK)
            return e;
        if (!blank)
            return flash_nor_read(&f->nor, row->off + at + PACKED_HEADER, ret, BOARD_KEY_SIZE);
    }
    return ERR_STORE_EMPTY;
}

/* The first slot that is blank, on a machine without a key. */
static enum err find_slot(struct flash *f, uint32_t *ret)
{
    const struct map_row *row = &map_rows[MAP_KEY];
    uint8_t key[BOARD_KEY_SIZE];
    bool blank = false;
    enum err e = flash_key(f, key);

    wipe(key, sizeof(key));
    if (e != ERR_STORE_EMPTY)
        return e == OK ? ERR_STATE : e;
    for (uint32_t at = 0; at < row->size; at += MAP_SECTOR) {
        e = is_blank(f, row->off + at, MAP_SECTOR, &blank);
        if (e != OK)
            return e;
        if (blank) {
            *ret = row->off + at;
            return OK;
        }
    }
    return ERR_STORE_FULL;
}

/* The next of the steps, each of which the one before has to have ended. */
static enum err key_step(struct flash *f, struct span key, struct flash_key_job *job)
{
    uint8_t header[PACKED_HEADER];

    switch (job->step) {
    case FLASH_KEY_FIND:
        return find_slot(f, &job->off);
    case FLASH_KEY_BODY:
        return flash_gate_program(f, job->off + PACKED_HEADER, key.p, (uint32_t)key.n);
    case FLASH_KEY_HEADER:
        packed_header(key, header);
        return flash_gate_program(f, job->off, header, sizeof(header));
    case FLASH_KEY_SYNC:
        return flash_nor_sync(&f->nor);
    case FLASH_KEY_DONE:
        break;
    }
    return OK;
}

enum err flash_write_key(struct flash *f, const uint8_t key[static BOARD_KEY_SIZE], struct flash_key_job *job)
{
    enum err e = OK;

    while (e == OK && job->step != FLASH_KEY_DONE) {
        e = key_step(f, span_of(key, BOARD_KEY_SIZE), job);
        if (e == OK)
            job->step++;
    }
    if (e != ERR_BUSY)
        *job = (struct flash_key_job){.step = FLASH_KEY_FIND};
    return e;
}

/* The first page of the counter that has a bit left, and the bits that are cleared in it and before. Bits are cleared from the lowest of the first
 * byte on. */
enum err flash_boots(struct flash *f, uint32_t *ret)
{
    const struct map_row *row = &map_rows[MAP_BOOTS];
    uint8_t page[FLASH_NOR_PAGE];
    uint32_t low = 0,
             high = row->size / FLASH_NOR_PAGE; /* all pages before `low` are used up, `high` is not */
    uint32_t count;
    enum err e = OK;

    while (e == OK && low < high) {
        uint32_t middle = (low + high) / 2;

        e = flash_nor_read(&f->nor, row->off + (middle + 1) * FLASH_NOR_PAGE - 1, page, 1);
        if (e == OK && page[0] == 0)
            low = middle + 1;
        else
            high = middle;
    }
    count = low * FLASH_NOR_PAGE * 8;
    if (e == OK && low * FLASH_NOR_PAGE < row->size)
        e = flash_nor_read(&f->nor, row->off + low * FLASH_NOR_PAGE, page, sizeof(page));
    else
        memset(page, 0xff, sizeof(page));
    for (unsigned i = 0; i < sizeof(page); i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            count += (~(unsigned)page[i]) >> bit & 1u;
    }
    if (e == OK)
        *ret = count;
    return e;
}

enum err flash_count_boot(struct flash *f)
{
    uint32_t count = 0;
    enum err e = flash_boots(f, &count);
    uint8_t byte;

    if (e != OK || count >= FLASH_BOOTS_MAX)
        return e;
    byte = (uint8_t)(0xfeu << count % 8);
    return flash_gate_program(f, map_rows[MAP_BOOTS].off + count / 8, &byte, 1);
}
