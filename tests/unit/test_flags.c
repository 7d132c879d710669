/*
 * test_flags.c - kubeadm-flags.env read back (firmware/kube/flags.c): arguments, and the addresses that the agent fills in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/kube/flags.h"

#define LINE(args) "KUBELET_KUBEADM_ARGS=\"" args "\"\n"

static struct ip ips[2];

static int set_up(void **unused)
{
    (void)unused;
    return ip_parse(SPAN_LIT("10.0.0.7"), &ips[0]) == OK && ip_parse(SPAN_LIT("fd00::7"), &ips[1]) == OK ? 0
                                                                                                         : -1;
}

static void check_set(int line, const char *text, unsigned count, enum err want, const char *result)
{
    uint8_t mem[512];
    struct buf b = BUF_OF(mem);
    enum err e = flags_set_node_ip(span_str(text), ips, count, &b);

    if (e != want || (e == OK && !span_is(buf_span(&b), result)))
        fail_msg("line %d: %s: %.*s", line, err_name(e), (int)b.n, (const char *)mem);
}

#define CHECK_SET(...) check_set(__LINE__, __VA_ARGS__)

static void test_node_ip(void **unused)
{
    (void)unused;
    CHECK_SET(LINE("--node-ip=10.0.0.1,fd00::1"), 2, OK, LINE("--node-ip=10.0.0.7,fd00::7"));
    CHECK_SET(LINE("--a=b --node-ip=10.0.0.1 --c=d"), 2, OK, LINE("--a=b --node-ip=10.0.0.7,fd00::7 --c=d"));
    CHECK_SET(LINE("--node-ip=10.0.0.1"), 0, OK, LINE("--node-ip=10.0.0.1"));
    CHECK_SET(LINE("--node-ip=10.0.0.1"), 1, OK, LINE("--node-ip=10.0.0.7"));
    CHECK_SET(LINE("--a=b"), 1, OK, LINE("--a=b --node-ip=10.0.0.7"));
    CHECK_SET(LINE(""), 1, OK, LINE("--node-ip=10.0.0.7"));
    CHECK_SET(LINE(""), 0, OK, LINE(""));
    CHECK_SET("KUBELET_KUBEADM_ARGS=\"--a=b\"", 0, OK, LINE("--a=b"));
}

static void test_other_forms(void **unused)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "KUBELET_KUBEADM_ARGS=--a=b\n",
                                        "KUBELET_KUBEADM_ARGS=\"",
                                        "KUBELET_EXTRA_ARGS=\"--a=b\"\n",
                                        "KUBELET_KUBEADM_ARGS=\"--a=\\\"b\"\n",
                                        "KUBELET_KUBEADM_ARGS=\"--a='b'\"\n",
                                        "KUBELET_KUBEADM_ARGS=\"--a=b\"\nOTHER=\"c\"\n",
                                        "KUBELET_KUBEADM_ARGS=\"--a=\xc3\xa4\"\n"};

    (void)unused;
    for (size_t i = 0; i < COUNT(texts); i++)
        check_set((int)i, texts[i], 1, ERR_FILE, "");
}

static void test_argv(void **unused)
{
    static const char *const want[] = {"/usr/bin/kubelet",
                                       "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
                                       "--kubeconfig=/etc/kubernetes/kubelet.conf",
                                       "--config=/var/lib/kubelet/config.yaml",
                                       "--node-ip=10.0.0.1",
                                       "--v=2"};
    const char *argv[FLAGS_ARGV_MAX];
    uint8_t mem[512];
    struct buf b = BUF_OF(mem);

    (void)unused;
    assert_int_equal(flags_argv(SPAN_LIT(LINE("--node-ip=10.0.0.1  --v=2")), want[0], &b, argv, NULL), OK);
    for (size_t i = 0; i < COUNT(want); i++)
        assert_string_equal(argv[i], want[i]);
    assert_null(argv[COUNT(want)]);
    b.n = 0;
    b.cap = 64;
    assert_int_equal(flags_argv(SPAN_LIT(LINE("--v=2")), want[0], &b, argv, NULL), ERR_LIMIT);
}

static void test_too_many(void **unused)
{
    static uint8_t text[4096], mem[8192];
    struct buf b = BUF_OF(text), store = BUF_OF(mem);
    const char *argv[FLAGS_ARGV_MAX];

    (void)unused;
    buf_str(&b, "KUBELET_KUBEADM_ARGS=\"");
    for (unsigned i = 0; i < FLAGS_ARGV_MAX; i++)
        buf_str(&b, "--a=b ");
    buf_str(&b, "\"\n");
    assert_int_equal(flags_argv(buf_span(&b), "/k", &store, argv, NULL), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node_ip),
        cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_argv),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests_name("flags", tests, set_up, NULL);
}
