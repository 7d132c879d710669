/*
 * test_reclog.c - the record log on an emulated storage: a power cut at every operation, every damaged bit, every failing operation.
 *
 * A write is recorded as a list of operations. An image after a cut has any subset of the operations that were not synced, a prefix of the
 * last one, and either the old bytes or garbage behind that prefix.
 */
#include "tests/unit/vector.h"

#include <stdio.h>

#include "firmware/base/reclog.h"
#include "tests/unit/rawdisk.h"

/* As an agent writes that has nothing else to do. Between two calls the record that was there before is still found. */
static enum err write_all(struct rawdisk *d, struct span body)
{
    struct reclog_job job = {.step = 0};
    enum err e;
    for (unsigned turns = 0; (e = reclog_write(&d->st, body, &job)) == ERR_BUSY; turns++)
        assert_true(turns < 1000);
    assert_int_equal(job.step, 0);
    return e;
}

static const struct geometry geometries[] = {
    {ROW, 1, 64, 192, 0xff},   {ROW, 8, 64, 320, 0xff},      {ROW, 16, 128, 640, 0x00},
    {ROW, 64, 128, 400, 0xff}, {ROW, 512, 1024, 3072, 0x00},
};

/* The n-th record's body: its text says which it is, and lengths differ so that padding is used in every way. */
static struct span body_of(const struct rawdisk *d, unsigned n)
{
    static uint8_t text[SIZE_MAX_EMULATED];
    static const size_t less[] = {0, 13, 5, 30};
    size_t size = reclog_capacity(&d->st);
    size = size > 64 ? 64 - less[n % 4] : size - less[n % 4] % size;
    for (size_t i = 0; i < size; i++)
        text[i] = (uint8_t)(n * 37 + i * 11 + 1);
    return span_of(text, size);
}

/* Which record is there: its number, 0 for none, -1 for a lost state. Everything else fails the test. */
static int which(struct rawdisk *d, unsigned newest)
{
    uint8_t body[SIZE_MAX_EMULATED];
    size_t n = 0;
    uint64_t seq = 0;
    enum err e = reclog_read(&d->st, body, sizeof(body), &n, &seq);
    if (e == ERR_STORE_EMPTY)
        return 0;
    if (e == ERR_STORE_LOST)
        return -1;
    assert_int_equal(e, OK);
    assert_true(seq >= 1 && seq <= newest);
    if (!span_eq(span_of(body, n), body_of(d, (unsigned)seq)))
        fail_msg("record %u has a body that was never written", (unsigned)seq);
    return (int)seq;
}

/* The newest record, read in pieces. */
static struct reclog_record check_pieces(struct rawdisk *d, unsigned n)
{
    struct span body = body_of(d, n);
    struct reclog_record r = {.n = 0};
    uint8_t piece[8];
    assert_int_equal(reclog_find(&d->st, &r), OK);
    assert_int_equal(r.n, body.n);
    assert_int_equal(r.seq, n);
    for (uint32_t at = 0; at < r.n; at += sizeof(piece)) {
        uint32_t size = r.n - at < sizeof(piece) ? r.n - at : sizeof(piece);
        assert_int_equal(reclog_piece(&d->st, &r, at, piece, size), OK);
        assert_memory_equal(piece, body.p + at, size);
    }
    assert_int_equal(reclog_piece(&d->st, &r, r.n, piece, 0), OK);
    assert_int_equal(reclog_piece(&d->st, &r, r.n, piece, 1), ERR_LIMIT);
    assert_int_equal(reclog_piece(&d->st, &r, r.n + 1, piece, 0), ERR_LIMIT);
    assert_int_equal(reclog_piece(&d->st, &r, 1, piece, UINT32_MAX), ERR_LIMIT);
    return r;
}

static void write_number(struct rawdisk *d, unsigned n)
{
    d->op_count = 0;
    assert_int_equal(write_all(d, body_of(d, n)), OK);
    assert_int_equal(which(d, n), (int)n);
}

/* A record's place is not touched while the next one is written, and given to the one after that. */
static void place_of_a_record(void **state)
{
    (void)state;
    static struct rawdisk d;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        rawdisk_make(&d, &geometries[g]);
        struct reclog_record r[4], none;
        assert_int_equal(reclog_find(&d.st, &none), ERR_STORE_EMPTY);
        for (unsigned n = 1; n <= 3; n++) {
            write_number(&d, n);
            r[n] = check_pieces(&d, n);
        }
        assert_int_equal(r[1].at, r[3].at);
        uint32_t half = r[1].at < r[2].at ? r[2].at - r[1].at : r[1].at - r[2].at;
        assert_true(half >= r[2].n && half >= r[3].n);
    }
}

static void writes_and_reads(void **state)
{
    (void)state;
    static struct rawdisk d;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        rawdisk_make(&d, &geometries[g]);
        assert_int_equal(which(&d, 0), 0);
        for (unsigned n = 1; n <= 9; n++)
            write_number(&d, n);
    }
}

static void apply(struct rawdisk *d, const struct op *op, uint32_t prefix)
{
    if (op->kind != SYNC)
        memcpy(d->bytes + op->off, op->data, prefix);
}

/* Is the state after the cut old or new, and does the next write work? */
static void check_cut(struct rawdisk *cut, unsigned n, unsigned long *count)
{
    int got = which(cut, n);
    if (got != (int)n && got != (int)n - 1)
        fail_msg("geometry %u/%u, write %u: record %d", cut->st.prog_size, cut->st.erase_size, n, got);
    ++*count;
    if (*count % 16 != 0)
        return;
    unsigned next = (unsigned)got + 1;
    write_number(cut, next);
}

/* One cut: of the operations [first, k) those in `subset`, and `prefix` bytes of operation k. */
static void cut_once(const struct rawdisk *before, const struct rawdisk *after, unsigned n, unsigned first,
                     unsigned k, unsigned subset, uint32_t prefix, unsigned long *count)
{
    static struct rawdisk cut;
    const struct op *last = &after->ops[k];
    for (unsigned garbage = 0; garbage < 3; garbage++) {
        cut = *before;
        cut.st.ctx = &cut;
        for (unsigned i = 0; i < k; i++) {
            if (i < first || subset >> (i - first) & 1u)
                apply(&cut, &after->ops[i], after->ops[i].n);
        }
        apply(&cut, last, prefix);
        for (uint32_t i = prefix; garbage > 0 && i < last->n; i++)
            cut.bytes[last->off + i] = garbage == 1 ? 0 : (uint8_t)(i * 59 + prefix * 7 + 3);
        check_cut(&cut, n, count);
    }
}

static void power_cut(void **state)
{
    (void)state;
    static struct rawdisk before;
    static struct rawdisk after;
    unsigned long count = 0;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        rawdisk_make(&after, &geometries[g]);
        for (unsigned n = 1; n <= 4; n++) {
            before = after;
            write_number(&after, n);
            unsigned first = 0; /* first operation since the last sync */
            for (unsigned k = 0; k < after.op_count; k++) {
                uint32_t step = after.ops[k].n > 600 ? 7 : 1;
                for (unsigned subset = 0; subset < 1u << (k - first); subset++) {
                    for (uint32_t prefix = 0; prefix < after.ops[k].n; prefix += step)
                        cut_once(&before, &after, n, first, k, subset, prefix, &count);
                    cut_once(&before, &after, n, first, k, subset, after.ops[k].n, &count);
                }
                if (after.ops[k].kind == SYNC)
                    first = k + 1;
            }
        }
    }
    print_message("%lu cuts\n", count);
    assert_true(count > 10000);
}

static void every_bit(void **state)
{
    (void)state;
    static struct rawdisk d;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        rawdisk_make(&d, &geometries[g]);
        for (unsigned n = 1; n <= 3; n++) {
            write_number(&d, n);
            for (uint32_t bit = 0; bit < d.st.size * 8; bit++) {
                d.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                int got = which(&d, n);
                if (got != (int)n && got != -1 && !(got == (int)n - 1 && n > 1))
                    fail_msg("geometry %u/%u, record %u, bit %u: record %d", d.st.prog_size, d.st.erase_size,
                             n, bit, got);
                d.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        }
    }
}

/* Once provisioned, a storage whose records are gone is lost, never empty; and nothing is written over it. */
static void lost(void **state)
{
    (void)state;
    static struct rawdisk d;
    rawdisk_make(&d, &geometries[1]);
    write_number(&d, 1);
    memset(d.bytes + d.st.erase_size, 0xff, d.st.size - d.st.erase_size);
    assert_int_equal(which(&d, 1), -1);
    assert_int_equal(write_all(&d, SPAN_LIT("x")), ERR_STORE_LOST);
    memset(d.bytes, 0xff, sizeof(d.bytes));
    assert_int_equal(which(&d, 1), 0);
    memset(d.bytes, 0x5a, sizeof(d.bytes)); /* somebody else's data */
    assert_int_equal(which(&d, 1), -1);
}

static void failing_operations(void **state)
{
    (void)state;
    static struct rawdisk start;
    static struct rawdisk d;
    for (unsigned n = 1; n <= 3; n++) {
        unsigned at = 1;
        rawdisk_make(&start, &geometries[1]);
        for (unsigned i = 1; i < n; i++)
            write_number(&start, i);
        for (;; at++) {
            d = start;
            d.st.ctx = &d;
            d.op_count = d.calls = 0;
            d.fail_at = at;
            enum err e = write_all(&d, body_of(&d, n));
            bool reached = d.calls >= at;
            d.fail_at = 0;
            assert_int_equal(e, reached ? ERR_STORE_IO : OK);
            int got = which(&d, n);
            assert_true(got == (int)n || (reached && got == (int)n - 1));
            if (!reached)
                break;
            d.op_count = 0;
            assert_int_equal(write_all(&d, body_of(&d, (unsigned)got + 1)), OK); /* the fault passed */
        }
        assert_true(at > 6);
    }
    rawdisk_make(&d, &geometries[1]);
    write_number(&d, 1);
    uint8_t body[256];
    size_t size;
    uint64_t seq;
    for (unsigned at = 1;; at++) {
        d.calls = 0;
        d.fail_at = at;
        enum err e = reclog_read(&d.st, body, sizeof(body), &size, &seq);
        assert_int_equal(e, d.calls >= at ? ERR_STORE_IO : OK);
        if (e == OK)
            break;
    }
}

/* A storage that takes its time gets the same operations in the same order, one for each time that it is ready. */
static void slow_storage(void **state)
{
    (void)state;
    static struct rawdisk fast;
    static struct rawdisk slow;
    for (size_t g = 0; g < COUNT(geometries); g++) {
        rawdisk_make(&fast, &geometries[g]);
        rawdisk_make(&slow, &geometries[g]);
        slow.slow = 5;
        for (unsigned n = 1; n <= 4; n++) {
            struct reclog_job job = {.step = 0};
            unsigned calls = 1, refused = slow.refused;
            write_number(&fast, n);
            slow.op_count = 0;
            while (reclog_write(&slow.st, body_of(&slow, n), &job) == ERR_BUSY) {
                calls++;
                assert_true(slow.refused == ++refused); /* it is asked once and left alone */
            }
            assert_int_equal(slow.busy, 0);
            assert_int_equal(which(&slow, n), (int)n);
            assert_int_equal(slow.op_count, fast.op_count);
            for (unsigned i = 0; i < fast.op_count; i++)
                assert_memory_equal(&slow.ops[i], &fast.ops[i], sizeof(fast.ops[i]));
            assert_true(calls > 5 * 3);
        }
    }
    struct reclog_job job = {.step = 0};
    uint8_t body[SIZE_MAX_EMULATED];
    size_t n;
    uint64_t seq;
    assert_int_equal(reclog_write(&slow.st, body_of(&slow, 5), &job), ERR_BUSY);
    assert_int_equal(reclog_read(&slow.st, body, sizeof(body), &n, &seq), ERR_BUSY);
    slow.busy = 0;
    assert_int_equal(which(&slow, 5), 4); /* given up here */
    slow.slow = 0;
    slow.op_count = 0;
    assert_int_equal(write_all(&slow, body_of(&slow, 5)), OK);
    assert_int_equal(which(&slow, 5), 5);
}

/* A board that remembers elsewhere that there was a record: an erased storage is lost, and nothing is written to it. */
static void used_elsewhere(void **state)
{
    (void)state;
    static struct rawdisk d;
    rawdisk_make(&d, &geometries[1]);
    rawdisk_remember(&d);
    d.slow = 2;
    assert_int_equal(which(&d, 0), 0);
    assert_int_equal(write_all(&d, body_of(&d, 1)), OK);
    assert_true(d.used);
    assert_int_equal(which(&d, 1), 1);
    memset(d.bytes, 0xff, sizeof(d.bytes));
    assert_int_equal(which(&d, 1), -1);
    assert_int_equal(write_all(&d, SPAN_LIT("x")), ERR_STORE_LOST);
    d.used = false;
    d.slow = 0;
    for (unsigned at = 1;; at++) {
        memset(d.bytes, 0xff, sizeof(d.bytes));
        d.used = false;
        d.op_count = d.calls = 0;
        d.fail_at = at;
        enum err e = write_all(&d, body_of(&d, 1));
        assert_true(e == (d.calls >= at ? ERR_STORE_IO : OK));
        assert_true(e != OK || d.used);
        d.fail_at = 0;
        assert_true(!d.used || which(&d, 1) == 1); /* never used before there is a record */
        if (e == OK)
            break;
    }
}

static void limits(void **state)
{
    (void)state;
    static struct rawdisk d;
    uint8_t body[256] = {1};
    size_t n = 99;
    uint64_t seq = 99;
    rawdisk_make(&d, &geometries[1]);
    assert_int_equal(reclog_capacity(&d.st), 96);
    assert_int_equal(write_all(&d, span_of(body, 97)), ERR_STORE_FULL);
    assert_int_equal(write_all(&d, span_of(body, 96)), OK);
    assert_int_equal(reclog_read(&d.st, body, 95, &n, &seq), ERR_LIMIT);
    assert_int_equal(n, 99);
    assert_int_equal(reclog_read(&d.st, body, 96, &n, &seq), OK);
    assert_int_equal(n, 96);
    d.op_count = 0;
    assert_int_equal(write_all(&d, span_of(NULL, 0)), OK);
    assert_int_equal(reclog_read(&d.st, body, 0, &n, &seq), OK);
    assert_int_equal(n, 0);
    assert_int_equal(seq, 2);

    static const struct geometry bad[] = {
        {ROW, 0, 64, 192, 0}, {ROW, 8, 0, 192, 0},  {ROW, 8, 60, 192, 0},       {ROW, 8, 64, 191, 0},
        {ROW, 8, 16, 192, 0}, {ROW, 32, 32, 96, 0}, {ROW, 1024, 1024, 4096, 0},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        rawdisk_make(&d, &bad[i]);
        ROW_TRUE(&bad[i], reclog_read(&d.st, body, sizeof(body), &n, &seq) == ERR_STATE);
        ROW_TRUE(&bad[i], write_all(&d, SPAN_LIT("x")) == ERR_STATE);
        ROW_TRUE(&bad[i], reclog_capacity(&d.st) == 0 && d.calls == 0);
    }
}

/* The bytes on the storage are a format: other versions must find them again. The CRC was computed with zlib. */
static void format(void **state)
{
    (void)state;
    static struct rawdisk d;
    static const uint8_t header[] = {'J', 'B', 'R', '1', 3, 0, 0, 0, 1, 0, 0, 0, 0, 0,
                                     0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    rawdisk_make(&d, &geometries[1]);
    assert_int_equal(write_all(&d, SPAN_LIT("abc")), OK);
    assert_memory_equal(d.bytes, "joinboot reclog1\xff", 17);
    assert_memory_equal(d.bytes + 64, header, sizeof(header));
    assert_memory_equal(d.bytes + 64 + 28, "\x31\xe2\x40\x94", 4);
    assert_memory_equal(d.bytes + 64 + 32, "abc\xff\xff\xff\xff\xff\xff", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(place_of_a_record),
        cmocka_unit_test(power_cut),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(lost),
        cmocka_unit_test(failing_operations),
        cmocka_unit_test(slow_storage),
        cmocka_unit_test(used_elsewhere),
        cmocka_unit_test(limits),
        cmocka_unit_test(format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
