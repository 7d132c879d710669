/*
 * dns_turn.h - the resolver's side towards net.c: its timers run inside net_poll(). Only for files in net/.
 */
#ifndef JOINBOOT_NET_DNS_TURN_H
#define JOINBOOT_NET_DNS_TURN_H

#include "net/dns.h"

/* Sends again what is overdue. */
void dns_turn(uint64_t now_ms);
uint64_t dns_wake_ms(void);
/* Ends all queries. */
void dns_stop_all(void);

#endif
