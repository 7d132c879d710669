/*
 * lease_msg.h - the DHCPv4 messages that a client with a lease sends and reads (RFC 2131, RFC 2132). Pure.
 */
#ifndef JOINBOOT_NET_LEASE_MSG_H
#define JOINBOOT_NET_LEASE_MSG_H

#include "net/lease.h"

/* RFC 2132 section 9.6. */
enum lease_type { LEASE_DISCOVER = 1, LEASE_OFFER = 2, LEASE_REQUEST = 3, LEASE_ACK = 5, LEASE_NAK = 6 };

/* A message of the client. Without ciaddr the answer is asked for as a broadcast, since the machine cannot receive anything else. */
struct lease_msg {
    enum lease_type type;
    uint32_t xid;
    const uint8_t *mac;      /* 6 bytes */
    const struct ip *ciaddr; /* NULL: 0.0.0.0 */
    const struct ip *wanted; /* requested address; NULL: not said */
    const struct ip *server; /* server identifier; NULL: not said */
};

/* Appends LEASE_MESSAGE_MAX bytes. */
void lease_msg_put(struct buf *ret, const struct lease_msg *m);

/* True if the message is a server's well-formed OFFER, ACK or NAK for this client and transaction; it names its server. */
bool lease_msg_read(struct span m, uint32_t xid, const uint8_t mac[static 6], enum lease_type *ret_type,
                    struct lease_grant *ret);

#endif
