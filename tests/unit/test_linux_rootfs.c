/*
 * test_linux_rootfs.c - a state partition of our own whose file system is damaged: it is checked once, and what cannot be mended may be formatted
 * if that is permitted. The jobs are the test's; they run in children as the real ones do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "boards/linux/clock.h"
#include "boards/linux/system.h"

int __wrap_statefs_mount(void *ctx, const char *const *argv);
int __wrap_statefs_check(void *ctx, const char *const *argv);
int __wrap_statefs_format(void *ctx, const char *const *argv);

/* The partition, shared with the jobs. */
static struct disk {
    bool damaged, mendable;
    int error, verdict; /* exit statuses of mounting a damaged one, and of the check that cannot mend it */
    unsigned mounts, checks, formats;
} * disk;
static struct system s;

int __wrap_statefs_mount(void *ctx, const char *const *argv)
{
    (void)ctx;
    (void)argv;
    disk->mounts++;
    return disk->damaged ? disk->error : 0;
}

int __wrap_statefs_check(void *ctx, const char *const *argv)
{
    (void)ctx;
    disk->checks++;
    if (disk->mendable && strcmp(argv[0], "vdb") == 0)
        disk->damaged = false;
    return disk->damaged ? disk->verdict : 1; /* as e2fsck: errors were corrected */
}

int __wrap_statefs_format(void *ctx, const char *const *argv)
{
    (void)ctx;
    (void)argv;
    disk->formats++;
    disk->damaged = false;
    return 0;
}

static void say(void *ctx, struct span text)
{
    (void)ctx;
    (void)text;
}

static int fresh(void **state)
{
    (void)state;
    disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(&s, 0, sizeof(s));
    s.board.console = say;
    rootfs_init(&s.rootfs);
    service_init(&s.services[HOST_JOB], "no/such/folder", false);
    s.rootfs.at = ROOTFS_MOUNT_STATE;
    s.rootfs.state_kind = STATEFS_OURS;
    memcpy(s.rootfs.state, "vdb", 4);
    *disk = (struct disk){.damaged = true, .error = STATEFS_DAMAGED, .verdict = 4};
    return disk == MAP_FAILED;
}

static int give_back(void **state)
{
    (void)state;
    return munmap(disk, sizeof(*disk));
}

static enum err run(bool may_format, struct fault *f)
{
    const struct host_root want = {.state = "LABEL=joinboot-state", .may_format = may_format};
    struct service *job = &s.services[HOST_JOB];
    enum host_answer a = HOST_BUSY;
    enum err e = OK;

    while (e == OK && a != HOST_YES) {
        int status;
        pid_t pid;
        e = rootfs_step(&s, &want, &a, f);
        if (e == OK && a == HOST_BUSY && (pid = waitpid(-1, &status, 0)) > 0)
            assert_true(service_exited(job, pid, status, clock_now_ms()));
    }
    return e;
}

static void test_mended(void **state)
{
    struct fault f = {0};

    (void)state;
    disk->mendable = true;
    assert_int_equal(run(false, &f), OK);
    assert_int_equal(s.rootfs.at, ROOTFS_DONE);
    assert_int_equal(disk->mounts, 2);
    assert_int_equal(disk->checks, 1);
    assert_int_equal(disk->formats, 0);
}

static void test_not_mended(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(run(false, &f), ERR_STATE_FOREIGN);
    assert_int_equal(disk->checks, 1);
    assert_int_equal(disk->formats, 0);
    assert_int_equal(s.rootfs.at, ROOTFS_FIND_STATE);
}

static void test_not_mended_but_permitted(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(run(true, &f), OK);
    assert_int_equal(s.rootfs.at, ROOTFS_DONE);
    assert_int_equal(disk->checks, 1);
    assert_int_equal(disk->formats, 1);
}

/* e2fsck is not there, is older than the file system, or could not read it: that says nothing of what is on the partition. */
static void test_not_checked(void **state)
{
    static const int verdicts[] = {0, 8, 12, 16, 127};
    struct fault f = {0};

    (void)state;
    for (unsigned i = 0; i < COUNT(verdicts); i++) {
        s.rootfs.at = ROOTFS_MOUNT_STATE;
        s.rootfs.checked = false;
        disk->verdict = verdicts[i];
        assert_int_equal(run(true, &f), ERR_STATE_MOUNT);
        assert_int_equal(s.rootfs.at, ROOTFS_FIND_STATE);
        assert_int_equal(disk->formats, 0);
    }
}

/* A driver or a device that is missing is no damage. */
static void test_another_failure(void **state)
{
    struct fault f = {0};

    (void)state;
    disk->error = 1;
    assert_int_equal(run(true, &f), ERR_STATE_MOUNT);
    assert_int_equal(disk->checks + disk->formats, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mended, fresh, give_back),
        cmocka_unit_test_setup_teardown(test_not_mended, fresh, give_back),
        cmocka_unit_test_setup_teardown(test_not_mended_but_permitted, fresh, give_back),
        cmocka_unit_test_setup_teardown(test_not_checked, fresh, give_back),
        cmocka_unit_test_setup_teardown(test_another_failure, fresh, give_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
