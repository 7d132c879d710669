/*
 * test_nodejoin_accept.c - is a bundle for this machine, now? (SECURITY.md, P6 and P7)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/nodejoin.h"
#include "firmware/base/limits.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct nodejoin node;
static struct site site;

#define HEAD      "apiVersion: joinboot/v1alpha1\nkind: NodeJoin\nname: worker-1\n"
#define BINDING   "binding: {uuid: 11223344-5566-7788-99aa-bbccddeeff00}\n"
#define TIMES     "issuedAt: \"2026-11-01T00:00:00Z\"\nexpiresAt: \"2026-12-01T00:00:00Z\"\n"
#define REST      "cluster: prod\nsequence: 7\n" TIMES
#define GOOD      HEAD BINDING REST
#define ISSUED_S  INT64_C(1793491200)
#define EXPIRES_S INT64_C(1796083200)

static enum err read_node(const char *text)
{
    struct yaml_stream stream;
    arena_init(&arena, memory, sizeof(memory));
    fault_clear(&fault);
    memset(&node, 0x5a, sizeof(node));
    enum err e = yaml_parse(span_str(text), &arena, &stream, &fault);
    if (e != OK || stream.count != 1)
        fail_msg("bad test: %s", text);
    return nodejoin_read(stream.docs[0], &node, &fault);
}

#define ACCEPTS(text) accepts(text, __LINE__)
static void accepts(const char *text, int line)
{
    enum err e = read_node(text);
    if (e != OK)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
}

static struct machine this_machine(void)
{
    struct machine m = {.id = {.has_uuid = true, .serial = "S1"},
                        .mac_count = 2,
                        .now_s = ISSUED_S + 3600,
                        .quality = TIME_TRUSTED};
    memcpy(m.id.uuid, node.uuid, 16);
    memcpy(m.macs[0], "\x02\0\0\0\0\x01", 6);
    memcpy(m.macs[1], "\x02\0\0\0\0\x02", 6);
    return m;
}

static const uint8_t digest[HASH_SIZE] = {1, 2, 3};

static enum err accept_on(const struct machine *m)
{
    fault_clear(&fault);
    enum err e = nodejoin_accept(&node, digest, &site, m, &fault);
    assert_int_equal(fault.code, e);
    return e;
}

static void binding(void **state)
{
    (void)state;
    ACCEPTS(GOOD);
    struct machine m = this_machine();
    assert_int_equal(accept_on(&m), OK);
    m.id.uuid[15] ^= 1;
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    m = this_machine();
    m.id.has_uuid = false;
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    ACCEPTS(HEAD "binding: {serial: S1, macs: [\"02:00:00:00:00:02\"]}\n" REST);
    m = this_machine();
    assert_int_equal(accept_on(&m), OK);
    m.id.has_uuid = false;
    assert_int_equal(accept_on(&m), OK);
    memcpy(m.id.serial, "S2", 3);
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    m.id.serial[0] = 0;
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    m = this_machine();
    m.mac_count = 1;
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    m.mac_count = 0;
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    ACCEPTS(HEAD "binding: {macs: [\"02:00:00:00:00:02\", \"02:00:00:00:00:03\"]}\n" REST);
    m = this_machine();
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    ACCEPTS(HEAD "binding: {macs: [\"02:00:00:00:00:02\"]}\n" REST);
    assert_int_equal(accept_on(&m), OK);
    ACCEPTS(HEAD "binding: {serial: S1}\n" REST);
    assert_int_equal(accept_on(&m), OK);
    ACCEPTS(GOOD);
    node.has_uuid = false; /* no document can say this: it names no machine at all */
    m = this_machine();
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
}

static void cluster(void **state)
{
    (void)state;
    ACCEPTS(HEAD BINDING "cluster: prod2\nsequence: 7\n" TIMES);
    struct machine m = this_machine();
    assert_int_equal(accept_on(&m), ERR_CONFIG_CLUSTER);
    ACCEPTS(HEAD BINDING "cluster: pro\nsequence: 7\n" TIMES);
    assert_int_equal(accept_on(&m), ERR_CONFIG_CLUSTER);
}

static void sequence(void **state)
{
    (void)state;
    ACCEPTS(GOOD);
    struct machine m = this_machine();
    m.has_stored = true;
    memcpy(m.stored_digest, digest, sizeof(digest));
    static const struct {
        uint64_t stored;
        enum err e;
    } rows[] = {{0, OK}, {6, OK}, {7, OK}, {8, ERR_CONFIG_SEQUENCE}, {UINT64_MAX, ERR_CONFIG_SEQUENCE}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        m.stored_sequence = rows[i].stored;
        assert_int_equal(accept_on(&m), rows[i].e);
    }
    m.stored_sequence = 7;
    m.stored_digest[31] ^= 1;
    assert_int_equal(accept_on(&m), ERR_CONFIG_EQUIVOCATION);
    m.stored_sequence = 6;
    assert_int_equal(accept_on(&m), OK);
    m.stored_sequence = 8;
    m.has_stored = false;
    assert_int_equal(accept_on(&m), OK);
}

static void time_window(void **state)
{
    (void)state;
    ACCEPTS(GOOD);
    static const struct {
        int64_t now_s;
        enum time_quality quality;
        enum err e;
    } rows[] = {
        {ISSUED_S, TIME_TRUSTED, OK},
        {EXPIRES_S - 1, TIME_TRUSTED, OK},
        {EXPIRES_S, TIME_TRUSTED, ERR_CONFIG_EXPIRED},
        {EXPIRES_S, TIME_HINT, ERR_CONFIG_EXPIRED},
        {EXPIRES_S, TIME_FLOOR, ERR_CONFIG_EXPIRED},
        {INT64_C(4102444800), TIME_FLOOR, ERR_CONFIG_EXPIRED},
        {ISSUED_S - 300, TIME_TRUSTED, OK},
        {ISSUED_S - 301, TIME_TRUSTED, ERR_CONFIG_FUTURE},
        {ISSUED_S - 301, TIME_HINT, ERR_CONFIG_FUTURE},
        {ISSUED_S - 301, TIME_FLOOR, OK},
        {0, TIME_FLOOR, OK},
        {0, TIME_HINT, ERR_CONFIG_FUTURE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct machine m = this_machine();
        m.now_s = rows[i].now_s;
        m.quality = rows[i].quality;
        if (accept_on(&m) != rows[i].e)
            fail_msg("row %zu: %s", i, err_name(fault.code));
    }
}

static void order_of_refusals(void **state)
{
    (void)state;
    ACCEPTS(HEAD BINDING "cluster: other\nsequence: 7\n" TIMES);
    struct machine m = this_machine();
    m.id.uuid[0] ^= 1;
    m.has_stored = true;
    m.stored_sequence = 8;
    m.now_s = EXPIRES_S;
    assert_int_equal(accept_on(&m), ERR_CONFIG_BINDING);
    m.id.uuid[0] ^= 1;
    assert_int_equal(accept_on(&m), ERR_CONFIG_CLUSTER);
    memcpy(node.cluster, "prod", 5);
    assert_int_equal(accept_on(&m), ERR_CONFIG_SEQUENCE);
    m.stored_sequence = 7;
    assert_int_equal(accept_on(&m), ERR_CONFIG_EQUIVOCATION);
    m.stored_sequence = 6;
    assert_int_equal(accept_on(&m), ERR_CONFIG_EXPIRED);
}

/* Only where the site demands it, and behind all that is worse. */
static void sealing(void **state)
{
    (void)state;
    ACCEPTS(GOOD);
    struct machine m = this_machine();
    assert_int_equal(accept_on(&m), OK);
    site.sealed_required = true;
    assert_int_equal(accept_on(&m), ERR_SEAL_REQUIRED);
    m.now_s = EXPIRES_S;
    assert_int_equal(accept_on(&m), ERR_CONFIG_EXPIRED);
    node.sealed = SPAN_LIT("e30");
    assert_int_equal(accept_on(&m), ERR_CONFIG_EXPIRED);
    m.now_s = ISSUED_S;
    assert_int_equal(accept_on(&m), OK);
    site.sealed_required = false;
    assert_int_equal(accept_on(&m), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding),     cmocka_unit_test(cluster),           cmocka_unit_test(sequence),
        cmocka_unit_test(time_window), cmocka_unit_test(order_of_refusals), cmocka_unit_test(sealing),
    };
    memcpy(site.cluster, "prod", 5);
    return cmocka_run_group_tests_name("nodejoin_accept", tests, NULL, NULL);
}
