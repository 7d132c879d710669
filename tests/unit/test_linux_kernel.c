/*
 * test_linux_kernel.c - packet sockets, hand-over and settings against the running kernel, in a network namespace that ends with the test.
 *
 * Two ends of a veth: `near` is the agent's, `far` is a peer that sends what links of machines deliver, started checksums and super-frames
 * included. Needs no root where user namespaces are allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "boards/linux/hostnet.h"
#include "boards/linux/packet.h"
#include "boards/linux/sysctl.h"
#include "boards/linux/sysfile.h"

static struct nics nics;
static struct packets packets;
static struct hostnet hostnet;
static int far = -1;

/* Root inside is who we are outside (user_namespaces(7)). */
static void map_id(const char *path, unsigned id)
{
    char text[64];

    snprintf(text, sizeof(text), "0 %u 1", id);
    (void)!sysfile_write(path, text);
}

/* A namespace of our own: as root at once, else inside of a user namespace. */
static int enter(void)
{
    unsigned uid = getuid(), gid = getgid();

    if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
        return -1;
    (void)!sysfile_write("/proc/self/setgroups", "deny");
    map_id("/proc/self/uid_map", uid);
    map_id("/proc/self/gid_map", gid);
    return 0;
}

static int set_up(void **state)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1;

    (void)state;
    if (enter() != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("sysfs", "/sys", "sysfs", 0, NULL) != 0) {
        print_message("no namespace: %s\n", strerror(errno));
        return getenv("CI") ? -1 : 1;
    }
    /* The peer's kernel is silent: what it says about its own IPv6 would come between the frames of the tests. */
    if (system("ip link add near type veth peer name far && ip link add other type bridge && "
               "echo 1 >/proc/sys/net/ipv6/conf/far/disable_ipv6 && ip link set far up") != 0)
        return -1;
    far = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    /* Past the queue of far, which the kernel opens some time after near is up and which drops frames before. */
    if (setsockopt(far, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) != 0 ||
        setsockopt(far, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0)
        return -1;
    at.sll_ifindex = (int)if_nametoindex("far");
    if (bind(far, (struct sockaddr *)&at, sizeof(at)) != 0)
        return -1;
    packet_init(&packets);
    return 0;
}

static unsigned near_index(void)
{
    unsigned n = nic_scan(&nics);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(nics.name[i], "near") == 0)
            return i;
    fail_msg("the veth is not listed");
    return 0;
}

static void check_setting(const char *key, const char *want)
{
    char text[64] = "";

    assert_int_equal(sysctl_get(key, text, sizeof(text)), OK);
    assert_string_equal(text, want);
}

static void test_nics(void **state)
{
    struct board_nic info;
    unsigned near = near_index();

    (void)state;
    for (unsigned i = 0; i < nics.count; i++) {
        assert_string_not_equal(nics.name[i], "lo");
        assert_string_not_equal(nics.name[i], "other");
    }
    assert_int_equal(nic_info(&nics, near, &info), OK);
    assert_string_equal(info.name, "near");
    assert_int_equal(info.mtu, 1500);
    assert_false(info.carrier);
    assert_int_equal(nic_info(&nics, nics.count, &info), ERR_LINK_NONE);
    struct nics only = {.only = "other"};
    assert_int_equal(nic_scan(&only), 1);
    assert_string_equal(only.name[0], "other");
}

static void test_open(void **state)
{
    struct board_nic info;
    unsigned near = near_index();

    (void)state;
    check_setting("net.ipv6.conf.near.disable_ipv6", "0");
    assert_int_equal(packet_open(&packets, &nics, near), OK);
    assert_int_equal(packet_open(&packets, &nics, near), OK);
    check_setting("net.ipv6.conf.near.disable_ipv6", "1");
    assert_int_equal(nic_info(&nics, near, &info), OK);
    assert_true(info.carrier);
}

static void send_far(struct vnet_hdr h, const void *p, size_t n)
{
    struct iovec io[2] = {{.iov_base = &h, .iov_len = sizeof(h)},
                          {.iov_base = (void *)(uintptr_t)p, .iov_len = n}};

    assert_int_equal(writev(far, io, 2), (ssize_t)(sizeof(h) + n));
}

static size_t recv_near(uint8_t *ret, size_t cap)
{
    size_t n = 0;

    for (int i = 0; i < 100 && n == 0; i++) {
        n = packet_recv(&packets, near_index(), ret, cap);
        if (n == 0)
            (void)poll(NULL, 0, 5);
    }
    return n;
}

/* Our MAC, the peer's, an experimental EtherType (IEEE 802) that nobody else uses. */
static size_t frame_to(uint8_t *f, const uint8_t *mac, uint8_t mark)
{
    memset(f, mark, 100);
    memcpy(f, mac, 6);
    memcpy(f + 6, "\x02\x00\x00\x00\x00\x01\x88\xb5", 8);
    return 100;
}

static void test_frames(void **state)
{
    uint8_t f[200], got[1514];
    struct board_nic info;
    struct iovec io[2];
    struct vnet_hdr h;
    size_t n;

    (void)state;
    assert_int_equal(nic_info(&nics, near_index(), &info), OK);
    while (packet_recv(&packets, near_index(), got, sizeof(got)) > 0)
        ;
    /* For somebody else, then for us: only ours arrives. */
    send_far((struct vnet_hdr){0}, f, frame_to(f, (const uint8_t *)"\x02\x00\x00\x00\x00\x99", 1));
    send_far((struct vnet_hdr){0}, f, frame_to(f, info.mac, 2));
    assert_int_equal(recv_near(got, sizeof(got)), 100);
    assert_int_equal(got[50], 2);
    /* Tagged for VLAN 7, which the kernel takes off, then a plain one. */
    (void)frame_to(f, info.mac, 3);
    memmove(f + 16, f + 12, 84);
    memcpy(f + 12, "\x81\x00\x00\x07", 4);
    send_far((struct vnet_hdr){0}, f, 104);
    send_far((struct vnet_hdr){0}, f, frame_to(f, info.mac, 4));
    assert_int_equal(recv_near(got, sizeof(got)), 100);
    assert_int_equal(got[50], 4);
    /* Our own frames reach the peer and not ourselves. */
    while (read(far, got, sizeof(got)) > 0)
        ;
    n = frame_to(f, (const uint8_t *)"\xff\xff\xff\xff\xff\xff", 5);
    assert_int_equal(packet_send(&packets, near_index(), span_of(f, n)), OK);
    io[0] = (struct iovec){.iov_base = &h, .iov_len = sizeof(h)};
    io[1] = (struct iovec){.iov_base = got, .iov_len = sizeof(got)};
    assert_int_equal(readv(far, io, 2), (ssize_t)(sizeof(h) + n));
    assert_memory_equal(got, f, n);
    assert_int_equal(packet_recv(&packets, near_index(), got, sizeof(got)), 0);
}

static void send_super(void)
{
    static uint8_t f[54 + 40000];
    struct vnet_hdr h = {.flags = VNET_NEEDS_CSUM,
                         .gso_type = VNET_GSO_TCPV4,
                         .hdr_len = 54,
                         .gso_size = 1460,
                         .csum_start = 34,
                         .csum_offset = 16};
    struct board_nic info;

    assert_int_equal(nic_info(&nics, near_index(), &info), OK);
    memset(f, 0, 54);
    memcpy(f, info.mac, 6);
    memcpy(f + 6, "\x02\x00\x00\x00\x00\x01\x08\x00\x45", 9);
    f[16] = (uint8_t)((sizeof(f) - 14) >> 8);
    f[17] = (uint8_t)(sizeof(f) - 14);
    memcpy(f + 22, "\x40\x06\x00\x00\x0a\x64\x00\x01\x0a\x64\x00\x02", 12);
    f[46] = 0x50;
    f[47] = 0x10;
    send_far(h, f, sizeof(f));
}

static void test_super_frame(void **state)
{
    uint8_t got[1514];
    size_t total = 0, n;

    (void)state;
    send_super();
    while ((n = recv_near(got, sizeof(got))) > 54) {
        total += n - 54;
        if (total == 40000)
            break;
    }
    assert_int_equal(total, 40000);
}

/* What waits on a link until 0 comes: payload behind 54 bytes of headers. */
static size_t payload_of(unsigned nic)
{
    uint8_t got[1514];
    size_t total = 0, n;

    while ((n = packet_recv(&packets, nic, got, sizeof(got))) > 54)
        total += n - 54;
    return total;
}

/* Two super-frames wait on one link: behind the first the other link, which was asked meanwhile, has its turn. */
static void test_links_take_turns(void **state)
{
    unsigned near = near_index(), other = near == 0;
    uint8_t f[200], got[1514];

    (void)state;
    assert_string_equal(nics.name[other], "far");
    assert_int_equal(packet_open(&packets, &nics, other), OK);
    (void)payload_of(near);
    send_super();
    send_super();
    assert_int_equal(
        packet_send(&packets, near, span_of(f, frame_to(f, (const uint8_t *)"\xff\xff\xff\xff\xff\xff", 6))),
        OK);
    (void)poll(NULL, 0, 50);
    assert_int_equal(packet_recv(&packets, near, got, sizeof(got)), 1514);
    assert_int_equal(packet_recv(&packets, other, got, sizeof(got)), 0);
    assert_int_equal(payload_of(near), 40000 - 1460);
    assert_int_equal(packet_recv(&packets, other, got, sizeof(got)), 100);
    assert_int_equal(payload_of(near), 40000);
    packet_close(&packets, other);
}

/* The link is removed and made again under its name, as a USB gadget is: no frame would ever come from the old one. */
static void test_replaced(void **state)
{
    unsigned near = near_index();

    (void)state;
    assert_false(packet_is_lost(&packets, &nics, near));
    assert_int_equal(
        system("ip link del near && ip link add near type veth peer name far && ip link set far up"), 0);
    assert_true(packet_is_lost(&packets, &nics, near));
    assert_int_equal(packet_open(&packets, &nics, near), OK);
    assert_false(packet_is_lost(&packets, &nics, near));
    assert_int_equal(packets.index[near], if_nametoindex("near"));
}

static bool file_has(const char *path, const char *text)
{
    char all[16384];
    size_t n = 0;

    assert_int_equal(sysfile_read(path, all, sizeof(all), &n), OK);
    return span_find_str(span_of(all, n), text) < n;
}

static void want_net(struct host_net *n)
{
    *n = (struct host_net){.nic = near_index(),
                           .addr_count = 2,
                           .route_count = 2,
                           .valid_s = {3600, UINT32_MAX},
                           .accept_ra = true,
                           .mtu6 = 1400};
    assert_int_equal(ip_prefix_parse(SPAN_LIT("10.100.0.2/24"), &n->addrs[0]), OK);
    assert_int_equal(ip_prefix_parse(SPAN_LIT("fd00:1:2:3::3/64"), &n->addrs[1]), OK);
    n->routes[0].family = FAMILY_V4;
    n->routes[1].family = FAMILY_V6;
    assert_int_equal(ip_parse(SPAN_LIT("10.200.0.1"), &n->routes[0].via),
                     OK); /* on the link, but of no prefix of ours */
    assert_int_equal(ip_parse(SPAN_LIT("fe80::1"), &n->routes[1].via), OK);
}

static void test_hand_over(void **state)
{
    struct fault f = {0};
    struct host_net n;

    (void)state;
    want_net(&n);
    packet_close(&packets, n.nic);
    assert_int_equal(sysctl_set("net.ipv4.ip_forward", "1", &f), OK);
    assert_int_equal(sysctl_set("net.ipv6.conf.all.forwarding", "1", &f), OK);
    assert_int_equal(sysctl_set("net.ipv6.conf.default.disable_ipv6", "1", &f), OK);
    for (int i = 0; i < 2; i++) { /* idempotent */
        assert_int_equal(hostnet_apply(&hostnet, &nics, &n, &f), OK);
        /* The last three columns: prefix length, scope, flags; 82 is permanent and without DAD: never tentative. */
        assert_true(file_has("/proc/net/if_inet6", "fd000001000200030000000000000003 "));
        assert_true(file_has("/proc/net/if_inet6", " 40 00 82     near\n"));
        assert_true(file_has("/proc/net/ipv6_route", " fe800000000000000000000000000001 00000800 "));
        assert_true(file_has("/proc/net/route",
                             "near\t00000000\t0100C80A\t0003\t")); /* 10.200.0.1, as the table prints it */
        assert_true(file_has("/proc/net/fib_trie", "10.100.0.255"));
    }
    check_setting("net.ipv6.conf.default.disable_ipv6", "0");
    check_setting("net.ipv6.conf.near.disable_ipv6", "0");
    check_setting("net.ipv6.conf.near.accept_ra", "2");
    check_setting("net.ipv6.conf.near.autoconf", "0");
    check_setting("net.ipv6.conf.near.mtu", "1400");
    check_setting("net.ipv4.ip_forward", "1");
    check_setting("net.ipv6.conf.near.forwarding", "1");
    check_setting("net.ipv6.conf.lo.disable_ipv6", "0");
}

/* What is no longer wanted goes; after release nothing of it is left, and the agent's own stack may have the link again. */
static void test_take_back(void **state)
{
    struct fault f = {0};
    struct host_net n;

    (void)state;
    want_net(&n);
    n.addr_count = 1;
    n.route_count = 1;
    assert_int_equal(hostnet_apply(&hostnet, &nics, &n, &f), OK);
    assert_false(file_has("/proc/net/if_inet6", "fd000001000200030000000000000003 "));
    assert_false(file_has("/proc/net/ipv6_route", " fe800000000000000000000000000001 "));
    assert_true(file_has("/proc/net/route", "0100C80A"));
    hostnet_release(&hostnet, &nics, n.nic);
    hostnet_release(&hostnet, &nics, n.nic);
    assert_false(file_has("/proc/net/route", "near"));
    check_setting("net.ipv6.conf.near.disable_ipv6", "1");
    assert_int_equal(packet_open(&packets, &nics, n.nic), OK);
}

static void test_refused(void **state)
{
    struct fault f = {0};
    struct host_net n;

    (void)state;
    want_net(&n);
    n.addr_count = 0;
    n.routes[0].via = (struct ip){.family = FAMILY_V4, .b = {255, 255, 255, 255}};
    assert_int_equal(hostnet_apply(&hostnet, &nics, &n, &f), ERR_HANDOFF);
    assert_non_null(strstr(f.text, "route via 255.255.255.255: "));
    fault_clear(&f);
    assert_int_equal(sysctl_set("net.ipv4.no_such_setting", "1", &f), ERR_HANDOFF);
    assert_non_null(strstr(f.text, "net.ipv4.no_such_setting"));
    fault_clear(&f);
    assert_int_equal(sysctl_set("net.ipv4../../kernel/panic", "1", &f), ERR_HANDOFF);
    hostnet_release(&hostnet, &nics, n.nic);
}

/* What was switched off for the agent's own stack comes back when the process ends without a hand-over. */
static void test_restore(void **state)
{
    unsigned near = near_index();

    (void)state;
    packet_restore(&packets, &nics);
    check_setting("net.ipv6.conf.near.disable_ipv6", "0");
    assert_int_equal(system("ip link del near"), 0);
    packet_close(&packets, near);
    assert_int_equal(packet_open(&packets, &nics, near), ERR_LINK_NONE);
}

int main(void)
{
    /* In this order: each starts from what the one before left. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nics),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_super_frame),
        cmocka_unit_test(test_links_take_turns),
        cmocka_unit_test(test_hand_over),
        cmocka_unit_test(test_take_back),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_restore),
    };
    int ready = set_up(NULL);

    if (ready != 0)
        return ready < 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
