/*
 * scenario_hostlink.c - a hostile host: whatever it sends over its link, the BMC's routes, resolvers and addresses stay, its management network
 * is used as ever, and it goes on serving.
 */
#include "tests/scenario/pair.h"

#include <stdlib.h>

#include "net/hostlink.h"
#include "tests/unit/frames.h"

#define BMC "host-link = sim1\nhost-mac = " PAIR_HOST_MAC "\npermit-unsealed = yes\nrefresh = 5\n"

static const uint8_t bmc_mac[6] = {2, 0, 0, 0, 0, 2}, host_mac[6] = {2, 0, 0, 0, 0x0c, 1};
static const uint8_t all_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                     nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

/* A TCP connection of the host, made by hand. */
struct client {
    unsigned port;
    uint32_t seq, ack; /* of the next byte to send; that is expected */
    bool open, reset, ended;
    bool deaf; /* acknowledges nothing */
    uint8_t data[8192];
    size_t n;
};

enum { CLIENTS = 8 };
static struct client clients[CLIENTS];
static unsigned first_port;
static unsigned accepted, resets; /* segments of the BMC with SYN, with RST */
static uint8_t dhcp[400];         /* what the BMC said last to the management network's DHCP servers */
static size_t dhcp_n;

static void inject(struct buf *frame)
{
    sim_inject(&machine, 1, buf_span(frame));
}

static void segment(const struct client *c, unsigned flags, struct span data)
{
    struct ip from = frames_ip("169.254.106.2"), to = frames_ip("169.254.106.1");
    uint8_t text[1500], frame[1514];
    struct buf t = BUF_OF(text), f = BUF_OF(frame);

    frames_u16(&t, c->port);
    frames_u16(&t, HOSTLINK_PORT);
    frames_u32(&t, c->seq);
    frames_u32(&t, c->ack);
    frames_u16(&t, 0x5000 | flags);
    frames_u16(&t, 8000);
    frames_u32(&t, 0);
    buf_put(&t, data);
    frames_tcp(&f, host_mac, bmc_mac, &from, &to, buf_span(&t));
    inject(&f);
}

static uint32_t get32(struct span s, size_t off)
{
    return (uint32_t)frames_get16(s, off) << 16 | frames_get16(s, off + 2);
}

static void take(struct client *c, struct span tcp)
{
    unsigned flags = tcp.p[13];
    struct span data = span_sub(tcp, (size_t)(tcp.p[12] >> 4) * 4, tcp.n);

    if (flags & 4) {
        c->reset = true;
        return;
    }
    if (flags & 2) {
        c->ack = get32(tcp, 4) + 1;
        c->open = true;
        segment(c, 16, (struct span){.n = 0});
        return;
    }
    if (c->deaf || get32(tcp, 4) != c->ack || c->n + data.n > sizeof(c->data))
        return;
    memcpy(c->data + c->n, data.p, data.n);
    c->n += data.n;
    c->ack += (uint32_t)data.n + (flags & 1);
    c->ended = c->ended || (flags & 1);
    if (data.n || (flags & 1))
        segment(c, 16, (struct span){.n = 0});
    if (flags & 1) {
        segment(c, 17, (struct span){.n = 0});
        c->seq++;
    }
}

/* On the management network the BMC asks the resolvers of that network, and nobody else. */
static void look_for_services(struct span f)
{
    bool v6 = frames_get16(f, 12) == 0x86dd, udp = f.p[v6 ? 20 : 23] == 17;
    struct ip to = {.family = v6 ? FAMILY_V6 : FAMILY_V4};
    struct span request = frames_dhcp_request(f);

    if (request.n > 0 && request.n <= sizeof(dhcp)) {
        memcpy(dhcp, request.p, request.n);
        dhcp_n = request.n;
    }
    memcpy(to.b, f.p + (v6 ? 38 : 30), v6 ? 16 : 4);
    if (udp && frames_get16(f, v6 ? 56 : 36) == 53 && !netpeer_is(&to, netpeer.servers[0].dns4) &&
        !(netpeer.servers[0].rdnss && netpeer_is(&to, netpeer.servers[0].rdnss)))
        fail_msg("the BMC asks a stranger for names");
}

/* The BMC says nothing on this link but ARP replies, advertisements, DHCP replies and what answers a connection; and on the other one it speaks to
 * nobody but those that were there before. */
static void look(unsigned nic, struct span f)
{
    unsigned type = frames_get16(f, 12);

    if (nic == 0) {
        if (!(f.p[0] & 1) && memcmp(f.p, netpeer.servers[0].mac, 6) != 0)
            fail_msg("the BMC speaks to a stranger on its management network");
        if (type == 0x0800 && f.p[23] == 6 && frames_get16(f, 34) == HOSTLINK_PORT && !(f.p[47] & 4))
            fail_msg("the host's server answers the management network");
        look_for_services(f);
        return;
    }
    if (type == 0x0806) {
        assert_int_equal(frames_get16(f, 20), 2);
    } else if (type == 0x86dd) {
        assert_int_equal(f.p[20], 58);
        assert_true(f.p[54] == 134 || f.p[54] == 136);
    } else if (f.p[23] == 17) {
        assert_int_equal(frames_get16(f, 34), 67);
    } else {
        struct span tcp = span_sub(f, 34, frames_get16(f, 16) - 20u);

        assert_int_equal(f.p[23], 6);
        assert_int_equal(frames_get16(tcp, 0), HOSTLINK_PORT);
        assert_int_not_equal(tcp.p[13] & 0x12, 2); /* never a connection of its own */
        accepted += (tcp.p[13] & 2) != 0;
        resets += (tcp.p[13] & 4) != 0;
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (clients[i].port && clients[i].port == frames_get16(tcp, 2))
                take(&clients[i], tcp);
        }
    }
}

static struct client *connect_as(unsigned i)
{
    clients[i] = (struct client){.port = 40000 + ++first_port, .seq = 1000};
    segment(&clients[i], 2, (struct span){.n = 0});
    clients[i].seq++;
    scenario_run(2);
    return &clients[i];
}

static void say(struct client *c, struct span text)
{
    segment(c, 24, text);
    c->seq += (uint32_t)text.n;
    scenario_run(5);
}

/* The status of the answer to this request; 0: none. */
static unsigned answer(const char *request)
{
    struct client *c = connect_as(0);
    unsigned status = 0;

    assert_true(c->open);
    say(c, span_str(request));
    scenario_run(20);
    c->data[c->n < sizeof(c->data) ? c->n : sizeof(c->data) - 1] = 0;
    if (span_starts(span_of(c->data, c->n), "HTTP/1.1 "))
        status = (unsigned)strtoul((const char *)c->data + 9, NULL, 10);
    assert_true(status == 0 || c->ended);
    return status;
}

static void start(void)
{
    memset(clients, 0, sizeof(clients));
    accepted = resets = 0;
    pair_sites(BMC, "");
    scenario_publish(7, "", NULL);
    scenario_boot();
    pair_look = look;
    scenario_expect(" serve open sequence=7", 10000);
    scenario_run(10);
}

/* A newer bundle gets to the BMC over its management network, whose addresses never changed. */
static void check_management(uint64_t ms)
{
    scenario_expect(" serve open sequence=8", ms);
    assert_int_equal(scenario_count(" address done"), 1);
    assert_int_equal(scenario_count(" link done"), 1);
    assert_int_equal(scenario_count(" error "), 0);
}

static void test_requests(void **unused)
{
    static const struct {
        const char *text;
        unsigned status;
    } vectors[] = {
        {"GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n", 200},
        {"HEAD /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n", 200},
        {"GET /status HTTP/1.1\r\nHost: bmc\r\n\r\n", 200},
        {"GET / HTTP/1.1\r\nHost: bmc\r\n\r\n", 404},
        {"GET /../bundle HTTP/1.1\r\nHost: bmc\r\n\r\n", 404},
        {"GET /joined HTTP/1.1\r\nHost: bmc\r\n\r\n", 405},
        {"PUT /bundle HTTP/1.1\r\nHost: bmc\r\nContent-Length: 1\r\n\r\nx", 405},
        {"PUT /status HTTP/1.1\r\nHost: bmc\r\nContent-Length: 1\r\n\r\nx", 405},
        {"POST /joined HTTP/1.1\r\nHost: bmc\r\n\r\n", 405},
        {"PUT /joined HTTP/1.1\r\nHost: bmc\r\n\r\n", 400},
        {"PUT /joined HTTP/1.1\r\nHost: bmc\r\nContent-Length: 64\r\n\r\n"
         "0000000000000000000000000000000000000000000000000000000000000000",
         409},
        {"PUT /joined HTTP/1.1\r\nHost: bmc\r\nContent-Length: 99999\r\n\r\n", 413},
        {"\r\n\r\n", 400},
        {"GET /bundle HTTP/1.1\r\n\r\n", 400},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
    };

    (void)unused;
    start();
    for (size_t i = 0; i < COUNT(vectors); i++) {
        unsigned status = answer(vectors[i].text);

        if (status != vectors[i].status)
            fail_msg("%s: %u", vectors[i].text, status);
    }
    assert_int_equal(scenario_count(" serve closed"), 0);
    assert_int_equal(scenario_count(" serve given"), 1);
    assert_int_equal(answer("GET /status HTTP/1.1\r\nHost: bmc\r\n\r\n"), 200);
    assert_non_null(strstr((const char *)clients[0].data, "\"sequence\":7"));
    assert_non_null(strstr((const char *)clients[0].data, "\"open\":true,\"joined\":false"));
}

static void steer(unsigned round)
{
    struct ip ll = frames_ip("fe80::c01"), all = frames_ip("ff02::1"), router = frames_ip("fe80::2");
    struct ip own = frames_ip(SCENARIO_SLAAC), own4 = frames_ip("10.0.0.50"),
              gateway4 = frames_ip("10.0.0.1");
    static const unsigned types[] = {2, 5, 6};
    struct ip none6 = {.family = FAMILY_V6};
    uint8_t text[700], mem[1514];
    struct buf m = BUF_OF(text), f = BUF_OF(mem);

    switch (round % 7) {
    case 0:
        frames_ra(&m, 0xc0, 1800, host_mac);
        frames_ra_prefix(&m, "2001:db8:66::", 0xc0, 3600, 3600);
        frames_ra_rdnss(&m, "2001:db8:66::53", 3600);
        frames_icmp6(&f, host_mac, nodes_mac, &ll, &all, 255, buf_span(&m));
        break;
    case 1: /* the router of the management network gives up */
        frames_ra(&m, 0, 0, host_mac);
        frames_icmp6(&f, host_mac, nodes_mac, &router, &all, 255, buf_span(&m));
        break;
    case 2: /* the router, and then the BMC itself, is somebody else */
        frames_na(&m, 0x20, round % 2 ? &router : &own, host_mac);
        frames_icmp6(&f, host_mac, nodes_mac, round % 2 ? &router : &own, &all, 255, buf_span(&m));
        break;
    case 3:
        frames_ns(&m, &own, NULL);
        frames_icmp6(&f, host_mac, nodes_mac, &none6, &all, 255, buf_span(&m));
        break;
    case 4:
        frames_arp(&f, host_mac, all_mac, 1 + round % 2, host_mac, round % 2 ? &own4 : &gateway4, &own4);
        break;
    case 5: /* whatever a DHCP server might say, of the transaction that the BMC began on its management network */
        frames_dhcp_reply(&f, host_mac, span_of(dhcp, dhcp_n), types[round / 7 % COUNT(types)],
                          "169.254.106.3", "169.254.106.2");
        break;
    default:
        memset(text, 0, sizeof(text));
        text[0] = 5;
        frames_ipv4(&f, host_mac, bmc_mac, &gateway4, &own4, 1, span_of(text, 28));
        break;
    }
    inject(&f);
}

static void test_steering(void **unused)
{
    unsigned queries;

    (void)unused;
    start();
    assert_true(dhcp_n > 0);
    scenario_publish(8, "", NULL);
    for (unsigned i = 0; i < 4000; i++) {
        steer(i);
        scenario_run(1);
    }
    queries = netpeer.queries;
    check_management(2000);
    assert_int_equal(scenario_count(" address "), 1);
    assert_true(netpeer.queries > queries); /* of which look() saw where they went */
}

/* New connections as fast as the link can, from many ports, while the BMC fetches. */
static void test_flood(void **unused)
{
    struct client c = {.seq = 1};

    (void)unused;
    start();
    scenario_publish(8, "", NULL);
    scenario_run(4000);
    for (unsigned ms = 0; ms < 2000; ms++) {
        for (unsigned i = 0; i < 30; i++) {
            c.port = 1024 + (ms * 30 + i) % 60000;
            segment(&c, 2, (struct span){.n = 0});
        }
        scenario_run(1);
    }
    check_management(0);
    scenario_run(10000);
    assert_int_equal(answer("GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n"), 200);
}

/* Connections that the host began and left hold no place: a newer one gets it, and they end with the link. */
static void test_half_open(void **unused)
{
    struct client c = {.seq = 1};

    (void)unused;
    start();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 2; i++) {
            c.port = 1024 + 2 * round + i;
            segment(&c, 2, (struct span){.n = 0});
        }
        scenario_run(10);
        if (round == 0)
            assert_int_equal(answer("GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n"), 200);
    }
    machine.nics[1].carrier = false;
    scenario_run(300);
    machine.nics[1].carrier = true;
    accepted = 0;
    scenario_run(9000);
    assert_int_equal(accepted, 0);
}

/* Two connections that ask for the bundle and read nothing of it hold both places for ten seconds, and no longer. */
static void test_slow_readers(void **unused)
{
    struct client *c[3];

    (void)unused;
    start();
    scenario_publish(8, "", NULL);
    for (unsigned i = 0; i < 2; i++) {
        c[i] = connect_as(i);
        assert_true(c[i]->open);
        c[i]->deaf = true;
        say(c[i], span_str(i ? "GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n" : "GET /bun"));
    }
    c[2] = connect_as(2);
    assert_false(c[2]->open || c[2]->reset);
    check_management(8000);
    scenario_run(7000);
    assert_true(c[0]->reset && c[1]->reset);
    assert_int_equal(answer("GET /status HTTP/1.1\r\nHost: bmc\r\n\r\n"), 200);
}

/* The way around: from the management network to the server that is for the host, and, by an answer to a forged source, to the host. */
static void test_not_from_the_network(void **unused)
{
    static const char *const ends[][2] = {{"10.0.0.1", "169.254.106.1"},
                                          {"169.254.106.2", "169.254.106.1"},
                                          {"169.254.106.2", "10.0.0.50"},
                                          {"", SCENARIO_SLAAC}};
    const uint8_t *src = netpeer.servers[0].mac, *dst = machine.nics[0].mac;
    struct hostlink link;

    (void)unused;
    start();
    assert_int_equal(hostlink_init(&link, bmc_mac), OK);
    link.ula.b[15] = 2;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct ip from = ends[i][0][0] ? frames_ip(ends[i][0]) : link.ula, to = frames_ip(ends[i][1]);
        uint8_t text[20], mem[200];
        struct buf t = BUF_OF(text), f = BUF_OF(mem);

        frames_u16(&t, 40000);
        frames_u16(&t, HOSTLINK_PORT);
        frames_u32(&t, 1);
        frames_u32(&t, 0);
        frames_u16(&t, 0x5002);
        frames_u16(&t, 8000);
        frames_u32(&t, 0);
        frames_tcp(&f, src, dst, &from, &to, buf_span(&t));
        sim_inject(&machine, 0, buf_span(&f));
        scenario_run(100);
        f.n = 0;
        frames_udp(&f, src, dst, &from, &to, 40000, 9, SPAN_LIT("x"));
        sim_inject(&machine, 0, buf_span(&f));
        scenario_run(100);
    }
    assert_int_equal(scenario_count(" error "), 0);
    assert_int_equal(resets, 0);
}

/* Whoever answers DHCP on the management network names the host as the resolver: the question goes to the gateway and never over the link. */
static void test_resolver_on_the_link(void **unused)
{
    (void)unused;
    pair_sites(BMC, "");
    netpeer.servers[0].dns4 = "169.254.106.2";
    netpeer.servers[0].rdnss = NULL;
    scenario_publish(7, "", NULL);
    scenario_boot();
    pair_look = look;
    scenario_expect(" serve open sequence=7", 10000);
}

/* The management link goes and comes back: the host notices nothing. */
static void test_management_flaps(void **unused)
{
    (void)unused;
    start();
    scenario_carrier(false);
    scenario_expect(" error code=link.carrier", 5000);
    assert_int_equal(answer("GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n"), 200);
    scenario_carrier(true);
    scenario_expect(" link done", 60000);
    scenario_run(1000);
    assert_int_equal(answer("GET /bundle HTTP/1.1\r\nHost: bmc\r\n\r\n"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_requests),
        PAIR(test_resolver_on_the_link),
        PAIR(test_management_flaps),
        PAIR(test_steering),
        PAIR(test_flood),
        PAIR(test_half_open),
        PAIR(test_slow_readers),
        PAIR(test_not_from_the_network),
    };

    return cmocka_run_group_tests_name("scenario_hostlink", tests, NULL, NULL);
}
