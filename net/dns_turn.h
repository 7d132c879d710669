/*
 * dns_turn.h - the resolver's side towards net.c: its timers run inside net_poll(). Only for files in net/.
 */
#ifndef JOINBOOT_NET_DNS_TURN_H
#define JOINBOOT_NET_DNS_TURN_H

#include "net/dns.h"
#include "net/kernel.h"

/* Datagrams over lwIP. */
extern const struct datagrams dns_lwip;

/* A datagram came from the server of this socket. */
void dns_deliver(int id, struct span msg);

/* Reads what came, and sends again what is overdue. */
void dns_turn(uint64_t now_ms);
uint64_t dns_wake_ms(void);
/* Ends all queries. */
void dns_stop_all(void);

#endif
