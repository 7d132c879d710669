/*
 * test_linux_files.c - the order of system calls that makes a file durable, a failure at every one of them, and the state file.
 *
 * The linker leads the calls through here (test_linux_files.mk), so what is judged is the order that the kernel sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/files.h"
#include "boards/linux/storage.h"
#include "boards/linux/sysfile.h"

int __real_rename(const char *from, const char *to);
int __real_fsync(int fd);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t off);
int __real_fchmod(int fd, mode_t mode);
int __real_unlink(const char *path);
int __wrap_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t off);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_unlink(const char *path);

static char order[256];
static int calls, fail_at;
static char folder[64];

static bool fails(const char *name)
{
    snprintf(order + strlen(order), sizeof(order) - strlen(order), "%s%s", order[0] ? " " : "", name);
    errno = EIO;
    return ++calls == fail_at;
}

int __wrap_rename(const char *from, const char *to)
{
    return fails("rename") ? -1 : __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return fails(S_ISDIR(st.st_mode) ? "fsync-folder" : "fsync") ? -1 : __real_fsync(fd);
}

/* Half of the bytes at a time: a short write is not the end. */
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t off)
{
    return fails("write") ? -1 : __real_pwrite(fd, p, (n + 1) / 2, off);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return fails("mode") ? -1 : __real_fchmod(fd, mode);
}

int __wrap_unlink(const char *path)
{
    int r = __real_unlink(path);

    if (r == 0)
        snprintf(order + strlen(order), sizeof(order) - strlen(order), " unlink");
    return r;
}

static void begin(int at)
{
    order[0] = 0;
    calls = 0;
    fail_at = at;
}

static const char *at(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/joinboot-files-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void check_content(const char *path, const char *want)
{
    uint8_t got[64];
    size_t n = 0;

    assert_int_equal(files_read(path, got, sizeof(got), &n), OK);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(got, want, n);
}

static void test_order(void **state)
{
    struct fault f = {0};
    struct stat st;

    (void)state;
    begin(0);
    umask(077); /* the mode must be exactly what was asked for */
    assert_int_equal(files_write(at("a"), 0644, SPAN_LIT("12"), &f), OK);
    assert_string_equal(order, "mode write write fsync rename fsync-folder");
    check_content(at("a"), "12");
    assert_int_equal(stat(at("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    begin(0);
    assert_int_equal(files_write(at("x/y/b"), 0600, SPAN_LIT("1"), &f), OK);
    assert_string_equal(order, "fsync-folder fsync-folder mode write fsync rename fsync-folder");
    assert_int_equal(stat(at("x/y"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(stat(at("x/y/b"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* Whatever fails: an error, the old bytes or (only if the last sync failed) the new ones, and no temporary file left. */
static void test_failure_at_every_call(void **state)
{
    (void)state;
    for (int n = 1;; n++) {
        struct fault f = {0};
        enum err e;
        begin(0);
        assert_int_equal(files_write(at("a"), 0644, SPAN_LIT("old"), NULL), OK);
        begin(n);
        e = files_write(at("a"), 0644, SPAN_LIT("new"), &f);
        fail_at = 0;
        if (e == OK) {
            assert_int_equal(n, 7); /* mode, two writes, fsync, rename, fsync-folder: each has failed once */
            check_content(at("a"), "new");
            break;
        }
        assert_int_equal(e, ERR_FILE);
        assert_int_equal(f.code, ERR_FILE);
        check_content(at("a"), n == 6 ? "new" : "old");
        assert_int_equal(access(at("a.joinboot-new"), F_OK), -1);
    }
}

/* A leftover of a power cut, and a link that somebody put in the temporary file's place. */
static void test_leftovers(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(files_write(at("victim"), 0644, SPAN_LIT("v"), NULL), OK);
    assert_int_equal(symlink(at("victim"), "/tmp/joinboot-files-link"), 0);
    assert_int_equal(__real_rename("/tmp/joinboot-files-link", at("a.joinboot-new")), 0);
    assert_int_equal(files_write(at("a"), 0644, SPAN_LIT("new"), NULL), OK);
    check_content(at("a"), "new");
    check_content(at("victim"), "v");
}

static void test_remove(void **state)
{
    struct fault f = {0};

    (void)state;
    begin(0);
    assert_int_equal(files_remove(at("none"), true, &f), OK);
    assert_int_equal(files_write(at("secret"), 0600, SPAN_LIT("token"), NULL), OK);
    assert_int_equal(link(at("secret"), "/tmp/joinboot-files-other"), 0);
    begin(0);
    assert_int_equal(files_remove(at("secret"), true, &f), OK);
    assert_string_equal(order, "write write write fsync unlink fsync-folder");
    assert_int_equal(access(at("secret"), F_OK), -1);
    /* The other name of the same bytes shows that they were overwritten. */
    begin(0);
    assert_int_equal(__real_rename("/tmp/joinboot-files-other", at("other")), 0);
    struct stat st;
    uint8_t got[8];
    size_t n = 0;
    assert_int_equal(stat(at("other"), &st), 0);
    assert_int_equal(files_read(at("other"), got, sizeof(got), &n), OK);
    assert_int_equal(n, 5);
    assert_memory_equal(got, "\0\0\0\0\0", 5);
}

static void test_read(void **state)
{
    uint8_t got[4];
    size_t n = 77;

    (void)state;
    begin(0);
    assert_int_equal(files_read(at("none"), got, sizeof(got), &n), ERR_STORE_EMPTY);
    assert_int_equal(files_write(at("four"), 0600, SPAN_LIT("1234"), NULL), OK);
    assert_int_equal(files_write(at("five"), 0600, SPAN_LIT("12345"), NULL), OK);
    assert_int_equal(files_read(at("five"), got, sizeof(got), &n), ERR_LIMIT);
    assert_int_equal(n, 77);
    assert_int_equal(files_read(at("four"), got, sizeof(got), &n), OK);
    assert_int_equal(n, 4);
    assert_int_equal(files_read(folder, got, sizeof(got), &n), ERR_FILE);
}

static void test_storage(void **state)
{
    static struct storage_file s, other;
    struct fault f = {0};
    uint8_t got[8], blank[8];
    char path[128];

    (void)state;
    begin(0);
    snprintf(path, sizeof(path), "%s", at("lib/state"));
    memset(blank, 0xff, sizeof(blank));
    assert_int_equal(storage_open(&s, path, &f), OK);
    assert_int_equal(s.ops.read(s.ops.ctx, STORAGE_SIZE - 8, got, 8), OK);
    assert_memory_equal(got, blank, 8);
    assert_int_equal(s.ops.prog(s.ops.ctx, STORAGE_ERASE + 3, "record", 6), OK);
    assert_int_equal(s.ops.sync(s.ops.ctx), OK);
    assert_int_equal(storage_open(&other, path, &f), ERR_STORE_IO); /* two agents on one state */
    storage_close(&s);
    assert_int_equal(storage_open(&s, path, &f), OK);
    assert_int_equal(s.ops.read(s.ops.ctx, STORAGE_ERASE + 3, got, 6), OK);
    assert_memory_equal(got, "record", 6);
    assert_int_equal(s.ops.erase(s.ops.ctx, STORAGE_ERASE, STORAGE_ERASE), OK);
    assert_int_equal(s.ops.read(s.ops.ctx, STORAGE_ERASE + 3, got, 6), OK);
    assert_memory_equal(got, blank, 6);
    assert_int_equal(s.ops.read(s.ops.ctx, STORAGE_SIZE - 4, got, 8), ERR_STORE_IO);
    assert_int_equal(s.ops.prog(s.ops.ctx, UINT32_MAX, "x", 1), ERR_STORE_IO);
    assert_int_equal(s.ops.erase(s.ops.ctx, 0, STORAGE_SIZE + STORAGE_ERASE), ERR_STORE_IO);
    storage_close(&s);
    assert_int_equal(truncate(path, STORAGE_SIZE - 1), 0);
    fault_clear(&f);
    assert_int_equal(storage_open(&s, path, &f), ERR_STORE_IO);
}

static void test_names_in_order(void **state)
{
    static const char *const names[] = {"b.tar", "a.tar", "c", "B.tar", "a"};
    static const char *const sorted[] = {"B.tar", "a", "a.tar", "b.tar", "c"};
    char name[16];

    (void)state;
    begin(0);
    assert_int_equal(files_name(folder, 0, name, sizeof(name)), ERR_STORE_EMPTY);
    assert_int_equal(files_name(at("missing"), 0, name, sizeof(name)), ERR_STORE_EMPTY);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(files_write(at(names[i]), 0644, SPAN_LIT("x"), NULL), OK);
    assert_int_equal(mkdir(at("aa"), 0755), 0);
    assert_int_equal(symlink("nowhere", at("ab")), 0);
    for (unsigned i = 0; i < COUNT(sorted); i++) {
        assert_int_equal(files_name(folder, i, name, sizeof(name)), OK);
        assert_string_equal(name, sorted[i]);
    }
    assert_int_equal(files_name(folder, COUNT(sorted), name, sizeof(name)), ERR_STORE_EMPTY);
    assert_int_equal(files_name(folder, 0, name, 5), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_at_every_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leftovers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_remove, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_storage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_in_order, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
