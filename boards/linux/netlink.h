/*
 * netlink.h - builds rtnetlink messages (rtnetlink(7)) in a caller's buffer, and sends one and waits for the kernel's answer.
 *
 * A message: struct nlmsghdr, a fixed part (ifaddrmsg, rtmsg, ifinfomsg), then attributes {length, type, bytes}, each padded to 4.
 */
#ifndef JOINBOOT_BOARDS_LINUX_NETLINK_H
#define JOINBOOT_BOARDS_LINUX_NETLINK_H

#include "firmware/agent/host.h"

enum { NETLINK_MESSAGE = 256 };

struct netlink_msg {
    _Alignas(4) uint8_t bytes[NETLINK_MESSAGE];
    size_t n;
    bool overflow;
};

/* An address on a link. IPv6 skips duplicate address detection: the agent's own stack has done it. valid_s UINT32_MAX: for ever. */
void netlink_addr_add(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr, uint32_t valid_s);
/* The same with a preferred lifetime; an IPv6 address that the kernel does not have any more passes its duplicate address detection. */
void netlink_addr_lifetime(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr,
                           uint32_t valid_s, uint32_t preferred_s);
void netlink_addr_del(struct netlink_msg *m, unsigned index, const struct ip_prefix *addr);

/* A unicast route over a gateway. `onlink`: the gateway is reachable although no address of ours has its prefix. metric 0: the kernel's default. */
void netlink_route_add(struct netlink_msg *m, unsigned index, const struct host_route *r, bool onlink,
                       uint32_t metric);
void netlink_route_del(struct netlink_msg *m, unsigned index, const struct host_route *r);

/* Sends the message and reads the acknowledgement. Returns 0 or the kernel's errno. */
int netlink_do(struct netlink_msg *m);

#endif
