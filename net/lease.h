/*
 * lease.h - the client's side of a DHCPv4 lease that is held already: extends it, and asks for the same address again once it has ended
 * (RFC 2131 sections 3.2 and 4.4.5). Pure: takes the time and bytes, gives messages and events. Messages are the payload of UDP from port 68 to 67.
 *
 *   BOUND      until T1, nothing is said
 *   RENEWING   T1 to T2: DHCPREQUEST to the server that gave the lease, only whose word counts
 *   REBINDING  T2 to the end: DHCPREQUEST to all servers
 *   LOST       after the end: DHCPREQUEST (INIT-REBOOT) and DHCPDISCOVER in turn, always for the same address, for ever
 *
 * A refusal (DHCPNAK) or another address ends nothing: anybody on the link can say so, and the lease is the machine's until its end.
 */
#ifndef JOINBOOT_NET_LEASE_H
#define JOINBOOT_NET_LEASE_H

#include "firmware/base/ip.h"

enum { LEASE_DNS_MAX = 4, LEASE_MESSAGE_MAX = 300, LEASE_MESSAGE_MIN = 240, LEASE_RETRY_MIN_MS = 60000 };

/* What a server granted. Times in seconds; UINT32_MAX: for ever. */
struct lease_grant {
    struct ip addr, server;
    struct ip router; /* family NONE: none */
    struct ip dns[LEASE_DNS_MAX];
    unsigned dns_count;
    uint32_t lease_s;
    uint32_t t1_s, t2_s; /* 0: the server did not say */
};

enum lease_state { LEASE_NONE, LEASE_BOUND, LEASE_RENEWING, LEASE_REBINDING, LEASE_LOST };

enum lease_event {
    LEASE_NOTHING,
    LEASE_SEND,       /* there is a message to send */
    LEASE_UNANSWERED, /* T2 has passed without an answer */
    LEASE_EXPIRED,    /* the address must not be used any more */
    LEASE_RENEWED,    /* grant and end are new; also when a lost address has come back */
    LEASE_REFUSED,    /* a server said no */
    LEASE_OTHER       /* a server gave another address */
};

struct lease {
    enum lease_state state;
    uint8_t mac[6];
    struct lease_grant grant;
    uint64_t t1_ms, t2_ms, end_ms; /* UINT64_MAX: never */
    uint64_t next_ms;              /* of the next message */
    uint64_t sent_ms;              /* of the last one, from which a new lease counts */
    uint32_t xid;
    unsigned tries;           /* in this state */
    bool discovering;         /* the last message was a DHCPDISCOVER */
    bool refused;             /* a refusal of the last message was told; another server may still agree */
    struct ip offered_server; /* whose offer is to be taken; family NONE: none */
};

/* Takes over a lease that was granted at granted_ms. `random` spreads the renewals of machines that were switched on together. */
void lease_begin(struct lease *l, const uint8_t mac[static 6], const struct lease_grant *grant,
                 uint64_t granted_ms, uint32_t random);

/* When lease_turn wants to be called again at the latest; UINT64_MAX: never. */
uint64_t lease_wake_ms(const struct lease *l);

/* The next thing that is due now; to be called until LEASE_NOTHING. LEASE_SEND: the message is in *ret (LEASE_MESSAGE_MAX bytes of room), and goes to
 * *ret_to, from the address, or from nowhere if the state is LEASE_LOST. `random` becomes the message's transaction. */
enum lease_event lease_turn(struct lease *l, uint64_t now_ms, uint32_t random, struct buf *ret,
                            struct ip *ret_to);

/* A message from a server. LEASE_NOTHING: not for us, not asked for, or malformed. *ret_said: the address and the server of _REFUSED and _OTHER. */
enum lease_event lease_received(struct lease *l, uint64_t now_ms, uint32_t random, struct span message,
                                struct lease_grant *ret_said);

/* Seconds until the end, at least 0; UINT32_MAX: for ever. */
uint32_t lease_left_s(const struct lease *l, uint64_t now_ms);

#endif
