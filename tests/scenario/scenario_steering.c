/*
 * scenario_steering.c - whoever is at the other end of the link between a BMC and its host advertises itself as a router with a resolver, and answers as
 * a DHCP server: neither BMC nor host takes a route, a resolver or an address of it.
 *
 * Each test is run twice, with an honest other end and with a forging one; what the network looks like in the end must be the same text.
 */
#include "tests/scenario/pair.h"

#include <stdio.h>

#include "tests/unit/frames.h"

#define BMC  "host-link = sim1\nhost-mac = " PAIR_HOST_MAC "\npermit-unsealed = yes\nrefresh = 5\n"
#define HOST "via = bmc\nbmc-link = sim1\npermit-unsealed = yes\n"

enum { LINK = 1 }; /* the NIC that the forged frames come to; 0 shows that they would be believed */

static const uint8_t forger[6] = {2, 0, 0, 0, 0x66, 1}, nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static struct sim *victim; /* NULL: nobody forges */
static unsigned replies;

/* The reply that comes before the real one. `request` may be one of the other machine: then it is a guess. */
static void forge_reply(struct span request, unsigned type)
{
    uint8_t mem[700];
    struct buf f = BUF_OF(mem);

    frames_dhcp_reply(&f, forger, request, type, "169.254.106.3", "169.254.106.66");
    sim_inject(victim, LINK, buf_span(&f));
    replies++;
}

static void forge_advertisement(void)
{
    struct ip ll = frames_ip("fe80::66"), all = frames_ip("ff02::1");
    uint8_t text[200], mem[300];
    struct buf m = BUF_OF(text), f = BUF_OF(mem);

    frames_ra(&m, 0x48, 1800, forger); /* other configuration by DHCPv6, high preference */
    frames_ra_prefix(&m, "2001:db8:66::", 0xc0, 3600, 3600);
    frames_ra_rdnss(&m, "2001:db8:66::53", 3600);
    frames_icmp6(&f, forger, nodes_mac, &ll, &all, 255, buf_span(&m));
    sim_inject(victim, LINK, buf_span(&f));
}

/* The message's type is its first option, as lwIP writes them. */
static void look(unsigned nic, struct span frame)
{
    struct span request = nic == 0 ? frames_dhcp_request(frame) : span_of(NULL, 0);

    if (victim && request.n > 242 && request.p[240] == 53)
        forge_reply(request, request.p[242] == 1 ? 2 : 5);
}

/* Runs both until the text comes on a console, with an advertisement in every millisecond. */
static void run_until(struct sim *s, const char *text, unsigned ms)
{
    while (ms-- > 0 && !sim_says(s, text)) {
        if (victim)
            forge_advertisement();
        pair_run(1);
    }
    pair_expect(s, text, 0);
}

/* Addresses, routers and resolvers of the newest `address done`. */
static void put_address(struct buf *b, const struct sim *s)
{
    const char *at = s->console, *line = NULL, *end;

    while ((at = strstr(at, " address done")) != NULL)
        line = at++;
    assert_non_null(line);
    line = strstr(line, " ipv4=");
    assert_non_null(line);
    end = strchr(line, '\n');
    assert_non_null(end);
    buf_put(b, span_of(line, (size_t)(end - line)));
}

static void put_file(struct buf *b, const struct os *o, const char *path)
{
    const struct os_file *f = os_find(o, path);

    assert_non_null(f);
    buf_fmt(b, "\n%s\n", path);
    buf_put(b, span_of(f->bytes, f->n));
}

/* What the operating system was given: but for the times, all. */
static void put_os(struct buf *b, const struct os *o)
{
    char text[IP_TEXT_MAX];

    buf_fmt(b, "\nnic %u mtu6 %u", o->net.nic, (unsigned)o->net.mtu6);
    for (unsigned i = 0; i < o->net.addr_count; i++) {
        buf_fmt(b, "\naddress %s", ip_prefix_text(&o->net.addrs[i], text));
    }
    for (unsigned i = 0; i < o->net.route_count; i++) {
        buf_fmt(b, "\nroute %s", ip_prefix_text(&o->net.routes[i].dst, text));
        buf_fmt(b, " via %s", ip_text(&o->net.routes[i].via, text));
    }
    put_file(b, o, "/etc/resolv.conf");
    put_file(b, o, "/etc/hosts");
    put_file(b, o, "/var/lib/kubelet/config.yaml");
    put_file(b, o, "/var/lib/kubelet/kubeadm-flags.env");
    buf_str(b, o->services[HOST_KUBELET].argv);
}

static void start(struct sim *who, bool forging)
{
    victim = forging ? who : NULL;
    replies = 0;
    pair_sites(BMC, HOST);
    scenario_publish(7, "families: [ipv4, ipv6]\n", NULL);
    scenario_boot();
    pair_look = look;
    run_until(&machine, " serve open sequence=7", 10000);
}

static void host_joins(struct buf *ret, bool forging)
{
    start(&pair_host, forging);
    pair_boot_host();
    run_until(&pair_host, " bmc done", 5000);
    run_until(&pair_host, " address done", 5000);
    run_until(&pair_host, " joined done", 10000);
    run_until(&pair_host, " report done", 2000);
    assert_int_equal(pair_count(&pair_host, " error "), 0);
    put_address(ret, &pair_host);
    put_os(ret, pair_host.os);
}

static void bmc_acquires_again(struct buf *ret, bool forging)
{
    start(&machine, forging);
    scenario_carrier(false);
    run_until(&machine, " error code=link.carrier", 5000);
    scenario_carrier(true);
    run_until(&machine, " address done", 60000);
    put_address(ret, &machine);
    scenario_publish(8, "families: [ipv4, ipv6]\n", NULL);
    run_until(&machine, " serve open sequence=8", 20000);
}

static void same(void (*run)(struct buf *ret, bool forging))
{
    static uint8_t honest[32 * 1024], forged[sizeof(honest)];
    struct buf want = BUF_OF(honest), got = BUF_OF(forged);

    run(&want, false);
    (void)pair_teardown(NULL);
    (void)pair_setup(NULL);
    run(&got, true);
    assert_false(want.overflow || got.overflow);
    if (!span_eq(buf_span(&want), buf_span(&got)))
        fail_msg("honest:\n%.*s\nforged:\n%.*s", (int)want.n, want.p, (int)got.n, got.p);
    assert_true(span_find_str(buf_span(&got), "router4=10.0.0.1 ") < got.n);
}

static void test_host(void **unused)
{
    (void)unused;
    same(host_joins);
}

static void test_bmc(void **unused)
{
    (void)unused;
    same(bmc_acquires_again);
    assert_true(replies >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_host),
        PAIR(test_bmc),
    };

    return cmocka_run_group_tests_name("scenario_steering", tests, NULL, NULL);
}
