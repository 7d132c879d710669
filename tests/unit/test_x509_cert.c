/*
 * test_x509_cert.c - our own reading of certificates and its rules, over certificates that are put together byte by byte, so that mbedTLS'
 * checks do not stand in front of ours.
 */
#include "tests/unit/testcrypto.h"

#include <stdio.h>

#include "firmware/crypto/x509_cert.h"

/* The certificate's parts in hex; NULL is the good one. */
struct parts {
    const char *version, *serial, *ids, *extensions, *behind_tbs, *behind;
};

static void put(struct buf *b, uint8_t tag, struct span content)
{
    buf_u8(b, tag);
    if (content.n >= 0x100)
        buf_put(b, span_of((const uint8_t[]){0x82, (uint8_t)(content.n >> 8), (uint8_t)content.n}, 3));
    else if (content.n >= 0x80)
        buf_put(b, span_of((const uint8_t[]){0x81, (uint8_t)content.n}, 2));
    else
        buf_u8(b, (uint8_t)content.n);
    buf_put(b, content);
}

static void put_hex(struct buf *b, const char *hex, const char *otherwise)
{
    buf_put(b, testcrypto_hex(hex != NULL ? hex : otherwise));
}

static struct span make(const struct parts *p)
{
    static uint8_t a_text[2048], b_text[2048], c_text[2048];
    struct buf a = BUF_OF(a_text), b = BUF_OF(b_text), c = BUF_OF(c_text);

    put_hex(&a, p->version, "a003020102");
    put_hex(&a, p->serial, "020101");
    put_hex(&a, NULL, "3000");       /* signature */
    put_hex(&a, NULL, "3002aaaa");   /* issuer */
    put_hex(&a, NULL, "3000");       /* validity */
    put_hex(&a, NULL, "3002bbbb");   /* subject */
    put_hex(&a, NULL, "3003020105"); /* key */
    put_hex(&a, p->ids, "");
    if (p->extensions != NULL) {
        put(&b, 0x30, testcrypto_hex(p->extensions));
        put(&c, 0xa3, buf_span(&b));
        buf_put(&a, buf_span(&c));
    }
    put_hex(&a, p->behind_tbs, "");
    b.n = c.n = 0;
    put(&b, 0x30, buf_span(&a));
    put_hex(&b, NULL, "3000030100");
    put(&c, 0x30, buf_span(&b));
    put_hex(&c, p->behind, "");
    assert_false(a.overflow || b.overflow || c.overflow);
    return buf_span(&c);
}

#define BC(flag, value) "30" #flag "0603551d13" value
#define UNKNOWN      \
    "30070603550101" \
    "0400"
#define FOUR(x) x x x x

static const struct {
    int line;
    struct parts parts;
    enum err want;
} reads[] = {
    {__LINE__, {NULL}, OK},
    {__LINE__, {.version = ""}, OK}, /* v1 */
    {__LINE__, {.version = "a003020101"}, OK},
    {__LINE__, {.version = "a003020103"}, ERR_TLS_PROFILE},
    {__LINE__, {.version = "a00402020002"}, ERR_TLS_PROFILE},
    {__LINE__, {.version = "a0050201020500"}, ERR_TLS_PROFILE},
    {__LINE__, {.version = "a0020500"}, ERR_TLS_PROFILE},
    {__LINE__, {.serial = "0200"}, ERR_TLS_PROFILE},
    {__LINE__, {.serial = "0401aa"}, ERR_TLS_PROFILE},
    {__LINE__, {.serial = "02810101"}, ERR_TLS_PROFILE}, /* lengths that are not the shortest */
    {__LINE__, {.serial = "0282000101"}, ERR_TLS_PROFILE},
    {__LINE__, {.serial = "0280010000"}, ERR_TLS_PROFILE}, /* indefinite */
    {__LINE__, {.serial = "02850000000001"}, ERR_TLS_PROFILE},
    {__LINE__, {.serial = "1f0201"}, ERR_TLS_PROFILE}, /* tag of several bytes */
    {__LINE__, {.ids = "8101aa8201bb"}, OK},
    {__LINE__, {.ids = "8301aa"}, ERR_TLS_PROFILE},
    {__LINE__, {.behind_tbs = "0500"}, ERR_TLS_PROFILE},
    {__LINE__, {.behind = "00"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = ""}, OK},
    {__LINE__, {.extensions = "300c0603551d130101ff04023000"}, OK},
    {__LINE__, {.extensions = "300f0603551d130101ff040530030101ff"}, OK},
    {__LINE__,
     {.extensions = "300f0603551d13010101040530030101ff"},
     ERR_TLS_PROFILE}, /* BOOLEAN is 00 or ff */
    {__LINE__, {.extensions = "30100603551d130102ffff040530030101ff"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300f0603551d130101ff04053003010101"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "30120603551d130101ff040830060101ff020100"}, OK},
    {__LINE__,
     {.extensions = "30120603551d130101ff040830060101ff020180"},
     ERR_TLS_PROFILE}, /* negative path length */
    {__LINE__, {.extensions = "30110603551d130101ff040730050101ff0200"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "30140603551d130101ff040a30080101ff0203010000"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "30140603551d130101ff040a30080101ff0201000500"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "30110603551d130101ff040730030101ff0500"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300f0603551d130101ff040531030101ff"}, ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "30110603551d130101ff040530030101ff0500"},
     ERR_TLS_PROFILE}, /* behind the OCTET STRING */
    {__LINE__, {.extensions = "300c0603551d130101ff05023000"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300b0603551d0f040403020780"}, OK},
    {__LINE__, {.extensions = "300a0603551d0f0403030107"}, ERR_TLS_PROFILE}, /* no bits */
    {__LINE__, {.extensions = "300b0603551d0f040403020880"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300d0603551d0f0406030400800000"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300b0603551d0f040404020780"}, ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300d0603551d0f04060302078005ff"}, ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "30080603550101"
                    "0401aa"},
     OK},
    {__LINE__, {.extensions = UNKNOWN UNKNOWN}, ERR_TLS_PROFILE}, /* twice */
    {__LINE__,
     {.extensions = "300c0603551d130101ff04023000"
                    "300c0603551d130101ff04023000"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "3107060355010104"
                    "00"},
     ERR_TLS_PROFILE},
    {__LINE__, {.extensions = "300704035501010400"}, ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301a06082b0601050507010104"
                    "0e300c300a06022a038604687474"
                    "70"},
     OK}, /* AIA */
    {__LINE__,
     {.extensions = "300e06082b060105050701010402"
                    "3000"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301a06082b0601050507010104"
                    "0e300c300a06022a030604687474"
                    "70"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301a06082b0601050507010104"
                    "0e310c300a06022a038604687474"
                    "70"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301a06082b0601050507010104"
                    "0e300c310a06022a038604687474"
                    "70"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301a06082b0601050507010104"
                    "0e300c300a04022a038604687474"
                    "70"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301c06082b0601050507010104"
                    "10300e300c06022a0386046874747005"
                    "00"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301c06082b0601050507010104"
                    "10300c300a06022a0386046874747005"
                    "00"},
     ERR_TLS_PROFILE},
    {__LINE__,
     {.extensions = "301206082b0601050507010104"
                    "063004300206"
                    "00"},
     ERR_TLS_PROFILE},
};

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct x509_cert c;
        struct span der = make(&reads[i].parts);
        enum err e = x509_cert_read(der, &c);

        if (e != reads[i].want)
            fail_msg("line %d: %s", reads[i].line, err_name(e));
        if (e == OK)
            for (size_t n = 0; n < der.n; n++) /* cut off anywhere */
                assert_int_equal(x509_cert_read(span_of(der.p, n), &c), ERR_TLS_PROFILE);
    }
}

static void test_values(void **state)
{
    static const struct parts ca = {.serial = "02020080",
                                    .extensions = "300f0603551d130101ff040530030101ff"
                                                  "300d0603551d0f0101ff0403030106"
                                                  "30090603551d1e04023000"};
    static const struct parts plain = {.version = "",
                                       .extensions = "30120603551d13040b30090101000202010001"
                                                     "00"};
    struct x509_cert c;

    (void)state;
    assert_int_equal(x509_cert_read(make(&(struct parts){NULL}), &c), OK);
    assert_int_equal(c.version, 3);
    assert_int_equal(c.key_usage, 0xffff);
    assert_true(c.issuer.n == 2 && c.issuer.p[0] == 0xaa && c.subject.n == 2 && c.subject.p[0] == 0xbb);
    assert_true(c.spki.n == 5 && c.spki.p[0] == 0x30 && c.serial.n == 1);
    assert_false(c.ca || c.has_path_len);
    assert_int_equal(x509_cert_read(make(&ca), &c), ERR_TLS_PROFILE); /* key usage without bits */
    assert_int_equal(x509_cert_read(make(&(struct parts){.extensions = "300f0603551d130101ff040530030101ff"
                                                                       "300e0603551d0f0101ff040403020106"
                                                                       "30090603551d1e04023000"}),
                                    &c),
                     OK);
    assert_true(c.ca && c.critical[X509_BASIC_CONSTRAINTS] && c.has[X509_NAME_CONSTRAINTS] &&
                !c.critical[X509_NAME_CONSTRAINTS]);
    assert_int_equal(c.key_usage, 0x0600);
    assert_int_equal(x509_cert_read(make(&plain), &c), ERR_TLS_PROFILE);
    assert_int_equal(x509_cert_read(make(&(struct parts){.version = "",
                                                         .extensions = "300f0603551d13040830060101000201"
                                                                       "05"}),
                                    &c),
                     OK);
    assert_int_equal(c.version, 1);
    assert_false(c.ca || c.critical[X509_BASIC_CONSTRAINTS]);
    assert_true(c.has_path_len);
}

/* At most 32 extensions, all of different kinds. */
static void test_many_extensions(void **state)
{
    (void)state;
    for (unsigned count = 31; count <= 33; count++) {
        char hex[33 * 20] = "";
        struct x509_cert c;

        for (unsigned i = 0; i < count; i++)
            snprintf(hex + 18 * i, sizeof(hex) - 18 * i, "300706035501%02x0400", i);
        assert_int_equal(x509_cert_read(make(&(struct parts){.extensions = hex}), &c),
                         count <= 32 ? OK : ERR_TLS_PROFILE);
    }
}

#define HEX_EKU "300a06082b06010505070301"

static struct x509_cert good_leaf(void)
{
    struct x509_cert c = {.version = 3,
                          .serial = SPAN_LIT("\x01"),
                          .issuer = SPAN_LIT("i"),
                          .subject = SPAN_LIT("s"),
                          .key_usage = 0xffff};

    c.has[X509_EXT_KEY_USAGE] = true;
    c.ext[X509_EXT_KEY_USAGE] = testcrypto_hex(HEX_EKU);
    return c;
}

static struct x509_cert good_ca(void)
{
    struct x509_cert c = {.version = 3,
                          .serial = SPAN_LIT("\x01"),
                          .issuer = SPAN_LIT("i"),
                          .subject = SPAN_LIT("s"),
                          .key_usage = 0xffff};

    c.ca = c.has[X509_BASIC_CONSTRAINTS] = c.critical[X509_BASIC_CONSTRAINTS] = true;
    return c;
}

static enum err leaf(struct x509_cert c)
{
    struct fault f = {0};
    enum err e = x509_rules(&c, 0, 2, &f);

    assert_int_equal(f.code, e);
    return e;
}

static enum err ca(struct x509_cert c)
{
    return x509_rules(&c, 1, 2, NULL);
}

static enum err root(struct x509_cert c)
{
    return x509_rules(&c, 2, 2, NULL);
}

static void test_serials(void **state)
{
    static const struct {
        struct span serial;
        bool good;
    } serials[] = {
        {SPAN_LIT(""), false},
        {SPAN_LIT("\x00"), false},
        {SPAN_LIT("\x01"), true},
        {SPAN_LIT("\x80"), false},
        {SPAN_LIT("\x00\x80"), true},
        {SPAN_LIT("\x00\x7f"), false},
        {SPAN_LIT("\x01"
                  "0123456789012345678"),
         true},
        {SPAN_LIT("\x01"
                  "01234567890123456789"),
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(serials); i++) {
        struct x509_cert c = good_leaf(), r = good_ca();

        c.serial = r.serial = serials[i].serial;
        assert_int_equal(leaf(c), serials[i].good ? OK : ERR_TLS_PROFILE);
        assert_int_equal(ca(r), serials[i].good ? OK : ERR_TLS_PROFILE);
        assert_int_equal(root(r), OK);
    }
}

/* Each row changes one thing of a good leaf, intermediate and root. */
#define CHANGE(change, want_leaf, want_ca, want_root) \
    do {                                              \
        struct x509_cert c = good_leaf();             \
        change;                                       \
        assert_int_equal(leaf(c), want_leaf);         \
        c = good_ca();                                \
        change;                                       \
        assert_int_equal(ca(c), want_ca);             \
        assert_int_equal(root(c), want_root);         \
    } while (0)

#define SET_EKU(hex) (c.has[X509_EXT_KEY_USAGE] = true, c.ext[X509_EXT_KEY_USAGE] = testcrypto_hex(hex))

static void test_rules(void **state)
{
    (void)state;
    CHANGE((void)0, OK, OK, OK);
    CHANGE(c.version = 1, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE(c.version = 2, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE(c.issuer.n = 0, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE(c.subject.n = 0, OK, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE((c.subject.n = 0, c.has[X509_SAN] = true), ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE((c.subject.n = 0, c.has[X509_SAN] = c.critical[X509_SAN] = true), OK, ERR_TLS_PROFILE,
           ERR_TLS_PROFILE);
    CHANGE(c.ca = true, ERR_TLS_USAGE, OK, OK);
    CHANGE(c.ca = false, OK, ERR_TLS_ROOT, ERR_TLS_ROOT);
    CHANGE(c.has_path_len = true, ERR_TLS_PROFILE, OK, OK);
    CHANGE(c.critical[X509_BASIC_CONSTRAINTS] = false, OK, ERR_TLS_PROFILE, OK);
    CHANGE(c.has[X509_NAME_CONSTRAINTS] = true, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE(c.has[X509_POLICY_CONSTRAINTS] = true, ERR_TLS_PROFILE, ERR_TLS_PROFILE, OK);
    CHANGE(c.has[X509_AKI] = true, OK, OK, OK);
    CHANGE(c.has[X509_SKI] = true, OK, OK, OK);
    CHANGE(c.has[X509_AIA] = true, OK, OK, OK);
    CHANGE(c.has[X509_AKI] = c.critical[X509_AKI] = true, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE(c.has[X509_SKI] = c.critical[X509_SKI] = true, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE(c.has[X509_AIA] = c.critical[X509_AIA] = true, ERR_TLS_PROFILE, ERR_TLS_PROFILE, ERR_TLS_PROFILE);
    CHANGE((c.key_usage = 0x8000, c.has[X509_KEY_USAGE] = true), OK, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE((c.key_usage = 0xa000, c.has[X509_KEY_USAGE] = true), OK, ERR_TLS_USAGE,
           ERR_TLS_USAGE);                                                               /* kubeadm's leaf */
    CHANGE((c.key_usage = 0xa400, c.has[X509_KEY_USAGE] = true), ERR_TLS_USAGE, OK, OK); /* kubeadm's CA */
    CHANGE((c.key_usage = 0x0600, c.has[X509_KEY_USAGE] = true), ERR_TLS_USAGE, OK, OK);
    CHANGE((c.key_usage = 0x2000, c.has[X509_KEY_USAGE] = true), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
}

static void test_usages(void **state)
{
    (void)state;
    CHANGE(c.has[X509_EXT_KEY_USAGE] = false, ERR_TLS_USAGE, OK, OK);
    CHANGE(SET_EKU("301406082b0601050507030206082b06010505070301"), OK, OK, OK); /* client, server */
    CHANGE(SET_EKU("300a06082b06010505070302"), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU("30060604551d2500"), ERR_TLS_USAGE, OK, OK); /* any */
    CHANGE(SET_EKU("301006082b060105050703010604551d2500"), ERR_TLS_USAGE, OK, OK);
    CHANGE(SET_EKU("3000"), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU(""), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU("310a06082b06010505070301"), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU(HEX_EKU "0500"), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU("300a04082b06010505070301"), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU("300c06082b060105050703010600"
                   "0401"),
           ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
    CHANGE(SET_EKU("300d06082b06010505070301060401"), ERR_TLS_USAGE, ERR_TLS_USAGE, ERR_TLS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),    cmocka_unit_test(test_values), cmocka_unit_test(test_many_extensions),
        cmocka_unit_test(test_serials), cmocka_unit_test(test_rules),  cmocka_unit_test(test_usages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
