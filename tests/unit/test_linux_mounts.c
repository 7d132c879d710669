/*
 * test_linux_mounts.c - the end of all mounts: it takes no longer than it may, whatever a file system waits for. The system calls that would end
 * this machine's mounts are the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/mounts.h"

void __wrap_sync(void);
int __wrap_umount2(const char *target, int flags);
int __wrap_mount(const char *from, const char *target, const char *type, unsigned long flags,
                 const void *data);

static bool dead_server, busy;

void __wrap_sync(void)
{
    while (dead_server)
        (void)pause();
}

int __wrap_umount2(const char *target, int flags)
{
    (void)target;
    (void)flags;
    errno = busy ? EBUSY : EINVAL;
    return -1;
}

int __wrap_mount(const char *from, const char *target, const char *type, unsigned long flags,
                 const void *data)
{
    (void)from;
    (void)target;
    (void)type;
    (void)flags;
    (void)data;
    return 0;
}

static void feed(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void test_end(void **state)
{
    unsigned fed = 0;

    (void)state;
    assert_int_equal(mounts_end(30000, feed, &fed), HOST_YES);
    busy = true;
    assert_int_equal(mounts_end(30000, feed, &fed), HOST_NO);
    busy = false;
}

/* A volume of a server that is gone: the watchdog is fed meanwhile, and the machine ends all the same. */
static void test_dead_server(void **state)
{
    uint64_t begin = clock_now_ms();
    unsigned fed = 0;

    (void)state;
    dead_server = true;
    alarm(20);
    assert_int_equal(mounts_end(300, feed, &fed), HOST_BUSY);
    assert_true(clock_now_ms() - begin >= 300);
    assert_true(fed >= 3);
    alarm(0);
    dead_server = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_dead_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
