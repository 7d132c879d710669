/*
 * scenario_courier.c - how a host finds its BMC on the link: at the fixed address, or, where nothing answers there, at the one that DHCP names.
 */
#include "tests/scenario/pair.h"

#include "tests/unit/frames.h"

#define BMC     "host-link = sim1\nhost-mac = " PAIR_HOST_MAC "\nrefresh = 10\npermit-unsealed = yes\n"
#define VIA_BMC "via = bmc\nbmc-link = sim1\npermit-unsealed = yes\n"

enum {
    IPV4 = 0x0800,
    IPV6 = 0x86dd,
    AT_PROTOCOL = 23,
    AT_PORT = 34,
    AT_TCP_FLAGS = 47,
    AT_OPTIONS = 14 + 20 + 8 + 240
};

static const char families[] = "families: [ipv4, ipv6]\n";
static unsigned syns4;       /* of IPv4 on the wire */
static const uint8_t *other; /* what option 72 is made to say; NULL: what the BMC says */

static void start(void)
{
    syns4 = 0;
    other = NULL;
    pair_sites(BMC, VIA_BMC);
    scenario_publish(7, families, NULL);
    scenario_boot();
    scenario_expect(" serve open sequence=7", 10000);
}

/* A server's message gets a router and a resolver, too: the BMC itself, so that nothing else would show that they were taken. */
static void change_options(struct buf *frame)
{
    static const uint8_t more[] = {3, 4, 169, 254, 106, 1, 6, 4, 169, 254, 106, 1, 255};
    size_t at = AT_OPTIONS;

    for (; frame->p[at] != 255; at += 2u + frame->p[at + 1]) {
        if (frame->p[at] == 72 && other)
            memcpy(frame->p + at + 2, other, 4);
    }
    assert_true(frame->n - at >= sizeof(more));
    memcpy(frame->p + at, more, sizeof(more));
}

static bool count_only(struct buf *frame)
{
    if (frames_get16(buf_span(frame), 12) == IPV4 && frame->p[AT_PROTOCOL] == 6)
        syns4 += (frame->p[AT_TCP_FLAGS] & 0x12) == 2;
    return true;
}

/* The BMC has no address of IPv6 that anybody finds. */
static bool without_ipv6(struct buf *frame)
{
    struct span f = buf_span(frame);

    (void)count_only(frame);
    if (frames_get16(f, 12) == IPV4 && frame->p[AT_PROTOCOL] == 17 && frames_get16(f, AT_PORT) == 67)
        change_options(frame);
    return frames_get16(f, 12) != IPV6;
}

static void test_fixed_address_first(void **unused)
{
    (void)unused;
    start();
    pair_wire = count_only;
    pair_boot_host();
    pair_expect(&pair_host, " bmc done", 1000);
    pair_expect(&pair_host, " found=fixed ", 100);
    pair_expect(&pair_host, " report done", 20000);
    assert_int_equal(syns4, 0);
}

/* It joins, reports, and asks again after a power cycle; of the link's router and resolver nothing is left. */
static void test_address_that_dhcp_names(void **unused)
{
    (void)unused;
    start();
    pair_wire = without_ipv6;
    pair_boot_host();
    pair_expect(&pair_host, " bmc done", 3000);
    pair_expect(&pair_host, " found=dhcp ", 100);
    pair_expect(&pair_host, " joined done", 20000);
    pair_expect(&pair_host, " report done", 3000);
    pair_expect(&machine, " serve closed why=joined", 100);
    assert_int_equal(pair_count(&pair_host, " error "), 0);
    assert_int_equal(pair_count(&pair_host, "169.254."), 0);
    sim_power_off(&pair_host);
    scenario_publish(8, families, NULL);
    pair_expect(&machine, " serve open sequence=8", 20000);
    pair_boot_host();
    pair_expect(&pair_host, " bmc done", 3000);
    pair_expect(&machine, " serve given sequence=8", 0);
}

static bool fixed_answers;

/* Nothing of the BMC is there at first, and then its fixed address only. */
static bool without_tcp4(struct buf *frame)
{
    struct span f = buf_span(frame);

    return frames_get16(f, 12) == IPV6 ? fixed_answers : frame->p[AT_PROTOCOL] != 6;
}

static void test_both_in_turn(void **unused)
{
    (void)unused;
    start();
    pair_wire = without_tcp4;
    fixed_answers = false;
    pair_boot_host();
    pair_run(4000);
    fixed_answers = true;
    pair_expect(&pair_host, " found=fixed ", 4000);
}

static void test_fixed_address_first_on_a_late_link(void **unused)
{
    (void)unused;
    start();
    pair_wire = count_only;
    pair_host.nics[1].carrier = false;
    pair_boot_host();
    pair_run(2000);
    pair_host.nics[1].carrier = true;
    pair_expect(&pair_host, " found=fixed ", 4000);
    assert_int_equal(syns4, 0);
}

static void test_address_elsewhere_is_not_asked(void **unused)
{
    static const uint8_t elsewhere[4] = {10, 100, 0, 1};

    (void)unused;
    start();
    other = elsewhere;
    pair_wire = without_ipv6;
    pair_boot_host();
    pair_expect(&pair_host, " bmc error code=fetch.connect", 16000);
    assert_int_equal(syns4, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(test_fixed_address_first),
        PAIR(test_address_that_dhcp_names),
        PAIR(test_both_in_turn),
        PAIR(test_fixed_address_first_on_a_late_link),
        PAIR(test_address_elsewhere_is_not_asked),
    };

    return cmocka_run_group_tests_name("scenario_courier", tests, NULL, NULL);
}
