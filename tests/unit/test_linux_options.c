/*
 * test_linux_options.c - the agent's command line as an ordinary process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boards/linux/identity.h"
#include "boards/linux/options.h"

static enum err parse(struct options *o, char *ret_why, size_t cap, ...)
{
    const char *argv[16] = {"joinboot"};
    struct buf why = {.p = (uint8_t *)ret_why, .cap = cap};
    int argc = 1;
    va_list ap;

    va_start(ap, cap);
    for (const char *a = va_arg(ap, const char *); a; a = va_arg(ap, const char *))
        argv[argc++] = a;
    va_end(ap);
    return options_parse(o, argc, argv, &why);
}

static void test_defaults(void **state)
{
    static struct options o;
    char why[200];

    (void)state;
    assert_int_equal(parse(&o, why, sizeof(why), NULL), OK);
    assert_string_equal(o.site, "/etc/joinboot/site.conf");
    assert_string_equal(o.state, "/var/lib/joinboot/state");
    assert_null(o.nic);
    assert_false(o.has_identity || o.once || o.one_shot || o.help || o.version);
    assert_int_equal(o.timeout_s, 0);
    assert_int_equal(o.cmdline.n, 0);
}

static void test_everything(void **state)
{
    static struct options o;
    char why[200];

    (void)state;
    assert_int_equal(parse(&o, why, sizeof(why), "--site", "a", "--state", "b", "--nic", "eth0", "--once",
                           "--identity", "serial=S 1,uuid=7c6f2d1e-5b3a-4e8f-9a0b-1c2d3e4f5a6b", "--set",
                           "url=https://h/x?a=b", "--set", "joinboot.dad=short", NULL),
                     OK);
    assert_string_equal(o.site, "a");
    assert_string_equal(o.state, "b");
    assert_string_equal(o.nic, "eth0");
    assert_true(o.once && o.has_identity && o.identity.has_uuid);
    assert_string_equal(o.identity.serial, "S 1");
    assert_int_equal(o.identity.uuid[0], 0x7c);
    assert_true(span_is(buf_span(&o.cmdline), "joinboot.url=https://h/x?a=b joinboot.dad=short"));
}

static void test_refused(void **state)
{
    static const char *const rows[][2] = {
        {"--sit", "x"},
        {"--site", NULL},
        {"--site", ""},
        {"word", NULL},
        {"--nic", "a-name-of-16-bytes"},
        {"--nic", "../eth0"},
        {"--identity", ""},
        {"--identity", "uuid=7c6f2d1e"},
        {"--identity", "serial=a,serial=b"},
        {"--identity", "mac=00:11:22:33:44:55"},
        {"--set", "url"},
        {"--set", "=x"},
        {"--set", "url=a joinboot.trust=b"},
        {"--set", "url=\"a"},
    };
    static struct options o;
    char why[200];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        why[0] = 0;
        if (parse(&o, why, sizeof(why), rows[i][0], rows[i][1], NULL) != ERR_INPUT || why[0] == 0)
            fail_msg("row %zu: %s %s", i, rows[i][0], rows[i][1]);
    }
}

static void test_set_is_bounded(void **state)
{
    static struct options o;
    char why[200], value[OPTIONS_CMDLINE];

    (void)state;
    memset(value, 'a', sizeof(value));
    value[1] = '=';
    value[sizeof(value) - 1] = 0;
    assert_int_equal(parse(&o, why, sizeof(why), "--set", value, NULL), ERR_INPUT);
}

/* What makers leave in SMBIOS when they wrote nothing names nobody. */
static void test_placeholders(void **state)
{
    static const char *const bad[] = {"",
                                      "  ",
                                      "0",
                                      "00000000",
                                      "........",
                                      "FFFFFFFF",
                                      "Default string",
                                      "To Be Filled By O.E.M.",
                                      "to be filled by o.e.m. ",
                                      "System Serial Number",
                                      "Not Specified",
                                      "None",
                                      "0123456789",
                                      "a\tb",
                                      "caf\xc3\xa9"};
    static const char *const good[] = {"LAB-0002", "CZ1234ABCD", "0123456780", "VMware-42 1d"};
    static const uint8_t nobody[][16] = {
        {0},
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
        {3, 0, 2, 0, 4, 0, 5, 0, 0, 6, 0, 7, 0, 8, 0, 9},
        {0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9},
    };
    static const uint8_t somebody[16] = {0x7c, 0x6f};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (identity_is_serial(span_str(bad[i])))
            fail_msg("'%s' passes for a serial number", bad[i]);
    for (size_t i = 0; i < COUNT(good); i++)
        if (!identity_is_serial(span_str(good[i])))
            fail_msg("'%s' is a serial number", good[i]);
    for (size_t i = 0; i < COUNT(nobody); i++)
        assert_false(identity_is_uuid(nobody[i]));
    assert_true(identity_is_uuid(somebody));
}

static void test_one_shot(void **state)
{
    static const char *const bad[] = {"0", "86401", "-1", "1s", "x"};
    static struct options o;
    char why[200];

    (void)state;
    assert_int_equal(parse(&o, why, sizeof(why), "--one-shot", NULL), OK);
    assert_true(o.one_shot && !o.once && o.timeout_s == 0);
    assert_int_equal(parse(&o, why, sizeof(why), "--timeout", "86400", "--one-shot", NULL), OK);
    assert_int_equal(o.timeout_s, 86400);
    for (unsigned i = 0; i < COUNT(bad); i++)
        assert_int_equal(parse(&o, why, sizeof(why), "--one-shot", "--timeout", bad[i], NULL), ERR_INPUT);
    /* An agent that stays has no end to time. */
    assert_int_equal(parse(&o, why, sizeof(why), "--timeout", "60", NULL), ERR_INPUT);
    assert_non_null(strstr(why, "--one-shot"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_one_shot),
        cmocka_unit_test(test_everything),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_set_is_bounded), cmocka_unit_test(test_placeholders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
