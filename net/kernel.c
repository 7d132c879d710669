/*
 * kernel.c - net.h on a system whose network is up (kernel.h): looks at what the system has and changes nothing.
 *
 * Invariant: the status changes only in kernel_start() and kernel_poll(), so it is stable between two turns.
 */
#include "net/kernel.h"

#include "net/dns_turn.h"

enum { KERNEL_LOOK_MS = 1000 };

static struct {
    const struct kernel *ops; /* NULL: lwIP */
    bool running;
    unsigned nic;
    uint64_t look_ms; /* of the next look that nothing else causes */
    struct net_status status;
} state;

void kernel_use(const struct kernel *k)
{
    state.ops = k;
    state.running = false;
}

const struct kernel *kernel_used(void)
{
    return state.ops;
}

static void kernel_look(uint64_t now_ms)
{
    state.status = (struct net_status){0};
    state.ops->look(state.ops->ctx, state.nic, now_ms, &state.status);
    state.look_ms = now_ms + KERNEL_LOOK_MS;
}

enum err kernel_start(unsigned nic, uint64_t now_ms)
{
    if (state.running)
        return ERR_STATE;
    state.running = true;
    state.nic = nic;
    kernel_look(now_ms);
    return OK;
}

void kernel_stop(void)
{
    if (state.running)
        dns_stop_all();
    state.running = false;
}

bool kernel_poll(uint64_t now_ms)
{
    if (!state.running)
        return false;
    kernel_look(now_ms);
    dns_turn(now_ms);
    return state.ops->progress(state.ops->ctx);
}

uint64_t kernel_wake_ms(uint64_t now_ms)
{
    uint64_t wake = dns_wake_ms();

    if (!state.running)
        return UINT64_MAX;
    wake = wake < state.look_ms ? wake : state.look_ms;
    return wake > now_ms ? wake : now_ms;
}

void kernel_status(struct net_status *ret)
{
    *ret = state.running ? state.status : (struct net_status){0};
}

enum err kernel_static_addr(const struct ip_prefix *addr)
{
    if (!state.running)
        return ERR_STATE;
    return state.ops->has(state.ops->ctx, &addr->addr) ? OK : ERR_ADDRESS_STATIC;
}
