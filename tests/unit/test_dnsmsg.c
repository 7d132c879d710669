/*
 * test_dnsmsg.c - DNS answers: good ones, hostile ones, cut and bit-flipped ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/dnsmsg.h"

enum { ID = 0x1234, HEADER = 12 };

#define HOST SPAN_LIT("config.lab")

static uint8_t msg[1024];
static struct buf b;

static void u16(unsigned v)
{
    buf_u8(&b, (uint8_t)(v >> 8));
    buf_u8(&b, (uint8_t)v);
}

static void name(const char *text)
{
    struct span rest = span_str(text);
    while (rest.n > 0) {
        struct span label = span_cut(&rest, '.');
        buf_u8(&b, (uint8_t)label.n);
        buf_put(&b, label);
    }
    buf_u8(&b, 0);
}

static void begin(unsigned id, unsigned flags, unsigned answers, const char *question, unsigned type)
{
    b = BUF_OF(msg);
    u16(id);
    u16(flags);
    u16(1);
    u16(answers);
    u16(0);
    u16(0);
    name(question);
    u16(type);
    u16(1);
}

static void record_head(unsigned type, unsigned n)
{
    u16(type);
    u16(1);
    u16(0);
    u16(60);
    u16(n);
}

static void record_a(const char *owner, uint8_t last)
{
    if (owner != NULL)
        name(owner);
    else
        u16(0xc000 | HEADER);
    record_head(1, 4);
    buf_put(&b, span_of((uint8_t[]){10, 0, 0, last}, 4));
}

static void record_cname(const char *owner, const char *target)
{
    name(owner);
    record_head(5, (unsigned)strlen(target) + 2);
    name(target);
}

static struct dnsmsg_answer read_as(enum family family)
{
    struct dnsmsg_answer a;
    /* A block of exactly the right size, so that ASan sees a read past its end. */
    uint8_t *copy = malloc(b.n + 1);
    memcpy(copy, b.p, b.n);
    uint8_t *exact = realloc(copy, b.n > 0 ? b.n : 1);
    dnsmsg_read(span_of(exact, b.n), ID, HOST, family, &a);
    free(exact);
    return a;
}

static void test_query(void **unused)
{
    static const uint8_t expect[] = {0x12, 0x34, 1,   0,   0,   1, 0,   0,   0,   0, 0, 0,  6, 'c',
                                     'o',  'n',  'f', 'i', 'g', 3, 'l', 'a', 'b', 0, 0, 28, 0, 1};
    uint8_t longest[256];
    (void)unused;
    b = BUF_OF(msg);
    assert_int_equal(dnsmsg_put_query(&b, ID, HOST, FAMILY_V6), OK);
    assert_true(span_eq(buf_span(&b), span_of(expect, sizeof(expect))));
    memset(longest, 'a', sizeof(longest));
    b = BUF_OF(msg);
    assert_int_equal(dnsmsg_put_query(&b, ID, span_of(longest, 64), FAMILY_V4), ERR_DNS);
    for (unsigned i = 63; i < sizeof(longest); i += 64)
        longest[i] = '.';
    b = BUF_OF(msg);
    assert_int_equal(dnsmsg_put_query(&b, ID, span_of(longest, 253), FAMILY_V4), OK);
    assert_true(b.n <= DNSMSG_QUERY_MAX);
    b = BUF_OF(msg);
    assert_int_equal(dnsmsg_put_query(&b, ID, span_of(longest, 254), FAMILY_V4), ERR_DNS);
    assert_int_equal(dnsmsg_put_query(&b, ID, SPAN_LIT(""), FAMILY_V4), ERR_DNS);
    assert_int_equal(dnsmsg_put_query(&b, ID, SPAN_LIT("a..b"), FAMILY_V4), ERR_DNS);
}

static void test_addresses(void **unused)
{
    static const uint8_t v6[16] = {0xfd, [15] = 1};
    (void)unused;
    begin(ID, 0x8180, 2, "CONFIG.lab", 1);
    record_a(NULL, 1);
    record_a("config.LAB", 2);
    struct dnsmsg_answer a = read_as(FAMILY_V4);
    assert_int_equal(a.kind, DNSMSG_ADDRESSES);
    assert_int_equal(a.count, 2);
    assert_int_equal(a.addrs[1].b[3], 2);
    begin(ID, 0x8180, 1, "config.lab", 28);
    u16(0xc000 | HEADER);
    record_head(28, 16);
    buf_put(&b, span_of(v6, 16));
    a = read_as(FAMILY_V6);
    assert_int_equal(a.kind, DNSMSG_ADDRESSES);
    assert_int_equal(a.addrs[0].family, FAMILY_V6);
    assert_memory_equal(a.addrs[0].b, v6, 16);
}

static void test_cnames(void **unused)
{
    (void)unused;
    /* The chain may stand in any order; only its end counts. */
    begin(ID, 0x8180, 4, "config.lab", 1);
    record_a("c.lab", 3);
    record_a("other.lab", 9);
    record_cname("b.lab", "c.lab");
    record_cname("config.lab", "b.lab");
    struct dnsmsg_answer a = read_as(FAMILY_V4);
    assert_int_equal(a.kind, DNSMSG_ADDRESSES);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.addrs[0].b[3], 3);
    begin(ID, 0x8180, 2, "config.lab", 1);
    record_cname("config.lab", "b.lab");
    record_cname("b.lab", "config.lab");
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_REFUSED);
    begin(ID, 0x8180, 1, "config.lab", 1);
    record_cname("config.lab", "b.lab");
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_EMPTY);
}

static void test_foreign_answers(void **unused)
{
    (void)unused;
    begin(ID + 1, 0x8180, 1, "config.lab", 1);
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_IGNORE);
    begin(ID, 0x0100, 1, "config.lab", 1); /* a query */
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_IGNORE);
    begin(ID, 0x9180, 1, "config.lab", 1); /* another opcode */
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_IGNORE);
    begin(ID, 0x8180, 1, "config.lac", 1);
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_IGNORE);
    begin(ID, 0x8180, 1, "config.lab", 28);
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_IGNORE);
    begin(ID, 0x8180, 1, "config.lab", 1);
    msg[5] = 2; /* two questions */
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_IGNORE);
    begin(ID, 0x8180, 1, "config.lab", 1); /* an address of another name */
    record_a("evil.lab", 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_EMPTY);
    begin(ID, 0x8180, 1, "config.lab", 1); /* class CHAOS */
    u16(0xc000 | HEADER);
    u16(1);
    u16(3);
    u16(0);
    u16(60);
    u16(4);
    u16(0x0a00);
    u16(1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_EMPTY);
}

static void test_codes(void **unused)
{
    static const struct {
        unsigned flags;
        enum dnsmsg_kind kind;
    } rows[] = {
        {0x8183, DNSMSG_EMPTY},   {0x8182, DNSMSG_REFUSED}, {0x8185, DNSMSG_REFUSED},
        {0x8181, DNSMSG_REFUSED}, {0x8380, DNSMSG_REFUSED}, {0x8180, DNSMSG_EMPTY},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(ID, rows[i].flags, 0, "config.lab", 1);
        assert_int_equal(read_as(FAMILY_V4).kind, rows[i].kind);
    }
}

static void test_unusable_addresses(void **unused)
{
    static const uint8_t rows[][4] = {
        {127, 0, 0, 1}, {0, 0, 0, 0}, {224, 0, 0, 1}, {255, 255, 255, 255}, {169, 254, 1, 1}};
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(ID, 0x8180, 1, "config.lab", 1);
        u16(0xc000 | HEADER);
        record_head(1, 4);
        buf_put(&b, span_of(rows[i], 4));
        assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_EMPTY);
    }
}

static void test_many(void **unused)
{
    (void)unused;
    begin(ID, 0x8180, 20, "config.lab", 1);
    for (uint8_t i = 0; i < 20; i++)
        record_a(NULL, (uint8_t)(i + 1));
    assert_int_equal(read_as(FAMILY_V4).count, DNSMSG_ADDRS_MAX);
    begin(ID, 0x8180, 65535, "config.lab", 1);
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_REFUSED);
    begin(ID, 0x8180, 2, "config.lab", 1); /* says two, has one */
    record_a(NULL, 1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_REFUSED);
}

static void test_pointers(void **unused)
{
    static const unsigned targets[] = {0xffff, 0xc000 | 28, 0xc000 | 29, 0xc000 | 200};
    (void)unused;
    /* To itself, forwards, behind the end. */
    for (size_t i = 0; i < COUNT(targets); i++) {
        begin(ID, 0x8180, 1, "config.lab", 1);
        u16(targets[i]);
        record_head(1, 4);
        u16(0x0a00);
        u16(1);
        assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_REFUSED);
    }
    /* Forwards to a good name. */
    begin(ID, 0x8180, 2, "config.lab", 1);
    u16(0xc000 | (unsigned)(b.n + 16));
    record_head(1, 4);
    u16(0x0a00);
    u16(1);
    record_a("config.lab", 2);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_REFUSED);
    /* A label with a dot in it is not two labels. */
    begin(ID, 0x8180, 1, "config.lab", 1);
    buf_u8(&b, 10);
    buf_str(&b, "config.lab");
    buf_u8(&b, 0);
    record_head(1, 4);
    u16(0x0a00);
    u16(1);
    assert_int_equal(read_as(FAMILY_V4).kind, DNSMSG_REFUSED);
}

/* Names of up to 255 bytes are read, longer ones refused, wherever their labels end. */
static void test_long_names(void **unused)
{
    (void)unused;
    for (unsigned last = 1; last <= 63; last++) {
        for (unsigned more = 0; more < 3; more++) {
            begin(ID, 0x8180, 2, "config.lab", 1);
            for (unsigned i = 0; i < 4 + more; i++) {
                unsigned n = i < 3 ? 63 : i == 3 ? last : 1;
                buf_u8(&b, (uint8_t)n);
                for (unsigned k = 0; k < n; k++)
                    buf_u8(&b, 'a');
            }
            buf_u8(&b, 0);
            record_head(1, 4);
            u16(0x0a00);
            u16(1);
            record_a(NULL, 7);
            bool fits = 3 * 63 + 3 + last + 2 * more <= 255;
            assert_int_equal(read_as(FAMILY_V4).kind, fits ? DNSMSG_ADDRESSES : DNSMSG_REFUSED);
        }
    }
}

/* Cut anywhere: never an address that was not whole. Any bit flipped: no bad read (ASan), and no other address than the record holds. */
static void test_damage(void **unused)
{
    (void)unused;
    begin(ID, 0x8180, 2, "config.lab", 1);
    record_cname("config.lab", "b.lab");
    record_a("b.lab", 7);
    size_t whole = b.n;
    for (b.n = 0; b.n < whole; b.n++)
        assert_int_not_equal(read_as(FAMILY_V4).kind, DNSMSG_ADDRESSES);
    for (size_t bit = 0; bit < whole * 8; bit++) {
        msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct dnsmsg_answer a = read_as(FAMILY_V4);
        assert_true(a.count <= 1);
        if (bit / 8 < whole - 4 && a.count == 1)
            assert_int_equal(a.addrs[0].b[3], 7);
        msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    begin(ID, 0x8180, 1, "config.lab", 1);
    record_a(NULL, 7);
    whole = b.n;
    for (b.n = 0; b.n < whole; b.n++)
        assert_int_not_equal(read_as(FAMILY_V4).kind, DNSMSG_ADDRESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),      cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_cnames),     cmocka_unit_test(test_foreign_answers),
        cmocka_unit_test(test_codes),      cmocka_unit_test(test_unusable_addresses),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_long_names), cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
