/*
 * test_url.c - which URLs and redirects pass, and what is read out of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "firmware/base/span.h"
#include "firmware/base/url.h"

struct good {
    const char *text, *host;
    unsigned port;
    const char *path;
    enum family family;
    const char *printed;
};

static void test_good(void **unused)
{
    static const struct good rows[] = {
        {"https://config.lab/node.jws", "config.lab", 443, "/node.jws", FAMILY_NONE,
         "https://config.lab/node.jws"},
        {"HTTPS://Config.LAB", "config.lab", 443, "/", FAMILY_NONE, "https://config.lab/"},
        {"https://config.lab:443/", "config.lab", 443, "/", FAMILY_NONE, "https://config.lab/"},
        {"https://config.lab:8443/a/b?c=d", "config.lab", 8443, "/a/b?c=d", FAMILY_NONE,
         "https://config.lab:8443/a/b?c=d"},
        {"https://config.lab?x", "config.lab", 443, "/?x", FAMILY_NONE, "https://config.lab/?x"},
        {"https://10.0.0.1:65535/%7Ea", "10.0.0.1", 65535, "/%7Ea", FAMILY_V4, "https://10.0.0.1:65535/%7Ea"},
        {"https://[FD00::1]/x", "fd00::1", 443, "/x", FAMILY_V6, "https://[fd00::1]/x"},
        {"https://[fd00::1]:6443", "fd00::1", 6443, "/", FAMILY_V6, "https://[fd00::1]:6443/"},
        {"https://a/~!$&'()*+,;=:@", "a", 443, "/~!$&'()*+,;=:@", FAMILY_NONE, "https://a/~!$&'()*+,;=:@"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url u;
        uint8_t text[URL_MAX];
        struct buf b = BUF_OF(text);
        print_message("%s\n", rows[i].text);
        assert_int_equal(url_parse(span_str(rows[i].text), &u), OK);
        assert_string_equal(u.host, rows[i].host);
        assert_int_equal(u.port, rows[i].port);
        assert_string_equal(u.path, rows[i].path);
        assert_int_equal(u.ip.family, rows[i].family);
        url_put(&b, &u);
        assert_true(span_is(buf_span(&b), rows[i].printed));
    }
}

static void test_bad(void **unused)
{
    static const char *const rows[] = {
        "",
        "https:",
        "https://",
        "https:///x",
        "ftp://a/",
        "//a/",
        "a/b",
        "https//a",
        " https://a/",
        "https://a/ ",
        "https://a /",
        "https://user@a/",
        "https://user:pw@a/",
        "https://a/x#f",
        "https://a#f",
        "https://a:/",
        "https://a:0/",
        "https://a:65536/",
        "https://a:-1/",
        "https://a:+1/",
        "https://a:0443/",
        "https://a:44 3/",
        "https://a:443x/",
        "https://[::1/",
        "https://::1/",
        "https://[10.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[]/",
        "https://[a]/",
        "https://[::1]x/",
        "https://1.2.3/",
        "https://0x7f.1/",
        "https://1.2.3.4.5/",
        "https://010.0.0.1/",
        "https://a..b/",
        "https://.a/",
        "https://a_b/",
        "https://-a/",
        "https://a-/",
        "https://a/%",
        "https://a/%1",
        "https://a/%zz",
        "https://a/\"",
        "https://a/<",
        "https://a/\\",
        "https://a/^",
        "https://a/\x7f",
        "https://a/\xc3\xa4",
        "https://\xc3\xa4/",
        "https://a/\n",
        "https://a\t/",
        "https://a/[",
        "https://a/{",
    };
    struct url u = {.port = 7};
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = strlen(rows[i]);
        char *exact = malloc(n > 0 ? n : 1); /* so that ASan sees a read past its end */
        memcpy(exact, rows[i], n);
        print_message("%s\n", rows[i]);
        assert_int_equal(url_parse(span_of(exact, n), &u), ERR_URL);
        free(exact);
    }
    assert_int_equal(url_parse(SPAN_LIT("http://a/"), &u), ERR_URL_PLAIN);
    assert_int_equal(url_parse(SPAN_LIT("HTTP://a/"), &u), ERR_URL_PLAIN);
    assert_int_equal(url_parse(SPAN_LIT("https://a/\0b"), &u), ERR_URL);
    assert_int_equal(u.port, 7); /* untouched */
}

static void test_lengths(void **unused)
{
    uint8_t text[URL_MAX * 2];
    struct url u;
    (void)unused;
    for (size_t n = 1; n < URL_MAX + 8; n++) {
        struct buf b = BUF_OF(text);
        buf_str(&b, "https://a/");
        for (size_t i = 1; i < n; i++)
            buf_u8(&b, 'x');
        assert_int_equal(url_parse(buf_span(&b), &u), n < URL_MAX ? OK : ERR_URL);
    }
}

struct redirect {
    const char *location, *expect; /* NULL: refused */
};

static void test_redirects(void **unused)
{
    static const struct redirect rows[] = {
        {"https://config.lab:8443/other", "https://config.lab:8443/other"},
        {"https://CONFIG.lab:8443/other#part", "https://config.lab:8443/other"},
        {"//config.lab:8443/x", "https://config.lab:8443/x"},
        {"/abs?y", "https://config.lab:8443/abs?y"},
        {"rel", "https://config.lab:8443/a/rel"},
        {"?z", "https://config.lab:8443/a/b?z"},
        {"https://config.lab/other", NULL},
        {"https://config.lab:8444/other", NULL},
        {"https://evil.lab:8443/other", NULL},
        {"https://config.lab.evil.lab:8443/", NULL},
        {"http://config.lab:8443/other", NULL},
        {"//evil.lab:8443/x", NULL},
        {"///evil.lab", NULL},
        {"javascript:x", NULL},
        {"../x", NULL},
        {"/a/../x", NULL},
        {"./x", NULL},
        {"", NULL},
        {"#f", NULL},
        {"/with space", NULL},
        {"https://user@config.lab:8443/", NULL},
    };
    struct url base;
    (void)unused;
    assert_int_equal(url_parse(SPAN_LIT("https://config.lab:8443/a/b?c"), &base), OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url u;
        uint8_t text[URL_MAX];
        struct buf b = BUF_OF(text);
        print_message("%s\n", rows[i].location);
        enum err e = url_redirect(&base, span_str(rows[i].location), &u);
        if (rows[i].expect == NULL) {
            assert_int_equal(e, ERR_HTTP_REDIRECT);
            continue;
        }
        assert_int_equal(e, OK);
        url_put(&b, &u);
        assert_true(span_is(buf_span(&b), rows[i].expect));
    }
}

static void test_authority(void **unused)
{
    static const char *const rows[][2] = {
        {"https://a/", "a"},
        {"https://a:1/", "a:1"},
        {"https://[::2]/", "[::2]"},
        {"https://[::2]:1/", "[::2]:1"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url u;
        uint8_t text[64];
        struct buf b = BUF_OF(text);
        assert_int_equal(url_parse(span_str(rows[i][0]), &u), OK);
        url_put_authority(&b, &u);
        assert_true(span_is(buf_span(&b), rows[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),      cmocka_unit_test(test_bad),       cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_redirects), cmocka_unit_test(test_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
