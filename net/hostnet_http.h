/*
 * hostnet_http.h - the HTTP server on a BMC's host link (hostnet.h). Only for files in net/ that include lwIP headers.
 *
 * GET and HEAD of /bundle and /status, PUT of /joined; one request per connection, at most HOSTNET_CONNS of them.
 */
#ifndef JOINBOOT_NET_HOSTNET_HTTP_H
#define JOINBOOT_NET_HOSTNET_HTTP_H

#include "net/hostnet.h"

#include "lwip/netif.h"

/* Listens on this interface and no other. ERR_NOMEM. */
enum err hostnet_http_listen(struct netif *netif) MUST_USE;
/* True if a connection from this port is allowed: it is there already and asks again, or there is room for one more. Those that lwIP is still opening or
 * closing count, and the oldest of them makes room. */
bool hostnet_http_has_room(uint16_t port);
/* Answers, sends, ends what took too long. How many bundles went out whole. */
unsigned hostnet_http_turn(uint64_t now_ms);
/* Ends all connections. */
void hostnet_http_end(void);

#endif
