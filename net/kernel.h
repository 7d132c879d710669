/*
 * kernel.h - the network of a system that is up already: the operating system owns addresses and routes, and connections go over its sockets.
 *
 * After kernel_use() everything above net/ works as it does with lwIP: net.h shows what the system has instead of acquiring it, net_transport()
 * and the resolver use the system's sockets, and no frame is read or sent. lwIP is not entered. One caller, one thread.
 */
#ifndef JOINBOOT_NET_KERNEL_H
#define JOINBOOT_NET_KERNEL_H

#include "net/conn.h"
#include "net/net.h"

/* Datagrams to one server and port, from a random port of our own; what others send does not arrive. */
struct datagrams {
    enum err (*open)(const struct ip *server, uint16_t port, int *ret_id);
    enum err (*send)(int id, struct span data);
    /* The next datagram, cut at cap; 0: none waits. NULL: the transport calls dns_deliver() itself (net/dns_turn.h). */
    size_t (*recv)(int id, uint8_t *ret, size_t cap);
    void (*close)(int id);
    /* Whoever is next on the way to the server has said its link-layer address; if not, it is asked for. What is sent before may be lost without a
     * word. NULL: nobody knows. */
    bool (*reaches)(int id);
};

/* What an operating system gives. No operation blocks. */
struct kernel {
    void *ctx;
    const struct transport *streams;
    const struct datagrams *datagrams;
    /* The NIC whose default route the system uses; of a family that only another NIC routes, see look. False: there is no default route. */
    bool (*default_nic)(void *ctx, unsigned *ret_nic);
    /* What the system has, as seen from this NIC. v4 and v6 are those that a node may be known by: tentative ones show as such; temporary,
     * deprecated and secondary ones are left out. A family that this NIC has no default route of is taken from the NIC that has. */
    void (*look)(void *ctx, unsigned nic, uint64_t now_ms, struct net_status *ret);
    /* This address is on any link of the system, and may be used. */
    bool (*has)(void *ctx, const struct ip *addr);
    /* A socket was read, and may hold more. Asking resets it. */
    bool (*progress)(void *ctx);
};

/* Uses this network from the next net_start() on; NULL: lwIP again. k must live on. */
void kernel_use(const struct kernel *k);
/* NULL: lwIP is used. */
const struct kernel *kernel_used(void);

/* The datagrams of the network that is used: lwIP's, or those of the system. */
const struct datagrams *net_datagrams(void);

/* What net.h says, for net.c. */
enum err kernel_start(unsigned nic, uint64_t now_ms) MUST_USE;
void kernel_stop(void);
bool kernel_poll(uint64_t now_ms);
uint64_t kernel_wake_ms(uint64_t now_ms);
void kernel_status(struct net_status *ret);
/* Nothing is set: OK if the system has the address already, else ERR_ADDRESS_STATIC. */
enum err kernel_static_addr(const struct ip_prefix *addr) MUST_USE;

#endif
