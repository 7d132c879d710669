/*
 * test_arena.c - the arena: alignment, its end, failure on demand, and that what was given back is wiped.
 */
#include "tests/unit/vector.h"

#include "firmware/base/arena.h"

static _Alignas(16) uint8_t block[256];

static void take(void **state)
{
    (void)state;
    struct arena a;
    memset(block, 0xa5, sizeof(block));
    arena_init(&a, block, sizeof(block));
    uint8_t *p = arena_take(&a, 1);
    uint8_t *q = arena_take(&a, 17);
    assert_ptr_equal(p, block);
    assert_ptr_equal(q, block + 16);
    for (unsigned i = 0; i < 17; i++)
        assert_int_equal(q[i], 0);
    assert_int_equal(a.used, 48);
    assert_non_null(arena_take(&a, 0));
    assert_int_equal(a.used, 48);
    assert_null(arena_take(&a, 209));
    assert_null(arena_take(&a, SIZE_MAX));
    assert_int_equal(a.used, 48);
    assert_non_null(arena_take(&a, 208));
    assert_null(arena_take(&a, 1));
    assert_int_equal(a.peak, 256);
}

/* The last piece needs room for its padding as well. */
static void ragged_end(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, block, 40);
    assert_non_null(arena_take(&a, 32));
    assert_null(arena_take(&a, 8));
    assert_int_equal(a.used, 32);
}

static void copies(void **state)
{
    (void)state;
    struct arena a;
    struct span s = SPAN_LIT("old");
    memset(block, 0xa5, sizeof(block));
    arena_init(&a, block, 32);
    assert_int_equal(arena_copy(&a, SPAN_LIT("hello"), &s), OK);
    assert_true(span_is(s, "hello"));
    assert_int_equal(s.p[5], 0);
    assert_int_equal(arena_copy(&a, SPAN_LIT("0123456789abcdef"), &s), ERR_NOMEM);
    assert_true(span_is(s, "hello"));
    assert_int_equal(arena_copy(&a, span_of("", SIZE_MAX), &s), ERR_NOMEM);
    assert_int_equal(arena_copy(&a, span_of(NULL, 0), &s), OK);
    assert_int_equal(s.n, 0);
}

static void gives_back(void **state)
{
    (void)state;
    struct arena a;
    struct span s;
    arena_init(&a, block, sizeof(block));
    memset(block, 0, sizeof(block));
    assert_int_equal(arena_copy(&a, SPAN_LIT("kept"), &s), OK);
    size_t used = a.used;
    assert_int_equal(arena_copy(&a, SPAN_LIT("secret"), &s), OK);
    arena_rewind(&a, used + 64); /* above: nothing happens */
    assert_true(span_is(s, "secret"));
    arena_rewind(&a, used);
    assert_int_equal(a.used, used);
    assert_int_equal(block[used], 0);
    assert_int_equal(block[0], 'k');
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_int_equal(a.calls, 0);
    assert_int_equal(block[0], 0);
    assert_int_equal(a.peak, 32);
}

static void fails_on_demand(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, block, sizeof(block));
    a.fail_at = 2;
    assert_non_null(arena_take(&a, 1));
    assert_null(arena_take(&a, 1));
    assert_non_null(arena_take(&a, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take),       cmocka_unit_test(ragged_end),      cmocka_unit_test(copies),
        cmocka_unit_test(gives_back), cmocka_unit_test(fails_on_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
