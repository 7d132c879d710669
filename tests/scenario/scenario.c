/*
 * scenario.c - see scenario.h.
 */
#include "tests/scenario/scenario.h"

#include <stdio.h>
#include <sys/mman.h>

#include "tests/scenario/bridge.h"
#include "tests/unit/frames.h"
#include "tests/unit/testcrypto.h"

struct sim machine;

/* The public key of RFC 7515 appendix A.3. */
static const char trust[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";

/* netpeer keeps what its servers say in a queue of its own. */
static void deliver(void)
{
    uint8_t frame[BOARD_FRAME_MAX];
    size_t n;

    while ((n = netpeer_board.nic_recv(NULL, 0, frame, sizeof(frame))) > 0)
        sim_inject(&machine, 0, span_of(frame, n));
}

static void to_node(struct span frame)
{
    sim_inject(&machine, 0, frame);
}

const char *scenario_defended;

static void on_frame(void *ctx, unsigned nic, struct span frame)
{
    unsigned probes = netpeer.probes6;

    (void)ctx;
    if (nic != 0)
        return;
    netpeer_serve(frame);
    if (scenario_defended && netpeer.probes6 > probes)
        netpeer_claim6(scenario_defended);
    deliver();
    bridge_frame(frame);
}

/* The base64 text of a certificate's PEM, in one line. */
static void put_root(struct buf *ret, const char *path)
{
    struct span rest = testcrypto_file(path), line;

    while (rest.n) {
        line = span_trim(span_cut(&rest, '\n'));
        if (line.n && line.p[0] != '-')
            buf_put(ret, line);
    }
}

const char *scenario_root = "tests/unit/data-kube/ca.pem";

/* What makes a BMC of the machine: a second NIC, and these lines in each of its sites. */
static const char bmc[] = "host-link = sim1\nhost-mac = 02:00:00:00:0c:01\n";
static bool is_bmc;

void scenario_site(const char *more)
{
    struct buf b = BUF_OF(machine.site);

    buf_fmt(&b, "trust = %s\ntls-root = ", trust);
    put_root(&b, scenario_root);
    buf_fmt(&b, "\ncluster = lab\nurl = https://config.lab/n1.jws\n%s%s", is_bmc ? bmc : "", more);
    assert_false(b.overflow);
    machine.site_n = b.n;
}

void scenario_os(void)
{
    static struct os *os;

    if (!os)
        os = mmap(NULL, sizeof(*os), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(os != MAP_FAILED);
    memset(os, 0, sizeof(*os));
    machine.os = os;
}

int scenario_setup(void **unused)
{
    (void)unused;
    netpeer_reset();
    sim_init(&machine);
    machine.frame = on_frame;
    machine.pump = bridge_pump;
    scenario_defended = NULL;
    scenario_document = NULL;
    scenario_mac = "02:00:00:00:00:01";
    scenario_seal_to = NULL;
    bridge_reset(to_node, netpeer.servers[0].mac);
    scenario_root = "tests/unit/data-kube/ca.pem";
    scenario_site("");
    return 0;
}

int scenario_setup_bmc(void **unused)
{
    is_bmc = true;
    (void)scenario_setup(unused);
    machine.nic_count = 2;
    machine.nics[1].carrier = true;
    return 0;
}

int scenario_teardown(void **unused)
{
    (void)unused;
    is_bmc = false;
    sim_power_off(&machine);
    return 0;
}

static void check(const char *what)
{
    const char *end = machine.console + (machine.console_n > 3000 ? machine.console_n - 3000 : 0);
    const char *wrong = what;

    if (machine.died)
        wrong = "the node crashed";
    else if (machine.stuck)
        wrong = "the node turns without end";
    else if (machine.unfed)
        wrong = "a turn did not feed the watchdog once";
    else if (machine.longest_turn_us > LIMIT_TURN_MS * 1000u)
        wrong = "a turn took too long";
    if (!wrong)
        return;
    sim_power_off(&machine);
    fprintf(stderr, "%s\n", end);
    fail_msg("%s at %llu ms, longest turn %llu us, the console's end is above", wrong,
             (unsigned long long)machine.now_ms, (unsigned long long)machine.longest_turn_us);
}

void scenario_boot(void)
{
    bridge_drop();
    check(sim_boot(&machine) || machine.cut ? NULL : "the node did not start");
}

void scenario_expect(const char *text, uint64_t ms)
{
    char what[256];

    snprintf(what, sizeof(what), "`%s` did not come within %llu ms", text, (unsigned long long)ms);
    check(sim_expect(&machine, text, ms) ? NULL : what);
}

void scenario_never(const char *text, uint64_t ms)
{
    char what[256];

    snprintf(what, sizeof(what), "`%s` came", text);
    check(sim_expect(&machine, text, ms) ? what : NULL);
}

void scenario_run(uint64_t ms)
{
    check(sim_run(&machine, ms) ? NULL : "the node ended");
}

void scenario_carrier(bool on)
{
    machine.nics[0].carrier = on;
}

void scenario_claim6(const char *addr)
{
    netpeer_claim6(addr);
    deliver();
}

void scenario_claim4(const char *addr)
{
    netpeer_claim4(addr);
    deliver();
}

void scenario_ra(unsigned lifetime_s)
{
    static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
    const struct netpeer_server *s = &netpeer.servers[0];
    struct ip ll = frames_ip(s->ll), all = frames_ip("ff02::1");
    uint8_t text[256], frame[400];
    struct buf m = BUF_OF(text), f = BUF_OF(frame);

    frames_ra(&m, s->ra_flags, lifetime_s, s->mac);
    frames_ra_prefix(&m, s->prefix, 0xc0, 3600, 1800);
    frames_icmp6(&f, s->mac, all_nodes, &ll, &all, 255, buf_span(&m));
    sim_inject(&machine, 0, buf_span(&f));
}

unsigned scenario_count(const char *text)
{
    unsigned n = 0;

    for (const char *at = machine.console; (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}

const char *scenario_device_key(void)
{
    static const char head[] = "\"kind\":\"Enrolment\"", name[] = "\"key\":";
    static char key[256];
    const char *at = machine.console, *record = NULL, *from, *end;

    while ((at = strstr(at, head)) != NULL)
        record = at++;
    assert_non_null(record);
    from = strstr(record, name);
    assert_non_null(from);
    end = strstr(from, "}}\n");
    assert_non_null(end);
    from += strlen(name);
    snprintf(key, sizeof(key), "%.*s", (int)(end + 1 - from), from);
    return key;
}
