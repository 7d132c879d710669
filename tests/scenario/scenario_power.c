/*
 * scenario_power.c - the power is cut at every storage operation of a whole boot, on boards/sim: the next boot finds the old or the new accepted
 * sequence, never neither.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>

#include "firmware/agent/agent.h"

enum { OLD = 7, NEW = 8 };

static const char node[] = "families: [ipv4, ipv6]\n";

/* The disk as it was before the boot that is cut. */
static struct disk before;

static enum err image_read(void *ctx, uint32_t off, void *ret, uint32_t n)
{
    memcpy(ret, ((const struct disk *)ctx)->now + off, n);
    return OK;
}

/* What the next boot would read. */
static struct state stored(void)
{
    const struct storage st = {.ctx = &machine.disk,
                               .prog_size = 16,
                               .erase_size = DISK_BLOCK,
                               .size = DISK_STATE,
                               .read = image_read};
    struct state s;

    assert_int_equal(state_load(&st, &s), OK);
    return s;
}

/* The image, with an accepted record of sequence `sequence`, or without any (0), and a newer bundle to be had. */
static void prepare(unsigned sequence)
{
    scenario_os();
    scenario_servers("");
    machine.os->kubelet_joins_ms = 100;
    if (sequence) {
        scenario_publish(sequence, node, NULL);
        scenario_boot();
        scenario_expect(" joined done", 20000);
        sim_power_off(&machine);
        assert_int_equal(stored().sequence, sequence);
        assert_true(stored().accepted && stored().joined);
    }
    before = machine.disk;
    scenario_publish(NEW, node, NULL);
}

/* One boot from the image, cut at the n-th operation. False if it has fewer. */
static bool cut_boot(unsigned n, enum disk_part part, bool unsynced)
{
    machine.disk = before;
    machine.disk.cut_at = n;
    machine.disk.cut_part = part;
    machine.disk.cut_unsynced = unsynced;
    memset(machine.os->files, 0, sizeof(machine.os->files));
    scenario_boot();
    if (!machine.cut && !sim_expect(&machine, " joined done", 20000) && !machine.cut)
        scenario_expect(" joined done", 0);
    return machine.cut;
}

/* The boot behind the cut: it reads its state, goes on from there, and joins with what is on its disk. */
static void check_next(unsigned old, unsigned *became_new)
{
    struct state s = stored();

    *became_new += s.sequence == NEW;
    assert_true(s.sequence == old || s.sequence == NEW);
    assert_int_equal(s.accepted, s.sequence != 0);
    scenario_boot();
    scenario_expect(" resume done", 10 * machine.disk.erase_ms);
    assert_int_equal(scenario_count("store.lost"), 0);
    scenario_expect(" joined done", 20000);
    assert_int_equal(stored().sequence, NEW);
}

static void cut_everywhere(unsigned old)
{
    unsigned cuts = 0, became_new = 0, ops;

    prepare(old);
    assert_false(cut_boot(0, DISK_NOTHING, false));
    ops = machine.disk.ops;
    for (unsigned n = 1; n <= ops; n++) {
        bool writes = machine.disk.log[n - 1] == DISK_PROG || machine.disk.log[n - 1] == DISK_ERASE;

        for (unsigned k = 0; k < (writes ? 2 * DISK_PARTS : 2); k++) {
            machine.console_n = machine.mark = 0;
            assert_true(cut_boot(n, (enum disk_part)(k / 2), k % 2));
            check_next(old, &became_new);
            cuts++;
        }
    }
    assert_in_range(ops, 10, DISK_LOG_MAX);
    assert_true(became_new > 0 && became_new < cuts);
    printf("%u storage operations in a boot, %u cuts, the new sequence was there behind %u\n", ops, cuts,
           became_new);
}

static void test_cut_on_a_node(void **unused)
{
    (void)unused;
    cut_everywhere(OLD);
}

static void test_cut_on_a_new_machine(void **unused)
{
    (void)unused;
    cut_everywhere(0);
}

/* Flash that takes the longest that a datasheet allows: no turn waits for it (scenario.h checks each), and no cut is worse. */
static void test_slow_flash(void **unused)
{
    uint64_t start;

    (void)unused;
    machine.disk.erase_ms = 400;
    machine.disk.prog_ms = 3;
    cut_everywhere(OLD);
    start = machine.now_ms;
    scenario_boot();
    scenario_expect(" resume done", 2000);
    assert_in_range(machine.now_ms - start, 400 + 3, 2000); /* the new seed was durable before */
}

/* A storage that fails: named, nothing goes on, and all is well when it works again. */
static void test_storage_fails(void **unused)
{
    (void)unused;
    prepare(OLD);
    machine.disk.io_error = true;
    scenario_boot();
    scenario_expect(" resume error code=store.io", 100);
    scenario_never(" resume done", 60000);
    assert_int_equal(machine.frames_sent, 0);
    machine.disk.io_error = false;
    scenario_expect(" resume done", 31000);
}

/* Both records are damaged on a machine that was provisioned: an accepted sequence is unknown, so nothing is accepted. */
static void test_damaged_storage(void **unused)
{
    (void)unused;
    prepare(OLD);
    memset(machine.disk.now + DISK_BLOCK, 0x5a, 2 * DISK_BLOCK);
    scenario_boot();
    scenario_expect(" resume error code=store.lost", 100);
    scenario_never(" resume done", 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_cut_on_a_node), SCENARIO(test_cut_on_a_new_machine), SCENARIO(test_slow_flash),
        SCENARIO(test_storage_fails), SCENARIO(test_damaged_storage),
    };

    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
