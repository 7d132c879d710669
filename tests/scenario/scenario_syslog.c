/*
 * scenario_syslog.c - the boot journal to a log server over a network that comes and goes: every line of the console arrives once and in order, or
 * is counted, and nobody waits for it.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/frames.h"

enum { LINES_MAX = 4000, LINE_MAX_BYTES = 900 };

/* On the link, and behind the router. */
static const char *const servers[] = {"10.0.0.90", "fd00:1::90", "192.0.2.9", "2001:db8::9"};

static char heard[LINES_MAX][LINE_MAX_BYTES];
static unsigned heard_count;
static void (*next_frame)(void *ctx, unsigned nic, struct span frame);

/* Keeps what goes to UDP port 514. */
static void on_frame(void *ctx, unsigned nic, struct span frame)
{
    bool six = frames_get16(frame, 12) == 0x86dd;
    size_t head = 14 + (six ? 40u : 20u);

    if (frame.n > head + 8 && frame.p[six ? 20 : 23] == 17 && frames_get16(frame, head + 2) == 514) {
        assert_true(heard_count < LINES_MAX);
        snprintf(heard[heard_count++], LINE_MAX_BYTES, "%.*s", frames_get16(frame, head + 4) - 8,
                 (const char *)frame.p + head + 8);
    }
    next_frame(ctx, nic, frame);
}

/* A log server of its own beside the one that has everything else. */
static void prepare(const char *server, const char *more)
{
    char site[100];

    (void)scenario_teardown(NULL);
    (void)scenario_setup(NULL);
    next_frame = machine.frame;
    machine.frame = on_frame;
    heard_count = 0;
    netpeer.servers[1] = (struct netpeer_server){
        .mac = {2, 0, 0, 0, 0, 3}, .v4 = "10.0.0.90", .ll = "fe80::3", .aaaa = "fd00:1::90"};
    netpeer.server_count = 2;
    snprintf(site, sizeof(site), "syslog = %s\n%s", server, more);
    scenario_site(site);
}

/* Phase and all behind it: of a message `<30>1 time host joinboot - PHASE - REST`, of a line `joinboot[time] PHASE REST`. */
static void of_message(const char *text, char *ret)
{
    struct span rest = span_str(text), phase = rest;

    for (unsigned i = 0; i < 6; i++)
        phase = span_cut(&rest, ' ');
    (void)span_cut(&rest, ' ');
    snprintf(ret, LINE_MAX_BYTES, "%.*s %.*s", (int)phase.n, (const char *)phase.p, (int)rest.n,
             (const char *)rest.p);
}

static bool next_line(struct span *rest, char *ret)
{
    while (rest->n) {
        struct span line = span_cut(rest, '\n');

        if (!span_starts(line, "joinboot["))
            continue;
        (void)span_cut(&line, ' ');
        snprintf(ret, LINE_MAX_BYTES, "%.*s", (int)line.n, (const char *)line.p);
        return true;
    }
    return false;
}

/* What was heard is the console, line by line; a message says how many are missing where some are. Returns how many are. */
static unsigned check_all_heard(unsigned behind)
{
    static char line[LINE_MAX_BYTES], message[LINE_MAX_BYTES];
    struct span rest = span_of(machine.console, machine.console_n);
    unsigned lost = 0, left = 0, n = 0;

    for (unsigned i = 0; i < heard_count; i++) {
        of_message(heard[i], message);
        if (strstr(message, "earlier lines were lost")) {
            n = (unsigned)strtoul(strchr(message, '"') + 1, NULL, 10);
            lost += n;
            while (n-- > 0)
                assert_true(next_line(&rest, line));
            continue;
        }
        assert_true(next_line(&rest, line));
        assert_string_equal(message, line);
    }
    while (next_line(&rest, line))
        left++;
    assert_true(left <= behind);
    return lost;
}

/* Carrier lost for a blink, for so long that the network begins anew, and for longer; the machine fails at fetching all the while. */
static void test_flaps(void **unused)
{
    static const unsigned off_ms[] = {40, 300, 700, 1500, 5000, 20000, 1010},
                          on_ms[] = {3, 40, 3000, 250, 20, 9000, 600};

    (void)unused;
    for (size_t i = 0; i < COUNT(servers); i++) {
        prepare(servers[i], "log = debug\n");
        scenario_carrier(false);
        scenario_boot();
        for (size_t k = 0; k < COUNT(off_ms); k++) {
            scenario_run(off_ms[k]);
            scenario_carrier(true);
            scenario_run(on_ms[k]);
            scenario_carrier(false);
        }
        scenario_run(2000);
        scenario_carrier(true);
        scenario_run(60000);
        printf("%s: %u messages\n", servers[i], heard_count);
        assert_int_equal(check_all_heard(0), 0);
        assert_true(heard_count > 40);
    }
}

/* Nobody answers for the server's address, or the router's: lines wait, are asked for seldom, and go when somebody does. */
static void test_neighbour_late(void **unused)
{
    unsigned asked;

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        prepare(servers[i], "");
        netpeer.server_count = 1;
        scenario_boot();
        scenario_run(20000);
        assert_int_equal(heard_count, 0);
        asked = machine.frames_sent;
        netpeer.server_count = 2;
        scenario_run(5000);
        printf("%s: %u messages, %u frames before\n", servers[i], heard_count, asked);
        assert_int_equal(check_all_heard(0), 0);
        assert_true(heard_count > 10);
        /* What is learned is forgotten with the carrier. */
        scenario_carrier(false);
        netpeer.server_count = 1;
        scenario_run(500);
        scenario_carrier(true);
        scenario_run(60000);
        netpeer.server_count = 2;
        scenario_run(5000);
        assert_int_equal(check_all_heard(0), 0);
    }
}

/* More lines than are kept: the oldest give way, and how many did is said where they are missing. */
static void test_too_many(void **unused)
{
    unsigned lost;

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        prepare(servers[i], "");
        netpeer.server_count = 1;
        scenario_boot();
        scenario_run(1200000);
        assert_int_equal(heard_count, 0);
        netpeer.server_count = 2;
        scenario_run(60000);
        lost = check_all_heard(0);
        printf("%s: %u messages, %u lost\n", servers[i], heard_count, lost);
        assert_in_range(lost, 10, 1000);
        assert_true(heard_count > 20);
    }
}

/* How long from power-on to a joined node, in simulated time. */
static uint64_t boot_ms(const char *server, unsigned server_count)
{
    char site[100];
    uint64_t start;

    prepare(server, "");
    netpeer.server_count = server_count;
    snprintf(site, sizeof(site), "syslog = %s\n", server);
    scenario_os();
    scenario_servers(site);
    scenario_publish(7, "families: [ipv4, ipv6]\n", NULL);
    machine.os->kubelet_joins_ms = 500;
    machine.os->pid1 = true;
    scenario_boot();
    start = machine.now_ms;
    scenario_expect(" joined done", 8000);
    assert_int_equal(scenario_count(" error "), 0);
    return machine.now_ms - start;
}

/* A boot takes as long with a log server that is not there as with one that is. */
static void test_nobody_waits(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        uint64_t there = boot_ms(servers[i], 2), missing = boot_ms(servers[i], 1);

        printf("%llu ms, without a log server %llu ms\n", (unsigned long long)there,
               (unsigned long long)missing);
        assert_in_range(missing, there - 100, there + 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCENARIO(test_flaps), SCENARIO(test_neighbour_late),
                                       SCENARIO(test_too_many), SCENARIO(test_nobody_waits)};

    return cmocka_run_group_tests_name("scenario_syslog", tests, NULL, NULL);
}
