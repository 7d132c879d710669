/*
 * netlink.c - see netlink.h.
 */
#include "boards/linux/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void put(struct netlink_msg *m, const void *p, size_t n)
{
    size_t padded = (n + 3) & ~(size_t)3;

    if (padded > sizeof(m->bytes) - m->n) {
        m->overflow = true;
        return;
    }
    memcpy(m->bytes + m->n, p, n);
    memset(m->bytes + m->n + n, 0, padded - n);
    m->n += padded;
}

static void attr(struct netlink_msg *m, uint16_t type, const void *p, size_t n)
{
    struct rtattr a = {.rta_len = (uint16_t)(sizeof(a) + n), .rta_type = type};

    put(m, &a, sizeof(a));
    put(m, p, n);
}

static void attr_u32(struct netlink_msg *m, uint16_t type, uint32_t v)
{
    attr(m, type, &v, sizeof(v));
}

static void begin(struct netlink_msg *m, uint16_t type, uint16_t flags)
{
    struct nlmsghdr h = {
        .nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags), .nlmsg_seq = 1};

    *m = (struct netlink_msg){0};
    put(m, &h, sizeof(h));
}

static void end(struct netlink_msg *m)
{
    struct nlmsghdr h;

    memcpy(&h, m->bytes, sizeof(h));
    h.nlmsg_len = (uint32_t)m->n;
    memcpy(m->bytes, &h, sizeof(h));
}

static size_t ip_size(const struct ip *a)
{
    return a->family == FAMILY_V4 ? 4 : 16;
}

static uint8_t kernel_family(enum family f)
{
    return f == FAMILY_V4 ? AF_INET : AF_INET6;
}

static void addr_head(struct netlink_msg *m, unsigned index, const struct ip_prefix *a)
{
    struct ifaddrmsg head = {.ifa_family = kernel_family(a->addr.family),
                             .ifa_prefixlen = a->len,
                             .ifa_scope = RT_SCOPE_UNIVERSE,
                             .ifa_index = index};

    put(m, &head, sizeof(head));
    attr(m, IFA_LOCAL, a->addr.b, ip_size(&a->addr));
    attr(m, IFA_ADDRESS, a->addr.b, ip_size(&a->addr));
}

static void addr_new(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr,
                     const struct ifa_cacheinfo *life, uint32_t flags6)
{

    begin(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
    addr_head(m, index, addr);
    if (addr->addr.family == FAMILY_V4 && addr->len < 31) {
        uint8_t all[4];
        for (unsigned i = 0; i < 4; i++) {
            unsigned host_bits = addr->len >= 8 * i + 8 ? 0 : addr->len <= 8 * i ? 8 : 8 * i + 8 - addr->len;
            all[i] = (uint8_t)(addr->addr.b[i] | ((1u << host_bits) - 1));
        }
        attr(m, IFA_BROADCAST, all, sizeof(all));
    }
    attr(m, IFA_CACHEINFO, life, sizeof(*life));
    if (addr->addr.family == FAMILY_V6)
        attr_u32(m, IFA_FLAGS, flags6);
    end(m);
}

void netlink_addr_add(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr, uint32_t valid_s)
{
    struct ifa_cacheinfo life = {.ifa_prefered = valid_s, .ifa_valid = valid_s};

    addr_new(m, index, addr, &life, IFA_F_NODAD);
}

void netlink_addr_lifetime(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr,
                           uint32_t valid_s, uint32_t preferred_s)
{
    struct ifa_cacheinfo life = {.ifa_prefered = preferred_s, .ifa_valid = valid_s};

    addr_new(m, index, addr, &life, 0);
}

void netlink_addr_del(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr)
{
    begin(m, RTM_DELADDR, 0);
    addr_head(m, index, addr);
    end(m);
}

static void route(struct netlink_msg *m, unsigned index, const struct host_route *r, bool onlink,
                  uint32_t metric)
{
    struct rtmsg head = {.rtm_family = kernel_family(r->family),
                         .rtm_dst_len = r->dst.len,
                         .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_STATIC,
                         .rtm_scope = RT_SCOPE_UNIVERSE,
                         .rtm_type = RTN_UNICAST,
                         .rtm_flags = onlink ? RTNH_F_ONLINK : 0};

    put(m, &head, sizeof(head));
    if (r->dst.len > 0)
        attr(m, RTA_DST, r->dst.addr.b, r->family == FAMILY_V4 ? 4 : 16);
    attr(m, RTA_GATEWAY, r->via.b, r->family == FAMILY_V4 ? 4 : 16);
    attr_u32(m, RTA_OIF, index);
    if (metric)
        attr_u32(m, RTA_PRIORITY, metric);
    if (r->expires_s && r->family == FAMILY_V6)
        attr_u32(m, RTA_EXPIRES, r->expires_s);
    end(m);
}

void netlink_route_add(struct netlink_msg *m, unsigned index, const struct host_route *r, bool onlink,
                       uint32_t metric)
{
    begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    route(m, index, r, onlink, metric);
}

void netlink_route_del(struct netlink_msg *m, unsigned index, const struct host_route *r)
{
    begin(m, RTM_DELROUTE, 0);
    route(m, index, r, false, 0);
}

int netlink_do(struct netlink_msg *m)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct timeval patience = {.tv_sec = 1};
    _Alignas(4) uint8_t answer[1024];
    int error = EMSGSIZE;
    ssize_t got;
    int fd = m->overflow ? -1 : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return m->overflow ? error : errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (sendto(fd, m->bytes, m->n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) != (ssize_t)m->n)
        goto fail;
    got = recv(fd, answer, sizeof(answer), 0);
    if (got < 0)
        goto fail;
    error = EPROTO;
    if ((size_t)got >= sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr)) {
        struct nlmsghdr h;
        struct nlmsgerr e;
        memcpy(&h, answer, sizeof(h));
        memcpy(&e, answer + sizeof(h), sizeof(e));
        if (h.nlmsg_type == NLMSG_ERROR)
            error = -e.error;
    }
    close(fd);
    return error;
fail:
    error = errno;
    close(fd);
    return error;
}
