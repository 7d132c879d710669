/*
 * main.c - the agent on Linux: as PID 1 of a machine, or as an ordinary process.
 */
#include <unistd.h>

#include "boards/linux/joined.h"
#include "boards/linux/pid1.h"
#include "boards/linux/system.h"
#include "firmware/agent/oneshot.h"
#include "firmware/base/text.h"

#define VERSION "0.1.0"

static struct system sys;
static struct agent agent;

static void print(int fd, struct span text)
{
    (void)!write(fd, text.p, text.n);
}

static void print_version(void)
{
    char text[80];
    struct buf b = BUF_OF(text);

    buf_str(&b, "joinboot " VERSION " (");
    text_time_put(&b, agent_build_time());
    buf_str(&b, ")\n");
    print(STDOUT_FILENO, buf_span(&b));
}

static int complain(const char *what, int status)
{
    char text[400];
    struct buf b = BUF_OF(text);

    buf_fmt(&b, "joinboot: %s\n", what);
    if (status == OPTIONS_EXIT_USAGE)
        buf_str(&b, "Try `joinboot --help`.\n");
    print(STDERR_FILENO, buf_span(&b));
    return status;
}

/* Why the node has not joined by now. */
static int give_up(void)
{
    char text[500];
    struct buf b = BUF_OF(text);
    enum phase_id row = agent.failed.code ? agent.failed_row : agent.at.row;

    buf_fmt(&b, "%s: ", row < PHASE_COUNT ? agent.table->rows[row].name : "");
    if (agent.failed.code)
        fault_print(&agent.failed, &b);
    else
        buf_fmt(&b, "not done after %u s", (unsigned)sys.options.timeout_s);
    buf_u8(&b, 0);
    oneshot_give_up(&agent);
    return complain(text, OPTIONS_EXIT_FAILED);
}

static bool is_late(uint64_t start_ms)
{
    return sys.options.timeout_s && agent.now_ms - start_ms >= (uint64_t)sys.options.timeout_s * 1000;
}

/* Until somebody stops the process; with --once and --one-shot until the last row is done. */
static int run_agent(void)
{
    uint64_t start_ms = sys.board.now_ms(sys.board.ctx);

    if (!sys.options.once && !sys.options.one_shot)
        return agent_run(&agent, &phases_node, &sys.board, &sys.host);
    agent_init(&agent, &phases_node, &sys.board, &sys.host);
    for (;;) {
        uint64_t wake = agent_turn(&agent);
        if (agent.stop_asked || agent.at.row == PHASE_COUNT)
            break;
        if (is_late(start_ms))
            return give_up();
        if (sys.options.timeout_s && wake > start_ms + (uint64_t)sys.options.timeout_s * 1000)
            wake = start_ms + (uint64_t)sys.options.timeout_s * 1000;
        sys.board.sleep_until(sys.board.ctx, wake);
    }
    if (agent.net_up)
        net_stop();
    return OPTIONS_EXIT_OK;
}

static int print_enrolment(void)
{
    char text[ENROL_RECORD_MAX];
    struct buf b = BUF_OF(text), line = BUF_OF(text);
    struct fault f = {0};

    system_start_enrol(&sys);
    if (agent_enrolment(&agent, &sys.board, &b, &f) == OK) {
        print(STDOUT_FILENO, buf_span(&b));
        return OPTIONS_EXIT_OK;
    }
    fault_print(&f, &line);
    buf_u8(&line, 0);
    return complain(text, OPTIONS_EXIT_FAILED);
}

static int run_process(int argc, char **argv)
{
    char why_mem[300], line[400];
    struct buf why = BUF_OF(why_mem), b = BUF_OF(line);
    struct fault f = {0};

    if (options_parse(&sys.options, argc, (const char *const *)argv, &why))
        return complain(why_mem, OPTIONS_EXIT_USAGE);
    if (sys.options.help || sys.options.version) {
        if (sys.options.help)
            print(STDOUT_FILENO, options_help());
        else
            print_version();
        return OPTIONS_EXIT_OK;
    }
    if (geteuid() != 0)
        return complain("needs root: raw frames and kernel settings", OPTIONS_EXIT_FAILED);
    if (sys.options.enrol)
        return print_enrolment();
    if (system_start(&sys, &f)) {
        fault_print(&f, &b);
        buf_u8(&b, 0);
        return complain(line, OPTIONS_EXIT_FAILED);
    }
    return run_agent();
}

/* Also PID 1 of a container may be an ordinary process: then it has options, which a kernel never gives. */
static bool is_init(int argc, char **argv)
{
    return getpid() == 1 && (argc < 2 || strncmp(argv[1], "--", 2) != 0);
}

int main(int argc, char **argv)
{
    int status;

    if (joined_is(argc, argv))
        return joined_run(argc, argv);
    if (!is_init(argc, argv)) {
        status = run_process(argc, argv);
        if (sys.board.finish)
            sys.board.finish(sys.board.ctx, BOARD_FINISH_EXIT, status);
        return status;
    }
    pid1_early();
    system_start_pid1(&sys);
    (void)agent_run(&agent, &phases_node, &sys.board, &sys.host);
    /* PID 1 must not end: the kernel would panic. */
    sys.board.finish(sys.board.ctx, BOARD_FINISH_REBOOT, 1);
    return 1;
}
