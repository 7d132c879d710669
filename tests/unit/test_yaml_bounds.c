/*
 * test_yaml_bounds.c - hostile YAML costs bounded time and fixed memory (SECURITY.md, P12), and no allocation's failure is more than an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "config/yaml.h"
#include "config/yaml_heap.h"
#include "firmware/base/limits.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct yaml_stream stream;

static enum err parse_span(struct span text)
{
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    stream = (struct yaml_stream){.count = 77};
    return yaml_parse(text, &arena, &stream, &fault);
}

static enum err parse(const char *text)
{
    return parse_span(span_str(text));
}

static double ms_since(struct timespec from)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)(now.tv_sec - from.tv_sec) * 1e3 + (double)(now.tv_nsec - from.tv_nsec) / 1e6;
}

/* Fills with repetitions of a piece, whole ones only. */
static struct span repeated(const char *head, const char *piece, size_t times)
{
    static char text[LIMIT_YAML + 1];
    struct buf b = {.p = (uint8_t *)text, .cap = LIMIT_YAML};
    buf_str(&b, head);
    for (size_t i = 0; i < times && b.n + strlen(piece) <= b.cap; i++)
        buf_str(&b, piece);
    return buf_span(&b);
}

static struct span many_keys(size_t count)
{
    static char text[LIMIT_YAML + 1];
    struct buf b = {.p = (uint8_t *)text, .cap = LIMIT_YAML};
    for (size_t i = 0; i < count; i++)
        buf_fmt(&b, "k%zu: a\n", i);
    return buf_span(&b);
}

static void hostile(const char *name, struct span text, enum err want)
{
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        struct timespec start;
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        enum err e = parse_span(text);
        double ms = ms_since(start);
        best = ms < best ? ms : best;
        if (e != want)
            fail_msg("%s: %s %s", name, err_name(e), fault.text);
    }
    print_message("%-28s %6zu bytes %6.2f ms, arena %zu, heap %zu\n", name, text.n, best, arena.peak,
                  yaml_heap_peak());
    if (best > 50)
        fail_msg("%s takes %.1f ms", name, best);
    assert_true(yaml_heap_peak() <= LIMIT_YAML_HEAP);
}

static void hostile_is_bounded(void **state)
{
    (void)state;
    hostile("40,000 [", repeated("a: ", "[", 40000), ERR_LIMIT);
    hostile("64 KiB of [", repeated("a: ", "[", LIMIT_YAML), ERR_LIMIT);
    hostile("64 KiB of {a:", repeated("a: ", "{a: ", LIMIT_YAML), ERR_LIMIT);
    hostile("64 KiB of - ", repeated("", "- ", LIMIT_YAML), ERR_LIMIT);
    hostile("64 KiB of ? ", repeated("", "? ", LIMIT_YAML), ERR_CONFIG_SYNTAX);
    hostile("64 KiB of [],", repeated("a: [", "[],", LIMIT_YAML), ERR_LIMIT);
    hostile("64 KiB of flat flow", repeated("a: [", "x,", LIMIT_YAML), ERR_LIMIT);
    hostile("5,000 keys", many_keys(5000), ERR_LIMIT);
    hostile("2,490 keys", many_keys(2490), OK);
    hostile("one long plain scalar", repeated("a: ", "xxxxxxxx", LIMIT_YAML), OK);
    hostile("one long quoted scalar", repeated("a: \"", "\\x41", LIMIT_YAML), ERR_CONFIG_SYNTAX);
    hostile("64 KiB of line feeds", repeated("a: b", "\n", LIMIT_YAML), OK);
    hostile("64 KiB of folded lines", repeated("a: b", "\n x", LIMIT_YAML), OK);
    hostile("64 KiB of comments", repeated("a: b\n", "#\n", LIMIT_YAML), OK);
    hostile("64 KiB of ? keys", repeated("", "? a\n", LIMIT_YAML), ERR_LIMIT);
    hostile("64 KiB of &", repeated("a: ", "&a ", LIMIT_YAML), ERR_CONFIG_SYNTAX);
    hostile("64 KiB of !", repeated("a: ", "!", LIMIT_YAML), ERR_CONFIG_SYNTAX);
    hostile("64 KiB of quotes", repeated("a: ", "'' ", LIMIT_YAML), ERR_CONFIG_SYNTAX);
    hostile("64 KiB of documents", repeated("", "---\na\n", LIMIT_YAML), ERR_LIMIT);
    hostile("64 KiB of deep keys", repeated("", "a: ", LIMIT_YAML), ERR_CONFIG_SYNTAX);
    static char big[LIMIT_YAML + 2];
    memset(big, 'a', sizeof(big));
    hostile("one byte too many", span_of(big, LIMIT_YAML + 1), ERR_LIMIT);
}

static const char good_text[] =
    "a: {b: [c, \"d\"], e: 'f'}\ng:\n- h: |\n    i\n  j: k\n---\nl: >\n  m\n\n  n\no: a long plain scalar that grows\n";

static void show6_every_allocation_fails(void **state)
{
    (void)state;
    yaml_heap_fail_at(0);
    assert_int_equal(parse(good_text), OK);
    size_t heap_calls = yaml_heap_calls(), arena_calls = arena.calls;
    assert_true(heap_calls > 10 && arena_calls > 10);
    for (size_t n = 1; n <= heap_calls; n++) {
        yaml_heap_fail_at(n);
        assert_int_equal(parse(good_text), ERR_LIMIT);
        assert_int_equal(fault.code, ERR_LIMIT);
        assert_int_equal(stream.count, 77);
        assert_int_equal(yaml_heap_used(), 0);
    }
    yaml_heap_fail_at(0);
    for (size_t n = 1; n <= arena_calls; n++) {
        arena_init(&arena, memory, sizeof(memory));
        arena.fail_at = n;
        fault_clear(&fault);
        assert_int_equal(yaml_parse(span_str(good_text), &arena, &stream, &fault), ERR_NOMEM);
        assert_int_equal(fault.code, ERR_NOMEM);
        assert_int_equal(stream.count, 77);
        assert_int_equal(yaml_heap_used(), 0);
    }
    print_message("every one of %zu heap and %zu arena allocations failed once\n", heap_calls, arena_calls);
    assert_int_equal(parse(good_text), OK);
}

static void heap_works(void **state)
{
    (void)state;
    yaml_heap_reset();
    yaml_heap_fail_at(0);
    char *a = yaml_heap_malloc(100), *b = yaml_heap_malloc(100), *c = yaml_heap_strdup("text");
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(c, "text");
    memset(a, 'a', 100);
    memset(b, 'b', 100);
    yaml_heap_free(a);
    b = yaml_heap_realloc(b, 1000);
    assert_non_null(b);
    assert_true(b[0] == 'b' && b[99] == 'b');
    assert_string_equal(c, "text");
    b = yaml_heap_realloc(b, 10);
    assert_true(b[0] == 'b' && b[9] == 'b');
    assert_null(yaml_heap_malloc(LIMIT_YAML_HEAP));
    assert_null(yaml_heap_realloc(b, SIZE_MAX));
    yaml_heap_free(NULL);
    yaml_heap_free(c);
    yaml_heap_free(b);
    assert_int_equal(yaml_heap_used(), 0);
    a = yaml_heap_malloc(LIMIT_YAML_HEAP - 16);
    assert_non_null(a);
    memset(a, 'x', 64);
    yaml_heap_reset();
    assert_true(a[0] == 0 && a[63] == 0);
    assert_int_equal(yaml_heap_used(), 0);
}

/* A random walk over the heap: contents stay, pieces never overlap, all of it comes back. */
static void heap_random(void **state)
{
    (void)state;
    struct {
        uint8_t *p;
        size_t n;
        uint8_t fill;
    } held[24] = {{0}};
    uint32_t x = 12345;
    yaml_heap_reset();
    for (int i = 0; i < 20000; i++) {
        x = x * 1664525u + 1013904223u;
        size_t slot = (x >> 8) % COUNT(held), n = (x >> 16) % 9000;
        for (size_t k = 0; k < held[slot].n; k++)
            assert_int_equal(held[slot].p[k], held[slot].fill);
        if (held[slot].p && (x & 64)) {
            yaml_heap_free(held[slot].p);
            held[slot].p = NULL;
            held[slot].n = 0;
            continue;
        }
        uint8_t *p = yaml_heap_realloc(held[slot].p, n);
        if (!p)
            continue;
        for (size_t k = 0; k < held[slot].n && k < n; k++)
            assert_int_equal(p[k], held[slot].fill);
        held[slot].p = p;
        held[slot].n = n;
        held[slot].fill = (uint8_t)x;
        memset(p, held[slot].fill, n);
    }
    for (size_t i = 0; i < COUNT(held); i++)
        yaml_heap_free(held[i].p);
    assert_int_equal(yaml_heap_used(), 0);
    assert_non_null(yaml_heap_malloc(LIMIT_YAML_HEAP - 16));
    yaml_heap_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_is_bounded),
        cmocka_unit_test(show6_every_allocation_fails),
        cmocka_unit_test(heap_works),
        cmocka_unit_test(heap_random),
    };
    return cmocka_run_group_tests_name("yaml_bounds", tests, NULL, NULL);
}
