/*
 * test_linux_logs.c - logs in two generations, the boot journal of the last five boots, and a disk that is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boards/linux/bootlog.h"
#include "boards/linux/logfile.h"
#include "boards/linux/sysfile.h"

#include <signal.h>

static char folder[40];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/joinboot-logs-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static const char *at(const char *name)
{
    static char path[LOGFILE_PATH];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void check_content(const char *name, const char *want)
{
    char text[4096];
    size_t n = 0;

    assert_int_equal(sysfile_read(at(name), text, sizeof(text) - 1, &n), OK);
    text[n] = 0;
    assert_string_equal(text, want);
}

static void test_two_generations(void **state)
{
    struct logfile l;

    (void)state;
    logfile_init(&l);
    logfile_write(&l, SPAN_LIT("lost: not open yet\n"));
    logfile_open(&l, at("y.log"), 2);
    logfile_write(&l, SPAN_LIT("larger than a generation\n"));
    assert_false(sysfile_exists(at("y.log.1")));
    logfile_open(&l, at("x.log"), 10);
    logfile_write(&l, SPAN_LIT("one\n"));
    logfile_write(&l, SPAN_LIT("three\n"));
    check_content("x.log", "one\nthree\n");
    assert_false(sysfile_exists(at("x.log.1")));
    logfile_write(&l, SPAN_LIT("2\n"));
    check_content("x.log", "2\n");
    check_content("x.log.1", "one\nthree\n");
    /* One piece larger than a generation still is in one file. */
    logfile_write(&l, SPAN_LIT("a long line of text\n"));
    check_content("x.log", "a long line of text\n");
    check_content("x.log.1", "2\n");
    logfile_close(&l);
    /* A later start goes on where the file ends. */
    logfile_open(&l, at("x.log"), 30);
    logfile_write(&l, SPAN_LIT("more\n"));
    check_content("x.log", "a long line of text\nmore\n");
    logfile_write(&l, SPAN_LIT("and more\n"));
    check_content("x.log", "and more\n");
    logfile_close(&l);
}

/* The limit of a file's size stands for the full disk: the write fails, and works again when there is room. */
static void test_full_disk(void **state)
{
    struct rlimit was, small;
    struct logfile l;
    struct stat st;

    (void)state;
    logfile_init(&l);
    logfile_open(&l, at("x.log"), 100000);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 6;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    logfile_write(&l, SPAN_LIT("one\n"));
    logfile_write(&l, SPAN_LIT("two\n"));
    logfile_write(&l, SPAN_LIT("three\n"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(stat(at("x.log"), &st), 0);
    assert_int_equal(st.st_size, 6);
    logfile_write(&l, SPAN_LIT("\nfour\n"));
    check_content("x.log", "one\ntw\nfour\n");
    logfile_close(&l);
}

static struct bootlog b;

static void boot(const char *early, const char *late)
{
    bootlog_init(&b);
    bootlog_put(&b, span_str(early));
    bootlog_start(&b, at("journal"));
    bootlog_put(&b, span_str(late));
    bootlog_stop(&b);
    bootlog_put(&b, SPAN_LIT("after the end\n"));
}

static void test_five_boots(void **state)
{
    (void)state;
    boot("early 1\n", "late 1\n");
    check_content("journal/boot.0", "early 1\nlate 1\n");
    for (int i = 2; i <= 7; i++) {
        char early[] = "early N\n", late[] = "late N\n";
        early[6] = late[5] = (char)('0' + i);
        boot(early, late);
    }
    check_content("journal/boot.0", "early 7\nlate 7\n");
    check_content("journal/boot.1", "early 6\nlate 6\n");
    check_content("journal/boot.4", "early 3\nlate 3\n");
    assert_false(sysfile_exists(at("journal/boot.5")));
}

/* boot.0 keeps how the boot began; what it has no room for goes on in a rotated file, over boots. */
static void test_full_journal_goes_on(void **state)
{
    static char much[BOOTLOG_EARLY], text[BOOTLOG_MAX + 4096];
    size_t n = 0;

    (void)state;
    memset(much, 'x', sizeof(much));
    bootlog_init(&b);
    for (int i = 0; i < 3; i++)
        bootlog_put(&b, span_of(much, 10000));
    assert_int_equal(b.n, BOOTLOG_EARLY); /* the beginning is kept */
    bootlog_start(&b, at("journal"));
    for (size_t i = 0; i < BOOTLOG_MAX / sizeof(much) + 5; i++)
        bootlog_put(&b, span_of(much, sizeof(much)));
    assert_int_equal(b.fd, -1);
    assert_int_equal(sysfile_read(at("journal/boot.0"), text, sizeof(text), &n), OK);
    assert_true(n > BOOTLOG_MAX && n < BOOTLOG_MAX + 200);
    assert_true(span_find_str(span_of(text, n), "goes on in agent.log") < n);
    assert_int_equal(sysfile_read(at("journal/agent.log"), text, sizeof(text), &n), OK);
    assert_true(n >= 5 * sizeof(much) && text[n - 1] == 'x');
    b.rest.max = b.rest.n + 10; /* so much for a generation */
    bootlog_put(&b, SPAN_LIT("one\n"));
    bootlog_put(&b, SPAN_LIT("two lines\n"));
    check_content("journal/agent.log", "two lines\n");
    assert_true(sysfile_exists(at("journal/agent.log.1")));
    bootlog_stop(&b);
    boot("early\n", "late\n");
    check_content("journal/boot.0", "early\nlate\n");
    check_content("journal/agent.log", "two lines\n");
}

/* Nowhere to write: nothing happens. */
static void test_no_folder(void **state)
{
    (void)state;
    bootlog_init(&b);
    bootlog_start(&b, "/no/such/folder");
    bootlog_put(&b, SPAN_LIT("x"));
    bootlog_stop(&b);
    assert_int_equal(b.written, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_generations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_five_boots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_journal_goes_on, set_up, tear_down),
        cmocka_unit_test(test_no_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
