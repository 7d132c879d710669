/*
 * test_linux_wipe.c - removing everything below a folder and nothing else: links that lead out, other file systems, folders deeper than a stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/linux/pid1.h"
#include "boards/linux/statefs.h"
#include "boards/linux/sysfile.h"
#include "boards/linux/wipe.h"

static char top[64], inside[96], outside[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof(top), "/tmp/joinboot-wipe-XXXXXX");
    if (!mkdtemp(top))
        return -1;
    snprintf(inside, sizeof(inside), "%s/in", top);
    snprintf(outside, sizeof(outside), "%s/out", top);
    return mkdir(inside, 0755) || mkdir(outside, 0755);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", top);
    return system(command);
}

static void shell(const char *script)
{
    char command[1024];

    snprintf(command, sizeof(command), "set -e; in=%s; out=%s; cd $in; %s", inside, outside, script);
    assert_int_equal(system(command), 0);
}

static int wipe_folder(const char *folder)
{
    const char *const folders[] = {folder, NULL};

    return wipe_folders(NULL, folders);
}

static unsigned count(const char *folder)
{
    struct sysfile_dir d;
    unsigned n = 0;

    assert_true(sysfile_dir_open(&d, folder));
    while (sysfile_dir_next(&d))
        n++;
    sysfile_dir_close(&d);
    return n;
}

static void test_everything_below(void **state)
{
    (void)state;
    shell(
        "mkdir -p a/b/c; echo x >a/b/c/file; echo x >.hidden; mkfifo pipe; chmod 0 a/b/c/file; chmod 500 a/b; ln -s nowhere dangling;"
        "i=0; while [ $i -lt 3000 ]; do : >many-$i; i=$((i+1)); done");
    if (geteuid() != 0)
        shell("chmod 700 a/b");
    assert_int_equal(wipe_folder(inside), 0);
    assert_int_equal(count(inside), 0);
    /* The folder itself stays, and one that is not there is as good as an empty one. */
    assert_int_equal(wipe_folder(inside), 0);
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(wipe_folder(inside), 0);
}

static void test_links_that_lead_out(void **state)
{
    char link[128];

    (void)state;
    shell(
        "echo precious >$out/file; mkdir $out/folder; ln -s $out away; ln -s $out/file f; mkdir sub; ln -s ../../out sub/up; ln -s / sub/root;"
        "ln $out/file hard");
    assert_int_equal(wipe_folder(inside), 0);
    assert_int_equal(count(inside), 0);
    shell("test \"$(cat $out/file)\" = precious; test -d $out/folder");
    /* A folder that is a link itself is refused. */
    snprintf(link, sizeof(link), "%s/link", top);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(wipe_folder(link), 1);
    assert_int_equal(count(outside), 2);
}

static void test_deep_folders(void **state)
{
    int fd = open(inside, O_RDONLY | O_DIRECTORY), next;

    (void)state;
    /* Far longer than a path may be. */
    for (int i = 0; i < 1500; i++) {
        assert_int_equal(mkdirat(fd, "deep", 0755), 0);
        next = openat(fd, "deep", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    close(openat(fd, "bottom", O_WRONLY | O_CREAT, 0600));
    close(fd);
    assert_int_equal(wipe_folder(inside), 0);
    assert_int_equal(count(inside), 0);
}

/* In a mount namespace of its own, as root. */
static int mounted_below(void)
{
    char at[128], file[160];

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return 9;
    snprintf(at, sizeof(at), "%s/sub/vol ume", inside);
    snprintf(file, sizeof(file), "%s/kept", outside);
    if (mkdir(at, 0755) != 0 || mount(outside, at, NULL, MS_BIND, NULL) != 0)
        return 1;
    close(open(file, O_WRONLY | O_CREAT, 0600));
    if (wipe_folder(inside) != 0 || count(inside) != 0)
        return 2;
    return sysfile_exists(file) ? 0 : 3;
}

static void test_mounts_are_unmounted_not_emptied(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    shell("mkdir sub");
    pid = fork();
    if (pid == 0)
        _exit(mounted_below());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 9)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A mount that appears behind the unmounting, as a bind of another file system: it is not entered. */
static int foreign_file_system(void)
{
    char at[128], file[160];
    int fd;
    unsigned left;

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return 9;
    snprintf(at, sizeof(at), "%s/other", inside);
    snprintf(file, sizeof(file), "%s/kept", at);
    if (mkdir(at, 0755) != 0 || mount("none", at, "tmpfs", 0, NULL) != 0)
        return 1;
    close(open(file, O_WRONLY | O_CREAT, 0600));
    fd = open(inside, O_RDONLY | O_DIRECTORY);
    left = wipe_below(fd);
    close(fd);
    return left == 1 && sysfile_exists(file) ? 0 : 2;
}

/* What changes mounts, in a process of its own; it exits with 0, with 9 where this machine does not let it. */
static void in_child(int (*what)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(what());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 9)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_other_file_systems_are_not_entered(void **state)
{
    (void)state;
    in_child(foreign_file_system);
}

/* As a node has it: the image's /etc/cni below, what a pod writes on the state partition. */
static int written_over_the_image(void)
{
    static const char *const folders[] = {"/etc/cni/net.d", NULL};
    static const char upper[] = STATEFS_PLACE "/cni-conf/upper/net.d";

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return 9;
    if (mount("none", "/etc", "tmpfs", 0, NULL) != 0 || mount("none", "/var/lib", "tmpfs", 0, NULL) != 0)
        return 9;
    if (system(
            "mkdir -p /etc/cni/net.d " STATEFS_PLACE "/cni-conf/upper " STATEFS_PLACE "/cni-conf/work;"
            "echo image >/etc/cni/net.d/10-image; echo image >/etc/cni/net.d/20-image; echo x >/etc/cni/kept") !=
        0)
        return 1;
    if (mount("overlay", "/etc/cni", "overlay", 0,
              "lowerdir=/etc/cni,upperdir=" STATEFS_PLACE "/cni-conf/upper,workdir=" STATEFS_PLACE
              "/cni-conf/work,index=off,redirect_dir=off") != 0)
        return 9;
    if (system(
            "cd /etc/cni/net.d && echo pod >05-pod && echo pod >>10-image && rm 20-image && echo y >../other") !=
        0)
        return 2;
    if (count(upper) != 3 || statefs_wipe(NULL, folders) != 0 || count(upper) != 0)
        return 3;
    if (system("cd /etc/cni/net.d && test ! -e 05-pod && test $(cat 10-image) = image && test -e 20-image &&"
               "test -e ../other && test -e ../kept && echo again >05-pod") != 0)
        return 4;
    return 0;
}

/* Without an overlay: a root in memory, as an initramfs, shows what the image has; on one that lasts, all is the node's. */
static int without_an_overlay(void)
{
    static const char *const folders[] = {"/etc/cni/net.d", NULL};

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/etc", "tmpfs", 0, NULL) != 0 || !pid1_root_is_lasting())
        return 9;
    if (system("mkdir -p /etc/cni/net.d /etc/root/etc/cni/net.d; echo x >/etc/cni/kept;"
               "echo x >/etc/cni/net.d/10-old; echo x >/etc/root/etc/cni/net.d/10-image") != 0)
        return 1;
    if (statefs_wipe(NULL, folders) != 0 || count("/etc/cni/net.d") != 0 || count("/etc/cni") != 2)
        return 2;
    if (chroot("/etc/root") != 0)
        return 9;
    return statefs_wipe(NULL, folders) == 0 && count("/etc/cni/net.d") == 1 ? 0 : 3;
}

static void test_without_an_overlay_the_root_decides(void **state)
{
    (void)state;
    in_child(without_an_overlay);
}

static void test_an_overlay_keeps_what_the_image_has(void **state)
{
    (void)state;
    in_child(written_over_the_image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everything_below, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_that_lead_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deep_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mounts_are_unmounted_not_emptied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_overlay_keeps_what_the_image_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_an_overlay_the_root_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_file_systems_are_not_entered, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
