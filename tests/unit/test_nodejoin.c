/*
 * test_nodejoin.c - the NodeJoin document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/nodejoin.h"
#include "firmware/base/limits.h"
#include "firmware/base/text.h"

static _Alignas(16) uint8_t memory[LIMIT_ARENA];
static struct arena arena;
static struct fault fault;
static struct nodejoin node;

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

#define REFUSES(text, code, path) refuses(text, code, path, __LINE__)
static void refuses(const char *text, enum err code, const char *path, int line)
{
    static struct nodejoin before;
    memset(&before, 0x5a, sizeof(before));
    enum err e = read_node(text);
    if (e != code || fault.code != code || strcmp(fault.path, path) != 0 || fault.line == 0)
        fail_msg("line %d: %s %s (%s %u:%u)", line, err_name(e), fault.text, fault.path, fault.line,
                 fault.column);
    if (memcmp(&node, &before, sizeof(node)) != 0)
        fail_msg("line %d: the output was touched", line);
}

static void reads_every_field(void **state)
{
    (void)state;
    ACCEPTS(
        HEAD
        "binding:\n  uuid: 11223344-5566-7788-99aa-bbccddeeff00\n  serial: \"S/N 0042\"\n"
        "  macs: [\"52:54:00:12:34:56\", \"52:54:00:AB:cd:ef\"]\n" REST "families: [ipv6]\n"
        "network:\n  ipv4: {addresses: [10.0.0.2/24], gateway: 10.0.0.1, dns: [10.0.0.53, 192.0.2.1]}\n"
        "  ipv6: {addresses: [\"fd00::2/64\", \"fd00:1::2/64\"], gateway: \"fe80::1\"}\nhandOff: supervise\n");
    uint8_t uuid[16];
    char text[IP_TEXT_MAX];
    assert_int_equal(text_uuid(SPAN_LIT("11223344-5566-7788-99aa-bbccddeeff00"), uuid), OK);
    assert_string_equal(node.name, "worker-1");
    assert_true(node.has_uuid);
    assert_memory_equal(node.uuid, uuid, 16);
    assert_string_equal(node.serial, "S/N 0042");
    assert_int_equal(node.mac_count, 2);
    assert_memory_equal(node.macs[1], "\x52\x54\x00\xab\xcd\xef", 6);
    assert_string_equal(node.cluster, "prod");
    assert_int_equal(node.sequence, 7);
    assert_int_equal(node.issued_s, ISSUED_S);
    assert_int_equal(node.expires_s, EXPIRES_S);
    assert_int_equal(node.families, FAMILIES_V6);
    assert_true(node.v4.given && node.v6.given);
    assert_string_equal(ip_prefix_text(&node.v4.addrs[0], text), "10.0.0.2/24");
    assert_string_equal(ip_text(&node.v4.gateway, text), "10.0.0.1");
    assert_int_equal(node.v4.dns_count, 2);
    assert_string_equal(ip_text(&node.v4.dns[1], text), "192.0.2.1");
    assert_int_equal(node.v6.addr_count, 2);
    assert_string_equal(ip_text(&node.v6.gateway, text), "fe80::1");
    assert_int_equal(node.hand_off, NODEJOIN_SUPERVISE);
}

static void fills_defaults(void **state)
{
    (void)state;
    ACCEPTS(GOOD);
    assert_int_equal(node.families, FAMILIES_BOTH);
    assert_false(node.v4.given || node.v6.given);
    assert_string_equal(node.serial, "");
    assert_int_equal(node.mac_count, 0);
    assert_int_equal(node.hand_off, NODEJOIN_SUPERVISE);
    ACCEPTS(HEAD "binding: {serial: x}\n" REST);
    assert_false(node.has_uuid);
    ACCEPTS(HEAD "binding: {macs: [\"02:00:00:00:00:01\"]}\n" REST
                 "network: {ipv6: {addresses: [\"fd00::2/128\"]}}\n");
    assert_true(node.v6.given && !node.v4.given);
    assert_int_equal(node.v6.gateway.family, FAMILY_NONE);
    ACCEPTS(GOOD "families: [ipv6, ipv4]\n");
    assert_int_equal(node.families, FAMILIES_BOTH);
}

static void hands_off(void **state)
{
    (void)state;
    static const char *const good[] = {
        "LABEL=debian-root",
        "LABEL=0123456789012345678901234567890123ab",
        "UUID=11223344-5566-7788-99AA-bbccddeeff00",
        "PARTUUID=11223344-5566-7788-99aa-bbccddeeff00",
        "PARTUUID=0a1B2c3d-02",
    };
    static const char *const bad[] = {
        "/dev/sda1",
        "LABEL=",
        "LABEL=a b",
        "LABEL=a/b",
        "label=x",
        "UUID=",
        "UUID=debian",
        "UUID=0a1b2c3d-02",
        "PARTUUID=0a1b2c3d-2",
        "PARTUUID=0a1b2c3d-0z",
        "PARTUUID=0a1b2c3d002",
        "PARTLABEL=x",
        "LABEL=0123456789012345678901234567890123abc",
        "''",
    };
    char text[1024];
    ACCEPTS(GOOD "handOff: one-shot\n");
    assert_int_equal(node.hand_off, NODEJOIN_ONE_SHOT);
    assert_string_equal(nodejoin_hand_off_name(node.hand_off), "one-shot");
    assert_string_equal(node.target_root, "");
    assert_false(node.reset || node.format_state);
    ACCEPTS(GOOD "reset: true\nformatState: true\n");
    assert_true(node.reset && node.format_state);
    ACCEPTS(GOOD "reset: false\nformatState: false\n");
    assert_false(node.reset || node.format_state);
    for (size_t i = 0; i < COUNT(good); i++) {
        (void)snprintf(text, sizeof(text), GOOD "handOff: switch-root\ntarget: {root: %s}\n", good[i]);
        ACCEPTS(text);
        assert_int_equal(node.hand_off, NODEJOIN_SWITCH_ROOT);
        assert_string_equal(node.target_root, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(text, sizeof(text), GOOD "handOff: switch-root\ntarget: {root: %s}\n", bad[i]);
        REFUSES(text, ERR_CONFIG_FIELD, "target.root");
    }
}

static void refuses_fields(void **state)
{
    (void)state;
    REFUSES("- a\n", ERR_CONFIG_KIND, "");
    REFUSES("kind: NodeJoin\n", ERR_CONFIG_KIND, "");
    REFUSES("apiVersion: joinboot/v1alpha1\n", ERR_CONFIG_KIND, "");
    REFUSES("apiVersion: joinboot/v1alpha2\nkind: NodeJoin\nname: worker-1\n" BINDING REST, ERR_CONFIG_KIND,
            "apiVersion");
    REFUSES("apiVersion: joinboot/v1alpha1\nkind: JoinNode\nname: worker-1\n" BINDING REST, ERR_CONFIG_KIND,
            "kind");
    REFUSES(HEAD REST, ERR_CONFIG_FIELD, "");
    REFUSES(HEAD BINDING "sequence: 7\n" TIMES, ERR_CONFIG_FIELD, "");
    REFUSES(HEAD BINDING "cluster: prod\n" TIMES, ERR_CONFIG_FIELD, "");
    REFUSES(HEAD BINDING "cluster: prod\nsequence: 7\nissuedAt: \"2026-11-01T00:00:00Z\"\n", ERR_CONFIG_FIELD,
            "");
    REFUSES(GOOD "unknown: x\n", ERR_CONFIG_FIELD, "unknown");
    REFUSES(GOOD "Families: [ipv4]\n", ERR_CONFIG_FIELD, "Families");
    REFUSES(GOOD "sealed: abc\n", ERR_SEAL_FORM, "sealed");
    REFUSES(GOOD "sealed: a.b.c.d.e\n", ERR_SEAL_FORM, "sealed");
    REFUSES(GOOD "sealed:\n", ERR_CONFIG_FIELD, "sealed");
    REFUSES(GOOD "role: master\n", ERR_CONFIG_FIELD, "role");
    REFUSES(GOOD "handOff: exec\n", ERR_CONFIG_FIELD, "handOff");
    REFUSES(GOOD "handOff: true\n", ERR_CONFIG_FIELD, "handOff");
    REFUSES(GOOD "reset: yes\n", ERR_CONFIG_FIELD, "reset");
    REFUSES(GOOD "reset: \"true\"\n", ERR_CONFIG_FIELD, "reset");
    REFUSES(GOOD "formatState: 1\n", ERR_CONFIG_FIELD, "formatState");
    REFUSES(GOOD "handOff: switch-root\n", ERR_CONFIG_FIELD, "");
    REFUSES(GOOD "handOff: switch-root\ntarget: {}\n", ERR_CONFIG_FIELD, "target");
    REFUSES(GOOD "handOff: switch-root\ntarget: LABEL=x\n", ERR_CONFIG_FIELD, "target");
    REFUSES(GOOD "handOff: switch-root\ntarget: {root: LABEL=x, disk: a}\n", ERR_CONFIG_FIELD, "target.disk");
    REFUSES(GOOD "target: {root: LABEL=x}\n", ERR_CONFIG_FIELD, "target");
    REFUSES(GOOD "handOff: one-shot\ntarget: {root: LABEL=x}\n", ERR_CONFIG_FIELD, "target");
    REFUSES(GOOD "families: []\n", ERR_CONFIG_FIELD, "families");
    REFUSES(GOOD "network: x\n", ERR_CONFIG_FIELD, "network");
    REFUSES(GOOD "families: {a: ipv4}\n", ERR_CONFIG_FIELD, "families");
    REFUSES(GOOD "families: ipv4\n", ERR_CONFIG_FIELD, "families");
    REFUSES(GOOD "families: [ipv4, ipv4]\n", ERR_CONFIG_FIELD, "families[1]");
    REFUSES(GOOD "families: [IPv4]\n", ERR_CONFIG_FIELD, "families[0]");
}

static void refuses_values(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path;
    } rows[] = {
        {"name: Worker\n" BINDING REST, "name"},
        {"name: a_b\n" BINDING REST, "name"},
        {"name: 7\n" BINDING REST, "name"},
        {"name: x\nbinding: {}\n" REST, "binding"},
        {"name: x\nbinding: x\n" REST, "binding"},
        {"name: x\nbinding: {mac: x}\n" REST, "binding.mac"},
        {"name: x\nbinding: {uuid: 11223344}\n" REST, "binding.uuid"},
        {"name: x\nbinding: {serial: ''}\n" REST, "binding.serial"},
        {"name: x\nbinding: {serial: \"a\\n\"}\n" REST, "binding.serial"},
        {"name: x\nbinding: {serial: \"\\u00e9\"}\n" REST, "binding.serial"},
        {"name: x\nbinding: {serial: 0123456789012345678901234567890123456789012345678901234567890123x}\n" REST,
         "binding.serial"},
        {"name: x\nbinding: {macs: []}\n" REST, "binding.macs"},
        {"name: x\nbinding: {macs: [\"52:54:00:12:34\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"52:54:00:12:34:5\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"52:54:00:12:34:567\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"52:54:00:12:34:56:78\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"52-54-00-12-34-56\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [52:54:00:12:34:56]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"01:00:5e:00:00:01\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"00:00:00:00:00:00\"]}\n" REST, "binding.macs[0]"},
        {"name: x\nbinding: {macs: [\"02:00:00:00:00:01\", \"02:00:00:00:00:01\"]}\n" REST,
         "binding.macs[1]"},
        {"name: x\n" BINDING "cluster: Prod\nsequence: 7\n" TIMES, "cluster"},
        {"name: x\n" BINDING
         "cluster: p0123456789012345678901234567890123456789012345678901234567890123\nsequence: 7\n" TIMES,
         "cluster"},
        {"name: x\n" BINDING "cluster: prod\nsequence: 0\n" TIMES, "sequence"},
        {"name: x\n" BINDING "cluster: prod\nsequence: \"7\"\n" TIMES, "sequence"},
        {"name: x\n" BINDING "cluster: prod\nsequence: 9223372036854775808\n" TIMES, "sequence"},
        {"name: x\n" BINDING
         "cluster: prod\nsequence: 7\nissuedAt: 2026-11-01T00:00:00Z\nexpiresAt: \"2026-12-01T00:00:00Z\"\n",
         "issuedAt"},
        {"name: x\n" BINDING
         "cluster: prod\nsequence: 7\nissuedAt: \"2026-11-01\"\nexpiresAt: \"2026-12-01T00:00:00Z\"\n",
         "issuedAt"},
        {"name: x\n" BINDING
         "cluster: prod\nsequence: 7\nissuedAt: \"2026-11-01T00:00:00Z\"\nexpiresAt: \"2026-11-01T00:00:00Z\"\n",
         "expiresAt"},
        {"name: x\n" BINDING REST "network: {ipv5: {}}\n", "network.ipv5"},
        {"name: x\n" BINDING REST "network: {ipv4: {}}\n", "network.ipv4"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: []}}\n", "network.ipv4.addresses"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2]}}\n", "network.ipv4.addresses[0]"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/0]}}\n",
         "network.ipv4.addresses[0]"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/33]}}\n",
         "network.ipv4.addresses[0]"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [127.0.0.1/8]}}\n",
         "network.ipv4.addresses[0]"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [\"fd00::2/64\"]}}\n",
         "network.ipv4.addresses[0]"},
        {"name: x\n" BINDING REST "network: {ipv6: {addresses: [\"fe80::2/64\"]}}\n",
         "network.ipv6.addresses[0]"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/24], gateway: 10.0.1.1}}\n",
         "network.ipv4.gateway"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/24], gateway: 10.0.0.2}}\n",
         "network.ipv4.gateway"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/24], gateway: \"fd00::1\"}}\n",
         "network.ipv4.gateway"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/24], dns: [banana]}}\n",
         "network.ipv4.dns[0]"},
        {"name: x\n" BINDING REST "network: {ipv4: {addresses: [10.0.0.2/24], dns: [224.0.0.1]}}\n",
         "network.ipv4.dns[0]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[2048];
        (void)snprintf(text, sizeof(text), "apiVersion: joinboot/v1alpha1\nkind: NodeJoin\n%s", rows[i].text);
        REFUSES(text, ERR_CONFIG_FIELD, rows[i].path);
    }
    REFUSES(GOOD
            "network: {ipv4: {addresses: [10.0.0.2/24], dns: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]}}\n",
            ERR_LIMIT, "network.ipv4.dns[3]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field), cmocka_unit_test(fills_defaults), cmocka_unit_test(hands_off),
        cmocka_unit_test(refuses_fields),    cmocka_unit_test(refuses_values),
    };
    return cmocka_run_group_tests_name("nodejoin", tests, NULL, NULL);
}
