/*
 * test_linux_modalias.c - which module a device wants, read from depmod's text files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boards/linux/modalias.h"

#define assert_span(span, text) assert_true(span_is((span), (text)))

static void test_match(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool yes;
    } rows[] = {
        {"virtio:d00000001v*", "virtio:d00000001v00001AF4", true},
        {"virtio:d00000001v*", "virtio:d00000002v00001AF4", false},
        {"pci:v00001AF4d*sv*sd*bc*sc*i*", "pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00", true},
        {"pci:v00001AF4d*sv*sd*bc*sc*i*", "pci:v00001AF5d00001041sv00001AF4sd00001100bc02sc00i00", false},
        {"usb:v0BDAp8153d*dc*dsc*dp*icFFiscFFip00in*", "usb:v0BDAp8153d3000dc00dsc00dp00icFFiscFFip00in00",
         true},
        {"acpi*:PNP0C0C:*", "acpi:PNP0C0C:", true},
        {"acpi*:PNP0C0C:*", "acpi:LNXPWRBN:PNP0C0C:", true},
        {"usb:v[0-9]x", "usb:v7x", true},
        {"usb:v[0-9]x", "usb:vax", false},
        {"usb:v[0-24-6a]x", "usb:v3x", false},
        {"usb:v[0-24-6a]x", "usb:vax", true},
        {"usb:v[0-9", "usb:v7", false}, /* a set without its end */
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"a*b*c", "axxbyybzzc", true},
        {"a*b*c", "axxbyybzz", false},
        {"of:N*T*Cvirtio,mmio", "of:Nvirtio_mmioT(null)Cvirtio,mmio", true},
        {"of:N*T*Cvirtio,mmioC*", "of:Nvirtio_mmioT(null)Cvirtio,mmio", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (modalias_match(span_str(rows[i].pattern), span_str(rows[i].text)) != rows[i].yes)
            fail_msg("row %zu: %s against %s", i, rows[i].pattern, rows[i].text);
}

/* Many stars cost no more than pattern times text: a hostile USB device names itself. */
static void test_match_is_bounded(void **state)
{
    char pattern[201], text[1001];

    (void)state;
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[199] = 'b';
    pattern[200] = 0;
    memset(text, 'a', 1000);
    text[1000] = 0;
    assert_false(modalias_match(span_str(pattern), span_str(text)));
}

static void test_next(void **state)
{
    struct span rest = SPAN_LIT(
                    "# Aliases\nalias virtio:d00000001v* virtio_net\n\nalias pci:v*d* x y\nalias last one"),
                pattern, module;

    (void)state;
    assert_true(modalias_next(&rest, &pattern, &module));
    assert_span(pattern, "virtio:d00000001v*");
    assert_span(module, "virtio_net");
    assert_true(modalias_next(&rest, &pattern, &module));
    assert_span(module, "x y");
    assert_true(modalias_next(&rest, &pattern, &module));
    assert_span(module, "one");
    assert_false(modalias_next(&rest, &pattern, &module));
}

static void test_dep(void **state)
{
    static const char file[] = "kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko\n"
                               "kernel/drivers/net/virtio_net.ko.xz: kernel/a/b.ko kernel/c/d.ko\n"
                               "kernel/net/core/failover.ko:\n";
    struct span path, needs;

    (void)state;
    assert_true(modalias_dep(span_str(file), SPAN_LIT("virtio-net"), &path, &needs));
    assert_span(path, "kernel/drivers/net/virtio_net.ko.xz");
    assert_span(needs, "kernel/a/b.ko kernel/c/d.ko");
    assert_true(modalias_dep(span_str(file), SPAN_LIT("failover"), &path, &needs));
    assert_span(path, "kernel/net/core/failover.ko");
    assert_int_equal(needs.n, 0);
    assert_false(modalias_dep(span_str(file), SPAN_LIT("net"), &path, &needs));
}

static void test_names(void **state)
{
    (void)state;
    assert_span(modalias_file_name(SPAN_LIT("kernel/x/crc-t10dif.ko.xz")), "crc-t10dif");
    assert_span(modalias_file_name(SPAN_LIT("plain.ko")), "plain");
    assert_true(modalias_same_name(SPAN_LIT("crc-t10dif"), SPAN_LIT("crc_t10dif")));
    assert_false(modalias_same_name(SPAN_LIT("crc"), SPAN_LIT("crc_t10dif")));
}

/* All names of a kind, each behind a space. */
static void check_softdep(const char *name, bool post, const char *want)
{
    static const char file[] = "# soft\nsoftdep a pre: b c post: d\nsoftdep e post: f\nsoftdep g pre: h\n"
                               "softdep a-a pre: i\nsoftdep a_a post: j pre: k l\nsoftdep a_a pre: m";
    struct span rest = span_str(file), names;
    uint8_t all[40];
    struct buf b = BUF_OF(all);

    while (modalias_softdep(&rest, span_str(name), post, &names))
        buf_fmt(&b, " %.*s", (int)names.n, (const char *)names.p);
    assert_span(buf_span(&b), want);
}

static void test_softdep(void **state)
{
    (void)state;
    check_softdep("a", false, " b c");
    check_softdep("a", true, " d");
    check_softdep("e", false, "");
    check_softdep("e", true, " f");
    check_softdep("g", false, " h");
    check_softdep("none", false, "");
    /* Several lines, and the parts in any order. */
    check_softdep("a_a", false, " i k l m");
    check_softdep("a-a", true, " j");
}

static void test_wanted(void **state)
{
    static const char *const yes[] = {
        "kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko",
        "kernel/drivers/nvme/host/nvme.ko.xz",
        "kernel/drivers/ufs/host/ufshcd-pci.ko",
        "kernel/drivers/nvdimm/nd_pmem.ko",
        "kernel/drivers/dax/kmem.ko",
        "updates/dkms/ice.ko.xz",
        "extra/mlnx-ofa_kernel/drivers/net/ethernet/mellanox/mlx5/core/mlx5_core.ko",
        /* what the lab's machines have */
        "kernel/drivers/net/virtio_net.ko",
        "kernel/drivers/block/virtio_blk.ko",
        "kernel/drivers/ata/ahci.ko",
        "kernel/drivers/char/hw_random/virtio-rng.ko",
        "kernel/drivers/watchdog/iTCO_wdt.ko",
        "kernel/drivers/mfd/lpc_ich.ko",
        "kernel/drivers/usb/storage/usb-storage.ko",
    };
    static const char *const no[] = {
        "kernel/drivers/net/wireless/ath/ath.ko",
        "kernel/drivers/gpu/drm/i915/i915.ko",
        "kernel/sound/core/snd.ko",
        "updates/drivers/net/wireless/intel/iwlwifi/iwlwifi.ko",
        "extra/drivers/gpu/drm/x/x.ko",
        /* what the lab's machines have, and have to do without */
        "kernel/drivers/gpu/drm/tiny/bochs.ko",
        "kernel/drivers/i2c/busses/i2c-i801.ko",
        "kernel/drivers/input/misc/pcspkr.ko",
        "kernel/drivers/input/mouse/psmouse.ko",
        "kernel/drivers/firmware/qemu_fw_cfg.ko",
        "kernel/drivers/parport/parport_pc.ko",
        "kernel/drivers/usb/serial/usbserial.ko",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++)
        if (!modalias_is_wanted(span_str(yes[i])))
            fail_msg("%s is not wanted", yes[i]);
    for (size_t i = 0; i < COUNT(no); i++)
        if (modalias_is_wanted(span_str(no[i])))
            fail_msg("%s is wanted", no[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),  cmocka_unit_test(test_match_is_bounded),
        cmocka_unit_test(test_next),   cmocka_unit_test(test_dep),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_softdep),
        cmocka_unit_test(test_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
