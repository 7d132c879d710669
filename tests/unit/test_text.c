/*
 * test_text.c - numbers, hex, base64, times, names, identifiers and UTF-8. Base64 vectors: RFC 4648 section 10.
 */
#include "tests/unit/vector.h"

#include "firmware/base/text.h"

static void numbers(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        uint64_t max;
        bool good;
        uint64_t want;
    } rows[] = {
        {ROW, "0", 0, true, 0},
        {ROW, "1", 0, false, 0},
        {ROW, "9", 9, true, 9},
        {ROW, "10", 9, false, 0},
        {ROW, "255", 255, true, 255},
        {ROW, "256", 255, false, 0},
        {ROW, "18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {ROW, "18446744073709551616", UINT64_MAX, false, 0},
        {ROW, "99999999999999999999999", UINT64_MAX, false, 0},
        {ROW, "", 9, false, 0},
        {ROW, "00", 9, false, 0},
        {ROW, "01", 9, false, 0},
        {ROW, "+1", 9, false, 0},
        {ROW, "-1", 9, false, 0},
        {ROW, " 1", 9, false, 0},
        {ROW, "1 ", 9, false, 0},
        {ROW, "1a", 99, false, 0},
        {ROW, "0x1", 99, false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 42;
        ROW_TRUE(&rows[i], (text_u64(span_str(rows[i].text), rows[i].max, &v) == OK) == rows[i].good);
        ROW_TRUE(&rows[i], v == (rows[i].good ? rows[i].want : 42));
    }
}

static void hex(void **state)
{
    (void)state;
    uint8_t v[2] = {7, 7};
    char room[8];
    struct buf b = BUF_OF(room);
    assert_int_equal(text_hex(SPAN_LIT("0aFf"), v, 2), OK);
    assert_int_equal(v[0], 0x0a);
    assert_int_equal(v[1], 0xff);
    static const char *const bad[] = {"", "0", "00", "000", "00000", "000000", "0g00", "00 0", "0x00"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(text_hex(span_str(bad[i]), v, 2), ERR_INPUT);
    assert_int_equal(v[0], 0x0a);
    assert_int_equal(text_hex(SPAN_LIT(""), v, 0), OK);
    text_hex_put(&b, span_of(v, 2));
    assert_true(span_is(buf_span(&b), "0aff"));
}

static void base64(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *plain, *padded, *url;
    } rows[] = {
        {ROW, "", "", ""},
        {ROW, "f", "Zg==", "Zg"},
        {ROW, "fo", "Zm8=", "Zm8"},
        {ROW, "foo", "Zm9v", "Zm9v"},
        {ROW, "foob", "Zm9vYg==", "Zm9vYg"},
        {ROW, "fooba", "Zm9vYmE=", "Zm9vYmE"},
        {ROW, "foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {ROW, "\xfb\xff\xbf", "+/+/", "-_-_"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char room[32];
        struct buf b = BUF_OF(room);
        text_b64_put(&b, span_str(rows[i].plain));
        ROW_TRUE(&rows[i], span_is(buf_span(&b), rows[i].padded));
        b = BUF_OF(room);
        text_b64url_put(&b, span_str(rows[i].plain));
        ROW_TRUE(&rows[i], span_is(buf_span(&b), rows[i].url));
        b = BUF_OF(room);
        ROW_TRUE(&rows[i],
                 text_b64(span_str(rows[i].padded), false, &b) == OK && span_is(buf_span(&b), rows[i].plain));
        b = BUF_OF(room);
        ROW_TRUE(&rows[i],
                 text_b64url(span_str(rows[i].url), &b) == OK && span_is(buf_span(&b), rows[i].plain));
    }
}

static void base64_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        enum err b64, lines, url;
    } rows[] = {
        {ROW, "Z", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zm9vZ", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zg", ERR_INPUT, ERR_INPUT, OK},
        {ROW, "Zg=", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zg==", OK, OK, ERR_INPUT},
        {ROW, "Zg===", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zh==", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zh", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zm9=", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zm9", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Z===", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "====", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zg==Zg==", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "=Zg=", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Z=g=", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zm9v\nZm9v", ERR_INPUT, OK, ERR_INPUT},
        {ROW, " Zm9v\r\n", ERR_INPUT, OK, ERR_INPUT},
        {ROW, "Zm\n9v", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zg==\n", ERR_INPUT, OK, ERR_INPUT},
        {ROW, "+/+/", OK, OK, ERR_INPUT},
        {ROW, "-_-_", ERR_INPUT, ERR_INPUT, OK},
        {ROW, "Zm9.", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zm9\xc3", ERR_INPUT, ERR_INPUT, ERR_INPUT},
        {ROW, "Zm9v====", ERR_INPUT, ERR_INPUT, ERR_INPUT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char room[32];
        struct buf b = BUF_OF(room);
        ROW_TRUE(&rows[i], text_b64(span_str(rows[i].text), false, &b) == rows[i].b64);
        ROW_TRUE(&rows[i], (b.n == 0) == (rows[i].b64 != OK));
        b = BUF_OF(room);
        ROW_TRUE(&rows[i], text_b64(span_str(rows[i].text), true, &b) == rows[i].lines);
        b = BUF_OF(room);
        ROW_TRUE(&rows[i], text_b64url(span_str(rows[i].text), &b) == rows[i].url);
        ROW_TRUE(&rows[i], (b.n == 0) == (rows[i].url != OK));
    }
    char room[5];
    struct buf b = BUF_OF(room);
    assert_int_equal(text_b64url(SPAN_LIT("Zm9vYmFy"), &b), ERR_LIMIT);
    assert_int_equal(text_b64(SPAN_LIT("Zm9vYmFy"), false, &b), ERR_LIMIT);
    assert_int_equal(b.n, 0);
    assert_false(b.overflow);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        int64_t want; /* -1: refused */
    } rows[] = {
        {ROW, "1970-01-01T00:00:00Z", 0},          {ROW, "1972-02-29T00:00:00Z", 68169600},
        {ROW, "2000-02-29T23:59:59Z", 951868799},  {ROW, "2000-12-31T00:00:00Z", 978220800},
        {ROW, "2026-11-23T04:50:51Z", 1795409451}, {ROW, "2038-01-19T03:14:08Z", 2147483648},
        {ROW, "2100-03-01T00:00:00Z", 4107542400}, {ROW, "9999-12-31T23:59:59Z", 253402300799},
        {ROW, "1969-12-31T23:59:59Z", -1},         {ROW, "2100-02-29T00:00:00Z", -1},
        {ROW, "2026-02-29T00:00:00Z", -1},         {ROW, "2026-04-31T00:00:00Z", -1},
        {ROW, "2026-13-01T00:00:00Z", -1},         {ROW, "2026-00-01T00:00:00Z", -1},
        {ROW, "2026-01-00T00:00:00Z", -1},         {ROW, "2026-01-01T24:00:00Z", -1},
        {ROW, "2026-01-01T00:60:00Z", -1},         {ROW, "2026-01-01T00:00:60Z", -1},
        {ROW, "2026-01-01t00:00:00Z", -1},         {ROW, "2026-01-01T00:00:00z", -1},
        {ROW, "2026-01-01 00:00:00Z", -1},         {ROW, "2026-01-01T00:00:00", -1},
        {ROW, "2026-01-01T00:00:00.0Z", -1},       {ROW, "2026-01-01T00:00:00+00:00", -1},
        {ROW, "2026-1-01T00:00:00Z ", -1},         {ROW, "2026-01-01T00:00:-1Z", -1},
        {ROW, " 026-01-01T00:00:00Z", -1},         {ROW, "", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = -1;
        char room[32];
        struct buf b = BUF_OF(room);
        (void)(text_time(span_str(rows[i].text), &v) == OK);
        ROW_TRUE(&rows[i], v == rows[i].want);
        if (v < 0)
            continue;
        text_time_put(&b, v);
        ROW_TRUE(&rows[i], span_is(buf_span(&b), rows[i].text));
    }
}

/* Every day from 1970 to 2400 there and back, against a count of days. */
static void every_day(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 157055; day++) {
        char room[32];
        struct buf b = BUF_OF(room);
        int64_t back = -1;
        text_time_put(&b, day * 86400 + 86399);
        if (text_time(buf_span(&b), &back) != OK || back != day * 86400 + 86399)
            fail_msg("day %lld is %.*s", (long long)day, (int)b.n, room);
    }
    assert_int_equal(text_civil(2400, 1, 1, 0, 0, 0), INT64_C(157054) * 86400);
}

static void http_dates(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        int64_t want;
    } rows[] = {
        {ROW, "Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {ROW, "Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {ROW, "Mon, 23 Nov 2026 04:50:51 GMT", 1795409451},
        {ROW, "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {ROW, "Mon, 06 Nov 1994 08:49:37 GMT", -1},
        {ROW, "Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {ROW, "Sunday, 06-Nov-94 08:49:37 GMT", -1},
        {ROW, "Sun Nov  6 08:49:37 1994", -1},
        {ROW, "Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {ROW, "Sun, 06 nov 1994 08:49:37 GMT", -1},
        {ROW, "Sun, 31 Nov 1994 08:49:37 GMT", -1},
        {ROW, "Sun, 06 Nov 1994 24:49:37 GMT", -1},
        {ROW, "Sun, 06 Nov 1994 08-49-37 GMT", -1},
        {ROW, "Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {ROW, "", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = -1;
        (void)(text_http_date(span_str(rows[i].text), &v) == OK);
        ROW_TRUE(&rows[i], v == rows[i].want);
    }
}

static void names(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        bool subdomain, hostname;
    } rows[] = {
        {ROW, "a", true, true},
        {ROW, "node-1.example", true, true},
        {ROW, "0", true, true},
        {ROW, "a--b", true, true},
        {ROW, "Node", false, true},
        {ROW, "", false, false},
        {ROW, ".", false, false},
        {ROW, "a.", false, false},
        {ROW, ".a", false, false},
        {ROW, "a..b", false, false},
        {ROW, "-a", false, false},
        {ROW, "a-", false, false},
        {ROW, "a.-b", false, false},
        {ROW, "a_b", false, false},
        {ROW, "a b", false, false},
        {ROW, "a\n", false, false},
        {ROW, "xn--bcher-kva", true, true},
        {ROW,
         "b\xc3\xbc"
         "cher",
         false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW_TRUE(&rows[i], text_is_subdomain(span_str(rows[i].text)) == rows[i].subdomain);
        ROW_TRUE(&rows[i], text_is_hostname(span_str(rows[i].text)) == rows[i].hostname);
    }
    char text[254];
    memset(text, 'a', sizeof(text));
    assert_true(text_is_hostname(span_of(text, 63)));
    assert_false(text_is_hostname(span_of(text, 64)));
    assert_true(text_is_subdomain(span_of(text, 253))); /* Kubernetes has no limit for a label here */
    assert_false(text_is_subdomain(span_of(text, 254)));
    text[63] = text[127] = text[191] = '.';
    assert_true(text_is_hostname(span_of(text, 253)));
    assert_false(text_is_hostname(span_of(text, 254)));
}

static void identifiers(void **state)
{
    (void)state;
    uint8_t uuid[16] = {9};
    uint8_t mac[6] = {9};
    char room[64];
    struct buf b = BUF_OF(room);
    assert_int_equal(text_uuid(SPAN_LIT("01234567-89aB-cdef-0123-456789ABCDEF"), uuid), OK);
    text_uuid_put(&b, uuid);
    assert_true(span_is(buf_span(&b), "01234567-89ab-cdef-0123-456789abcdef"));
    static const char *const bad_uuids[] = {
        "",
        "0123456789abcdef0123456789abcdef",
        "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdef0",
        "01234567-89ab-cdef-0123-456789abcdeg",
        "012345678-9ab-cdef-0123-456789abcdef",
        "01234567-89ab-cdef-01234-56789abcdef",
        "01234567-89ab-cdef-0123-4567-9abcdef",
        "{1234567-89ab-cdef-0123-456789abcde}",
        "------------------------------------",
    };
    for (size_t i = 0; i < COUNT(bad_uuids); i++)
        assert_int_equal(text_uuid(span_str(bad_uuids[i]), uuid), ERR_INPUT);
    assert_int_equal(uuid[0], 1);

    b = BUF_OF(room);
    assert_int_equal(text_mac(SPAN_LIT("52:54:00:aB:cd:01"), mac), OK);
    text_mac_put(&b, mac);
    assert_true(span_is(buf_span(&b), "52:54:00:ab:cd:01"));
    static const char *const bad_macs[] = {
        "",
        "525400abcd01",
        "52-54-00-ab-cd-01",
        "52:54:00:ab:cd",
        "52:54:00:ab:cd:01:02",
        "52:54:00:ab:cd:1",
        "5:254:00:ab:cd:01",
        "52:54:00:ab:cd:0g",
    };
    for (size_t i = 0; i < COUNT(bad_macs); i++)
        assert_int_equal(text_mac(span_str(bad_macs[i]), mac), ERR_INPUT);
    assert_int_equal(mac[0], 0x52);
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        bool good;
    } rows[] = {
        {ROW, "", true},
        {ROW, "plain", true},
        {ROW, "\xc2\x80", true},
        {ROW, "\xdf\xbf", true},
        {ROW, "\xe0\xa0\x80", true},
        {ROW, "\xed\x9f\xbf", true},
        {ROW, "\xee\x80\x80", true},
        {ROW, "\xef\xbf\xbf", true},
        {ROW, "\xf0\x90\x80\x80", true},
        {ROW, "\xf4\x8f\xbf\xbf", true},
        {ROW, "\x80", false},
        {ROW, "\xbf", false},
        {ROW, "\xc0\x80", false},
        {ROW, "\xc1\xbf", false},
        {ROW, "\xc2", false},
        {ROW, "\xc2 ", false},
        {ROW, "\xe0\x9f\xbf", false},
        {ROW, "\xe1\x80", false},
        {ROW, "\xe1\x80 ", false},
        {ROW, "\xed\xa0\x80", false},
        {ROW, "\xed\xbf\xbf", false},
        {ROW, "\xf0\x8f\xbf\xbf", false},
        {ROW, "\xf1\x80\x80", false},
        {ROW, "\xf1\x80\x80\xc0", false},
        {ROW, "\xf4\x90\x80\x80", false},
        {ROW, "\xf5\x80\x80\x80", false},
        {ROW, "\xff", false},
        {ROW, "a\xfe", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW_TRUE(&rows[i], text_is_utf8(span_str(rows[i].text)) == rows[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),        cmocka_unit_test(hex),         cmocka_unit_test(base64),
        cmocka_unit_test(base64_refused), cmocka_unit_test(times),       cmocka_unit_test(every_day),
        cmocka_unit_test(names),          cmocka_unit_test(identifiers), cmocka_unit_test(utf8),
        cmocka_unit_test(http_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
