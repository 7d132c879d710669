/*
 * keep.c - see keep.h.
 */
#include "boards/linux/keep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boards/linux/files.h"

enum {
    SERVER_PORT = 67,
    CLIENT_PORT = 68,
    IP_HEADER = 20,
    UDP_HEADER = 8,
    ANSWER_MIN = 240,
    RECEIVE_BYTES = 64 * 1024,
    WHILE_MS = 100,
    MESSAGES_PER_WHILE = 16
};

void keep_init(struct keep *k)
{
    k->udp = k->ra = k->packet = -1;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void keep_close(struct keep *k)
{
    shut(&k->udp);
    shut(&k->ra);
    shut(&k->packet);
}

static bool attach(int fd, struct sock_filter *code, size_t n)
{
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/* Lets a DHCP answer (BOOTREPLY from port 67 to 68, our chaddr, magic cookie) through, and nothing else. `ip`: the program sees the IPv4 header
 * first, else the UDP header; X is the offset of the UDP header. */
static bool admit_answers(int fd, const uint8_t mac[static 6], bool ip)
{
    uint32_t high = (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3];
    uint32_t low = (uint32_t)mac[4] << 8 | mac[5];
    struct sock_filter code[] = {
        BPF_STMT(BPF_LDX | BPF_IMM, 0),
        BPF_JUMP(BPF_JMP | BPF_JA, ip ? 0 : 5, 0, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ, IPPROTO_UDP, 0, 14),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET, 0x3fff, 12, 0), /* a fragment */
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ, SERVER_PORT << 16 | CLIENT_PORT, 0, 9),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, UDP_HEADER),
        BPF_JUMP(BPF_JMP | BPF_JEQ, 0x0201, 0, 7), /* a reply, Ethernet */
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, UDP_HEADER + 28),
        BPF_JUMP(BPF_JMP | BPF_JEQ, high, 0, 5),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, UDP_HEADER + 32),
        BPF_JUMP(BPF_JMP | BPF_JEQ, low, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, UDP_HEADER + 236),
        BPF_JUMP(BPF_JMP | BPF_JEQ, 0x63825363, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };

    return attach(fd, code, COUNT(code));
}

/* Lets what comes from a link-local address of this link through: a hop limit of 255 proves that no router forwarded it (RFC 4861 section 6.1.2). */
static bool admit_link(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF + 7),
        BPF_JUMP(BPF_JMP | BPF_JEQ, 255, 0, 4),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)SKF_NET_OFF + 8),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffc0),
        BPF_JUMP(BPF_JMP | BPF_JEQ, 0xfe80, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };

    return attach(fd, code, COUNT(code));
}

static bool option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool on_link(int fd, const char *link)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link, (socklen_t)strlen(link)) == 0 &&
           option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES);
}

static bool open_udp(struct keep *k, const char *link)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(CLIENT_PORT)};

    k->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return k->udp >= 0 && admit_answers(k->udp, k->mac, false) && on_link(k->udp, link) &&
           option(k->udp, SOL_SOCKET, SO_BROADCAST, 1) &&
           bind(k->udp, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static bool open_ra(struct keep *k, const char *link)
{
    struct icmp6_filter only;

    /* A set bit keeps its type out. */
    memset(&only, 0xff, sizeof(only));
    only.icmp6_filt[ND_ROUTER_ADVERT / 32] &= ~(1u << ND_ROUTER_ADVERT % 32);
    k->ra = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    return k->ra >= 0 && setsockopt(k->ra, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only)) == 0 &&
           admit_link(k->ra) && on_link(k->ra, link);
}

enum err keep_open(struct keep *k, const struct nics *nics, unsigned nic, unsigned families, struct fault *f)
{
    struct board_nic info;
    enum err e;

    keep_close(k);
    k->taken = 0;
    k->index = nic_index(nics, nic);
    if (k->index == 0 || nic_info(nics, nic, &info) != OK)
        return fault_set(f, ERR_KEEP, "the link has gone");
    memcpy(k->mac, info.mac, sizeof(k->mac));
    if ((families & FAMILIES_V4) && !open_udp(k, nics->name[nic])) {
        e = fault_set(f, ERR_KEEP, "UDP port 68 on %s: %s", info.name, files_reason(errno));
        keep_close(k);
        return e;
    }
    if ((families & FAMILIES_V6) && !open_ra(k, nics->name[nic])) {
        e = fault_set(f, ERR_KEEP, "ICMPv6 on %s: %s", info.name, files_reason(errno));
        keep_close(k);
        return e;
    }
    return OK;
}

static bool take_dhcp4(struct keep *k, struct host_kept_message *ret)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    ssize_t got =
        k->udp < 0 ? -1
                   : recvfrom(k->udp, k->bytes, sizeof(k->bytes), MSG_TRUNC, (struct sockaddr *)&from, &size);

    if (got < ANSWER_MIN || (size_t)got > sizeof(k->bytes))
        return false;
    *ret = (struct host_kept_message){
        .kind = HOST_KEPT_DHCP4, .from = {.family = FAMILY_V4}, .bytes = span_of(k->bytes, (size_t)got)};
    memcpy(ret->from.b, &from.sin_addr, 4);
    return true;
}

static bool take_packet(struct keep *k, struct host_kept_message *ret)
{
    ssize_t got = k->packet < 0 ? -1 : recv(k->packet, k->bytes, sizeof(k->bytes), MSG_TRUNC);
    size_t header, udp;

    if (got < IP_HEADER + UDP_HEADER + ANSWER_MIN || (size_t)got > sizeof(k->bytes))
        return false;
    header = (size_t)(k->bytes[0] & 15) * 4;
    if (header < IP_HEADER || (size_t)got - header < UDP_HEADER + ANSWER_MIN)
        return false;
    udp = (size_t)k->bytes[header + 4] << 8 | k->bytes[header + 5];
    if (udp < UDP_HEADER + ANSWER_MIN || udp > (size_t)got - header)
        return false;
    *ret = (struct host_kept_message){.kind = HOST_KEPT_DHCP4,
                                      .from = {.family = FAMILY_V4},
                                      .bytes = span_of(k->bytes + header + UDP_HEADER, udp - UDP_HEADER)};
    memcpy(ret->from.b, k->bytes + 12, 4);
    return true;
}

static bool take_ra(struct keep *k, struct host_kept_message *ret)
{
    struct sockaddr_in6 from;
    socklen_t size = sizeof(from);
    ssize_t got =
        k->ra < 0 ? -1
                  : recvfrom(k->ra, k->bytes, sizeof(k->bytes), MSG_TRUNC, (struct sockaddr *)&from, &size);

    if (got <= 0 || (size_t)got > sizeof(k->bytes))
        return false;
    *ret = (struct host_kept_message){
        .kind = HOST_KEPT_RA, .from = {.family = FAMILY_V6}, .bytes = span_of(k->bytes, (size_t)got)};
    memcpy(ret->from.b, &from.sin6_addr, 16);
    return true;
}

bool keep_recv(struct keep *k, uint64_t now_ms, struct host_kept_message *ret)
{
    if (now_ms - k->since_ms >= WHILE_MS) {
        k->since_ms = now_ms;
        k->taken = 0;
    }
    if (k->taken == MESSAGES_PER_WHILE)
        return false;
    /* Also what cannot be used counts: it has cost the same. */
    k->taken++;
    return take_dhcp4(k, ret) || take_ra(k, ret) || take_packet(k, ret);
}

/* IPv4 and UDP headers of a broadcast from 0.0.0.0; a UDP checksum of zero says that there is none (RFC 768). */
static void put_headers(struct buf *b, size_t n)
{
    size_t total = IP_HEADER + UDP_HEADER + n, udp = UDP_HEADER + n;
    uint8_t head[IP_HEADER + UDP_HEADER] = {0x45,
                                            0,
                                            (uint8_t)(total >> 8),
                                            (uint8_t)total,
                                            [8] = 64,
                                            [9] = IPPROTO_UDP,
                                            [16] = 255,
                                            255,
                                            255,
                                            255,
                                            [21] = CLIENT_PORT,
                                            [23] = SERVER_PORT,
                                            [24] = (uint8_t)(udp >> 8),
                                            (uint8_t)udp};
    uint32_t sum = 0;

    for (size_t i = 0; i < IP_HEADER; i += 2)
        sum += (uint32_t)head[i] << 8 | head[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    head[10] = (uint8_t)(sum >> 8);
    head[11] = (uint8_t)sum;
    buf_put(b, span_of(head, sizeof(head)));
}

/* As long as there is no address, answers come in by the packet socket as well. */
static void send_from_nowhere(struct keep *k, struct span message)
{
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)k->index};
    struct sockaddr_ll to = at;
    uint8_t packet[KEEP_MESSAGE_MAX];
    struct buf b = BUF_OF(packet);

    if (k->packet < 0) {
        k->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (k->packet < 0 || !admit_answers(k->packet, k->mac, true) ||
            bind(k->packet, (struct sockaddr *)&at, sizeof(at)) != 0) {
            shut(&k->packet);
            return;
        }
    }
    put_headers(&b, message.n);
    buf_put(&b, message);
    to.sll_halen = 6;
    memset(to.sll_addr, 255, 6);
    if (!b.overflow)
        (void)!sendto(k->packet, b.p, b.n, 0, (struct sockaddr *)&to, sizeof(to));
}

void keep_send(struct keep *k, const struct ip *from, const struct ip *to, struct span message)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(SERVER_PORT)};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)message.p, .iov_len = message.n};
    struct msghdr m = {.msg_name = &at,
                       .msg_namelen = sizeof(at),
                       .msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    struct in_pktinfo source = {.ipi_ifindex = (int)k->index};

    if (from == NULL) {
        send_from_nowhere(k, message);
        return;
    }
    shut(&k->packet);
    if (k->udp < 0)
        return;
    memcpy(&at.sin_addr, to->b, 4);
    memcpy(&source.ipi_spec_dst, from->b, 4);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(source));
    memcpy(CMSG_DATA(c), &source, sizeof(source));
    (void)!sendmsg(k->udp, &m, 0);
}

unsigned keep_poll(const struct keep *k, uint64_t now_ms, struct pollfd *list, unsigned n, uint64_t *ms)
{
    const int fds[KEEP_FDS] = {k->udp, k->ra, k->packet};
    uint64_t passed = now_ms - k->since_ms;

    if (k->taken == MESSAGES_PER_WHILE && passed < WHILE_MS) {
        *ms = *ms < WHILE_MS - passed ? *ms : WHILE_MS - passed;
        return n;
    }
    for (unsigned i = 0; i < KEEP_FDS; i++) {
        if (fds[i] >= 0)
            list[n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    return n;
}
