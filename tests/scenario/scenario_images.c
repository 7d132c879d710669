/*
 * scenario_images.c - the images that a node image brings, on boards/sim: each is imported once, and so that kubelet never collects it.
 */
#include "tests/scenario/scenario.h"

#define FOLDER "/usr/share/joinboot/images"

static void put_file(const char *path, const char *text)
{
    struct host h = os_host(machine.os);

    assert_int_equal(h.write_file(h.ctx, path, 0644, span_str(text), NULL), OK);
}

static void test_imported_once_and_pinned(void **unused)
{
    const char *argv;

    (void)unused;
    scenario_os();
    scenario_servers("images = " FOLDER "\n");
    scenario_publish(7, "families: [ipv4, ipv6]\n", NULL);
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    put_file(FOLDER "/pause.tar", "archive");
    put_file(FOLDER "/SHA256SUMS", "sums");
    scenario_boot();
    scenario_expect(" images done", 12000);
    argv = machine.os->services[HOST_JOB].argv;
    assert_non_null(strstr(argv, " images import --local"));
    assert_non_null(strstr(argv, " --label io.cri-containerd.pinned=pinned " FOLDER "/pause.tar"));
    assert_null(strstr(machine.console, " imported=0"));
    scenario_expect(" joined done", 9000);
    scenario_boot();
    scenario_expect(" images done", 12000);
    assert_non_null(strstr(machine.console, " imported=0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_imported_once_and_pinned),
    };

    return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
