/*
 * hostaddrs.c - see hostaddrs.h: taking the picture. What is read out of it is in hostaddrs_status.c.
 */
#include "boards/linux/hostaddrs.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"

enum { DUMP_BYTES = 16 * 1024, RESOLV_BYTES = 4096, DUMP_TRIES = 3 };

/* Attributes of a message: the last of each number, as the kernel sends them once. */
static struct span attribute(struct span attrs, unsigned type)
{
    struct span found = {0};
    struct rtattr a;

    while (attrs.n >= sizeof(a)) {
        memcpy(&a, attrs.p, sizeof(a));
        if (a.rta_len < sizeof(a) || a.rta_len > attrs.n)
            break;
        if (a.rta_type == type)
            found = span_sub(attrs, sizeof(a), a.rta_len - sizeof(a));
        attrs = span_sub(attrs, (a.rta_len + 3u) & ~3u, attrs.n);
    }
    return found;
}

static uint32_t number(struct span s, uint32_t none)
{
    uint32_t v = none;

    if (s.n == sizeof(v))
        memcpy(&v, s.p, sizeof(v));
    return v;
}

/* False if it is not an address of this family. */
static bool address(struct span s, uint8_t family, struct ip *ret)
{
    size_t n = family == AF_INET ? 4 : 16;

    if ((family != AF_INET && family != AF_INET6) || s.n != n)
        return false;
    *ret = (struct ip){.family = family == AF_INET ? FAMILY_V4 : FAMILY_V6};
    memcpy(ret->b, s.p, n);
    return true;
}

static void take_address(struct hostaddrs *h, struct span body)
{
    struct hostaddrs_addr a = {.valid_s = UINT32_MAX, .preferred = UINT32_MAX};
    struct ifa_cacheinfo life;
    struct ifaddrmsg head;
    struct span attrs, s;

    if (body.n < sizeof(head) || h->addr_count == HOSTADDRS_MAX)
        return;
    memcpy(&head, body.p, sizeof(head));
    attrs = span_sub(body, NLMSG_ALIGN(sizeof(head)), body.n);
    /* On a point-to-point link ADDRESS is the peer's, and LOCAL ours. */
    s = attribute(attrs, IFA_LOCAL);
    if (!address(s.n ? s : attribute(attrs, IFA_ADDRESS), head.ifa_family, &a.prefix.addr))
        return;
    a.prefix.len = head.ifa_prefixlen;
    a.index = head.ifa_index;
    a.global = head.ifa_scope == RT_SCOPE_UNIVERSE;
    a.flags = number(attribute(attrs, IFA_FLAGS), head.ifa_flags);
    s = attribute(attrs, IFA_CACHEINFO);
    if (s.n >= sizeof(life)) {
        memcpy(&life, s.p, sizeof(life));
        a.valid_s = life.ifa_valid;
        a.preferred = life.ifa_prefered;
    }
    h->addrs[h->addr_count++] = a;
}

/* The first next hop of a route over several. */
static struct span first_hop(struct span multipath, unsigned *ret_index)
{
    struct rtnexthop hop;

    if (multipath.n < sizeof(hop))
        return (struct span){0};
    memcpy(&hop, multipath.p, sizeof(hop));
    if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > multipath.n)
        return (struct span){0};
    *ret_index = (unsigned)hop.rtnh_ifindex;
    return span_sub(multipath, sizeof(hop), hop.rtnh_len - sizeof(hop));
}

static void take_route(struct hostaddrs *h, struct span body)
{
    struct hostaddrs_route r = {0};
    struct rtmsg head;
    struct span attrs, hops;

    if (body.n < sizeof(head) || h->route_count == HOSTADDRS_ROUTES)
        return;
    memcpy(&head, body.p, sizeof(head));
    attrs = span_sub(body, NLMSG_ALIGN(sizeof(head)), body.n);
    if (head.rtm_dst_len != 0 || head.rtm_type != RTN_UNICAST || (head.rtm_flags & RTM_F_CLONED) ||
        number(attribute(attrs, RTA_TABLE), head.rtm_table) != RT_TABLE_MAIN ||
        (head.rtm_family != AF_INET && head.rtm_family != AF_INET6))
        return;
    r.family = head.rtm_family == AF_INET ? FAMILY_V4 : FAMILY_V6;
    r.via.family = r.family;
    r.metric = number(attribute(attrs, RTA_PRIORITY), 0);
    (void)address(attribute(attrs, RTA_PREFSRC), head.rtm_family, &r.source);
    r.index = number(attribute(attrs, RTA_OIF), 0);
    hops = attribute(attrs, RTA_MULTIPATH);
    if (hops.n)
        attrs = first_hop(hops, &r.index);
    (void)address(attribute(attrs, RTA_GATEWAY), head.rtm_family, &r.via);
    if (r.index)
        h->routes[h->route_count++] = r;
}

bool hostaddrs_take(struct hostaddrs *h, struct span messages)
{
    struct nlmsghdr m;

    while (messages.n >= sizeof(m)) {
        memcpy(&m, messages.p, sizeof(m));
        if (m.nlmsg_len < sizeof(m) || m.nlmsg_len > messages.n)
            return true;
        struct span body = span_sub(messages, sizeof(m), m.nlmsg_len - sizeof(m));
        if (m.nlmsg_type == NLMSG_DONE || m.nlmsg_type == NLMSG_ERROR)
            return true;
        if (m.nlmsg_type == RTM_NEWADDR)
            take_address(h, body);
        else if (m.nlmsg_type == RTM_NEWROUTE)
            take_route(h, body);
        messages = span_sub(messages, NLMSG_ALIGN(m.nlmsg_len), messages.n);
    }
    return false;
}

/* Asks for all of one kind. False if the kernel did not answer to the end. */
static bool dump(struct hostaddrs *h, uint16_t type)
{
    struct {
        struct nlmsghdr head;
        struct rtgenmsg family;
    } ask = {.head = {.nlmsg_len = sizeof(ask),
                      .nlmsg_type = type,
                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                      .nlmsg_seq = 1}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct timeval patience = {.tv_sec = 1};
    _Alignas(4) uint8_t answer[DUMP_BYTES];
    bool done = false;
    ssize_t got;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (sendto(fd, &ask, sizeof(ask), 0, (struct sockaddr *)&kernel, sizeof(kernel)) ==
        (ssize_t)sizeof(ask)) {
        while (!done && (got = recv(fd, answer, sizeof(answer), 0)) > 0)
            done = hostaddrs_take(h, span_of(answer, (size_t)got));
    }
    close(fd);
    return done;
}

/* A zone names the link that a link-local server is on. */
static bool server(struct span text, struct ip *ret)
{
    struct span zone = text;

    text = span_cut(&zone, '%');
    return ip_parse(text, ret) == OK && !ip_is_zero(ret) && !ip_is_multicast(ret);
}

void hostaddrs_take_resolv(struct hostaddrs *h, struct span text)
{
    while (text.n && h->dns_count < NET_DNS_MAX) {
        struct span line = span_trim(span_cut(&text, '\n'));
        size_t word = sizeof("nameserver") - 1;
        if (!span_starts(line, "nameserver") || line.n == word ||
            (line.p[word] != ' ' && line.p[word] != '\t'))
            continue;
        line = span_trim(span_sub(line, word, line.n));
        line = span_cut(&line, ' ');
        if (server(span_cut(&line, '\t'), &h->dns[h->dns_count]))
            h->dns_count++;
    }
}

static void read_all(struct hostaddrs *h)
{
    uint8_t text[RESOLV_BYTES];
    size_t n = 0;

    for (unsigned i = 0; i < DUMP_TRIES; i++) {
        h->addr_count = h->route_count = 0;
        if (dump(h, RTM_GETADDR) && dump(h, RTM_GETROUTE))
            break;
    }
    h->dns_count = 0;
    if (sysfile_read("/etc/resolv.conf", text, sizeof(text), &n) == OK)
        hostaddrs_take_resolv(h, span_of(text, n));
}

void hostaddrs_open(struct hostaddrs *h)
{
    struct sockaddr_nl at = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                          RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};

    h->known = false;
    h->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (h->fd >= 0 && bind(h->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        hostaddrs_close(h);
}

void hostaddrs_close(struct hostaddrs *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
}

/* Reads away what the kernel told. ENOBUFS says that it told more than was kept: a change as well. */
static bool changed(const struct hostaddrs *h)
{
    uint8_t drop[4096];
    bool any = false;
    ssize_t got = -1;

    for (unsigned i = 0; h->fd >= 0 && i < 256; i++) {
        got = recv(h->fd, drop, sizeof(drop), MSG_TRUNC);
        if (got < 0 && errno != ENOBUFS)
            break;
        any = true;
    }
    return any;
}

void hostaddrs_look(struct hostaddrs *h, uint64_t now_ms)
{
    if (!changed(h) && h->known && now_ms - h->read_ms < HOSTADDRS_MS)
        return;
    h->known = true;
    h->read_ms = now_ms;
    read_all(h);
}
