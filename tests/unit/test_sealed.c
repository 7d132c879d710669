/*
 * test_sealed.c - sealed bundles: what a courier knows of them, who opens them, what is checked behind the seal, and the device key's forms.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>

#include "config/bundle.h"
#include "config/enrol.h"
#include "config/gate.h"
#include "firmware/base/limits.h"
#include "firmware/crypto/jose_tool.h"
#include "firmware/crypto/jwe_tool.h"

#define NODE                                                                              \
    "apiVersion: joinboot/v1alpha1\nkind: NodeJoin\nname: worker-1\n"                     \
    "binding: {uuid: 11223344-5566-7788-99aa-bbccddeeff00}\ncluster: prod\nsequence: 7\n" \
    "issuedAt: \"2026-11-01T00:00:00Z\"\nexpiresAt: \"2026-12-01T00:00:00Z\"\nfamilies: [ipv6]\n"
#define TOKEN "clvldh.vjjwg16ucnhp94qr"
#define JOIN                                                                                       \
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n" \
    "    token: " TOKEN "\n    apiServerEndpoint: 10.100.0.1:6443\n    caCertHashes:\n"            \
    "    - sha256:1122334455667788990011223344556677889900112233445566778899001122\n"
#define INIT "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct bundle bundle;
static struct site site;
static struct jose_secret signer, device, other;
static const struct verified *verified;

/* A JWE of the documents for the device. */
static void seal(const char *documents, struct buf *ret)
{
    static uint8_t room[LIMIT_YAML];
    struct buf plain = BUF_OF(room);

    buf_str(&plain, documents);
    assert_int_equal(jwe_seal(&device.pub, &plain, ret), OK);
}

/* Signs, verifies and parses NODE, these lines, and if `documents` is not NULL `sealed:` with them; then `behind`. */
static enum err parse(const char *lines, const char *documents, const char *behind)
{
    static uint8_t payload_room[LIMIT_YAML + 1024], text[LIMIT_BUNDLE];
    struct buf payload = BUF_OF(payload_room), b = BUF_OF(text);

    buf_fmt(&payload, "%s%s", NODE, lines);
    if (documents) {
        buf_str(&payload, "sealed: ");
        seal(documents, &payload);
        buf_str(&payload, "\n");
    }
    buf_str(&payload, behind);
    assert_false(payload.overflow);
    assert_int_equal(jose_sign_compact(&signer, VERIFY_TYP_BUNDLE, buf_span(&payload), &b), OK);
    memset(memory, 0, sizeof(memory));
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    assert_int_equal(verify_bundle(buf_span(&b), &site, &arena, &verified, &fault), OK);
    memset(&bundle, 0x5a, sizeof(bundle));
    return bundle_parse(verified, &arena, &bundle, &fault);
}

static bool memory_has(const char *text)
{
    return span_find_str(span_of(memory, sizeof(memory)), text) < sizeof(memory);
}

/* What a courier needs is there without the key, and nothing of what is sealed. */
static void test_closed(void **state)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];

    (void)state;
    assert_int_equal(parse("role: worker\n", JOIN, ""), OK);
    assert_true(bundle.closed);
    assert_int_equal(bundle.role, BUNDLE_WORKER);
    assert_string_equal(bundle.node.name, "worker-1");
    assert_int_equal(bundle.node.sequence, 7);
    assert_int_equal(bundle.node.families, FAMILIES_V6);
    assert_true(bundle.node.has_uuid);
    assert_int_equal(jose_thumbprint(&device.pub, kid), OK);
    assert_string_equal(bundle.node.sealed_to, kid);
    assert_null(bundle.join.root);
    assert_int_equal(bundle.kubeadm_yaml.n, 0);
    assert_false(memory_has("vjjwg16ucnhp94qr"));
    assert_int_equal(bundle_supported(&bundle, 0, false, &fault), OK);
    assert_int_equal(parse("role: init\n", INIT, ""), OK);
    assert_int_equal(bundle_supported(&bundle, 0, false, &fault), ERR_CONFIG_INIT);
    assert_string_equal(fault.path, "role");
    assert_int_equal(parse("role: control-plane\n", JOIN "controlPlane: {}\n", ""), OK);
    assert_int_equal(bundle_supported(&bundle, 0, false, &fault), ERR_CONFIG_CONTROL_PLANE);
}

static void test_opened(void **state)
{
    (void)state;
    assert_int_equal(parse("role: worker\n", JOIN, ""), OK);
    assert_int_equal(bundle_open(verified, &device, &arena, &bundle, &fault), OK);
    assert_false(bundle.closed);
    assert_true(span_is(bundle.join.token, TOKEN));
    assert_true(span_is(bundle.kubeadm_yaml, JOIN));
    assert_true(gate_admitted(bundle.kubeadm_yaml));
    assert_int_equal(bundle_open(verified, &other, &arena, &bundle, &fault), OK); /* it is open */
    assert_int_equal(parse("role: init\n", INIT, ""), OK);
    assert_int_equal(bundle_open(verified, &device, &arena, &bundle, &fault), OK);
    assert_int_equal(bundle.role, BUNDLE_INIT);
}

/* A refusal leaves the bundle closed, and nothing of the plaintext in the arena. */
static void refuse(const char *lines, const char *documents, const struct jose_secret *key, enum err want,
                   const char *path)
{
    static struct bundle before;
    enum err e;

    assert_int_equal(parse(lines, documents, ""), OK);
    before = bundle;
    e = bundle_open(verified, key, &arena, &bundle, &fault);
    if (e != want || fault.code != want || strcmp(fault.path, path) != 0)
        fail_msg("%s %s (%s)", err_name(e), fault.text, fault.path);
    assert_memory_equal(&bundle, &before, sizeof(bundle));
    assert_false(memory_has("vjjwg16ucnhp94qr"));
    assert_null(strstr(fault.text, "vjjwg16ucnhp94qr"));
}

static void test_refused(void **state)
{
    (void)state;
    refuse("role: worker\n", JOIN, &other, ERR_SEAL_RECIPIENT, "sealed");
    refuse("role: control-plane\n", JOIN, &device, ERR_CONFIG_FIELD, "role");
    refuse("role: worker\n", INIT, &device, ERR_CONFIG_FIELD, "role");
    refuse("role: worker\n", JOIN "nodeRegistration: {name: worker-2}\n", &device, ERR_CONFIG_FIELD,
           "nodeRegistration.name");
    refuse("role: worker\n", JOIN "x: y\n", &device, ERR_CONFIG_FIELD, "x");
    refuse("role: worker\n", JOIN "a: *b\n", &device, ERR_CONFIG_SYNTAX, "");
    refuse("role: worker\n", JOIN "---\n" INIT, &device, ERR_CONFIG_KIND, "kind");
    refuse("role: worker\n", NODE "---\n" JOIN, &device, ERR_CONFIG_KIND, "kind");
    refuse("role: worker\n", "# nothing\n", &device, ERR_CONFIG_SYNTAX, "");
    assert_int_equal(parse("", JOIN, ""), ERR_CONFIG_FIELD); /* no role */
    assert_int_equal(parse("", NULL, "---\n" INIT), OK);     /* in clear it needs none */
    assert_int_equal(bundle.role, BUNDLE_INIT);
    assert_int_equal(parse("role: worker\n", JOIN, "---\n" JOIN), ERR_CONFIG_SEALED);
    assert_int_equal(parse("role: worker\n", JOIN, "---\n" NODE), ERR_CONFIG_SEALED);
    assert_int_equal(parse("role: worker\nsealed: ''\n", NULL, ""), ERR_SEAL_FORM);
}

/* Each bit of the JWE in a payload that is signed again: refused when it is parsed, or when it is opened. */
static void test_every_bit(void **state)
{
    static uint8_t jwe[LIMIT_YAML];
    struct buf b = BUF_OF(jwe);
    char lines[8192];

    (void)state;
    seal(JOIN, &b);
    for (size_t bit = 0; bit < 8 * b.n; bit += 151) {
        uint8_t was = jwe[bit / 8];

        jwe[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (jwe[bit / 8] > ' ' && jwe[bit / 8] < 0x7f && jwe[bit / 8] != '"' && jwe[bit / 8] != '\\') {
            snprintf(lines, sizeof(lines), "role: worker\nsealed: \"%.*s\"\n", (int)b.n, (char *)jwe);
            enum err e = parse(lines, NULL, "");
            if (e == OK)
                e = bundle_open(verified, &device, &arena, &bundle, &fault);
            assert_int_not_equal(e, OK);
            assert_int_equal(strncmp(err_name(e), "seal.", 5), 0);
            assert_false(memory_has("vjjwg16ucnhp94qr"));
        }
        jwe[bit / 8] = was;
    }
}

/* The signature first: bytes that are not (or no longer) admitted are not opened. */
static void test_only_verified(void **state)
{
    (void)state;
    assert_int_equal(parse("role: worker\n", JOIN, ""), OK);
    gate_clear();
    assert_int_equal(bundle_open(verified, &device, &arena, &bundle, &fault), ERR_STATE);
    assert_true(bundle.closed);
    assert_false(memory_has("vjjwg16ucnhp94qr"));
}

/* Memory at the n-th place of the arena is missing. */
static void test_no_memory(void **state)
{
    enum err e = ERR_NOMEM;
    unsigned n = 0;

    (void)state;
    while (e != OK) {
        assert_int_equal(parse("role: worker\n", JOIN, ""), OK);
        arena.calls = 0;
        arena.fail_at = ++n;
        e = bundle_open(verified, &device, &arena, &bundle, &fault);
        assert_true(e == OK || e == ERR_NOMEM);
        assert_int_equal(bundle.closed, e != OK);
        assert_int_equal(memory_has("vjjwg16ucnhp94qr"), e == OK);
    }
    assert_true(n > 5);
}

/* The largest documents that fit. */
static void test_large(void **state)
{
    static char text[60 * 1024];
    size_t n = 0;

    (void)state;
    n = (size_t)snprintf(text, sizeof(text), "%s", JOIN);
    while (n < 46 * 1024)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "# a comment that fills the document\n");
    assert_int_equal(parse("role: worker\n", text, ""), OK);
    assert_int_equal(bundle_open(verified, &device, &arena, &bundle, &fault), OK);
    printf("the arena's peak with %zu bytes of sealed documents is %zu\n", n, arena.peak);
}

static void test_site_requires(void **state)
{
    struct machine m = {.id = {.has_uuid = true}, .now_s = 1794000000, .quality = TIME_TRUSTED};

    (void)state;
    assert_int_equal(parse("role: worker\n", JOIN, ""), OK);
    memcpy(m.id.uuid, bundle.node.uuid, sizeof(m.id.uuid));
    m.now_s = bundle.node.issued_s + 1;
    site.sealed_required = true;
    assert_int_equal(nodejoin_accept(&bundle.node, verified_digest(verified), &site, &m, &fault), OK);
    assert_int_equal(parse("", NULL, "---\n" JOIN), OK);
    assert_int_equal(nodejoin_accept(&bundle.node, verified_digest(verified), &site, &m, &fault),
                     ERR_SEAL_REQUIRED);
    site.sealed_required = false;
    fault_clear(&fault);
    assert_int_equal(nodejoin_accept(&bundle.node, verified_digest(verified), &site, &m, &fault), OK);
}

static void test_area(void **state)
{
    uint8_t area[BOARD_KEY_SIZE];
    struct jose_secret read, untouched = {0};

    (void)state;
    assert_int_equal(enrol_area_put(device.d, area), OK);
    assert_int_equal(enrol_area_read(area, &read), OK);
    assert_memory_equal(&read, &device, sizeof(read));
    memset(&read, 0, sizeof(read));
    for (unsigned bit = 0; bit < 8 * sizeof(area); bit++) {
        area[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(enrol_area_read(area, &read), ERR_DEVICE_KEY);
        area[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_memory_equal(&read, &untouched, sizeof(read));
    /* A digest that fits makes no key of a number that is none. */
    memset(&read, 0xff, sizeof(read));
    assert_int_equal(enrol_area_put(read.d, area), OK);
    assert_int_equal(enrol_area_read(area, &untouched), ERR_DEVICE_KEY);
    assert_int_equal(enrol_area_put((const uint8_t[32]){0}, area), OK);
    assert_int_equal(enrol_area_read(area, &untouched), ERR_DEVICE_KEY);
}

static void test_record(void **state)
{
    struct machine m = {.id = {.has_uuid = true, .uuid = {0x11, 0x22}, .serial = "a\"b\\c"},
                        .macs = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}},
                        .mac_count = 2};
    uint8_t text[ENROL_RECORD_MAX], want_text[ENROL_RECORD_MAX];
    struct buf b = BUF_OF(text), want = BUF_OF(want_text), small = {.p = text, .cap = 100};
    char kid[JOSE_THUMBPRINT_TEXT + 1];

    (void)state;
    assert_int_equal(enrol_put(&b, &device.pub, &m), OK);
    assert_int_equal(jose_thumbprint(&device.pub, kid), OK);
    buf_fmt(
        &want,
        "{\"apiVersion\":\"joinboot/v1alpha1\",\"kind\":\"Enrolment\",\"uuid\":\"11220000-0000-0000-0000-000000000000\","
        "\"serial\":\"a\\\"b\\\\c\",\"macs\":[\"02:00:00:00:00:01\",\"02:00:00:00:00:02\"],\"kid\":\"%s\",\"key\":",
        kid);
    jose_key_put(&want, &device.pub);
    buf_str(&want, "}");
    assert_int_equal(b.n, want.n);
    assert_memory_equal(text, want_text, b.n);
    assert_int_equal(enrol_put(&small, &device.pub, &m), ERR_LIMIT);
    /* The longest one there can be. */
    memset(m.id.serial, '"', sizeof(m.id.serial) - 1);
    m.mac_count = BOARD_NICS_MAX;
    b.n = 0;
    assert_int_equal(enrol_put(&b, &device.pub, &m), OK);
}

static int start(void **state)
{
    (void)state;
    testcrypto_start(160 * 1024);
    if (jose_generate(&signer) != OK || jose_generate(&device) != OK || jose_generate(&other) != OK)
        return 1;
    site.keys[0] = signer.pub;
    site.key_count = 1;
    return span_to_cstr(span_str("prod"), site.cluster, sizeof(site.cluster)) == OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed),        cmocka_unit_test(test_opened),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_only_verified), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_large),         cmocka_unit_test(test_site_requires),
        cmocka_unit_test(test_area),          cmocka_unit_test(test_record),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
