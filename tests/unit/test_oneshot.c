/*
 * test_oneshot.c - what the agent does differently as a service of a running system: modes that do not fit, forwarding that keeps the routes of
 * router advertisements, the service manager, giving up. The host is a few tables in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "firmware/agent/courier.h"
#include "firmware/agent/handoff.h"
#include "firmware/agent/oneshot.h"

enum { KEYS = 4 };

static struct {
    struct {
        const char *key;
        char value[4];
    } sysctl[KEYS];
    const char *manager; /* which of their programs is there; NULL: none */
    char told[1024];     /* what was done, in order */
    char file[512];      /* what was written last */
    enum host_answer job;
    const char *hostname;
} os;

static struct agent agent;

static void tell(const char *what, const char *detail)
{
    size_t n = strlen(os.told);

    snprintf(os.told + n, sizeof(os.told) - n, "%s %s;", what, detail);
}

static bool exists(void *ctx, const char *path)
{
    (void)ctx;
    return os.manager && strcmp(path, os.manager) == 0;
}

static enum err sysctl_get(void *ctx, const char *key, char *ret, size_t cap)
{
    (void)ctx;
    for (unsigned i = 0; i < KEYS; i++) {
        if (os.sysctl[i].key && strcmp(os.sysctl[i].key, key) == 0)
            return span_to_cstr(span_str(os.sysctl[i].value), ret, cap);
    }
    return ERR_IO;
}

static enum err sysctl_set(void *ctx, const char *key, const char *value, struct fault *f)
{
    (void)ctx;
    (void)f;
    tell(key, value);
    return OK;
}

static enum err write_file(void *ctx, const char *path, unsigned mode, struct span data, struct fault *f)
{
    (void)ctx;
    (void)f;
    assert_int_equal(mode, 0644);
    tell("write", path);
    assert_int_equal(span_to_cstr(data, os.file, sizeof(os.file)), OK);
    return OK;
}

static enum err remove_file(void *ctx, const char *path, bool secret, struct fault *f)
{
    (void)ctx;
    (void)f;
    assert_true(secret);
    tell("remove", path);
    return OK;
}

static enum err job_start(void *ctx, const char *const *argv, struct fault *f)
{
    char text[200] = "";

    (void)ctx;
    (void)f;
    for (unsigned i = 0; argv[i]; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", argv[i]);
    tell("job", text);
    return OK;
}

static enum host_answer job_result(void *ctx)
{
    (void)ctx;
    return os.job;
}

static void service_output(void *ctx, enum host_service which, unsigned lines, struct buf *ret)
{
    (void)ctx;
    (void)lines;
    assert_int_equal(which, HOST_JOB);
    buf_str(ret, "Unit kubelet.service not found.\n");
}

static enum err hostname_get(void *ctx, char *ret, size_t cap)
{
    (void)ctx;
    return span_to_cstr(span_str(os.hostname), ret, cap);
}

static unsigned nic_count(void *ctx)
{
    (void)ctx;
    return 2;
}

static enum err nic_info(void *ctx, unsigned nic, struct board_nic *ret)
{
    (void)ctx;
    *ret = (struct board_nic){.carrier = true};
    return span_to_cstr(span_str(nic == 0 ? "eth0" : "eth1.7"), ret->name, sizeof(ret->name));
}

static void console(void *ctx, struct span text)
{
    (void)ctx;
    (void)text;
}

static uint64_t now_ms(void *ctx)
{
    (void)ctx;
    return 1;
}

static const struct host host = {.exists = exists,
                                 .sysctl_get = sysctl_get,
                                 .sysctl_set = sysctl_set,
                                 .write_file = write_file,
                                 .remove_file = remove_file,
                                 .job_start = job_start,
                                 .job_result = job_result,
                                 .service_output = service_output,
                                 .hostname_get = hostname_get};
static const struct board board = {
    .nic_count = nic_count, .nic_info = nic_info, .console = console, .now_ms = now_ms};
static const struct kernel kernel;

static int fresh(void **state)
{
    (void)state;
    memset(&os, 0, sizeof(os));
    os.sysctl[0].key = "net.ipv4.ip_forward";
    os.sysctl[1].key = "net.ipv6.conf.all.forwarding";
    os.sysctl[2].key = "net.ipv6.conf.eth0.accept_ra";
    os.sysctl[3].key = "net.ipv6.conf.eth1/7.accept_ra";
    for (unsigned i = 0; i < KEYS; i++)
        os.sysctl[i].value[0] = i < 2 ? '0' : '1';
    os.manager = "/usr/bin/systemctl";
    memset(&agent, 0, sizeof(agent));
    agent_init(&agent, &phases_node, &board, &host);
    kernel_use(&kernel);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    kernel_use(NULL);
    return 0;
}

/* The mode is the process's; a bundle for another one is refused, and says what to change. */
static void test_modes(void **state)
{
    static const enum nodejoin_hand_off others[] = {NODEJOIN_SUPERVISE, NODEJOIN_SWITCH_ROOT};
    struct fault f = {0};

    (void)state;
    for (unsigned i = 0; i < COUNT(others); i++) {
        fault_clear(&f);
        agent.bundle.node.hand_off = others[i];
        assert_int_equal(oneshot_check_mode(&agent, &f), ERR_CONFIG_UNSUPPORTED);
        assert_string_equal(f.path, "handOff");
        assert_non_null(strstr(f.text, nodejoin_hand_off_name(others[i])));
        assert_non_null(strstr(f.text, "handOff: one-shot"));
    }
    agent.bundle.node.hand_off = NODEJOIN_ONE_SHOT;
    assert_int_equal(oneshot_check_mode(&agent, &f), OK);
    assert_int_equal(oneshot_abilities(), BUNDLE_CAN_ONE_SHOT);
    kernel_use(NULL);
    agent.bundle.node.hand_off = NODEJOIN_SUPERVISE;
    assert_int_equal(oneshot_check_mode(&agent, &f), OK);
    assert_false(oneshot_abilities() & BUNDLE_CAN_ONE_SHOT);
}

/* What lasts is written before anything is set, so that a power cut between the two leaves it to be done. */
static void test_forwarding(void **state)
{
    (void)state;
    assert_int_equal(oneshot_prepare_forwarding(&agent), OK);
    assert_string_equal(os.told, "write /etc/sysctl.d/90-joinboot.conf;net.ipv6.conf.eth0.accept_ra 2;"
                                 "net.ipv6.conf.eth1/7.accept_ra 2;");
    assert_non_null(strstr(os.file,
                           "\nnet.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n"
                           "net.ipv6.conf.eth0.accept_ra = 2\nnet.ipv6.conf.eth1/7.accept_ra = 2\n"));
}

/* systemd-networkd follows routers itself (accept_ra 0); a router of an operator says 2 already: neither is touched. */
static void test_forwarding_leaves_links_alone(void **state)
{
    (void)state;
    os.sysctl[2].value[0] = '0';
    os.sysctl[3].value[0] = '2';
    assert_int_equal(oneshot_prepare_forwarding(&agent), OK);
    assert_string_equal(os.told, "write /etc/sysctl.d/90-joinboot.conf;");
    assert_null(strstr(os.file, "accept_ra"));
}

static void test_forwarding_is_on(void **state)
{
    (void)state;
    os.sysctl[0].value[0] = os.sysctl[1].value[0] = '1';
    assert_int_equal(oneshot_prepare_forwarding(&agent), OK);
    assert_string_equal(os.told, "");
    (void)fresh(state);
    kernel_use(NULL);
    assert_int_equal(oneshot_prepare_forwarding(&agent), OK);
    assert_string_equal(os.told, "");
}

static void test_service_managers(void **state)
{
    static const struct {
        const char *there, *job;
    } cases[] = {
        {"/usr/bin/systemctl", "job /usr/bin/systemctl restart kubelet ;"},
        {"/bin/systemctl", "job /bin/systemctl restart kubelet ;"},
        {"/sbin/rc-service", "job /sbin/rc-service kubelet restart ;"},
    };

    for (unsigned i = 0; i < COUNT(cases); i++) {
        (void)fresh(state);
        os.manager = cases[i].there;
        assert_int_equal(oneshot_check_manager(&agent), OK);
        assert_int_equal(oneshot_restart_kubelet(&agent), OK);
        assert_string_equal(os.told, cases[i].job);
    }
    (void)fresh(state);
    os.manager = NULL;
    assert_int_equal(oneshot_check_manager(&agent), ERR_SERVICE_MANAGER);
    assert_int_equal(oneshot_restart_kubelet(&agent), ERR_SERVICE_MANAGER);
    assert_string_equal(os.told, "");
    /* Where the agent runs kubelet itself, nothing of that is needed. */
    kernel_use(NULL);
    assert_int_equal(oneshot_check_manager(&agent), OK);
}

static void test_await_kubelet(void **state)
{
    (void)state;
    os.job = HOST_BUSY;
    assert_int_equal(oneshot_await_kubelet(&agent), STEP_WAIT);
    os.job = HOST_YES;
    assert_int_equal(oneshot_await_kubelet(&agent), STEP_DONE);
    os.job = HOST_NO;
    assert_int_equal(oneshot_await_kubelet(&agent), STEP_ERROR);
    assert_int_equal(agent.fault.code, ERR_SPAWN);
}

static void test_port_of_an_earlier_attempt(void **state)
{
    (void)state;
    assert_false(oneshot_keeps_port(&agent));
    agent.state.joined = true;
    assert_true(oneshot_keeps_port(&agent));
    kernel_use(NULL);
    assert_false(oneshot_keeps_port(&agent));
}

static void test_hostname(void **state)
{
    char name[RENDER_NAME_MAX];

    (void)state;
    os.hostname = "Node-2.Example.TEST";
    assert_int_equal(oneshot_hostname(&agent, name), OK);
    assert_string_equal(name, "node-2.example.test");
}

/* A name of kubeadm's document stays; it is NodeJoin's own (bundle_check). */
static void test_node_name(void **state)
{
    (void)state;
    memcpy(agent.bundle.node.name, "node-2", 7);
    oneshot_name_node(&agent);
    assert_true(span_is(agent.bundle.join.name, "node-2"));
    agent.bundle.join.name = SPAN_LIT("other");
    oneshot_name_node(&agent);
    assert_true(span_is(agent.bundle.join.name, "other"));
    agent.bundle.join.name = (struct span){0};
    kernel_use(NULL);
    oneshot_name_node(&agent);
    assert_int_equal(agent.bundle.join.name.n, 0);
}

static void test_give_up(void **state)
{
    (void)state;
    memcpy(agent.bundle_mem + 100, "secret", 6);
    memcpy(agent.file_mem + 100, "secret", 6);
    memcpy(agent.arena_mem + 100, "secret", 6);
    oneshot_give_up(&agent);
    assert_string_equal(os.told, "remove " HANDOFF_BOOTSTRAP_CONF ";");
    assert_int_equal(agent.bundle_mem[100] | agent.file_mem[100] | agent.arena_mem[100], 0);
}

/* The link to a BMC is the system's, too: a site that asks nobody else is told so and gets nothing from the network, any other asks the network. */
static void test_via_bmc(void **state)
{
    static const enum site_via others[] = {SITE_VIA_NETWORK, SITE_VIA_BMC_FIRST, SITE_VIA_BMC_LAST};

    (void)state;
    for (unsigned i = 0; i < COUNT(others); i++) {
        agent.site.via = others[i];
        agent.at.failures[PHASE_FETCH] = COURIER_TRIES;
        assert_true(courier_leaves_out(&agent, PHASE_COURIER));
        assert_false(courier_leaves_out(&agent, PHASE_FETCH));
        assert_int_equal(courier_back(&agent, PHASE_VERIFY, PHASE_FETCH), PHASE_FETCH);
    }
    agent.site.via = SITE_VIA_BMC;
    assert_false(courier_leaves_out(&agent, PHASE_COURIER));
    assert_true(courier_leaves_out(&agent, PHASE_LOCATE) && courier_leaves_out(&agent, PHASE_FETCH));
    assert_int_equal(courier_start(&agent), OK);
    assert_int_equal(courier_step(&agent), STEP_ERROR);
    assert_int_equal(agent.fault.code, ERR_SITE_SYNTAX);
    assert_non_null(strstr(agent.fault.text, "via = bmc"));
    /* A node stays one. */
    fault_clear(&agent.fault);
    agent.resuming = true;
    assert_int_equal(courier_step(&agent), STEP_DONE);
    assert_int_equal(agent.fault.code, OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_modes, fresh, leave),
        cmocka_unit_test_setup_teardown(test_forwarding, fresh, leave),
        cmocka_unit_test_setup_teardown(test_forwarding_leaves_links_alone, fresh, leave),
        cmocka_unit_test_setup_teardown(test_forwarding_is_on, fresh, leave),
        cmocka_unit_test_setup_teardown(test_service_managers, fresh, leave),
        cmocka_unit_test_setup_teardown(test_await_kubelet, fresh, leave),
        cmocka_unit_test_setup_teardown(test_port_of_an_earlier_attempt, fresh, leave),
        cmocka_unit_test_setup_teardown(test_hostname, fresh, leave),
        cmocka_unit_test_setup_teardown(test_node_name, fresh, leave),
        cmocka_unit_test_setup_teardown(test_give_up, fresh, leave),
        cmocka_unit_test_setup_teardown(test_via_bmc, fresh, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
