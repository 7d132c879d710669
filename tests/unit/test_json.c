/*
 * test_json.c - the JSON reader: events, strictness (JSONTestSuite), strings, and json_get's path.
 */
#include "tests/unit/vector.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "firmware/base/json.h"

/* One letter per event: { } [ ] k s n t f 0, then . for the end or ! for an error. */
static void events(struct span in, char *ret, size_t cap)
{
    static const char letters[] = "!{}[]ksntf0.";
    struct buf b = {.p = (uint8_t *)ret, .cap = cap - 1};
    struct json j;
    enum json_event e;
    json_init(&j, in);
    do {
        e = json_next(&j);
        buf_u8(&b, (uint8_t)letters[e]);
    } while (e != JSON_ERROR && e != JSON_END && !b.overflow);
    assert_int_equal(json_next(&j), e); /* latched */
    assert_true((json_error(&j) == OK) == (e == JSON_END));
    ret[b.n] = 0;
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text, *want;
    } rows[] = {
        {ROW, "{}", "{}."},
        {ROW, " [ ] ", "[]."},
        {ROW, "1", "n."},
        {ROW, "{\"a\":1,\"b\":[true,false,null,\"x\"]}", "{knk[tf0s]}."},
        {ROW, "\t{ \"a\" : { \"b\" : [ [ ] , { } ] } }\r\n", "{k{k[[]{}]}}."},
        {ROW, "", "!"},
        {ROW, "{", "{!"},
        {ROW, "[1,]", "[n!"},
        {ROW, "[,1]", "[!"},
        {ROW, "{\"a\":1,}", "{kn!"},
        {ROW, "{\"a\"}", "{!"},
        {ROW, "{\"a\":}", "{k!"},
        {ROW, "{a:1}", "{!"},
        {ROW, "{1:1}", "{!"},
        {ROW, "[1}", "[n!"},
        {ROW, "{\"a\":1]", "{kn!"},
        {ROW, "{} {}", "{}!"},
        {ROW, "1 1", "n!"},
        {ROW, "[1 1]", "[n!"},
        {ROW, "[\"a\":1]", "[s!"},
        {ROW, "tru", "!"},
        {ROW, "truex", "t!"},
        {ROW, "NaN", "!"},
        {ROW, "01", "n!"},
        {ROW, "-", "!"},
        {ROW, "1.", "!"},
        {ROW, "1e", "!"},
        {ROW, ".5", "!"},
        {ROW, "+1", "!"},
        {ROW, "-0.0e-0", "n."},
        {ROW, "\"\\x\"", "!"},
        {ROW, "\"\\u12g4\"", "!"},
        {ROW, "\"\\u12\"", "!"},
        {ROW, "\"a\nb\"", "!"},
        {ROW, "\"open", "!"},
        {ROW, "\"open\\\"", "!"},
        {ROW, "\"\xff\"", "!"},
        {ROW, "\"\xc3\xa9\"", "s."},
        {ROW, "\xef\xbb\xbf{}", "!"},
        {ROW, "{}\v", "{}!"},
        {ROW, "/**/{}", "!"},
        {ROW, "'a'", "!"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[64];
        events(span_str(rows[i].text), got, sizeof(got));
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row at %s:%d: %s", __FILE__, rows[i].line, got);
    }
    char got[64];
    events(SPAN_LIT("{}\0"), got, sizeof(got));
    assert_string_equal(got, "{}!");
}

static void depth(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH + 2];
    char got[2 * JSON_DEPTH + 4];
    struct json j;
    memset(text, '[', JSON_DEPTH);
    memset(text + JSON_DEPTH, ']', JSON_DEPTH);
    events(span_of(text, 2 * JSON_DEPTH), got, sizeof(got));
    assert_int_equal(got[2 * JSON_DEPTH], '.');
    text[JSON_DEPTH] = '[';
    json_init(&j, span_of(text, JSON_DEPTH + 1));
    while (json_next(&j) != JSON_ERROR) {
    }
    assert_int_equal(json_error(&j), ERR_LIMIT);
    assert_int_equal(j.pos, JSON_DEPTH);
}

static void skips(void **state)
{
    (void)state;
    struct json j;
    json_init(&j, SPAN_LIT("{\"a\":[{\"x\":[1]},2],\"b\":3,\"c\":[1,[2,{}]"));
    assert_int_equal(json_next(&j), JSON_OBJECT);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_int_equal(json_skip(&j), OK);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_true(json_is(j.raw, "b"));
    assert_int_equal(json_skip(&j), OK);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_true(json_is(j.raw, "c"));
    assert_int_equal(json_skip(&j), ERR_INPUT);
}

static void strings(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *raw, *want; /* want NULL: refused */
    } rows[] = {
        {ROW, "", ""},
        {ROW, "plain", "plain"},
        {ROW, "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {ROW, "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
        {ROW, "\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {ROW, "\\udbff\\udfff", "\xf4\x8f\xbf\xbf"},
        {ROW, "\\uffff", "\xef\xbf\xbf"},
        {ROW, "\xe2\x82\xac", "\xe2\x82\xac"},
        {ROW, "\\ud83d", NULL},
        {ROW, "\\ude00", NULL},
        {ROW, "\\ud83dx", NULL},
        {ROW, "\\ud83d\\n", NULL},
        {ROW, "\\ud83d\\u0041", NULL},
        {ROW, "\\ud83d\\ud83d", NULL},
        {ROW, "\\ude00\\ude00", NULL},
        {ROW, "\\u12", NULL},
        {ROW, "\\", NULL},
        {ROW, "\\x", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char room[32];
        struct buf b = BUF_OF(room);
        ROW_TRUE(&rows[i], (json_unescape(span_str(rows[i].raw), &b) == OK) == (rows[i].want != NULL));
        ROW_TRUE(&rows[i], span_is(buf_span(&b), rows[i].want ? rows[i].want : ""));
        ROW_TRUE(&rows[i], !rows[i].want || json_is(span_str(rows[i].raw), rows[i].want));
        ROW_TRUE(&rows[i], !json_is(span_str(rows[i].raw), "other"));
    }
    assert_false(json_is(SPAN_LIT("ab"), "a"));
    assert_false(json_is(SPAN_LIT("a"), "ab"));
    assert_false(json_is(SPAN_LIT("a\\u0000"), "a"));
    char room[3];
    struct buf b = BUF_OF(room);
    assert_int_equal(json_unescape(SPAN_LIT("abcd"), &b), ERR_LIMIT);
    assert_int_equal(b.n, 0);
    assert_false(b.overflow);
}

static void puts_strings(void **state)
{
    (void)state;
    char room[64];
    struct buf b = BUF_OF(room);
    json_put_string(&b, SPAN_LIT("a\"\\\n\x01\x7f\xc3\xa9/\0z"));
    assert_true(span_is(buf_span(&b), "\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa9/\\u0000z\""));
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *doc;
        enum err e;
        const char *want; /* NULL: not found */
    } rows[] = {
        {ROW, "{\"data\":{\"kubeconfig\":\"x\\ny\"}}", OK, "x\ny"},
        {ROW, "{\"d\\u0061ta\":{\"kubeconfig\":\"x\"}}", OK, "x"},
        {ROW,
         "{\"a\":{\"kubeconfig\":\"no\"},\"data\":{\"a\":{\"kubeconfig\":\"no\"},\"kubeconfig\":\"x\"},\"kubeconfig\":\"no\"}",
         OK, "x"},
        {ROW, "{\"data\":{\"b\":1,\"kubeconfig\":\"\"}}", OK, ""},
        {ROW, "{\"data\":{}}", OK, NULL},
        {ROW, "{\"data\":1,\"kubeconfig\":\"no\"}", OK, NULL},
        {ROW, "{\"data\":[{\"kubeconfig\":\"no\"}]}", OK, NULL},
        {ROW, "{\"kubeconfig\":\"no\"}", OK, NULL},
        {ROW, "[{\"data\":{\"kubeconfig\":\"no\"}}]", OK, NULL},
        {ROW, "[{\"kubeconfig\":\"no\"}]", OK, NULL},
        {ROW, "\"data\"", OK, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":\"x\",\"kubeconfig\":\"x\"}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":\"x\",\"\\u006bubeconfig\":\"y\"}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":\"x\"},\"data\":{}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{},\"data\":{\"kubeconfig\":\"x\"}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":1}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":null}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":[\"x\"]}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":{}}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":\"\\ud800\"}}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":\"x\"}", ERR_INPUT, NULL},
        {ROW, "{\"data\":{\"kubeconfig\":\"x\"}}}", ERR_INPUT, NULL},
        {ROW, "", ERR_INPUT, NULL},
    };
    static const char *const path[] = {"data", "kubeconfig", NULL};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char room[8];
        struct buf b = BUF_OF(room);
        bool found = i % 2;
        enum err e = json_get(span_str(rows[i].doc), path, &b, &found);
        ROW_TRUE(&rows[i], e == rows[i].e);
        ROW_TRUE(&rows[i], found == (e != OK ? i % 2 == 1 : rows[i].want != NULL));
        ROW_TRUE(&rows[i], span_is(buf_span(&b), rows[i].want ? rows[i].want : ""));
    }
    char room[2];
    struct buf b = BUF_OF(room);
    bool found = false;
    assert_int_equal(json_get(SPAN_LIT("{\"data\":{\"kubeconfig\":\"long\"}}"), path, &b, &found), ERR_LIMIT);
}

static enum err whole(struct span in)
{
    struct json j;
    json_init(&j, in);
    for (;;) {
        enum json_event e = json_next(&j);
        if (e == JSON_END)
            return OK;
        if (e == JSON_ERROR)
            return json_error(&j);
    }
}

/* JSONTestSuite: y_ must be accepted, n_ refused; i_ may be either. */
static void test_suite(void **state)
{
    (void)state;
    static char text[512 * 1024];
    const char *corpora = getenv("JOINBOOT_CORPORA");
    char dir[512];
    unsigned seen = 0;
    unsigned wrong = 0;
    (void)snprintf(dir, sizeof(dir), "%s/JSONTestSuite/test_parsing",
                   corpora ? corpora : "../shared/corpora");
    DIR *d = opendir(dir);
    if (!d) {
        print_message("skipped: %s is not there\n", dir);
        skip();
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));) {
        char path[1024];
        char kind = entry->d_name[0];
        if (!strchr("yni", kind) || entry->d_name[1] != '_')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t n = fread(text, 1, sizeof(text), f);
        assert_true(n < sizeof(text) && fclose(f) == 0);
        seen += kind != 'i';
        if (kind != 'i' && (whole(span_of(text, n)) == OK) != (kind == 'y')) {
            print_error("%s\n", entry->d_name);
            wrong++;
        } else if (kind == 'i') {
            (void)(whole(span_of(text, n)) == OK);
        }
    }
    closedir(d);
    print_message("JSONTestSuite: %u files\n", seen);
    assert_int_equal(wrong, 0);
    assert_true(seen > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),      cmocka_unit_test(depth),        cmocka_unit_test(skips),
        cmocka_unit_test(strings),    cmocka_unit_test(puts_strings), cmocka_unit_test(paths),
        cmocka_unit_test(test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
