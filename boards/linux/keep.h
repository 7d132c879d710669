/*
 * keep.h - the three sockets by which the agent keeps leases while the kernel owns the network (host.h: keep_*).
 *
 *   UDP 0.0.0.0:68 on the link    answers to renewals; without it the kernel would answer them with "port unreachable". Sends what has a source address
 *   raw ICMPv6 on the link        router advertisements only (ICMP6_FILTER, RFC 3542 section 3.2)
 *   packet socket, IPv4           only while the machine has no IPv4 address: the kernel would neither send from 0.0.0.0 nor let the answer in
 *
 * A classic BPF program in front of each passes only what is needed: DHCP answers for this link's MAC; advertisements with hop limit 255 from a
 * link-local address. Nothing else wakes the agent or reaches its code. The sockets answer nothing: what leaves is keep_send()'s only.
 */
#ifndef JOINBOOT_BOARDS_LINUX_KEEP_H
#define JOINBOOT_BOARDS_LINUX_KEEP_H

#include <poll.h>

#include "boards/linux/nic.h"
#include "firmware/agent/host.h"

enum { KEEP_MESSAGE_MAX = 1500, KEEP_FDS = 3 };

struct keep {
    int udp, ra, packet; /* -1: closed; keep_init() sets that */
    unsigned index;      /* the link */
    uint8_t mac[6];
    uint64_t since_ms; /* of the while in which `taken` messages were read */
    unsigned taken;
    uint8_t bytes[KEEP_MESSAGE_MAX];
};

void keep_init(struct keep *k);

/* ERR_KEEP. Closes what an earlier call opened. */
enum err keep_open(struct keep *k, const struct nics *nics, unsigned nic, unsigned families,
                   struct fault *f) MUST_USE;
void keep_close(struct keep *k);

/* host.h: keep_recv, keep_send. */
bool keep_recv(struct keep *k, uint64_t now_ms, struct host_kept_message *ret);
void keep_send(struct keep *k, const struct ip *from, const struct ip *to, struct span message);

/* Adds what wakes the loop to a list with room for KEEP_FDS; returns the new count. After a flood it is silent for a while, and *ms, the time to
 * sleep, is cut to that while. */
unsigned keep_poll(const struct keep *k, uint64_t now_ms, struct pollfd *list, unsigned n, uint64_t *ms);

#endif
