/*
 * pair.c - see pair.h. The two machines take turns of a millisecond.
 */
#include "tests/scenario/pair.h"

#include <stdio.h>
#include <sys/mman.h>

#include "tests/scenario/bridge.h"
#include "tests/unit/frames.h"

struct sim pair_host;
void (*pair_look)(unsigned nic, struct span frame);
bool (*pair_wire)(struct buf *frame);

static void (*bmc_network)(void *ctx, unsigned nic, struct span frame);

enum { CONFIG_PORT = 443 };

/* The TCP port at this place, 0: source, 2: destination; 0 if it is no TCP. */
static unsigned tcp_port(struct span frame, size_t which)
{
    size_t at = frame.n < 60 ? 0 : frames_get16(frame, 12) == 0x86dd ? 54 : 34;

    return at && frame.p[at == 54 ? 20 : 23] == 6 ? frames_get16(frame, at + which) : 0;
}

/* The config server's answers are for the BMC, the cluster's for the host. */
static void from_servers(struct span frame)
{
    sim_inject(tcp_port(frame, 0) == CONFIG_PORT ? &machine : &pair_host, 0, frame);
}

static void cross(struct sim *to, struct span frame)
{
    uint8_t copy[BOARD_FRAME_MAX];
    struct buf b = BUF_OF(copy);

    buf_put(&b, frame);
    if (!pair_wire || pair_wire(&b))
        sim_inject(to, 1, buf_span(&b));
}

static void bmc_frame(void *ctx, unsigned nic, struct span frame)
{
    if (pair_look)
        pair_look(nic, frame);
    if (nic == 1) {
        cross(&pair_host, frame);
    } else {
        bmc_network(ctx, nic, frame);
    }
}

static void host_frame(void *ctx, unsigned nic, struct span frame)
{
    uint8_t answer[BOARD_FRAME_MAX];
    size_t n;

    (void)ctx;
    if (nic == 1) {
        cross(&machine, frame);
        return;
    }
    netpeer_serve(frame);
    while ((n = netpeer_board.nic_recv(NULL, 0, answer, sizeof(answer))) > 0)
        sim_inject(&pair_host, 0, span_of(answer, n));
    if (tcp_port(frame, 2) != CONFIG_PORT)
        bridge_frame(frame);
}

int pair_setup(void **unused)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0x0c, 1};
    static struct os *os;

    (void)scenario_setup(unused);
    bmc_network = machine.frame;
    machine.frame = bmc_frame;
    machine.nic_count = 2;
    machine.nics[1].carrier = true;
    bridge_reset(from_servers, netpeer.servers[0].mac);
    sim_init(&pair_host);
    pair_host.frame = host_frame;
    pair_host.pump = bridge_pump;
    pair_host.nic_count = 2;
    pair_host.nics[1].carrier = true;
    memcpy(pair_host.nics[1].mac, mac, sizeof(mac));
    if (!os)
        os = mmap(NULL, sizeof(*os), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(os != MAP_FAILED);
    memset(os, 0, sizeof(*os));
    os->kubelet_joins_ms = 500;
    os->pid1 = true;
    pair_host.os = os;
    pair_look = NULL;
    pair_wire = NULL;
    scenario_mac = PAIR_HOST_MAC;
    return 0;
}

int pair_teardown(void **unused)
{
    sim_power_off(&pair_host);
    return scenario_teardown(unused);
}

void pair_sites(const char *bmc, const char *host)
{
    scenario_servers(host);
    memcpy(pair_host.site, machine.site, sizeof(machine.site));
    pair_host.site_n = machine.site_n;
    scenario_servers(bmc);
}

static void check(const struct sim *s, const char *who, const char *what)
{
    const char *end = s->console + (s->console_n > 3000 ? s->console_n - 3000 : 0);
    const char *wrong = what;

    if (s->died)
        wrong = "it crashed";
    else if (s->stuck)
        wrong = "it turns without end";
    else if (s->unfed)
        wrong = "a turn did not feed the watchdog once";
    else if (s->longest_turn_us > LIMIT_TURN_MS * 1000u)
        wrong = "a turn took too long";
    if (!wrong)
        return;
    sim_power_off(&machine);
    sim_power_off(&pair_host);
    fprintf(stderr, "%s\n", end);
    fail_msg("%s: %s at %llu ms; the console's end is above", who, wrong, (unsigned long long)s->now_ms);
}

void pair_boot_host(void)
{
    pair_host.now_ms = machine.now_ms;
    check(&pair_host, "host", sim_boot(&pair_host) ? NULL : "it did not start");
}

void pair_run(uint64_t ms)
{
    while (ms-- > 0) {
        (void)sim_run(&machine, 1);
        (void)sim_run(&pair_host, 1);
    }
    check(&machine, "BMC", NULL);
    check(&pair_host, "host", NULL);
}

void pair_expect(struct sim *s, const char *text, uint64_t ms)
{
    char what[256];
    bool came = sim_expect(s, text, 0);

    for (uint64_t i = 0; i < ms && !came; i++) {
        pair_run(1);
        came = sim_expect(s, text, 0);
    }
    snprintf(what, sizeof(what), "`%s` did not come within %llu ms", text, (unsigned long long)ms);
    check(s, s == &machine ? "BMC" : "host", came ? NULL : what);
}

unsigned pair_count(const struct sim *s, const char *text)
{
    unsigned n = 0;

    for (const char *at = s->console; (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}
