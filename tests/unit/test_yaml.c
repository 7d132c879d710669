/*
 * test_yaml.c - what the YAML reader accepts, what it refuses and where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/yaml.h"
#include "config/yaml_heap.h"
#include "config/yaml_looks.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"

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

/* The tree as one line: {k:v,k:[a,b]}; quoted scalars in quotes. */
static void dump(const struct yaml_node *n, struct buf *b)
{
    if (n->type == YAML_SCALAR) {
        buf_str(b, n->plain ? "" : "'");
        buf_put(b, n->value);
        buf_str(b, n->plain ? "" : "'");
        return;
    }
    buf_str(b, n->type == YAML_MAP ? "{" : "[");
    for (const struct yaml_node *c = n->child; c; c = c->next) {
        if (n->type == YAML_MAP) {
            buf_put(b, c->key);
            buf_str(b, ":");
        }
        dump(c, b);
        if (c->next)
            buf_str(b, ",");
    }
    buf_str(b, n->type == YAML_MAP ? "}" : "]");
}

#define ACCEPTS(text, want) accepts(text, want, __LINE__)
static void accepts(const char *text, const char *want, int line)
{
    char out[1024] = "";
    struct buf b = {.p = (uint8_t *)out, .cap = sizeof(out) - 1};
    enum err e = parse(text);
    for (unsigned i = 0; e == OK && i < stream.count; i++) {
        buf_str(&b, i ? "|" : "");
        dump(stream.docs[i], &b);
    }
    if (e != OK || strcmp(out, want) != 0)
        fail_msg("line %d: %s (%s %u:%u), got %s", line, err_name(e), fault.text, fault.line, fault.column,
                 out);
    assert_int_equal(yaml_heap_used(), 0);
}

#define REFUSES(text, code, at_line, at_column, words) \
    refuses(span_str(text), code, at_line, at_column, words, __LINE__)
#define REFUSES_BYTES(text, code, at_line, at_column, words) \
    refuses(SPAN_LIT(text), code, at_line, at_column, words, __LINE__)
static void refuses(struct span text, enum err code, unsigned at_line, unsigned at_column, const char *words,
                    int line)
{
    enum err e = parse_span(text);
    if (e != code || fault.code != code || fault.line != at_line || fault.column != at_column ||
        !strstr(fault.text, words))
        fail_msg("line %d: got %s at %u:%u: %s", line, err_name(e), fault.line, fault.column, fault.text);
    assert_int_equal(stream.count, 77);
    assert_int_equal(yaml_heap_used(), 0);
}

static void accepts_subset(void **state)
{
    (void)state;
    ACCEPTS("", "");
    ACCEPTS("a: b\n", "{a:b}");
    ACCEPTS("a: b", "{a:b}");
    ACCEPTS("a: b\r\nc: 'd'\r\n", "{a:b,c:'d'}");
    ACCEPTS("---\na: b\n", "{a:b}");
    ACCEPTS("--- # first\na: b\n--- \nc: d\n", "{a:b}|{c:d}");
    ACCEPTS("# comment\na: # comment\n  b\n", "{a:b}");
    ACCEPTS("a: [b, 'c', \"d\"]\ne: {f: g}\n", "{a:[b,'c','d'],e:{f:g}}");
    ACCEPTS("a:\n- b\n- c: d\n  e: f\n", "{a:[b,{c:d,e:f}]}");
    ACCEPTS("a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a:'x\ny\n',b:'x y'}");
    ACCEPTS("a: \"\\u00e9\\x41\\t\"\n", "{a:'\xc3\xa9"
                                        "A\t'}");
    ACCEPTS("'~': x\n\"yes\": x\n'1': x\n", "{~:x,yes:x,1:x}");
    ACCEPTS("{\"a\": [1, true, null, \"x/y\"]}\n", "{a:[1,true,null,'x/y']}");
    ACCEPTS("a: x:y\nb: 10.0.0.1:6443\nc: fd00::1\n", "{a:x:y,b:10.0.0.1:6443,c:fd00::1}");
    ACCEPTS("- a\n- []\n- {}\n", "[a,[],{}]");
}

static void refuses_bytes(void **state)
{
    (void)state;
    REFUSES("\xef\xbb\xbf"
            "a: b\n",
            ERR_CONFIG_SYNTAX, 1, 1, "[stricter: byte-order-mark]");
    REFUSES("a: b\n\xef\xbb\xbf", ERR_CONFIG_SYNTAX, 2, 1, "byte order mark");
    REFUSES_BYTES("\xff\xfe"
                  "a\0",
                  ERR_CONFIG_SYNTAX, 1, 1, "[stricter: utf-16]");
    REFUSES_BYTES("\xfe\xff\0a", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: utf-16]");
    REFUSES("a: \xc2\x85", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: line-break]");
    REFUSES("a: b # \xe2\x80\xa8", ERR_CONFIG_SYNTAX, 1, 8, "[stricter: line-break]");
    REFUSES("a: b # \xe2\x80\xa9", ERR_CONFIG_SYNTAX, 1, 8, "[stricter: line-break]");
    REFUSES("a: b\rc: d\n", ERR_CONFIG_SYNTAX, 1, 5, "[stricter: line-break]");
    REFUSES("a: b\r", ERR_CONFIG_SYNTAX, 1, 5, "[stricter: line-break]");
    REFUSES_BYTES("a: \0\n", ERR_CONFIG_SYNTAX, 1, 4, "control");
    REFUSES("a: \x0b\n", ERR_CONFIG_SYNTAX, 1, 4, "control");
    REFUSES("a: \x7f\n", ERR_CONFIG_SYNTAX, 1, 4, "control");
    REFUSES("a: \xc2\x9f\n", ERR_CONFIG_SYNTAX, 1, 4, "control");
    REFUSES("a: \xef\xbf\xbe\n", ERR_CONFIG_SYNTAX, 1, 4, "control");
    REFUSES("a: \xef\xbf\xbf\n", ERR_CONFIG_SYNTAX, 1, 4, "control");
    REFUSES("a: \x80\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xc1\xbf\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xe0\x9f\xbf\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xed\xa0\x80\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xf0\x8f\xbf\xbf\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xf4\x90\x80\x80\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xc3 \n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xe2\x82x\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xff\n", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("a: \xe2\x82", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
    REFUSES("\xc3\xa9: \xff", ERR_CONFIG_SYNTAX, 1, 4, "not UTF-8");
}

static void refuses_constructs(void **state)
{
    (void)state;
    REFUSES("a: b\n...\n", ERR_CONFIG_SYNTAX, 2, 1, "[stricter: document-end]");
    REFUSES("%YAML 1.1\n---\na: b\n", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: directive]");
    REFUSES("a: b\n--- c\n", ERR_CONFIG_SYNTAX, 2, 1, "--- must stand alone");
    REFUSES("a: b\n---#c\nc: d\n", ERR_CONFIG_SYNTAX, 2, 1, "--- must stand alone");
    REFUSES("# c\n---\na: b\n", ERR_CONFIG_SYNTAX, 1, 1, "without content");
    REFUSES("\n---\na: b\n", ERR_CONFIG_SYNTAX, 1, 1, "without content");
    REFUSES("a: b\n---\n", ERR_CONFIG_SYNTAX, 3, 1, "[stricter: empty-document]");
    REFUSES("---\n---\na: b\n", ERR_CONFIG_SYNTAX, 2, 1, "[stricter: empty-document]");
    REFUSES("a: b\n---\n# c\n", ERR_CONFIG_SYNTAX, 3, 1, "without content");
    REFUSES("# c\n", ERR_CONFIG_SYNTAX, 1, 1, "without content");
    REFUSES("{a: b}\n", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: flow-root]");
    REFUSES("{\"a\": \"\\x41\"}\n", ERR_CONFIG_SYNTAX, 1, 1, "must be JSON");
    REFUSES("a: &b c\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: anchor]");
    REFUSES("a: &b [c]\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: anchor]");
    REFUSES("a: &b {c: d}\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: anchor]");
    REFUSES("&k a: c\n", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: anchor]");
    REFUSES("a: *b\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: anchor]");
    REFUSES("a: !!str b\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: tag]");
    REFUSES("a: ! b\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: tag]");
    REFUSES("a: !!map {}\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: tag]");
    REFUSES("a: !!seq []\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: tag]");
    REFUSES("<<: {a: b}\n", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: merge]");
    REFUSES("y: b\n", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: plain-key]");
    REFUSES("a:\n  1: b\n", ERR_CONFIG_SYNTAX, 2, 3, "[stricter: plain-key]");
    REFUSES("a:\n  ~: b\n", ERR_CONFIG_SYNTAX, 2, 3, "[stricter: plain-key]");
    REFUSES("[a]: b\n", ERR_CONFIG_SYNTAX, 1, 1, "a key must be a scalar");
    REFUSES("? {a: b}\n: c\n", ERR_CONFIG_SYNTAX, 1, 3, "a key must be a scalar");
    REFUSES("a: \"\\0\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\r\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\e\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\x7f\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\N\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\L\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\P\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\x85\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\ufeff\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\ufffe\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("a: \"x\\U0001ffff\"\n", ERR_CONFIG_SYNTAX, 1, 4, "[stricter: control-character]");
    REFUSES("\"a\\b\": c\n", ERR_CONFIG_SYNTAX, 1, 1, "[stricter: control-character]");
    REFUSES("a: [b:, c]\n", ERR_CONFIG_SYNTAX, 1, 6, "[stricter: flow-colon]");
    REFUSES("a: \"b\\/c\"\n", ERR_CONFIG_SYNTAX, 1, 6, "[stricter: slash-escape]");
    REFUSES("a: b: c\n", ERR_CONFIG_SYNTAX, 1, 5, "mapping values are not allowed");
    REFUSES("a: [b\n", ERR_CONFIG_SYNTAX, 2, 1, "did not find expected");
}

static void refuses_duplicates(void **state)
{
    (void)state;
    REFUSES("a: b\na: c\n", ERR_CONFIG_FIELD, 2, 1, "twice");
    assert_string_equal(fault.path, "a");
    REFUSES("a:\n- b: c\n  \"\\x62\": d\n", ERR_CONFIG_FIELD, 3, 3, "twice");
    assert_string_equal(fault.path, "a[0].b");
    REFUSES("a:\n  b: [c, &d e]\n", ERR_CONFIG_SYNTAX, 2, 10, "anchor");
    assert_string_equal(fault.path, "a.b");
    REFUSES("&d e\n", ERR_CONFIG_SYNTAX, 1, 1, "anchor");
    assert_string_equal(fault.path, "");
    REFUSES("a: b\n---\nx: {c: d, 'c': e}\n", ERR_CONFIG_FIELD, 3, 11, "twice");
    ACCEPTS("a: {x: y}\nb: {x: y}\n", "{a:{x:y},b:{x:y}}");
    ACCEPTS("a: b\nA: c\n", "{a:b,A:c}");
}

static void positions_and_paths(void **state)
{
    (void)state;
    assert_int_equal(parse("discovery:\n  bootstrapToken:\n    caCertHashes:\n    - one\n    - two\n"), OK);
    const struct yaml_node *hashes =
        yaml_get(yaml_get(yaml_get(stream.docs[0], "discovery"), "bootstrapToken"), "caCertHashes");
    assert_non_null(hashes);
    char text[64] = "";
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
    yaml_path(hashes->child->next, &b);
    assert_string_equal(text, "discovery.bootstrapToken.caCertHashes[1]");
    assert_int_equal(hashes->child->next->line, 5);
    assert_int_equal(hashes->child->next->column, 7);
    assert_int_equal(hashes->key_line, 3);
    assert_int_equal(hashes->key_column, 5);
    assert_null(yaml_get(stream.docs[0], "Discovery"));
    assert_null(yaml_get(hashes, "one"));
    assert_null(yaml_get(NULL, "one"));
    assert_int_equal(yaml_fault(&fault, ERR_CONFIG_FIELD, hashes, "bad %d", 7), ERR_CONFIG_FIELD);
    assert_string_equal(fault.text, "bad 7");
    assert_string_equal(fault.path, "discovery.bootstrapToken.caCertHashes");
    fault_clear(&fault);
    assert_int_equal(yaml_fault(&fault, ERR_CONFIG_FIELD, NULL, "none"), ERR_CONFIG_FIELD);
    assert_int_equal(fault.line, 0);
}

static void looks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum yaml_look look;
    } rows[] = {
        {"", YAML_LOOKS_NULL},
        {"~", YAML_LOOKS_NULL},
        {"null", YAML_LOOKS_NULL},
        {"NULL", YAML_LOOKS_NULL},
        {"Null", YAML_LOOKS_NULL},
        {"y", YAML_LOOKS_BOOL},
        {"No", YAML_LOOKS_BOOL},
        {"TRUE", YAML_LOOKS_BOOL},
        {"off", YAML_LOOKS_BOOL},
        {"<<", YAML_LOOKS_MERGE},
        {"=", YAML_LOOKS_MERGE},
        {"0", YAML_LOOKS_NUMBER},
        {"007", YAML_LOOKS_NUMBER},
        {"-1", YAML_LOOKS_NUMBER},
        {"+1", YAML_LOOKS_NUMBER},
        {"1_000", YAML_LOOKS_NUMBER},
        {"0x1F", YAML_LOOKS_NUMBER},
        {"0b101", YAML_LOOKS_NUMBER},
        {"0o17", YAML_LOOKS_NUMBER},
        {"1.10", YAML_LOOKS_NUMBER},
        {".5", YAML_LOOKS_NUMBER},
        {"1.", YAML_LOOKS_NUMBER},
        {"52e54", YAML_LOOKS_NUMBER},
        {"1e+3", YAML_LOOKS_NUMBER},
        {".inf", YAML_LOOKS_NUMBER},
        {"-.INF", YAML_LOOKS_NUMBER},
        {".NaN", YAML_LOOKS_NUMBER},
        {"1:30", YAML_LOOKS_NUMBER},
        {"52:54:00:12:34:56", YAML_LOOKS_NUMBER},
        {"190:20:30.15", YAML_LOOKS_NUMBER},
        {"1e", YAML_LOOKS_NUMBER},
        {"2001-12-14", YAML_LOOKS_TIME},
        {"2001-1-1", YAML_LOOKS_TIME},
        {"2001-12-14T21:59:43Z", YAML_LOOKS_TIME},
        {"2001-12-14 21:59:43", YAML_LOOKS_TIME},
        {"n1", YAML_LOOKS_STRING},
        {"10.0.0.1", YAML_LOOKS_STRING},
        {"10.0.0.1:6443", YAML_LOOKS_STRING},
        {"0e1234.0123456789abcdef", YAML_LOOKS_STRING},
        {"v1.36.2", YAML_LOOKS_STRING},
        {"-", YAML_LOOKS_STRING},
        {".", YAML_LOOKS_STRING},
        {"10.100.0.2,fd00::3", YAML_LOOKS_STRING},
        {"1:234", YAML_LOOKS_STRING},
        {"5m0s", YAML_LOOKS_STRING},
        {"0xg", YAML_LOOKS_STRING},
        {"e3", YAML_LOOKS_STRING},
        {"2001-12", YAML_LOOKS_STRING},
        {"2001-12-14x", YAML_LOOKS_STRING},
        {"nan", YAML_LOOKS_STRING},
        {"yesterday", YAML_LOOKS_STRING},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (yaml_looks(span_str(rows[i].text)) != rows[i].look)
            fail_msg("%s looks like %d", rows[i].text, (int)yaml_looks(span_str(rows[i].text)));
    }
}

static const struct yaml_node *value_of(const char *text)
{
    assert_int_equal(parse(text), OK);
    return stream.docs[0]->child;
}

static void typed_values(void **state)
{
    (void)state;
    struct span s = {0};
    bool b = false;
    uint64_t u = 0;
    assert_int_equal(yaml_string(value_of("a: n1"), &s, &fault), OK);
    assert_true(span_is(s, "n1") && s.p[s.n] == 0);
    assert_int_equal(yaml_string(value_of("a: '007'"), &s, &fault), OK);
    assert_int_equal(yaml_string(value_of("a: 007"), &s, &fault), ERR_CONFIG_FIELD);
    assert_non_null(strstr(fault.text, "[stricter: plain-string]"));
    assert_int_equal(yaml_string(value_of("a: yes"), &s, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_string(value_of("a: 2001-12-14"), &s, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_string(value_of("a:"), &s, &fault), ERR_CONFIG_FIELD);
    assert_non_null(strstr(fault.text, "[stricter: null]"));
    assert_int_equal(yaml_string(value_of("a: []"), &s, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_string(value_of("a: {}"), &s, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_bool(value_of("a: true"), &b, &fault), OK);
    assert_true(b);
    assert_int_equal(yaml_bool(value_of("a: false"), &b, &fault), OK);
    assert_false(b);
    assert_int_equal(yaml_bool(value_of("a: 'true'"), &b, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_bool(value_of("a: True"), &b, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_bool(value_of("a: on"), &b, &fault), ERR_CONFIG_FIELD);
    assert_int_equal(yaml_u64(value_of("a: 6443"), 65535, &u, &fault), OK);
    assert_int_equal(u, 6443);
    assert_int_equal(yaml_u64(value_of("a: 0"), 65535, &u, &fault), OK);
    static const char *const bad[] = {"a: 06443", "a: 0x1",   "a: 6_443", "a: 6443.0", "a: '6443'",
                                      "a: -1",    "a: 65536", "a: +1",    "a: []",     "a: ~"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(yaml_u64(value_of(bad[i]), 65535, &u, &fault), ERR_CONFIG_FIELD);
    assert_true(yaml_is_null(value_of("a: ~")));
    assert_true(yaml_is_null(value_of("a: ")));
    assert_false(yaml_is_null(value_of("a: '~'")));
    assert_false(yaml_is_null(value_of("a: []")));
}

static void caps(void **state)
{
    (void)state;
    char text[128] = "";
    struct buf b = {.p = (uint8_t *)text, .cap = sizeof(text) - 1};
    for (int i = 0; i < LIMIT_YAML_DEPTH; i++)
        buf_str(&b, "[");
    for (int i = 0; i < LIMIT_YAML_DEPTH; i++)
        buf_str(&b, "]");
    assert_int_equal(parse(text), OK);
    REFUSES("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", ERR_LIMIT, 1, 17, "deeper than 16");
    assert_int_equal(parse("a\n---\na\n---\na\n---\na\n---\na\n---\na\n---\na\n---\na\n"), OK);
    assert_int_equal(stream.count, 8);
    REFUSES("a\n---\na\n---\na\n---\na\n---\na\n---\na\n---\na\n---\na\n---\na\n", ERR_LIMIT, 16, 1,
            "more than 8");
}

/* A long text that stands as it is in a document in the arena is not copied; what is decoded, short or elsewhere is. */
static void long_texts(void **state)
{
    static const struct {
        const char *before, *after;
        bool shared;
    } forms[] = {
        {"a: 1\nk: ", "\nb: 2\n", true},
        {"k: ", "", true},
        {"- x\n- ", "\n", true},
        {"k: \"", "\"\n", true},
        {"k: |\n  ", "\n", false},
        {"k: >-\n  ", "\n", false},
        {"\"\xc3\xa4\": 1\nk: ", "\n", false},
        {"k: ", "\n  more\n", false},
        {"k: '", "'\n", true},
        {"k: \"", "\\n\"\n", false},
    };
    static char text[YAML_LONG + 200];
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        for (size_t n = YAML_LONG - 1; n <= YAML_LONG + 9; n += 10) {
            struct span in_arena;
            struct buf b = BUF_OF(text);
            buf_str(&b, forms[i].before);
            for (size_t k = 0; k < n; k++)
                buf_u8(&b, (uint8_t)('a' + k % 26));
            buf_str(&b, forms[i].after);
            for (unsigned elsewhere = 0; elsewhere < 2; elsewhere++) {
                arena_init(&arena, memory, sizeof(memory));
                fault_clear(&fault);
                assert_int_equal(arena_copy(&arena, buf_span(&b), &in_arena), OK);
                struct span in = elsewhere ? buf_span(&b) : in_arena;
                size_t used = arena.used;
                assert_int_equal(yaml_parse(in, &arena, &stream, &fault), OK);
                const struct yaml_node *node = yaml_get(stream.docs[0], "k");
                if (!node)
                    node = stream.docs[0]->child->next;
                bool shared = node->value.p >= in.p && node->value.p < in.p + in.n;
                assert_int_equal(shared, forms[i].shared && !elsewhere && n >= YAML_LONG);
                assert_int_equal(arena.used - used < n, shared);
                assert_true(node->value.n >= n && node->value.p[n - 1] == (uint8_t)('a' + (n - 1) % 26));
                assert_true(node->value.p[0] == 'a');
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_subset),
        cmocka_unit_test(refuses_bytes),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(refuses_constructs),
        cmocka_unit_test(refuses_duplicates),
        cmocka_unit_test(positions_and_paths),
        cmocka_unit_test(looks),
        cmocka_unit_test(typed_values),
        cmocka_unit_test(caps),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
