/*
 * test_site.c - the site configuration: every key, every refusal with its line, and what a kernel command line may and may not change.
 */
#include <stdio.h>

#include "config/site.h"
#include "firmware/base/limits.h"
#include "tests/unit/testcrypto.h"

#define ROOT                                                                                               \
    "MIIBfzCCASWgAwIBAgIUbuuxYzJo8ZkteflvrTDaLp0TOa4wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBcjAgFw0yNjExMjMxNDAz" \
    "MDVaGA8yMTI2MTAzMDE0MDMwNVowDDEKMAgGA1UEAwwBcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFBHXtOuXLxYtxZdhcIL" \
    "Dy1OmoFiIKhpIGHsJ7Qaaa7GmJpEq8lHtR5W9lr53R/disibwdrT+TT/y+AUgxFCBfejYzBhMB0GA1UdDgQWBBRbcNrMcjiAni1/" \
    "cNzqTkbGG1lNiTAfBgNVHSMEGDAWgBRbcNrMcjiAni1/cNzqTkbGG1lNiTAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIC" \
    "BDAKBggqhkjOPQQDAgNIADBFAiEA5A40PiB5bVygbCNxkRaiZL6h+my35t222M1+bjJVwS0CICvnim/bc6pTFxxALkus+R088P8j" \
    "ni0bewG9AItuljX1"

/* RFC 7515, appendix A.3: a key on P-256. RFC 7517's example has another. */
#define KEY_A \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define KEY_B \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}"
#define BASE "trust = " KEY_A "\ntls-root = " ROOT "\ncluster = prod\n"

static struct site site;
static struct fault fault;

static enum err parse(const char *text)
{
    fault_clear(&fault);
    memset(&site, 0x5a, sizeof(site));
    return site_parse(span_str(text), &site, &fault);
}

#define REFUSES(text, code, at_line) refuses(text, code, at_line, __LINE__)
static void refuses(const char *text, enum err code, unsigned at_line, int line)
{
    static struct site before;
    memset(&before, 0x5a, sizeof(before));
    enum err e = parse(text);
    if (e != code || fault.code != code || fault.line != at_line)
        fail_msg("line %d: got %s at line %u: %s", line, err_name(e), fault.line, fault.text);
    if (memcmp(&site, &before, sizeof(site)) != 0)
        fail_msg("line %d: the output was touched", line);
}

static void reads_every_key(void **state)
{
    (void)state;
    assert_int_equal(parse("# comment\r\n\r\n" BASE "trust=" KEY_B "\n"
                           "tls-root = " ROOT "\n"
                           "url = https://boot.example/{uuid}.jws\n"
                           "nic =  eth1 \r\n"
                           "dad = short\n"
                           "families = ipv6\n"
                           "families-wait = 7\n"
                           "one-family = yes\n"
                           "permit-unsafe-skip-ca = yes\n"
                           "permit-kubelet-args = read-only-port,address\n"
                           "kubelet = /opt/kubelet\n"
                           "runtime = none\n"
                           "log = debug"),
                     OK);
    assert_int_equal(site.key_count, 2);
    assert_int_equal(site.keys[0].x[0], 0x7f);
    assert_int_equal(site.keys[1].x[0], 0x30);
    assert_int_equal(site.roots.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(site.roots.ders[i].p >= site.root_bytes &&
                    site.roots.ders[i].p < site.root_bytes + site.root_bytes_n);
        assert_int_equal(site.roots.ders[i].p[0], 0x30);
        assert_int_equal(site.roots.ders[i].n, site.root_bytes_n / 2);
    }
    assert_string_equal(site.cluster, "prod");
    assert_string_equal(site.url, "https://boot.example/{uuid}.jws");
    assert_string_equal(site.nic, "eth1");
    assert_int_equal(site.dad, SITE_DAD_SHORT);
    assert_int_equal(site.families, FAMILIES_V6);
    assert_int_equal(site.families_wait_ms, 7000);
    assert_true(site.one_family);
    assert_true(site.permit_unsafe_skip_ca);
    assert_string_equal(site.permit_kubelet_args, "read-only-port,address");
    assert_string_equal(site.kubelet, "/opt/kubelet");
    assert_string_equal(site.runtime, "none");
    assert_int_equal(site.log, 2);
}

static void fills_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse(BASE), OK);
    assert_string_equal(site.url, "");
    assert_string_equal(site.nic, "");
    assert_int_equal(site.dad, SITE_DAD_OPTIMISTIC);
    assert_int_equal(site.families, FAMILIES_BOTH);
    assert_int_equal(site.families_wait_ms, 30000);
    assert_false(site.one_family);
    assert_false(site.permit_unsafe_skip_ca);
    assert_string_equal(site.permit_kubelet_args, "");
    assert_string_equal(site.kubelet, "/usr/bin/kubelet");
    assert_string_equal(site.runtime, "/usr/bin/containerd");
    assert_int_equal(site.log, 1);
    assert_int_equal(parse(BASE "families = ipv4,ipv6\ndad = rfc4862\nlog = quiet\none-family = no\n"), OK);
    assert_int_equal(site.families, FAMILIES_BOTH);
    assert_int_equal(site.dad, SITE_DAD_RFC4862);
    assert_int_equal(site.log, 0);
    assert_int_equal(parse(BASE "families = ipv4\ndad = optimistic\nlog = normal\n"), OK);
    assert_int_equal(site.families, FAMILIES_V4);
}

/* As a whole: what is refused here would be heard of by nobody later. */
static void reads_report_url(void **state)
{
    static const char *const good[] = {"https://ops.example/nodes", "https://ops.example",
                                       "https://10.0.0.1:8443/a?b=c", "https://[fd00::1]/",
                                       "https://[fd00::1]:1/%20"};
    static const char *const bad[] = {
        "http://ops.example/",
        "https://a b/",
        "https://",
        "https:///",
        "https://[",
        "https://[]/",
        "https://[fd00::1",
        "https://fd00::1/",
        "https://[10.0.0.1]/",
        "https://10.0.0/",
        "https://10.0.0.256",
        "https://0x7f.1/",
        "https://a:/",
        "https://a:0/",
        "https://a:65536/",
        "https://a:443x/",
        "https://user@a/",
        "https://u:p@a/",
        "https://a/#part",
        "https://a/%",
        "https://a/%2",
        "https://a/%zz",
        "https://a/{mac}",
        "https://a/\\",
        "https://a/\"",
        "https://-a/",
        "https://a_b/",
        "https://a..b/",
        "ftp://a/",
        "ops.example",
        "https:a",
        "https//a/",
        "https://a/ report=1",
        "https://a:-1/",
        "https://a:4 43/",
        "https://[fd00::1]443/",
    };
    char text[sizeof(BASE) + 1200], path[600];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        snprintf(text, sizeof(text), BASE "report-url = %s\n", good[i]);
        assert_int_equal(parse(text), OK);
        assert_string_equal(site.report_url, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(text, sizeof(text), BASE "report-url = %s\n", bad[i]);
        print_message("%s\n", bad[i]);
        REFUSES(text, ERR_SITE_SYNTAX, 4);
        assert_string_equal(fault.path, "report-url");
    }
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = 0;
    snprintf(text, sizeof(text), BASE "report-url = https://a/%s\n", path);
    REFUSES(text, ERR_SITE_SYNTAX, 4);
    snprintf(text, sizeof(text), BASE "report-url = https://a.%s/\n", path);
    REFUSES(text, ERR_SITE_SYNTAX, 4);
}

/* A log server is an address; the network is not asked who a name means. */
static void reads_syslog(void **state)
{
    struct ip want;

    (void)state;
    assert_int_equal(parse(BASE "syslog = 10.0.0.5\n"), OK);
    assert_int_equal(ip_parse(span_str("10.0.0.5"), &want), OK);
    assert_true(ip_eq(&site.syslog, &want));
    assert_int_equal(site.syslog_port, 514);
    assert_int_equal(parse(BASE "syslog = [fd00::5]:1514\n"), OK);
    assert_int_equal(ip_parse(span_str("fd00::5"), &want), OK);
    assert_true(ip_eq(&site.syslog, &want));
    assert_int_equal(site.syslog_port, 1514);
    REFUSES(BASE "syslog = log.example:514\n", ERR_SITE_SYNTAX, 4);
    REFUSES(BASE "syslog = 10.0.0.5:0x1\n", ERR_SITE_SYNTAX, 4);
}

/* An installed system has a root and images of its own; what it cannot write may lie on the state partition. */
static void reads_target(void **state)
{
    (void)state;
    assert_int_equal(parse(BASE "target = LABEL=debian\nstate = LABEL=upper\n"), OK);
    assert_string_equal(site.target, "LABEL=debian");
    assert_string_equal(site.state, "LABEL=upper");
    REFUSES(BASE "target = debian\n", ERR_SITE_SYNTAX, 4);
    REFUSES(BASE "target = LABEL=\n", ERR_SITE_SYNTAX, 4);
    REFUSES(BASE "target = LABEL=debian\nroot = LABEL=image\n", ERR_SITE_SYNTAX, 0);
    REFUSES(BASE "target = LABEL=debian\nimages = /usr/share/images\n", ERR_SITE_SYNTAX, 0);
    assert_int_equal(parse(BASE), OK);
    assert_int_equal(site_cmdline(span_str("joinboot.target=LABEL=other"), &site, &fault), ERR_SITE_SYNTAX);
    assert_string_equal(site.target, "");
}

static void refuses_incomplete(void **state)
{
    (void)state;
    REFUSES("", ERR_SITE_MISSING, 0);
    REFUSES(" \n\t\r\n", ERR_SITE_MISSING, 0);
    REFUSES("# only a comment\n", ERR_SITE_KEY, 0);
    REFUSES("tls-root = " ROOT "\ncluster = prod\n", ERR_SITE_KEY, 0);
    REFUSES("trust = " KEY_A "\ncluster = prod\n", ERR_SITE_ROOT, 0);
    REFUSES("trust = " KEY_A "\ntls-root = " ROOT "\n", ERR_SITE_SYNTAX, 0);
}

static void refuses_lines(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "nonsense\n",
        "= x\n",
        "Trust = x\n",
        "trusted = x\n",
        "url\n",
        "url = a b\n",
        "url =\n",
        "cluster = prod\n",
        "cluster = Prod\n",
        "cluster = a_b\n",
        "nic = ../x\n",
        "nic = 0123456789abcdef\n",
        "dad = none\n",
        "families = ipv5\n",
        "families = ipv4, ipv6\n",
        "families =\n",
        "families-wait = 3601\n",
        "families-wait = -1\n",
        "families-wait = 030\n",
        "one-family = true\n",
        "permit-unsafe-skip-ca = 1\n",
        "permit-kubelet-args =\n",
        "permit-kubelet-args = a, b\n",
        "permit-kubelet-args = A\n",
        "kubelet = kubelet\n",
        "kubelet = none\n",
        "runtime = containerd\n",
        "log = loud\n",
        "url = a\nurl = b\n",
        "url = \x01\n",
        "url = \xc3\xa9\n",
        "url = x # y\n",
        "via = usb\n",
        "host-link = a/b\n",
        "host-uuid = 1\n",
        "host-mac = 02:00\n",
        "refresh = 4\n",
        "serve-window = 604801\n",
        "permit-unsealed = maybe\n",
        "; comment\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[4096];
        (void)snprintf(text, sizeof(text), BASE "%s", bad[i]);
        enum err e = parse(text);
        if (e != ERR_SITE_SYNTAX || fault.line < 4)
            fail_msg("%s: %s at line %u", bad[i], err_name(e), fault.line);
    }
    REFUSES("\n\nurl\n" BASE, ERR_SITE_SYNTAX, 3);
}

static void reads_a_bmc(void **state)
{
    (void)state;
    assert_int_equal(
        parse(BASE "host-link = usb0\nhost-uuid = 4c4c4544-0051-1035-8044-b4c04f313233\nhost-serial = A 7\n"
                   "host-mac = 02:00:00:00:00:01\nhost-mac = 02:00:00:00:00:02\nserve-window = 0\n"
                   "refresh = 5\npermit-unsealed = yes\nnic = eth0\n"),
        OK);
    assert_string_equal(site.host_link, "usb0");
    assert_true(site.host.has_uuid && site.host.uuid[0] == 0x4c);
    assert_string_equal(site.host.serial, "A 7");
    assert_int_equal(site.host_mac_count, 2);
    assert_int_equal(site.host_macs[1][5], 2);
    assert_int_equal(site.serve_window_s, 0);
    assert_int_equal(site.refresh_s, 5);
    assert_true(site.permit_unsealed);
    assert_int_equal(parse(BASE "via = bmc-last\nbmc-link = enp1s0\n"), OK);
    assert_int_equal(site.via, SITE_VIA_BMC_LAST);
    assert_string_equal(site.bmc_link, "enp1s0");
    assert_false(site.permit_unsealed);
    assert_int_equal(site.serve_window_s, 1800);
    assert_int_equal(site.refresh_s, 60);
    /* What stands together, and what does not. */
    static const char *const bad[] = {
        "host-link = usb0\n",
        "host-mac = 02:00:00:00:00:01\n",
        "host-link = eth0\nhost-mac = 02:00:00:00:00:01\nnic = eth0\n",
        "host-link = usb0\nhost-mac = 02:00:00:00:00:01\nvia = bmc\nbmc-link = eth1\n",
        "via = bmc\n",
        "bmc-link = eth1\n",
        "via = bmc-first\nbmc-link = eth0\nnic = eth0\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[4096];
        (void)snprintf(text, sizeof(text), BASE "%s", bad[i]);
        if (parse(text) != ERR_SITE_SYNTAX)
            fail_msg("%s", bad[i]);
    }
}

static void refuses_keys_and_roots(void **state)
{
    (void)state;
    REFUSES(BASE "trust = {}\n", ERR_SITE_KEY, 4);
    REFUSES(BASE "trust = \n", ERR_SITE_KEY, 4);
    REFUSES(BASE
            "trust = {\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
            "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}\n",
            ERR_SITE_KEY, 4);
    REFUSES(BASE "tls-root = AAAA\n", ERR_SITE_ROOT, 4);
    REFUSES(BASE "tls-root = MII\n", ERR_SITE_ROOT, 4);
    REFUSES(BASE "tls-root = " ROOT "AAAA\n", ERR_SITE_ROOT, 4);
    char text[LIMIT_SITE] = BASE;
    struct buf b = {.p = (uint8_t *)text, .n = strlen(text), .cap = sizeof(text) - 1};
    for (unsigned i = 1; i < SITE_KEYS_MAX; i++)
        buf_str(&b, "trust = " KEY_B "\n");
    assert_int_equal(parse(text), OK);
    assert_int_equal(site.key_count, SITE_KEYS_MAX);
    buf_str(&b, "trust = " KEY_B "\n");
    REFUSES(text, ERR_SITE_KEY, 11);
    b.n = strlen(BASE);
    memset(text + b.n, 0, sizeof(text) - b.n);
    for (unsigned i = 1; i < SITE_ROOTS_MAX; i++)
        buf_str(&b, "tls-root = " ROOT "\n");
    assert_int_equal(parse(text), OK);
    assert_int_equal(site.roots.count, SITE_ROOTS_MAX);
    buf_str(&b, "tls-root = " ROOT "\n");
    REFUSES(text, ERR_SITE_ROOT, 11);
}

static void is_bounded(void **state)
{
    (void)state;
    static char text[LIMIT_SITE + 2];
    memset(text, 'a', sizeof(text) - 1);
    REFUSES(text, ERR_SITE_SYNTAX, 0);
    text[4000] = 0;
    REFUSES(text, ERR_SITE_SYNTAX, 1);
    memset(text, '\n', LIMIT_SITE - 1);
    text[LIMIT_SITE - 1] = 'x';
    text[LIMIT_SITE] = 0;
    REFUSES(text, ERR_SITE_SYNTAX, LIMIT_SITE);
}

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(parse(BASE "url = https://a/\n"), OK);
    fault_clear(&fault);
    assert_int_equal(site_cmdline(span_str("console=ttyS0 root=/dev/ram0"), &site, &fault), OK);
    assert_string_equal(site.url, "https://a/");
    assert_int_equal(
        site_cmdline(
            span_str(
                "console=ttyS0 joinboot.url=https://b/{mac}?a=b joinboot.nic=eth7\tjoinboot.dad=rfc4862  "
                "joinboot.families-wait=5 joinboot.log=debug quiet\n"),
            &site, &fault),
        OK);
    assert_string_equal(site.url, "https://b/{mac}?a=b");
    assert_string_equal(site.nic, "eth7");
    assert_int_equal(site.dad, SITE_DAD_RFC4862);
    assert_int_equal(site.families_wait_ms, 5000);
    assert_int_equal(site.log, 2);
    assert_int_equal(site.roots.count, 1);
    assert_true(site.roots.ders[0].p == site.root_bytes);
}

static void command_line_never_widens_trust(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "joinboot.trust=" KEY_B,
        "joinboot.tls-root=" ROOT,
        "joinboot.cluster=other",
        "joinboot.permit-unsafe-skip-ca=yes",
        "joinboot.permit-kubelet-args=address",
        "joinboot.one-family=yes",
        "joinboot.families=ipv4",
        "joinboot.kubelet=/evil",
        "joinboot.runtime=/evil",
        "joinboot.",
        "joinboot.unknown=1",
        "joinboot.url",
        "joinboot.url=",
        "joinboot.dad=off",
        "joinboot.URL=https://b/",
        "joinboot.families-wait=x",
        "joinboot.nic=a/b",
        "joinboot.url=https://b/ joinboot.log=loud",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        static struct site before;
        assert_int_equal(parse(BASE "url = https://a/\n"), OK);
        before = site;
        fault_clear(&fault);
        enum err e = site_cmdline(span_str(bad[i]), &site, &fault);
        if (e != ERR_SITE_SYNTAX || fault.code != e)
            fail_msg("%s: %s", bad[i], err_name(e));
        assert_memory_equal(&site, &before, sizeof(site));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_key),        cmocka_unit_test(reads_target),
        cmocka_unit_test(fills_defaults),         cmocka_unit_test(refuses_incomplete),
        cmocka_unit_test(refuses_lines),          cmocka_unit_test(reads_a_bmc),
        cmocka_unit_test(refuses_keys_and_roots), cmocka_unit_test(is_bounded),
        cmocka_unit_test(reads_report_url),       cmocka_unit_test(reads_syslog),
        cmocka_unit_test(command_line),           cmocka_unit_test(command_line_never_widens_trust),
    };
    testcrypto_start(160 * 1024);
    return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
