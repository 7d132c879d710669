/*
 * test_flash_cuts.c - the power is cut at every operation of a whole commit on the flash of boards/ast2600-evb: the bundle's record, then the
 * state's, as a BMC writes them. Each operation is torn in every way that flashmodel.h knows, and a fresh driver reads what is left.
 */
#include "tests/unit/vector.h"

#include <stdio.h>

#include "boards/ast2600-evb/flash.h"
#include "firmware/agent/state.h"
#include "tests/unit/flashmodel.h"

enum { BUNDLE = 9000, OLD = 7, NEW = 8, TURNS_MAX = 20000 };

static struct flash flash;
static uint8_t bundle[BUNDLE];

static struct span bundle_of(unsigned sequence)
{
    for (size_t i = 0; i < sizeof(bundle); i++)
        bundle[i] = (uint8_t)(i * 13 + i / 200 + sequence);
    return span_of(bundle, sequence ? sizeof(bundle) - sequence : 0);
}

static void commit(unsigned sequence)
{
    struct span body = bundle_of(sequence);
    struct state s = {.accepted = true, .sequence = sequence, .issued_s = 1000 + (int64_t)sequence};
    struct reclog_job job = {.step = 0};
    enum err e = ERR_BUSY;

    memset(s.seed, (int)sequence, sizeof(s.seed));
    for (unsigned i = 0; i < TURNS_MAX && (e = reclog_write(&flash.bundle, body, &job)) == ERR_BUSY; i++)
        flashmodel_pass(1);
    assert_int_equal(e, OK);
    for (unsigned i = 0; i < TURNS_MAX && (e = state_save(&flash.state, &s, &job)) == ERR_BUSY; i++)
        flashmodel_pass(1);
    assert_int_equal(e, OK);
}

/* The sequence of the bundle that is stored; 0: none. */
static unsigned stored_bundle(unsigned old)
{
    static uint8_t got[BUNDLE];
    size_t n = 0;
    uint64_t seq;
    enum err e = reclog_read(&flash.bundle, got, sizeof(got), &n, &seq);

    if (e == ERR_STORE_EMPTY)
        return 0;
    assert_int_equal(e, OK);
    if (span_eq(span_of(got, n), bundle_of(NEW)))
        return NEW;
    assert_true(span_eq(span_of(got, n), bundle_of(old)));
    return old;
}

/* What is in flash is the old or the new, and the next commit works. */
static bool check(unsigned old)
{
    struct state s = {.sequence = 99};
    unsigned got;

    flashmodel_reset();
    flashmodel.busy_until_ns = 0;
    flashmodel.op_count = 0;
    assert_int_equal(flash_start(&flash), OK);
    assert_int_equal(state_load(&flash.state, &s), OK);
    got = stored_bundle(old);
    assert_true(s.sequence == old || s.sequence == NEW);
    assert_int_equal(s.accepted, s.sequence != 0);
    assert_true(s.sequence == old || got == NEW); /* the bundle is durable before its sequence is */
    return s.sequence == NEW;
}

static void cut_everywhere(unsigned old)
{
    static uint8_t before[FLASHMODEL_SIZE], image[FLASHMODEL_SIZE];
    static struct flashmodel_op ops[FLASHMODEL_OPS];
    unsigned count, images = 0, became_new = 0;

    flashmodel_init();
    assert_int_equal(flash_start(&flash), OK);
    if (old)
        commit(old);
    memcpy(before, flashmodel.bytes, sizeof(before));
    flashmodel.op_count = 0;
    commit(NEW);
    count = flashmodel.op_count;
    memcpy(ops, flashmodel.ops, sizeof(ops));
    for (unsigned k = 0; k < count; k++) {
        for (unsigned how = 0; how < FLASHMODEL_TEARS; how++) {
            memcpy(image, before, sizeof(image));
            flashmodel_tear(image, &ops[k], how);
            memcpy(flashmodel.bytes, image, sizeof(image));
            became_new += check(old);
            images++;
            if (how == k % FLASHMODEL_TEARS) {
                commit(NEW);
                assert_true(check(old));
            }
        }
        flashmodel_apply(before, &ops[k]);
    }
    memcpy(flashmodel.bytes, before, sizeof(before)); /* all of them, and nothing torn */
    assert_true(check(old));
    assert_true(count > 40 && became_new < images);
    printf("%u operations, %u images, the new sequence in %u\n", count, images + 1, became_new + 1);
}

static void test_cut_of_a_newer_commit(void **unused)
{
    (void)unused;
    cut_everywhere(OLD);
}

static void test_cut_of_the_first_commit(void **unused)
{
    (void)unused;
    cut_everywhere(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_of_a_newer_commit),
        cmocka_unit_test(test_cut_of_the_first_commit),
    };

    return cmocka_run_group_tests_name("flash_cuts", tests, NULL, NULL);
}
