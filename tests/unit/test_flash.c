/*
 * test_flash.c - the flash driver of boards/ast2600-evb on a model of controller and chip that takes the longest times (flashmodel.h).
 */
#include "tests/unit/vector.h"

#include "boards/ast2600-evb/flash.h"
#include "boards/ast2600-evb/flash_gate.h"
#include "firmware/base/packed.h"
#include "firmware/base/reclog.h"
#include "tests/unit/flashmodel.h"

/* A call may read two records of 32 KiB, to find the newest; half of what a turn may take. */
enum { TURN_MS = 1, CALL_MS_MAX = 50, TURNS_MAX = 10000 };

static struct flash flash;

static int setup(void **unused)
{
    (void)unused;
    flashmodel_init();
    return flash_start(&flash) == OK ? 0 : -1;
}

/* Repeats a call until it is not refused any more; each call is short, and the time of a turn passes between two. */
#define FINISH(ret_e, call)                                                        \
    for (unsigned turns_ = 0; turns_ < TURNS_MAX; turns_++) {                      \
        uint64_t began_ = flashmodel.now_ns;                                       \
        (ret_e) = (call);                                                          \
        assert_true(flashmodel.now_ns - began_ < (uint64_t)CALL_MS_MAX * 1000000); \
        if ((ret_e) != ERR_BUSY)                                                   \
            break;                                                                 \
        flashmodel_pass(TURN_MS);                                                  \
    }

static enum err write_log(const struct storage *st, struct span body)
{
    struct reclog_job job = {.step = 0};
    enum err e = ERR_BUSY;

    FINISH(e, reclog_write(st, body, &job));
    return e;
}

static enum err read_log(const struct storage *st, struct span want)
{
    static uint8_t body[0x20000];
    size_t n = 0;
    uint64_t seq;
    enum err e = reclog_read(st, body, sizeof(body), &n, &seq);

    return e == OK && !span_eq(span_of(body, n), want) ? ERR_INPUT : e;
}

/* The map is what it says of itself, and the logs can hold what they must. */
static void test_map(void **unused)
{
    (void)unused;
    uint32_t end = 0;
    for (unsigned i = 0; i < MAP_AREAS; i++) {
        assert_true(map_rows[i].off >= end && map_rows[i].off % 0x10000 == 0 &&
                    map_rows[i].size % 0x10000 == 0);
        end = map_rows[i].off + map_rows[i].size;
        assert_true(map_rows[i].size > 0 && end <= MAP_SIZE);
        assert_true(i == MAP_MAP || end <= FLASHMODEL_SIZE);
    }
    assert_true(reclog_capacity(&flash.state) >= 8 * 1024);
    assert_true(reclog_capacity(&flash.bundle) >= 32 * 1024);
}

static void test_logs(void **unused)
{
    static uint8_t bundle[32 * 1024];

    (void)unused;
    for (size_t i = 0; i < sizeof(bundle); i++)
        bundle[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(read_log(&flash.state, SPAN_LIT("")), ERR_STORE_EMPTY);
    for (unsigned round = 0; round < 5; round++) {
        bundle[0] = (uint8_t)round;
        assert_int_equal(write_log(&flash.bundle, span_of(bundle, sizeof(bundle))), OK);
        assert_int_equal(write_log(&flash.state, span_of(bundle, 1000 + round)), OK);
        assert_int_equal(read_log(&flash.bundle, span_of(bundle, sizeof(bundle))), OK);
        assert_int_equal(read_log(&flash.state, span_of(bundle, 1000 + round)), OK);
    }
    for (unsigned i = 0; i < flashmodel.op_count; i++) {
        const struct flashmodel_op *op = &flashmodel.ops[i];
        assert_true(op->off >= map_rows[MAP_STATE].off || (!op->erase && op->off == map_rows[MAP_USED].off));
        assert_true(op->off + op->n <= map_rows[MAP_BUNDLE].off + map_rows[MAP_BUNDLE].size);
    }
    assert_int_equal(flashmodel.ctrl & 7, 0); /* read mode, as the boot ROM needs it */
}

/* What is under way is told to everybody, also after a reset of the processor; nothing else is sent to the chip meanwhile. */
static void test_busy(void **unused)
{
    uint8_t b[4];
    uint32_t boots;
    bool used;

    (void)unused;
    assert_int_equal(flash.state.erase(flash.state.ctx, 0, MAP_SECTOR), OK);
    assert_int_equal(flash.state.read(flash.state.ctx, 0, b, 4), ERR_BUSY);
    assert_int_equal(flash.state.prog(flash.state.ctx, 0, b, 4), ERR_BUSY);
    assert_int_equal(flash.state.erase(flash.state.ctx, 0, MAP_SECTOR), ERR_BUSY);
    assert_int_equal(flash.bundle.sync(flash.bundle.ctx), ERR_BUSY);
    assert_int_equal(flash.state.is_used(flash.state.ctx, &used), ERR_BUSY);
    assert_int_equal(flash_boots(&flash, &boots), ERR_BUSY);
    assert_int_equal(flash_count_boot(&flash), ERR_BUSY);
    flashmodel_pass(FLASHMODEL_ERASE_MS - 1);
    flashmodel_reset();
    assert_int_equal(flash_start(&flash), ERR_BUSY);
    assert_int_equal(flash.state.read(flash.state.ctx, 0, b, 4), ERR_BUSY);
    flashmodel_pass(1);
    assert_int_equal(flash_start(&flash), OK);
    assert_int_equal(flash.state.read(flash.state.ctx, 0, b, 4), OK);
    flashmodel.never_ready = true;
    assert_int_equal(flash.state.sync(flash.state.ctx), ERR_BUSY);
    assert_int_equal(flashmodel.op_count, 1);
}

static void test_failures(void **unused)
{
    (void)unused;
    flashmodel.protected_blocks = true;
    assert_int_equal(write_log(&flash.state, SPAN_LIT("x")), ERR_STORE_IO);
    flashmodel.protected_blocks = false;
    flashmodel.bad_cells = true;
    assert_int_equal(write_log(&flash.state, SPAN_LIT("x")), ERR_STORE_IO);
    flashmodel.bad_cells = false;
    assert_int_equal(write_log(&flash.state, SPAN_LIT("x")), OK);
    flashmodel.bad_cells = true;
    assert_int_equal(flash_count_boot(&flash), OK);
    flashmodel_pass(FLASHMODEL_PROGRAM_MS);
    assert_int_equal(flash.state.sync(flash.state.ctx), ERR_STORE_IO);
    assert_int_equal(flash.state.sync(flash.state.ctx), OK); /* told once */
}

/* What ordinary operation must never write, it cannot. */
static void test_gate(void **unused)
{
    static const struct {
        int line;
        uint32_t off, n;
        enum err want;
    } rows[] = {
        {ROW, 0, 16, ERR_STATE},          {ROW, 0x000fffff, 1, ERR_STATE},
        {ROW, 0x00100000, 16, ERR_STATE}, {ROW, 0x0010ffff, 2, ERR_STATE}, /* from site into key */
        {ROW, 0x0010fff0, 32, ERR_STATE}, {ROW, 0x00110000, 16, OK},
        {ROW, 0x00120000, 16, OK},        {ROW, 0x00130000, 1, OK},
        {ROW, 0x00140000, 256, OK},       {ROW, 0x0014fff0, 32, ERR_STATE}, /* from one log into the other */
        {ROW, 0x0017fff0, 16, OK},        {ROW, 0x00180000, 16, ERR_STATE}, /* in no area */
        {ROW, 0x01000000, 16, ERR_STATE}, {ROW, 0x03ff0000, 16, ERR_STATE},
        {ROW, 0x03fffff0, 16, ERR_STATE}, {ROW, 0x04000000, 16, ERR_STATE},
        {ROW, 0xffffffff, 16, ERR_STATE}, {ROW, 0x00140000, 257, ERR_STATE},
    };
    uint8_t zeros[300] = {0};

    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW_TRUE(&rows[i], flash_gate_program(&flash, rows[i].off, zeros, rows[i].n) == rows[i].want);
        flashmodel_pass(FLASHMODEL_PROGRAM_MS);
    }
    assert_int_equal(flash_gate_program(&flash, 0x00110000, zeros, 1), ERR_STATE); /* not blank any more */
    assert_int_equal(flash_gate_program(&flash, 0x00120008, zeros, 16), ERR_STATE);
    assert_int_equal(flash_gate_program(&flash, 0x00130000, zeros, 1), OK);
    flashmodel_pass(FLASHMODEL_PROGRAM_MS);
    assert_int_equal(flash.state.erase(flash.state.ctx, 0x10000, MAP_SECTOR), ERR_STATE);
    assert_int_equal(flash.state.erase(flash.state.ctx, 0xfffff000, MAP_SECTOR), ERR_STATE);
    assert_int_equal(flash.state.erase(flash.state.ctx, 0, 2 * MAP_SECTOR), ERR_STATE);
    assert_int_equal(flash.bundle.read(flash.bundle.ctx, 0x2fff0, zeros, 17), ERR_STATE);
}

/* A flash whose log was erased behind the agent's back is not that of a new machine. */
static void test_lost(void **unused)
{
    (void)unused;
    assert_int_equal(write_log(&flash.state, SPAN_LIT("sequence 7")), OK);
    memset(flashmodel.bytes + map_rows[MAP_STATE].off, 0xff, map_rows[MAP_STATE].size);
    assert_int_equal(read_log(&flash.state, SPAN_LIT("")), ERR_STORE_LOST);
    assert_int_equal(write_log(&flash.state, SPAN_LIT("sequence 0")), ERR_STORE_LOST);
    memset(flashmodel.bytes + map_rows[MAP_USED].off, 0xff, 16);
    flashmodel.bytes[map_rows[MAP_USED].off + 5] = 0xf7;
    assert_int_equal(read_log(&flash.state, SPAN_LIT("")), ERR_STORE_LOST);
    assert_int_equal(write_log(&flash.bundle, SPAN_LIT("a bundle can be fetched again")), OK);
}

static void test_boots(void **unused)
{
    static const uint32_t fills[] = {
        0, 7, 8, 9, 2047, 2048, 2049, 100000, FLASH_BOOTS_MAX - 1, FLASH_BOOTS_MAX};
    uint32_t boots = 99;
    enum err e = OK;

    (void)unused;
    for (unsigned i = 0; i < 20; i++) {
        FINISH(e, flash_start(&flash));
        assert_int_equal(e, OK);
        FINISH(e, flash_boots(&flash, &boots));
        assert_int_equal(e, OK);
        assert_int_equal(boots, i);
        assert_int_equal(flash_count_boot(&flash), OK);
        flashmodel_reset();
    }
    for (size_t i = 0; i < COUNT(fills); i++) {
        uint8_t *area = flashmodel.bytes + map_rows[MAP_BOOTS].off;

        flashmodel_pass(FLASHMODEL_PROGRAM_MS);
        (void)!flash_start(&flash);
        memset(area, 0xff, map_rows[MAP_BOOTS].size);
        memset(area, 0, fills[i] / 8);
        for (unsigned bit = 0; bit < fills[i] % 8; bit++)
            area[fills[i] / 8] &= (uint8_t) ~(1u << bit);
        assert_int_equal(flash_boots(&flash, &boots), OK);
        assert_int_equal(boots, fills[i]);
        assert_int_equal(flash_count_boot(&flash), OK);
        FINISH(e, flash_boots(&flash, &boots));
        assert_int_equal(boots, fills[i] < FLASH_BOOTS_MAX ? fills[i] + 1 : FLASH_BOOTS_MAX);
    }
}

static enum err write_key(const uint8_t key[static BOARD_KEY_SIZE])
{
    struct flash_key_job job = {.step = FLASH_KEY_FIND};
    enum err e = ERR_BUSY;

    FINISH(e, flash_write_key(&flash, key, &job));
    return e;
}

static enum err read_key(const uint8_t want[static BOARD_KEY_SIZE])
{
    uint8_t key[BOARD_KEY_SIZE];
    enum err e = flash_key(&flash, key);

    return e == OK && memcmp(key, want, sizeof(key)) != 0 ? ERR_INPUT : e;
}

/* A key is written once. A cut while it is written leaves none, or the key, and never a machine that cannot have one. */
static void test_key(void **unused)
{
    static struct flashmodel_op ops[4];
    static uint8_t before[FLASHMODEL_SIZE];
    static const uint8_t other[BOARD_KEY_SIZE] = {7};
    uint8_t key[BOARD_KEY_SIZE];
    unsigned count, kept = 0, cuts = 0;

    (void)unused;
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 31 + 5);
    memcpy(before, flashmodel.bytes, sizeof(before));
    assert_int_equal(read_key(key), ERR_STORE_EMPTY);
    assert_int_equal(write_key(key), OK);
    assert_int_equal(read_key(key), OK);
    assert_int_equal(write_key(other), ERR_STATE);
    assert_int_equal(read_key(key), OK);
    count = flashmodel.op_count;
    assert_int_equal(count, 2);
    memcpy(ops, flashmodel.ops, sizeof(ops));
    for (unsigned k = 0; k < count; k++) {
        for (unsigned how = 0; how < FLASHMODEL_TEARS; how++) {
            memcpy(flashmodel.bytes, before, sizeof(before));
            for (unsigned i = 0; i < k; i++)
                flashmodel_apply(flashmodel.bytes, &ops[i]);
            flashmodel_tear(flashmodel.bytes, &ops[k], how);
            flashmodel.op_count = 0;
            assert_int_equal(flash_start(&flash), OK);
            enum err e = read_key(key);
            assert_true(e == ERR_STORE_EMPTY || (e == OK && k == 1));
            kept += e == OK;
            if (e == ERR_STORE_EMPTY)
                assert_int_equal(write_key(key), OK);
            assert_int_equal(read_key(key), OK);
            cuts++;
        }
    }
    assert_int_equal(cuts, 2 * FLASHMODEL_TEARS);
    assert_true(kept >= FLASHMODEL_TEARS / 2);
}

/* A key that changed behind the agent's back is there, and is not another machine's: what was read says of itself that it is damaged. */
static void test_damaged_key(void **unused)
{
    uint8_t *slot = flashmodel.bytes + map_rows[MAP_KEY].off;
    uint8_t key[BOARD_KEY_SIZE] = {1, 2, 3};

    (void)unused;
    assert_int_equal(write_key(key), OK);
    for (unsigned bit = 0; bit < (PACKED_HEADER + BOARD_KEY_SIZE) * 8; bit++) {
        slot[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(read_key(key), bit / 8 < PACKED_HEADER ? OK : ERR_INPUT);
        assert_int_equal(write_key(key), ERR_STATE);
        slot[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned i = 0; i < PACKED_HEADER; i++) {
        memset(slot, 0xff, PACKED_HEADER);
        slot[i] = 0xbf;
        assert_int_equal(read_key(key), OK);
    }
    memset(slot, 0, MAP_SECTOR);
    assert_int_equal(read_key(key), ERR_INPUT);
    /* Sixteen attempts that a power cut ended. */
    memset(slot, 0xff, map_rows[MAP_KEY].size);
    for (unsigned i = 0; i < map_rows[MAP_KEY].size / MAP_SECTOR; i++) {
        assert_int_equal(read_key(key), ERR_STORE_EMPTY);
        slot[i * MAP_SECTOR + PACKED_HEADER + i] = 0x5a;
    }
    assert_int_equal(read_key(key), ERR_STORE_EMPTY);
    assert_int_equal(write_key(key), ERR_STORE_FULL);
    slot[15 * MAP_SECTOR + PACKED_HEADER + 15] = 0xff;
    assert_int_equal(write_key(key), OK);
    assert_int_equal(read_key(key), OK);
}

static void test_site(void **unused)
{
    static const char text[] = "cluster = c1\n";
    uint8_t *area = flashmodel.bytes + map_rows[MAP_SITE].off;
    uint8_t got[64];
    size_t n = 0;

    (void)unused;
    assert_int_equal(flash_site(&flash, got, sizeof(got), &n), ERR_STORE_EMPTY);
    packed_header(span_str(text), area);
    memcpy(area + PACKED_HEADER, text, sizeof(text) - 1);
    assert_int_equal(flash_site(&flash, got, sizeof(got), &n), OK);
    assert_true(span_eq(span_of(got, n), span_str(text)));
    assert_int_equal(flash_site(&flash, got, 5, &n), ERR_LIMIT);
    for (unsigned bit = 0; bit < (PACKED_HEADER + sizeof(text) - 1) * 8; bit++) {
        area[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum err e = flash_site(&flash, got, sizeof(got), &n);
        assert_true(e == ERR_STORE_LOST || e == ERR_LIMIT);
        area[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_map, setup),         cmocka_unit_test_setup(test_logs, setup),
        cmocka_unit_test_setup(test_busy, setup),        cmocka_unit_test_setup(test_failures, setup),
        cmocka_unit_test_setup(test_gate, setup),        cmocka_unit_test_setup(test_lost, setup),
        cmocka_unit_test_setup(test_boots, setup),       cmocka_unit_test_setup(test_key, setup),
        cmocka_unit_test_setup(test_damaged_key, setup), cmocka_unit_test_setup(test_site, setup),
    };

    return cmocka_run_group_tests_name("flash", tests, NULL, NULL);
}
