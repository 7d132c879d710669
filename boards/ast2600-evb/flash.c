/*
 * flash.c - see flash.h: the gate, and the two record logs.
 */
#include "boards/ast2600-evb/flash.h"

#include "boards/ast2600-evb/flash_gate.h"

_Static_assert((int)MAP_SECTOR == (int)FLASH_NOR_SECTOR, "the map is made of the chip's sectors");

/* The use of the area that the range lies in; MAP_USE_FIXED for all that is not in one. */
static enum map_use use_of(uint32_t off, uint32_t n)
{
    for (unsigned i = 0; i < MAP_AREAS; i++) {
        const struct map_row *row = &map_rows[i];

        if (off >= row->off && off - row->off <= row->size && n <= row->size - (off - row->off))
            return row->use;
    }
    return MAP_USE_FIXED;
}

enum err flash_gate_program(struct flash *f, uint32_t off, const void *p, uint32_t n)
{
    uint8_t there[FLASH_NOR_PAGE];
    enum map_use use = use_of(off, n);
    enum err e = OK;

    if (use == MAP_USE_FIXED || n > sizeof(there))
        return ERR_STATE;
    if (use == MAP_USE_ONCE)
        e = flash_nor_read(&f->nor, off, there, n);
    for (uint32_t i = 0; e == OK && use == MAP_USE_ONCE && i < n; i++) {
        if (there[i] != 0xff)
            e = ERR_STATE;
    }
    return e == OK ? flash_nor_program(&f->nor, off, p, n) : e;
}

static enum err gate_erase(struct flash *f, uint32_t off)
{
    return use_of(off, MAP_SECTOR) == MAP_USE_LOG ? flash_nor_erase(&f->nor, off) : ERR_STATE;
}

/* A range in the area, as a place in the flash. False: it is not in it. */
static bool place(const struct flash_log *l, uint32_t off, uint32_t n, uint32_t *ret)
{
    const struct map_row *row = &map_rows[l->area];

    if (off > row->size || n > row->size - off)
        return false;
    *ret = row->off + off;
    return true;
}

static enum err log_read(void *ctx, uint32_t off, void *ret, uint32_t n)
{
    const struct flash_log *l = ctx;
    uint32_t at;

    return place(l, off, n, &at) ? flash_nor_read(&l->flash->nor, at, ret, n) : ERR_STATE;
}

static enum err log_prog(void *ctx, uint32_t off, const void *p, uint32_t n)
{
    const struct flash_log *l = ctx;
    uint32_t at;

    return place(l, off, n, &at) ? flash_gate_program(l->flash, at, p, n) : ERR_STATE;
}

static enum err log_erase(void *ctx, uint32_t off, uint32_t n)
{
    const struct flash_log *l = ctx;
    uint32_t at;

    return n == MAP_SECTOR && place(l, off, n, &at) ? gate_erase(l->flash, at) : ERR_STATE;
}

static enum err log_sync(void *ctx)
{
    return flash_nor_sync(&((const struct flash_log *)ctx)->flash->nor);
}

/* A mark that a power cut left half programmed counts: it was begun when the record was durable. */
static enum err log_is_used(void *ctx, bool *ret)
{
    const struct flash_log *l = ctx;
    uint8_t mark[16];
    enum err e = flash_nor_read(&l->flash->nor, map_rows[MAP_USED].off, mark, sizeof(mark));

    if (e != OK)
        return e;
    *ret = false;
    for (unsigned i = 0; i < sizeof(mark); i++)
        *ret = *ret || mark[i] != 0xff;
    return OK;
}

static enum err log_set_used(void *ctx)
{
    static const uint8_t mark[16] = {0};

    return flash_gate_program(((const struct flash_log *)ctx)->flash, map_rows[MAP_USED].off, mark,
                              sizeof(mark));
}

static struct storage as_storage(struct flash_log *l)
{
    return (struct storage){
        .ctx = l,
        .prog_size = 1,
        .erase_size = MAP_SECTOR,
        .size = map_rows[l->area].size,
        .read = log_read,
        .prog = log_prog,
        .erase = log_erase,
        .sync = log_sync,
    };
}

enum err flash_start(struct flash *f)
{
    f->logs[0] = (struct flash_log){.flash = f, .area = MAP_STATE};
    f->logs[1] = (struct flash_log){.flash = f, .area = MAP_BUNDLE};
    f->state = as_storage(&f->logs[0]);
    f->state.is_used = log_is_used;
    f->state.set_used = log_set_used;
    f->bundle = as_storage(&f->logs[1]);
    return flash_nor_start(&f->nor);
}
