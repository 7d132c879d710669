/*
 * joined.c - see joined.h.
 */
#include "boards/linux/joined.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/files.h"
#include "boards/linux/options.h"
#include "boards/linux/probe.h"
#include "boards/linux/sysfile.h"
#include "firmware/agent/handoff.h"
#include "firmware/base/text.h"

enum { POLL_MS = 200, CSR_WAIT_MS = 30000, HEALTH_WAIT_MS = 60000 };

/* To the system's journal, and as a whole line to the console, which a getty may have hung up in the meantime. */
static void op_console(void *ctx, struct span text)
{
    int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

    (void)ctx;
    (void)!write(STDOUT_FILENO, text.p, text.n);
    if (fd < 0)
        return;
    (void)!write(fd, text.p, text.n);
    close(fd);
}

static void tell_fault(struct journal *j, uint64_t now_ms, enum err e, const char *text)
{
    struct fault f = {0};

    fault_set(&f, e, "%s", text);
    journal_fault(j, now_ms, "joined", &f, 1, 0);
}

bool joined_is(int argc, char *const *argv)
{
    return argc > 1 && strcmp(argv[1], "--joined") == 0;
}

/* Until kubelet is a node's; each cause is told once. */
static void await_kubelet(struct journal *j, const struct ip *addr, uint16_t port, uint64_t start_ms)
{
    bool csr_told = false, health_told = false;
    struct probe probe;

    for (probe_init(&probe);;) {
        struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
        uint64_t now = clock_now_ms(), waited = now - start_ms;
        bool has_conf = sysfile_exists(HANDOFF_KUBELET_CONF) && sysfile_exists(HANDOFF_KUBELET_PEM);

        if (has_conf && (port == 0 || probe_http(&probe, addr, port, "/healthz", now) == HOST_YES))
            return;
        if (!has_conf && !csr_told && waited >= CSR_WAIT_MS) {
            tell_fault(j, now, ERR_CSR_PENDING,
                       "no certificate after 30 s; with a dead token: publish a newer bundle and reboot");
            csr_told = true;
        }
        if (has_conf && !health_told && waited >= HEALTH_WAIT_MS) {
            tell_fault(j, now, ERR_HEALTHZ, "/healthz does not answer 200; see journalctl -u kubelet");
            health_told = true;
        }
        (void)nanosleep(&t, NULL);
    }
}

int joined_run(int argc, char *const *argv)
{
    const struct board board = {.console = op_console};
    uint64_t start_ms = clock_now_ms(), port = 0;
    struct ip addr = {.family = FAMILY_NONE};
    struct fault f = {0};
    struct journal j;

    if (argc < 3 || argc > 4 || text_u64(span_str(argv[2]), 65535, &port) ||
        (argc == 4 && ip_parse(span_str(argv[3]), &addr)))
        return OPTIONS_EXIT_USAGE;
    journal_init(&j, &board);
    await_kubelet(&j, &addr, (uint16_t)port, start_ms);
    if (files_remove(HANDOFF_BOOTSTRAP_CONF, true, &f) != OK) {
        journal_fault(&j, clock_now_ms(), "joined", &f, 1, 0);
        return OPTIONS_EXIT_FAILED;
    }
    journal_begin(&j, clock_now_ms(), "joined", "done");
    journal_num(&j, "start_ms", start_ms);
    journal_num(&j, "ms", clock_now_ms() - start_ms);
    journal_num(&j, "attempts", 1);
    journal_end(&j);
    return OPTIONS_EXIT_OK;
}
