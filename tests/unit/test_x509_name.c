/*
 * test_x509_name.c - which subjectAltName is which peer, byte by byte, so that mbedTLS' checks do not stand in front of ours.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>

#include "firmware/crypto/x509_cert.h"

static const struct {
    int line;
    const char *san; /* [2] or [7] and what is in it */
    const char *host;
    bool want;
} names[] = {
    {__LINE__, "820161", "a", true},
    {__LINE__, "820161", "A", true},
    {__LINE__, "82026162", "a", false},
    {__LINE__, "820161", "ab", false},
    {__LINE__, "82052a2e622e63", "a.b.cd", false},
    {__LINE__, "820161820162", "b", true},
    {__LINE__, "810161", "a", false},            /* rfc822Name */
    {__LINE__, "860161", "a", false},            /* URI */
    {__LINE__, "8203610062", "a", false},        /* zero byte */
    {__LINE__, "8202612e", "a", false},          /* final dot */
    {__LINE__, "8203615f62", "a_b", false},      /* underscore */
    {__LINE__, "82052a2e622e63", "a.b.c", true}, /* *.b.c */
    {__LINE__, "82052a2e622e63", "b.c", false},
    {__LINE__, "82052a2e622e63", "x.a.b.c", false},
    {__LINE__, "82052a2e622e63", "*.b.c", false},
    {__LINE__, "8206782a2e622e63", "xa.b.c", false},    /* x*.b.c */
    {__LINE__, "8205612e2a2e63", "a.b.c", false},       /* a.*.c */
    {__LINE__, "82072a2e2a2e622e63", "a.x.b.c", false}, /* *.*.b.c */
    {__LINE__, "82032a2e63", "a.c", false},             /* *.c */
    {__LINE__, "82012a", "a", false},
    {__LINE__, "82022a2e", "a.", false},
    {__LINE__, "82062a2e2e622e63", "a..b.c", false},
    {__LINE__, "8200", "", false},
    {__LINE__, "871000000000000000000000000000000000", "a", false}, /* no address is demanded */
    {__LINE__, "820461626364", "97.98.99.100", false},              /* the address's bytes in a dNSName */
    {__LINE__, "87040a000001", "10.0.0.1", true},
    {__LINE__, "87040a000001", "10.0.0.2", false},
    {__LINE__, "87030a0000", "10.0.0.1", false},
    {__LINE__, "87080a000001ffffffff", "10.0.0.1", false}, /* address and mask, as in constraints */
    {__LINE__, "820831302e302e302e31", "10.0.0.1", false}, /* text in a dNSName */
    {__LINE__, "8710fd000001000200030000000000000003", "fd00:1:2:3::3", true},
    {__LINE__, "8710fd000001000200030000000000000003", "fd00:1:2:3::4", false},
    {__LINE__, "871000000000000000000000ffff0a000001", "10.0.0.1", false},
    {__LINE__, "8704fd000001", "fd00:1::", false},
    {__LINE__, "8201618202", "a", false}, /* cut off behind the match */
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        for (unsigned as_ip = 0; as_ip < 2; as_ip++) {
            uint8_t text[128], shown[128];
            struct buf san = BUF_OF(text), b = BUF_OF(shown);
            struct x509_cert c = {.version = 3};
            struct x509_demand d = {0};
            struct span entries = testcrypto_hex(names[i].san);

            buf_u8(&san, 0x30);
            buf_u8(&san, (uint8_t)entries.n);
            buf_put(&san, entries);
            c.has[X509_SAN] = true;
            c.ext[X509_SAN] = buf_span(&san);
            if (as_ip == 0 || ip_parse(span_str(names[i].host), &d.ip) != OK)
                snprintf(d.host, sizeof(d.host), "%s", names[i].host);
            if (x509_name_matches(&c, &d) != names[i].want)
                fail_msg("line %d", names[i].line);
            x509_name_put(&b, &c);
            for (size_t k = 0; k < b.n; k++)
                assert_true(b.p[k] >= ' ' && b.p[k] < 0x7f);
            buf_str(&san, "x"); /* bytes behind the list */
            c.ext[X509_SAN] = buf_span(&san);
            assert_false(x509_name_matches(&c, &d));
            text[0] = 0x31; /* not a SEQUENCE */
            c.ext[X509_SAN].n--;
            assert_false(x509_name_matches(&c, &d));
            c.has[X509_SAN] = false;
            assert_false(x509_name_matches(&c, &d));
        }
}

/* For messages: DNS names and addresses, nothing that a terminal would obey. */
static void test_shown(void **state)
{
    static const struct {
        const char *san, *shown;
    } rows[] = {
        {"300182", ""},
        {"310382016a", ""},
        {"301182016181036162638704"
         "0a00000187020a00",
         "a, 10.0.0.1"},
        {"301787"
         "10fd000001000200030000000000000003820320"
         "1b7f",
         "fd00:1:2:3::3, ???"},
        {"3000", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t text[64];
        struct buf b = BUF_OF(text);
        struct x509_cert c = {.version = 3};

        x509_name_put(&b, &c);
        assert_int_equal(b.n, 0);
        c.has[X509_SAN] = true;
        c.ext[X509_SAN] = testcrypto_hex(rows[i].san);
        x509_name_put(&b, &c);
        if (!span_is(buf_span(&b), rows[i].shown))
            fail_msg("row %zu: %.*s", i, (int)b.n, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
