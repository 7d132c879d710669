/*
 * flash_nor.c - see flash_nor.h.
 */
#include "boards/ast2600-evb/flash_nor.h"

#include "boards/ast2600-evb/fmc.h"

enum {
    WRITE_ENABLE = 0x06,
    READ_STATUS = 0x05,
    READ_ID = 0x9f,
    READ_4B = 0x13,
    PROGRAM_4B = 0x12,
    ERASE_4K_4B = 0x21
};

enum { STATUS_BUSY = 1 << 0, STATUS_WRITABLE = 1 << 1 };

static const uint8_t chip_id[] = {0xc2, 0x25, 0x3a};

static void command(uint8_t opcode, uint8_t *ret, size_t n)
{
    fmc_transfer(span_of(&opcode, 1), span_of(NULL, 0), ret, n);
}

static void command_at(uint8_t opcode, uint32_t off, struct span out, uint8_t *ret, size_t n)
{
    const uint8_t bytes[] = {opcode, (uint8_t)(off >> 24), (uint8_t)(off >> 16), (uint8_t)(off >> 8),
                             (uint8_t)off};

    fmc_transfer(span_of(bytes, sizeof(bytes)), out, ret, n);
}

static unsigned status(void)
{
    uint8_t s;

    command(READ_STATUS, &s, 1);
    return s;
}

/* The flash holds what the operation was to leave there. */
static bool is_as_wanted(const struct flash_nor *f)
{
    uint8_t piece[FLASH_NOR_PAGE];
    bool good = true;

    for (uint32_t done = 0; good && done < f->n; done += sizeof(piece)) {
        uint32_t n = f->n - done < sizeof(piece) ? f->n - done : (uint32_t)sizeof(piece);

        command_at(READ_4B, f->off + done, span_of(NULL, 0), piece, n);
        for (uint32_t i = 0; i < n; i++)
            good = good && piece[i] == (f->work == FLASH_NOR_ERASE ? 0xff : f->page[i]);
    }
    return good;
}

/* Looks after what was started. ERR_BUSY: it is still under way. An operation of before a reset counts too. */
static enum err settle(struct flash_nor *f)
{
    if (status() & STATUS_BUSY)
        return ERR_BUSY;
    if (f->work != FLASH_NOR_NONE && !is_as_wanted(f))
        f->failed = true;
    f->work = FLASH_NOR_NONE;
    return OK;
}

enum err flash_nor_sync(struct flash_nor *f)
{
    enum err e = settle(f);

    if (e == OK && f->failed)
        e = ERR_STORE_IO;
    if (e != ERR_BUSY)
        f->failed = false;
    return e;
}

enum err flash_nor_start(struct flash_nor *f)
{
    uint8_t id[sizeof(chip_id)];

    *f = (struct flash_nor){.work = FLASH_NOR_NONE};
    fmc_start();
    if (status() & STATUS_BUSY)
        return ERR_BUSY;
    command(READ_ID, id, sizeof(id));
    return memcmp(id, chip_id, sizeof(id)) == 0 ? OK : ERR_STORE_IO;
}

enum err flash_nor_read(struct flash_nor *f, uint32_t off, void *ret, uint32_t n)
{
    enum err e = settle(f);

    if (e == OK)
        command_at(READ_4B, off, span_of(NULL, 0), ret, n);
    return e;
}

/* Ready for a program or erase: nothing is under way or has failed, and the chip takes it, which it does not for a protected block. */
static enum err enable(struct flash_nor *f)
{
    enum err e = flash_nor_sync(f);

    if (e != OK)
        return e;
    command(WRITE_ENABLE, NULL, 0);
    return status() & STATUS_WRITABLE ? OK : ERR_STORE_IO;
}

enum err flash_nor_program(struct flash_nor *f, uint32_t off, const void *p, uint32_t n)
{
    enum err e;

    if (n == 0 || n > FLASH_NOR_PAGE - off % FLASH_NOR_PAGE)
        return ERR_STATE;
    e = enable(f);
    if (e != OK)
        return e;
    f->work = FLASH_NOR_PROGRAM;
    f->off = off;
    f->n = n;
    memcpy(f->page, p, n);
    command_at(PROGRAM_4B, off, span_of(f->page, n), NULL, 0);
    return OK;
}

enum err flash_nor_erase(struct flash_nor *f, uint32_t off)
{
    enum err e;

    if (off % FLASH_NOR_SECTOR != 0)
        return ERR_STATE;
    e = enable(f);
    if (e != OK)
        return e;
    f->work = FLASH_NOR_ERASE;
    f->off = off;
    f->n = FLASH_NOR_SECTOR;
    command_at(ERASE_4K_4B, off, span_of(NULL, 0), NULL, 0);
    return OK;
}
