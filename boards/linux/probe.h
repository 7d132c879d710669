/*
 * probe.h - questions about this machine that need a socket: does something listen, is a port free, does a health endpoint say 200.
 *
 * Everything is non-blocking; probe_http() keeps one request in flight and is asked again until it has an answer.
 */
#ifndef JOINBOOT_BOARDS_LINUX_PROBE_H
#define JOINBOOT_BOARDS_LINUX_PROBE_H

#include "firmware/agent/host.h"

enum { PROBE_TIMEOUT_MS = 3000, PROBE_REQUEST = 256 };

struct probe {
    int fd; /* -1: no request in flight */
    struct ip addr;
    uint16_t port;
    bool sent;
    uint64_t start_ms;
    size_t n;
    char request[PROBE_REQUEST];
    char answer[16]; /* "HTTP/1.1 200" is all that counts */
};

void probe_init(struct probe *p);

/* What poll(2) shall wait for on p->fd. */
short probe_events(const struct probe *p);

/* addr of family NONE: 127.0.0.1. */
enum host_answer probe_http(struct probe *p, const struct ip *addr, uint16_t port, const char *path,
                            uint64_t now_ms);

/* HOST_BUSY: somebody listens, but with a full queue. */
enum host_answer probe_unix(const char *path);

/* As Go's net.Listen("tcp", ":port"): both families, an old connection in TIME_WAIT does not count. */
enum host_answer probe_port_free(uint16_t port);

/* /proc/swaps has an entry below its heading. */
bool probe_swap_on(void);

/* systemd-resolved keeps its own resolv.conf below /run, which is empty after a power-on. */
bool probe_resolved_active(void);

#endif
