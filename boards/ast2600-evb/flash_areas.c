/*
 * flash_areas.c - see flash.h: site configuration, device key, boot counter.
 */
#include "boards/ast2600-evb/flash_gate.h"
#include "firmware/base/packed.h"

enum { KEY_MAX = MAP_SECTOR - PACKED_HEADER };

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

enum err flash_key(struct flash *f, uint8_t *ret, size_t cap, size_t *ret_n)
{
    const struct map_row *row = &map_rows[MAP_KEY];
    enum err e = ERR_STORE_EMPTY;

    for (uint32_t at = 0; at < row->size; at += MAP_SECTOR) {
        e = read_packed(f, row->off + at, MAP_SECTOR, ret, cap, ret_n);
        if (e != ERR_STORE_EMPTY && e != ERR_STORE_LOST)
            return e;
    }
    return ERR_STORE_EMPTY;
}

/* All bytes of a slot are 0xff. */
static enum err is_blank(struct flash *f, uint32_t off, bool *ret)
{
    uint8_t piece[FLASH_NOR_PAGE];
    bool blank = true;

    for (uint32_t at = 0; blank && at < MAP_SECTOR; at += sizeof(piece)) {
        enum err e = flash_nor_read(&f->nor, off + at, piece, sizeof(piece));

        if (e != OK)
            return e;
        for (unsigned i = 0; i < sizeof(piece); i++)
            blank = blank && piece[i] == 0xff;
    }
    *ret = blank;
    return OK;
}

static enum err find_slot(struct flash *f, struct flash_key_job *job)
{
    const struct map_row *row = &map_rows[MAP_KEY];
    uint8_t key[KEY_MAX];
    size_t n;
    bool blank = false;
    enum err e = flash_key(f, key, sizeof(key), &n);

    wipe(key, sizeof(key));
    if (e != ERR_STORE_EMPTY)
        return e == OK ? ERR_STATE : e;
    for (uint32_t at = 0; at < row->size; at += MAP_SECTOR) {
        e = is_blank(f, row->off + at, &blank);
        if (e != OK)
            return e;
        if (blank) {
            *job = (struct flash_key_job){.began = true, .off = row->off + at};
            return OK;
        }
    }
    return ERR_STORE_FULL;
}

/* Starts the next page of the body, behind the header, which comes last: without it there is no key. */
static enum err write_next(struct flash *f, struct span key, struct flash_key_job *job)
{
    uint8_t header[PACKED_HEADER];
    uint32_t at = job->off + PACKED_HEADER + job->done;
    uint32_t room = FLASH_NOR_PAGE - at % FLASH_NOR_PAGE;
    uint32_t left = job->done < key.n ? (uint32_t)key.n - job->done : 0;
    uint32_t n = left < room ? left : room;
    enum err e;

    if (left == 0) {
        packed_header(key, header);
        n = PACKED_HEADER;
        e = flash_gate_program(f, job->off, header, n);
    } else {
        e = flash_gate_program(f, at, key.p + job->done, n);
    }
    if (e == OK)
        job->done += n;
    return e;
}

enum err flash_write_key(struct flash *f, struct span key, struct flash_key_job *job)
{
    enum err e = key.n == 0 || key.n > KEY_MAX ? ERR_LIMIT : OK;

    if (e == OK && !job->began)
        e = find_slot(f, job);
    while (e == OK && job->done < key.n + PACKED_HEADER)
        e = write_next(f, key, job);
    if (e == OK)
        e = flash_nor_sync(&f->nor);
    if (e != ERR_BUSY)
        *job = (struct flash_key_job){.began = false};
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
