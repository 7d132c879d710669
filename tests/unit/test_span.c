/*
 * test_span.c - spans, the bounded writer, constant-time comparison, and the fault that is kept.
 */
#include "tests/unit/vector.h"

#include "firmware/base/fault.h"

static void compare(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *a, *b;
        bool equal, nocase, starts, ends;
    } rows[] = {
        {ROW, "", "", true, true, true, true},           {ROW, "a", "", false, false, true, true},
        {ROW, "", "a", false, false, false, false},      {ROW, "abc", "abc", true, true, true, true},
        {ROW, "Abc", "aBC", false, true, false, false},  {ROW, "abcd", "abc", false, false, true, false},
        {ROW, "xabc", "abc", false, false, false, true}, {ROW, "@", "`", false, false, false, false},
        {ROW, "[", "{", false, false, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span a = span_str(rows[i].a);
        ROW_TRUE(&rows[i], span_is(a, rows[i].b) == rows[i].equal);
        ROW_TRUE(&rows[i], span_eq(a, span_str(rows[i].b)) == rows[i].equal);
        ROW_TRUE(&rows[i], span_is_nocase(a, rows[i].b) == rows[i].nocase);
        ROW_TRUE(&rows[i], span_starts(a, rows[i].b) == rows[i].starts);
        ROW_TRUE(&rows[i], span_ends(a, rows[i].b) == rows[i].ends);
    }
    assert_true(span_eq(span_of(NULL, 0), SPAN_LIT("")));
}

static void sub(void **state)
{
    (void)state;
    static const struct {
        int line;
        size_t off, n;
        const char *want;
    } rows[] = {
        {ROW, 0, 5, "hello"},
        {ROW, 1, 3, "ell"},
        {ROW, 4, 1, "o"},
        {ROW, 4, 9, "o"},
        {ROW, 5, 1, ""},
        {ROW, 9, 1, ""},
        {ROW, 0, SIZE_MAX, "hello"},
        {ROW, 2, SIZE_MAX, "llo"},
        {ROW, SIZE_MAX, SIZE_MAX, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW_TRUE(&rows[i], span_is(span_sub(SPAN_LIT("hello"), rows[i].off, rows[i].n), rows[i].want));
}

static void find(void **state)
{
    (void)state;
    assert_int_equal(span_find(SPAN_LIT("abca"), 'a'), 0);
    assert_int_equal(span_find(SPAN_LIT("abca"), 'c'), 2);
    assert_int_equal(span_find(SPAN_LIT("abca"), 'z'), 4);
    assert_int_equal(span_find_str(SPAN_LIT("aab"), "ab"), 1);
    assert_int_equal(span_find_str(SPAN_LIT("aab"), "aab"), 0);
    assert_int_equal(span_find_str(SPAN_LIT("aab"), "aabb"), 3);
    assert_int_equal(span_find_str(SPAN_LIT("aab"), "ba"), 3);
    assert_int_equal(span_find_str(SPAN_LIT(""), "a"), 0);
}

static void cut_and_trim(void **state)
{
    (void)state;
    struct span rest = SPAN_LIT("a,,b");
    assert_true(span_is(span_cut(&rest, ','), "a"));
    assert_true(span_is(span_cut(&rest, ','), ""));
    assert_true(span_is(span_cut(&rest, ','), "b"));
    assert_int_equal(rest.n, 0);
    rest = SPAN_LIT("a,");
    assert_true(span_is(span_cut(&rest, ','), "a"));
    assert_int_equal(rest.n, 0);
    assert_true(span_is(span_trim(SPAN_LIT(" \t\r\n a b \n")), "a b"));
    assert_int_equal(span_trim(SPAN_LIT(" \t ")).n, 0);
    assert_int_equal(span_trim(SPAN_LIT("")).n, 0);
}

static void to_cstr(void **state)
{
    (void)state;
    char s[4] = "old";
    assert_int_equal(span_to_cstr(SPAN_LIT("four"), s, sizeof(s)), ERR_LIMIT);
    assert_string_equal(s, "old");
    assert_int_equal(span_to_cstr(SPAN_LIT("a\0b"), s, sizeof(s)), ERR_LIMIT);
    assert_int_equal(span_to_cstr(SPAN_LIT("new"), s, sizeof(s)), OK);
    assert_string_equal(s, "new");
    assert_int_equal(span_to_cstr(span_of(NULL, 0), s, sizeof(s)), OK);
    assert_string_equal(s, "");
    assert_int_equal(span_to_cstr(SPAN_LIT(""), s, 0), ERR_LIMIT);
}

static void writer(void **state)
{
    (void)state;
    char room[8];
    struct buf b = BUF_OF(room);
    buf_str(&b, "abc");
    buf_u8(&b, 'd');
    buf_fmt(&b, "%02x", 15u);
    assert_true(span_is(buf_span(&b), "abcd0f"));
    buf_put(&b, SPAN_LIT("xyz"));
    assert_true(b.overflow);
    assert_int_equal(b.n, 6);
    buf_u8(&b, 'x');
    buf_fmt(&b, "%d", 1);
    assert_int_equal(b.n, 6);

    b = BUF_OF(room);
    buf_put(&b, SPAN_LIT("12345678"));
    assert_false(b.overflow);
    assert_int_equal(b.n, 8);
    buf_put(&b, SPAN_LIT(""));
    assert_false(b.overflow);

    b = BUF_OF(room);
    buf_fmt(&b, "%s", "1234567");
    assert_false(b.overflow);
    b = BUF_OF(room);
    buf_fmt(&b, "%s", "12345678");
    assert_true(b.overflow);
    assert_int_equal(b.n, 0);

    b = (struct buf){.p = NULL, .cap = 0};
    buf_fmt(&b, "x");
    assert_true(b.overflow);
}

static void secrets(void **state)
{
    (void)state;
    uint8_t a[16];
    uint8_t b[16];
    memset(a, 7, sizeof(a));
    memcpy(b, a, sizeof(b));
    assert_true(equal_ct(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a) * 8; i++) {
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(equal_ct(a, b, sizeof(a)));
        b[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(equal_ct(a, b, 0));
    wipe(a, sizeof(a));
    memset(b, 0, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    wipe(NULL, 0);
}

static const char *printed(const struct fault *f, char text[static 512])
{
    struct buf b = {.p = (uint8_t *)text, .cap = 511};
    fault_print(f, &b);
    text[b.n] = 0;
    return text;
}

static void faults(void **state)
{
    (void)state;
    struct fault f;
    char text[512];
    fault_clear(&f);
    assert_int_equal(fault_set(NULL, ERR_IO, "x"), ERR_IO);
    fault_peer(&f, "nobody");
    assert_string_equal(f.peer, "");
    assert_int_equal(fault_at(&f, ERR_CONFIG_FIELD, 3, 9, "discovery.token", "unknown %s", "field"),
                     ERR_CONFIG_FIELD);
    assert_int_equal(fault_set(&f, ERR_IO, "later"), ERR_IO);
    fault_peer(&f, "%s", "join.yaml");
    fault_peer(&f, "another");
    assert_string_equal(printed(&f, text),
                        "config.field: unknown field (discovery.token at 3:9) [join.yaml]");

    fault_clear(&f);
    assert_int_equal(fault_at(&f, ERR_CONFIG_SYNTAX, 1, 2, NULL, "%s", "bad"), ERR_CONFIG_SYNTAX);
    assert_string_equal(printed(&f, text), "config.syntax: bad (at 1:2)");
    fault_clear(&f);
    assert_int_equal(fault_at(&f, ERR_CONFIG_SYNTAX, 0, 0, "a", "bad"), ERR_CONFIG_SYNTAX);
    assert_string_equal(printed(&f, text), "config.syntax: bad (a)");
    fault_clear(&f);
    assert_int_equal(fault_set(&f, ERR_IO, "\x1b[31m\nred\xff"), ERR_IO);
    assert_string_equal(printed(&f, text), "internal.io: ?[31m?red?");
    fault_clear(&f);
    assert_int_equal(fault_set(&f, ERR_CLOCK, "%s", ""), ERR_CLOCK);
    assert_string_equal(printed(&f, text), "clock.bad: no usable time");
}

static void error_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ERR_COUNT; i++) {
        assert_true(strlen(err_name((enum err)i)) > 0 && strlen(err_explain((enum err)i)) > 0 &&
                    strlen(err_remedy((enum err)i)) > 0);
        assert_int_equal(err_by_name(err_name((enum err)i)), i); /* so no name is there twice */
    }
    assert_int_equal(err_by_name("no.such"), ERR_COUNT);
    assert_string_equal(err_name((enum err)9999), "internal.unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare),      cmocka_unit_test(sub),     cmocka_unit_test(find),
        cmocka_unit_test(cut_and_trim), cmocka_unit_test(to_cstr), cmocka_unit_test(writer),
        cmocka_unit_test(secrets),      cmocka_unit_test(faults),  cmocka_unit_test(error_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
