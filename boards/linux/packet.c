/*
 * packet.c - see packet.h.
 */
#include "boards/linux/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

_Static_assert(sizeof(struct vnet_hdr) == 10, "struct virtio_net_hdr without its later fields");

void packet_init(struct packets *p)
{
    for (unsigned i = 0; i < BOARD_NICS_MAX; i++)
        p->fd[i] = -1;
}

static void quiet_kernel(struct packets *p, unsigned nic, const char *name)
{
    char path[SYSFILE_PATH];
    sysfile_path(path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    /* A kernel without IPv6 has no such file and needs none. */
    if (sysfile_u64(path, 1) == 0 && !sysfile_write(path, "1"))
        p->ip6_quiet[nic] = true;
}

static bool option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_PACKET, name, &value, sizeof value) == 0;
}

enum err packet_open(struct packets *p, const struct nics *n, unsigned nic)
{
    unsigned index = nic_index(n, nic);
    if (index == 0)
        return ERR_LINK_NONE;
    if (packet_is_lost(p, n, nic))
        packet_close(p, nic);
    if (p->fd[nic] >= 0)
        return OK;
    quiet_kernel(p, nic, n->name[nic]);
    /* A socket bound to a link that is down keeps a pending ENETDOWN, which the first send would get. */
    if (nic_up(n->name[nic]))
        return ERR_IO;
    /* Protocol 0 receives nothing until bind: with a protocol here, frames of all links would queue, and bind would wait for a grace period. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ERR_IO;
    struct packet_mreq all = {.mr_ifindex = (int)index, .mr_type = PACKET_MR_ALLMULTI};
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
    bool good = option(fd, PACKET_VNET_HDR, 1) && option(fd, PACKET_AUXDATA, 1) &&
                setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0;
    /* Kernels before 4.20 lack it; packet_recv() drops our own frames too. */
    (void)option(fd, PACKET_IGNORE_OUTGOING, 1);
    if (!good || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return ERR_IO;
    }
    p->fd[nic] = fd;
    p->index[nic] = index;
    return OK;
}

void packet_close(struct packets *p, unsigned nic)
{
    if (nic >= BOARD_NICS_MAX || p->fd[nic] < 0)
        return;
    close(p->fd[nic]);
    p->fd[nic] = -1;
    if (p->owner == nic)
        p->vnet = (struct vnet){0};
}

bool packet_is_lost(const struct packets *p, const struct nics *n, unsigned nic)
{
    return nic < BOARD_NICS_MAX && p->fd[nic] >= 0 && nic_index(n, nic) != p->index[nic];
}

enum err packet_send(struct packets *p, unsigned nic, struct span frame)
{
    if (nic >= BOARD_NICS_MAX || p->fd[nic] < 0)
        return ERR_STATE;
    struct vnet_hdr h = {0};
    struct iovec io[2] = {
        {.iov_base = &h, .iov_len = sizeof h},
        {.iov_base = (void *)(uintptr_t)frame.p, .iov_len = frame.n},
    };
    /* ENETDOWN may be an old one that was kept for the next call: try once more. */
    for (int i = 0; i < 2; i++)
        if (writev(p->fd[nic], io, 2) == (ssize_t)(sizeof h + frame.n))
            return OK;
    return ERR_IO;
}

/* True if the card took a VLAN tag off this frame: without its tag it would pass for one of the untagged segment. */
static bool is_tagged(const struct msghdr *m)
{
    /* take() gives room for exactly one message. */
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    struct tpacket_auxdata aux;

    if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
        return false;
    memcpy(&aux, CMSG_DATA(c), sizeof aux);
    /* VLAN 0 is a priority tag on an untagged frame (IEEE 802.1Q 9.6). */
    return (aux.tp_status & TP_STATUS_VLAN_VALID) && (aux.tp_vlan_tci & 0xfff) != 0;
}

/* Takes frames off the socket until one is ours. False: nothing there. */
static bool take(struct packets *p, unsigned nic)
{
    for (int tries = 0; tries < 64; tries++) {
        struct vnet_hdr h;
        struct sockaddr_ll from;
        _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct iovec io[2] = {
            {.iov_base = &h, .iov_len = sizeof h},
            {.iov_base = p->super, .iov_len = sizeof p->super},
        };
        struct msghdr m = {
            .msg_name = &from,
            .msg_namelen = sizeof from,
            .msg_iov = io,
            .msg_iovlen = 2,
            .msg_control = control,
            .msg_controllen = sizeof control,
        };
        ssize_t got = recvmsg(p->fd[nic], &m, MSG_DONTWAIT);
        if (got < 0 && (errno == ENETDOWN || errno == EINTR))
            continue; /* reported once when the link went down */
        if (got < 0)
            return false;
        if ((size_t)got < sizeof h || (m.msg_flags & MSG_TRUNC) || is_tagged(&m))
            continue;
        if (from.sll_pkttype == PACKET_OUTGOING || from.sll_pkttype == PACKET_OTHERHOST)
            continue;
        if (!vnet_take(&p->vnet, &h, p->super, (size_t)got - sizeof h)) {
            p->owner = nic;
            return true;
        }
    }
    return false;
}

size_t packet_recv(struct packets *p, unsigned nic, uint8_t *ret, size_t cap)
{
    if (nic >= BOARD_NICS_MAX || p->fd[nic] < 0)
        return 0;
    if (p->owner != nic) {
        p->asked = p->vnet.waiting;
        if (p->asked)
            return 0;
    }
    for (;;) {
        size_t n = vnet_next(&p->vnet, ret, cap);
        if (n > 0)
            return n;
        /* One link's super-frames behind each other would keep the others out for ever. */
        if (p->owner == nic && p->asked) {
            p->asked = false;
            return 0;
        }
        if (!take(p, nic))
            return 0;
    }
}

bool packet_waiting(const struct packets *p)
{
    return p->vnet.waiting;
}

void packet_restore(struct packets *p, const struct nics *n)
{
    for (unsigned i = 0; i < n->count; i++) {
        char path[SYSFILE_PATH];
        if (p->ip6_quiet[i])
            (void)!sysfile_write(sysfile_path(path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", n->name[i]),
                                 "0");
        p->ip6_quiet[i] = false;
    }
}
