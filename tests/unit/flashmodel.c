/*
 * flashmodel.c - see flashmodel.h.
 */
#include "tests/unit/flashmodel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boards/ast2600-evb/fmc_io.h"

enum { BYTE_NS = 640, MS_NS = 1000000, PAGE = 256, SECTOR = 4096, CTRL_AT_RESET = 0x400 };

struct flashmodel flashmodel;

void flashmodel_reset(void)
{
    flashmodel.conf = 0;
    flashmodel.ctrl = CTRL_AT_RESET;
    flashmodel.in_n = 0;
}

void flashmodel_init(void)
{
    memset(&flashmodel, 0, sizeof(flashmodel));
    memset(flashmodel.bytes, 0xff, sizeof(flashmodel.bytes));
    flashmodel_reset();
}

void flashmodel_pass(uint32_t ms)
{
    flashmodel.now_ns += (uint64_t)ms * MS_NS;
}

static bool is_busy(void)
{
    return flashmodel.never_ready || flashmodel.now_ns < flashmodel.busy_until_ns;
}

static bool is_selected(void)
{
    return (flashmodel.ctrl & (FMC_CTRL_MODE_MASK | FMC_CTRL_STOP)) == FMC_CTRL_USER;
}

void flashmodel_apply(uint8_t *image, const struct flashmodel_op *op)
{
    for (uint32_t i = 0; i < op->n; i++)
        image[op->off + i] = op->erase ? 0xff : image[op->off + i] & op->data[i];
}

static uint8_t garbage(uint32_t i)
{
    return (uint8_t)((i * 2654435761u) >> 13);
}

void flashmodel_tear(uint8_t *image, const struct flashmodel_op *op, unsigned how)
{
    static const uint8_t eighths[FLASHMODEL_TEARS] = {0, 1, 4, 7, 0, 4, 7, 8};
    struct flashmodel_op part = *op;
    uint32_t kept = how == 1 ? 1 : how == 3 ? op->n - 1 : op->n * eighths[how] / 8;

    part.n = kept < op->n ? kept : op->n;
    flashmodel_apply(image, &part);
    /* Cells that had not enough time: each bit on its way reads as it likes. */
    for (uint32_t i = part.n; how >= 4 && i < op->n; i++) {
        uint8_t *b = &image[op->off + i];

        *b = op->erase ? *b | garbage(i) : *b & (op->data[i] | garbage(i));
    }
    if (how == 7) {
        /* The last byte alone is not whole. */
        uint8_t *b = &image[op->off + op->n - 1];

        *b = op->erase ? 0x7f : *b | 0x01;
    }
}

static void begin(bool erase, uint32_t off, const uint8_t *data, uint32_t n)
{
    struct flashmodel_op *op = &flashmodel.ops[flashmodel.op_count++];

    assert_true(flashmodel.op_count <= FLASHMODEL_OPS && off < FLASHMODEL_SIZE && n <= FLASHMODEL_SIZE - off);
    *op = (struct flashmodel_op){.erase = erase, .off = off, .n = n};
    if (!erase)
        memcpy(op->data, data, n);
    flashmodel_apply(flashmodel.bytes, op);
    if (flashmodel.bad_cells)
        flashmodel.bytes[off + n / 2] ^= 0x10;
    flashmodel.busy_until_ns =
        flashmodel.now_ns + (uint64_t)(erase ? FLASHMODEL_ERASE_MS : FLASHMODEL_PROGRAM_MS) * MS_NS;
    flashmodel.writable = false;
}

static uint32_t address(void)
{
    const uint8_t *in = flashmodel.in;

    assert_true(flashmodel.in_n >= 5);
    return (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 8 | in[4];
}

/* The chip is deselected: what was sent is a command now. */
static void execute(void)
{
    size_t n = flashmodel.in_n;
    uint32_t off;

    flashmodel.in_n = 0;
    if (n == 0)
        return;
    switch (flashmodel.in[0]) {
    case 0x06:
        assert_true(n == 1 && !is_busy());
        flashmodel.writable = !flashmodel.protected_blocks;
        break;
    case 0x12:
        flashmodel.in_n = n;
        off = address();
        flashmodel.in_n = 0;
        assert_true(n > 5 && flashmodel.writable && !is_busy());
        assert_true(off % PAGE + (n - 5) <= PAGE);
        begin(false, off, flashmodel.in + 5, (uint32_t)n - 5);
        break;
    case 0x21:
        flashmodel.in_n = n;
        off = address();
        flashmodel.in_n = 0;
        assert_true(n == 5 && flashmodel.writable && !is_busy());
        begin(true, off - off % SECTOR, NULL, SECTOR);
        break;
    case 0x05:
    case 0x9f:
        assert_int_equal(n, 1);
        break;
    case 0x13:
        assert_int_equal(n, 5);
        break;
    default:
        fail_msg("command %02x", flashmodel.in[0]);
    }
}

uint32_t fmc_io_get(enum fmc_register reg)
{
    return reg == FMC_CONF ? flashmodel.conf : flashmodel.ctrl;
}

void fmc_io_put(enum fmc_register reg, uint32_t value)
{
    bool was = is_selected();

    if (reg == FMC_CONF) {
        flashmodel.conf = value;
        return;
    }
    assert_int_equal(value & ~(FMC_CTRL_MODE_MASK | FMC_CTRL_STOP),
                     CTRL_AT_RESET); /* the clock stays as it is */
    flashmodel.ctrl = value;
    if (was && !is_selected())
        execute();
    flashmodel.out_n = 0;
}

void fmc_io_out(uint8_t byte)
{
    assert_true(is_selected() && flashmodel.conf & FMC_CONF_WRITE0 &&
                flashmodel.in_n < sizeof(flashmodel.in));
    flashmodel.in[flashmodel.in_n++] = byte;
    flashmodel.now_ns += BYTE_NS;
}

uint8_t fmc_io_in(void)
{
    static const uint8_t id[] = {0xc2, 0x25, 0x3a};
    uint32_t at = flashmodel.out_n++;

    assert_true(is_selected() && flashmodel.in_n > 0);
    flashmodel.now_ns += BYTE_NS;
    switch (flashmodel.in[0]) {
    case 0x05:
        return (uint8_t)(is_busy() | flashmodel.writable << 1);
    case 0x9f:
        return is_busy() ? 0xff : id[at % sizeof(id)];
    default:
        assert_true(flashmodel.in[0] == 0x13 && !is_busy());
        at += address();
        return at < FLASHMODEL_SIZE ? flashmodel.bytes[at] : 0xff;
    }
}

uint32_t fmc_io_in4(void)
{
    uint32_t word = 0;

    for (unsigned i = 0; i < 4; i++)
        word |= (uint32_t)fmc_io_in() << (8 * i);
    return word;
}
