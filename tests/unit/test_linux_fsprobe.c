/*
 * test_linux_fsprobe.c - what lies on a block device: superblocks written by hand, by their format documents, and by the tools that this machine
 * has; and what a state partition is judged to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/fsprobe.h"
#include "boards/linux/statefs.h"

enum { MIB = 1024 * 1024, PATCHES = 12 };

/* A device of zeros with some bytes in it. */
struct patch {
    uint64_t off;
    const void *p;
    size_t n;
};

static struct {
    struct patch patches[PATCHES];
    unsigned count;
    uint64_t broken; /* reading this byte fails; 0: none */
} disk;

static bool disk_read(void *ctx, uint64_t off, void *ret, size_t n)
{
    uint8_t *out = ret;
    const struct fsprobe_device *d = ctx;

    assert_true(off <= d->size && n <= d->size - off);
    if (disk.broken >= off && disk.broken < off + n && disk.broken)
        return false;
    memset(out, 0, n);
    for (unsigned i = 0; i < disk.count; i++)
        for (size_t k = 0; k < disk.patches[i].n; k++) {
            uint64_t at = disk.patches[i].off + k;
            if (at >= off && at < off + n)
                out[at - off] = ((const uint8_t *)disk.patches[i].p)[k];
        }
    return true;
}

static struct fsprobe_device device = {.ctx = &device, .read = disk_read};

static int fresh(void **state)
{
    (void)state;
    memset(&disk, 0, sizeof(disk));
    device.size = 64 * MIB;
    return 0;
}

static void put(uint64_t off, const void *p, size_t n)
{
    assert_true(disk.count < PATCHES);
    disk.patches[disk.count++] = (struct patch){off, p, n};
}

static void check(enum fsprobe_kind kind, const char *label, const char *uuid)
{
    struct fsprobe got;

    fsprobe(&device, &got);
    assert_string_equal(fsprobe_name(got.kind), fsprobe_name(kind));
    assert_string_equal(got.label, label);
    assert_string_equal(got.uuid, uuid);
}

static const uint8_t uuid_bytes[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                       0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe};
#define UUID_TEXT "01234567-89ab-cdef-1032-547698badcfe"

static void test_file_systems(void **state)
{
    (void)state;
    check(FSPROBE_UNKNOWN, "", "");
    put(1024 + 0x38, "\x53\xef", 2);
    put(1024 + 0x68, uuid_bytes, 16);
    put(1024 + 0x78, "sixteen-letters!rest", 20);
    check(FSPROBE_EXT4, "sixteen-letters!", UUID_TEXT);
    /* An external journal is no file system. */
    put(1024 + 0x60, "\x08\0\0\0", 4);
    check(FSPROBE_UNKNOWN, "", "");
    (void)fresh(NULL);
    put(1024, "\xe2\xe1\xf5\xe0", 4);
    put(1024 + 48, uuid_bytes, 16);
    put(1024 + 64, "image", 5);
    check(FSPROBE_EROFS, "image", UUID_TEXT);
    (void)fresh(NULL);
    put(0, "hsqs", 4);
    put(28, "\x04\0", 2);
    check(FSPROBE_SQUASHFS, "", "");
    (void)fresh(NULL);
    put(0, "XFSB", 4);
    put(32, uuid_bytes, 16);
    put(108, "twelvelettersX", 14);
    check(FSPROBE_XFS, "twelveletter", UUID_TEXT);
    (void)fresh(NULL);
    put(65536 + 64, "_BHRfS_M", 8);
    put(65536 + 32, uuid_bytes, 16);
    put(65536 + 0x12b, "data", 4);
    check(FSPROBE_BTRFS, "data", UUID_TEXT);
    (void)fresh(NULL);
    put(4086, "SWAPSPACE2", 10);
    check(FSPROBE_SWAP, "", "");
}

/* What must be opened first wins over the file system that it seems to be. */
static void test_volumes(void **state)
{
    static const uint64_t lvm_at[] = {0, 512, 1024, 1536};
    static const struct {
        uint64_t size, at;
        const char *magic;
    } md[] = {
        {64 * MIB, 0, "\xfc\x4e\x2b\xa9"},
        {64 * MIB, 4096, "\xfc\x4e\x2b\xa9"},
        {64 * MIB, 64 * MIB - 8192, "\xfc\x4e\x2b\xa9"},
        {64 * MIB + 512 * 5, 64 * MIB - 8192, "\xfc\x4e\x2b\xa9"},
        {64 * MIB, 64 * MIB - 65536, "\xfc\x4e\x2b\xa9"},
        {64 * MIB + 4096, 64 * MIB - 65536, "\xa9\x2b\x4e\xfc"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lvm_at); i++) {
        (void)fresh(NULL);
        put(1024 + 0x38, "\x53\xef", 2);
        put(lvm_at[i], "LABELONE", 8);
        put(lvm_at[i] + 24, "LVM2 001", 8);
        check(FSPROBE_LVM2, "", "");
    }
    (void)fresh(NULL);
    put(0, "LUKS\xba\xbe\0\x02", 8);
    put(24, "secret", 6);
    put(168, UUID_TEXT, 36);
    check(FSPROBE_LUKS, "secret", UUID_TEXT);
    (void)fresh(NULL);
    put(0, "LUKS\xba\xbe\0\x01", 8);
    put(24, "xts-plain", 9); /* here LUKS 1 has its cipher */
    put(168, UUID_TEXT, 36);
    check(FSPROBE_LUKS, "", UUID_TEXT);
    for (size_t i = 0; i < COUNT(md); i++) {
        (void)fresh(NULL);
        device.size = md[i].size;
        put(1024 + 0x38, "\x53\xef", 2);
        put(md[i].at, md[i].magic, 4);
        check(FSPROBE_MD, "", "");
    }
}

static void test_tiny_and_broken_devices(void **state)
{
    (void)state;
    for (device.size = 0; device.size < 70000; device.size += 97)
        check(FSPROBE_UNKNOWN, "", "");
    (void)fresh(NULL);
    put(1024 + 0x38, "\x53\xef", 2);
    disk.broken = 1100;
    check(FSPROBE_UNKNOWN, "", "");
}

static const uint8_t guid[16] = {0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
                                 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe};

static void put_gpt(unsigned block)
{
    static const uint8_t lba2[8] = {2};
    static const uint8_t numbers[8] = {128, 0, 0, 0, 128, 0, 0, 0};
    static const uint8_t name[] = "j\0\xe4\0-\0\xac\x20x"; /* j, a umlaut, -, euro sign, x */

    put(510, "\x55\xaa", 2);
    put(446 + 4, "\xee", 1);
    put(446 + 8, "\x01\0\0\0\xff\xff\xff\xff", 8);
    put(block, "EFI PART", 8);
    put(block + 72, lba2, 8);
    put(block + 80, numbers, 8);
    put(2 * block + 128, uuid_bytes, 16); /* the second entry's type */
    put(2 * block + 128 + 16, guid, 16);
    put(2 * block + 128 + 56, name, sizeof(name));
}

static void test_partitions(void **state)
{
    static const unsigned blocks[] = {512, 4096};
    struct fsprobe_partition p;

    (void)state;
    for (size_t i = 0; i < COUNT(blocks); i++) {
        (void)fresh(NULL);
        put_gpt(blocks[i]);
        check(FSPROBE_TABLE, "", "");
        assert_true(fsprobe_partition(&device, blocks[i], 2, &p));
        assert_string_equal(p.uuid, UUID_TEXT);
        assert_string_equal(p.name, "j\xc3\xa4-\xe2\x82\xacx");
        assert_false(fsprobe_partition(&device, blocks[i], 1, &p));
        assert_false(fsprobe_partition(&device, blocks[i], 0, &p));
        assert_false(fsprobe_partition(&device, blocks[i], 129, &p));
    }
    (void)fresh(NULL);
    put(510, "\x55\xaa", 2);
    put(440, "\x78\x56\x34\x12", 4);
    put(446 + 16 + 4, "\x83", 1);
    put(446 + 16 + 12, "\x00\x08\0\0", 4);
    check(FSPROBE_TABLE, "", "");
    assert_true(fsprobe_partition(&device, 512, 2, &p));
    assert_string_equal(p.uuid, "12345678-02");
    assert_string_equal(p.name, "");
    assert_false(fsprobe_partition(&device, 512, 3, &p));
}

/* Numbers in a table that lead outside, or overflow. */
static void test_hostile_tables(void **state)
{
    static const struct {
        unsigned off;
        const char *bytes;
        size_t n;
    } rows[] = {
        {72, "\xff\xff\xff\xff\xff\xff\xff\xff", 8},
        {72, "\xff\xff\x01\0\0\0\0\0", 8},
        {72, "\x02\0\0\0\0\0\x80\0", 8},
        {80, "\xff\xff\xff\xff", 4},
        {84, "\xff\xff\xff\xff", 4},
        {84, "\x00\0\0\0", 4},
        {84, "\x7f\0\0\0", 4},
    };
    struct fsprobe_partition p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)fresh(NULL);
        put_gpt(512);
        put(512 + rows[i].off, rows[i].bytes, rows[i].n);
        assert_false(fsprobe_partition(&device, 512, 2, &p));
    }
}

static void check_state(enum statefs_kind want)
{
    enum statefs_kind kind = STATEFS_SMALL;
    struct fsprobe found;

    assert_int_equal(statefs_look(&device, &kind, &found), OK);
    assert_int_equal(kind, want);
}

static void test_state_partition(void **state)
{
    static const char mark[] = "joinboot: formatting began and did not end\n";
    enum statefs_kind kind = STATEFS_SMALL;
    struct fsprobe found;

    (void)state;
    check_state(STATEFS_BLANK);
    device.size = STATEFS_MIN - 1;
    check_state(STATEFS_SMALL);
    /* A single byte at either edge belongs to somebody. */
    (void)fresh(NULL);
    put(MIB - 1, "x", 1);
    check_state(STATEFS_FOREIGN);
    (void)fresh(NULL);
    put(64 * MIB - MIB, "x", 1);
    check_state(STATEFS_FOREIGN);
    (void)fresh(NULL);
    put(64 * MIB - 1, "x", 1);
    check_state(STATEFS_FOREIGN);
    (void)fresh(NULL);
    put(0, "XFSB", 4);
    check_state(STATEFS_FOREIGN);
    put(64 * MIB - 4096, mark, sizeof(mark));
    check_state(STATEFS_HALF);
    disk.count--;
    put(64 * MIB - 4096, mark, sizeof(mark) - 2);
    check_state(STATEFS_FOREIGN);
    (void)fresh(NULL);
    put(1024 + 0x38, "\x53\xef", 2);
    check_state(STATEFS_MARKED);
    put(1024 + 0x78, "joinboot-state", 14);
    check_state(STATEFS_OURS);
    /* The label on a mirror's member does not make it ours. */
    put(4096, "\xfc\x4e\x2b\xa9", 4);
    check_state(STATEFS_FOREIGN);
    (void)fresh(NULL);
    disk.broken = 5000;
    assert_int_equal(statefs_look(&device, &kind, &found), ERR_STATE_MOUNT);
    (void)fresh(NULL);
    disk.broken = 64 * MIB - 4096;
    assert_int_equal(statefs_look(&device, &kind, &found), ERR_STATE_MOUNT);
}

static bool file_read(void *ctx, uint64_t off, void *ret, size_t n)
{
    return pread(*(int *)ctx, ret, n, (off_t)off) == (ssize_t)n;
}

/* The tools' own files; a tool that this machine does not have is left out. */
static void test_real_tools(void **state)
{
    static const struct {
        const char *tool, *command;
        enum fsprobe_kind kind;
        const char *label, *uuid;
    } rows[] = {
        {"mke2fs", "mke2fs -q -F -t ext4 -L joinboot-state -U " UUID_TEXT, FSPROBE_EXT4, "joinboot-state",
         UUID_TEXT},
        {"mkfs.xfs", "mkfs.xfs -q -f -L node -m uuid=" UUID_TEXT, FSPROBE_XFS, "node", UUID_TEXT},
        {"mkfs.btrfs", "mkfs.btrfs -q -f -L node -U " UUID_TEXT, FSPROBE_BTRFS, "node", UUID_TEXT},
        {"mkswap", "mkswap -q", FSPROBE_SWAP, "", ""},
        {"sfdisk", "echo label: gpt, 1MiB | tr , '\\n' | sfdisk -q", FSPROBE_TABLE, "", ""},
        {"cryptsetup",
         "echo pass | cryptsetup luksFormat -q --label node --uuid " UUID_TEXT
         " --pbkdf pbkdf2 --pbkdf-force-iterations 1000",
         FSPROBE_LUKS, "node", UUID_TEXT},
    };
    char path[] = "/tmp/joinboot-fsprobe-XXXXXX", command[400];
    unsigned tried = 0;
    int fd = mkstemp(path);
    struct fsprobe_device d = {.ctx = &fd, .read = file_read, .size = UINT64_C(320) * MIB};

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fsprobe got;
        snprintf(command, sizeof(command),
                 "PATH=$PATH:/usr/sbin:/sbin; command -v %s >/dev/null || exit 9; %s %s >/dev/null 2>&1",
                 rows[i].tool, rows[i].command, path);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(ftruncate(fd, (off_t)d.size), 0);
        int status = system(command);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
            continue;
        assert_int_equal(status, 0);
        fsprobe(&d, &got);
        assert_string_equal(fsprobe_name(got.kind), fsprobe_name(rows[i].kind));
        assert_string_equal(got.label, rows[i].label);
        if (rows[i].uuid[0])
            assert_string_equal(got.uuid, rows[i].uuid);
        assert_false(got.unclean);
        tried++;
    }
    close(fd);
    unlink(path);
    assert_true(tried > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_file_systems, fresh),
        cmocka_unit_test_setup(test_volumes, fresh),
        cmocka_unit_test_setup(test_tiny_and_broken_devices, fresh),
        cmocka_unit_test_setup(test_partitions, fresh),
        cmocka_unit_test_setup(test_hostile_tables, fresh),
        cmocka_unit_test_setup(test_state_partition, fresh),
        cmocka_unit_test(test_real_tools),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
