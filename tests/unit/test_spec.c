/*
 * test_spec.c - the examples of config/SPEC.md, put through the code that the agent runs, and its list of rules.
 */
#include <stdio.h>

#include "config/bundle.h"
#include "config/enrol_tool.h"
#include "firmware/base/limits.h"
#include "firmware/crypto/jose_tool.h"
#include "firmware/crypto/jwe.h"
#include "tests/unit/testcrypto.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct site site;
static struct span spec;

/* The text of the fenced block that opens with ``` and this word. */
static struct span block(const char *word)
{
    char open[32];
    (void)snprintf(open, sizeof(open), "\n```%s\n", word);
    size_t at = span_find_str(spec, open);
    if (at == spec.n)
        fail_msg("SPEC.md has no block %s", word);
    struct span rest = span_sub(spec, at + strlen(open), spec.n);
    return span_sub(rest, 0, span_find_str(rest, "\n```") + 1);
}

static void site_example(void **state)
{
    (void)state;
    struct fault f;
    fault_clear(&f);
    enum err e = site_parse(block("site"), &site, &f);
    if (e != OK)
        fail_msg("%s at line %u: %s", err_name(e), f.line, f.text);
    assert_string_equal(site.cluster, "prod");
    assert_int_equal(site.key_count, 1);
    assert_int_equal(site.roots.count, 1);
}

static void bundle_example(void **state)
{
    (void)state;
    static uint8_t text[8192];
    static struct bundle bundle;
    struct arena arena;
    struct fault f;
    const struct verified *v = NULL;
    struct buf b = BUF_OF(text);
    for (struct span rest = block("bundle"); rest.n > 0;)
        buf_put(&b, span_cut(&rest, '\n'));
    fault_clear(&f);
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(verify_bundle(buf_span(&b), &site, &arena, &v, &f), OK);
    assert_true(span_eq(verified_payload(v), block("payload")));
    assert_int_equal(bundle_parse(v, &arena, &bundle, &f), OK);
    struct machine m = {
        .id = {.has_uuid = true}, .mac_count = 1, .now_s = bundle.node.issued_s, .quality = TIME_TRUSTED};
    memcpy(m.id.uuid, bundle.node.uuid, sizeof(m.id.uuid));
    memcpy(m.macs[0], bundle.node.macs[0], 6);
    assert_int_equal(nodejoin_accept(&bundle.node, verified_digest(v), &site, &m, &f), OK);
}

/* RFC 7517 appendix A.2: the private half of the key in the enrolment record. */
static const char device_key[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"}";

static void sealed_examples(void **state)
{
    (void)state;
    static uint8_t text[LIMIT_YAML], again[ENROL_RECORD_MAX];
    static struct bundle bundle;
    struct buf plain = BUF_OF(text), record = BUF_OF(again);
    struct yaml_stream stream;
    struct machine m;
    struct jose_secret device;
    struct jose_key key;
    struct arena arena;
    struct fault f = {0};
    bool is_record = false;
    assert_int_equal(enrol_read(span_trim(block("enrolment")), &key, &m, &is_record), OK);
    assert_true(is_record);
    assert_int_equal(enrol_put(&record, &key, &m), OK);
    assert_true(span_eq(buf_span(&record), span_trim(block("enrolment"))));
    assert_int_equal(jose_device_secret_parse(span_str(device_key), &device), OK);
    assert_memory_equal(&device.pub, &key, sizeof(key));
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(yaml_parse(block("sealed"), &arena, &stream, &f), OK);
    assert_int_equal(nodejoin_read(stream.docs[0], &bundle.node, &f), OK);
    assert_int_equal(jwe_open(bundle.node.sealed, &device, &plain), OK);
    assert_int_equal(yaml_parse(buf_span(&plain), &arena, &stream, &f), OK);
    assert_int_equal(bundle_kubeadm(&stream, 0, &arena, &bundle, &f), OK);
    assert_true(span_is(bundle.join.token, "clvldh.vjjwg16ucnhp94qr"));
}

/* kubeadm's documents of the other roles; nothing about them would have to be noted. */
static void kubeadm_examples(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum bundle_role role;
    } rows[] = {{"control-plane", BUNDLE_CONTROL_PLANE}, {"init", BUNDLE_INIT}};
    static struct bundle bundle;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bundle_note notes[BUNDLE_NOTES_MAX];
        struct yaml_stream stream;
        struct arena arena;
        struct fault f;
        fault_clear(&f);
        arena_init(&arena, memory, sizeof(memory));
        memset(&bundle, 0, sizeof(bundle));
        enum err e = yaml_parse(block(rows[i].word), &arena, &stream, &f);
        if (e == OK)
            e = bundle_kubeadm(&stream, 0, &arena, &bundle, &f);
        if (e != OK)
            fail_msg("%s: %s at line %u: %s", rows[i].word, err_name(e), f.line, f.text);
        assert_int_equal(bundle.role, rows[i].role);
        assert_int_equal(bundle_notes(&bundle, notes), 0);
    }
}

static void rules_are_those_of_the_list(void **state)
{
    (void)state;
    struct span list = testcrypto_file("tests/corpus-lists/stricter.txt");
    unsigned rules = 0;
    while (list.n > 0) {
        struct span line = span_cut(&list, '\n');
        char row[96];
        if (!span_starts(line, "rule "))
            continue;
        struct span name = span_sub(line, 5, span_find(line, ':') - 5);
        (void)snprintf(row, sizeof(row), "\n| `%.*s` | ", (int)name.n, (const char *)name.p);
        if (span_find_str(spec, row) == spec.n)
            fail_msg("SPEC.md does not name the rule %.*s", (int)name.n, (const char *)name.p);
        rules++;
    }
    assert_true(rules > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(site_example),
        cmocka_unit_test(bundle_example),
        cmocka_unit_test(sealed_examples),
        cmocka_unit_test(kubeadm_examples),
        cmocka_unit_test(rules_are_those_of_the_list),
    };
    testcrypto_start(160 * 1024);
    spec = testcrypto_file("config/SPEC.md");
    return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
