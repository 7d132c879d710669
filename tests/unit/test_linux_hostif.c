/*
 * test_linux_hostif.c - the card towards the BMC out of SMBIOS tables, whole, in pieces, cut and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boards/linux/hostif.h"

#include <string.h>

/* A BIOS structure with strings, a host interface over USB, the end of the table. */
static const uint8_t table[] = {
    0,    6,    0,    0,    1,    2,    'A', 'C', 'M',  'E',  0,    '1',  0, 0, /* type 0 with two strings */
    1,    4,    1,    0,    0,    0,                                            /* type 1 without any */
    42,   22,   2,    0,    0x40, 13,   4,   13,  0x6b, 0x1d, 0x02, 0x01, 0,    /* network, USB v2 */
    0x52, 0x54, 0x00, 0x4a, 0x42, 0xc1, 1,   4,   0,    0,    0,                /* MAC; one protocol record */
    127,  4,    3,    0,    0,    0};
enum { AT_42 = 20, AT_MAC = 33 };
static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x4a, 0x42, 0xc1};

static bool found(const uint8_t *p, size_t n, size_t piece, uint8_t ret[static 6])
{
    struct hostif h = {0};

    for (size_t i = 0; i < n; i += piece)
        if (hostif_feed(&h, span_of(p + i, n - i < piece ? n - i : piece), ret))
            return true;
    return false;
}

static void test_in_pieces(void **unused)
{
    (void)unused;
    for (size_t piece = 1; piece <= sizeof(table); piece++) {
        uint8_t got[6] = {0};

        assert_true(found(table, sizeof(table), piece, got));
        assert_memory_equal(got, mac, 6);
    }
}

static void test_pci(void **unused)
{
    static const uint8_t pci[] = {42, 25, 2,    0,    0x40, 16,   5,    20,   0x86, 0x80, 0x33, 0x15, 0, 0,
                                  0,  0,  0x52, 0x54, 0x00, 0x4a, 0x42, 0xc1, 0,    0,    3,    0,    0};
    uint8_t got[6] = {0};

    (void)unused;
    assert_true(found(pci, sizeof(pci), 7, got));
    assert_memory_equal(got, mac, 6);
}

static void test_others(void **unused)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } wrong[] = {
        {AT_42, 41},       /* another structure */
        {AT_42 + 4, 7},    /* a serial line and no network */
        {AT_42 + 5, 12},   /* descriptor ends before the MAC does */
        {AT_42 + 6, 2},    /* the first form has no MAC */
        {AT_42 + 6, 0x80}, /* a maker's own */
        {1, 3},            /* a structure that is shorter than its header ends the walk */
        {AT_42 + 1, 18},   /* the structure itself ends before the MAC does */
    };

    (void)unused;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        uint8_t copy[sizeof(table)], got[6] = {9};

        memcpy(copy, table, sizeof(copy));
        copy[wrong[i].at] = wrong[i].byte;
        if (found(copy, sizeof(copy), 64, got))
            fail_msg("%zu: found", i);
        assert_int_equal(got[0], 9);
    }
    /* Cut anywhere before the end of its strings. */
    for (size_t n = 0; n < sizeof(table) - 6; n++) {
        uint8_t got[6];

        assert_false(found(table, n, 5, got));
    }
}

/* Damage of one byte at each place, of two kinds: whatever comes out, nothing is read or written beyond. */
static void test_damage(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < 2 * sizeof(table); i++) {
        uint8_t copy[sizeof(table)], got[6];

        memcpy(copy, table, sizeof(copy));
        copy[i / 2] = i % 2 ? 255 : 0;
        (void)found(copy, sizeof(copy), 3, got);
    }
}

static void test_no_tables(void **unused)
{
    uint8_t got[6];

    (void)unused;
    assert_false(hostif_read("/nonexistent", got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_pieces), cmocka_unit_test(test_pci),       cmocka_unit_test(test_others),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_no_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
