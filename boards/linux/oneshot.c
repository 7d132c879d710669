/*
 * oneshot.c - see oneshot.h.
 */
#include "boards/linux/oneshot.h"

#include "boards/linux/clock.h"

static bool op_default_nic(void *ctx, unsigned *ret_nic)
{
    struct oneshot *o = ctx;
    unsigned count = oneshot_scan(o);
    unsigned link = hostaddrs_default_link(&o->addrs);

    for (unsigned i = 0; i < count; i++) {
        /* The operator's choice of a link needs no default route. */
        if (o->addrs.pinned || (link && nic_index(o->nics, i) == link)) {
            *ret_nic = i;
            return true;
        }
    }
    return false;
}

static void op_look(void *ctx, unsigned nic, uint64_t now_ms, struct net_status *ret)
{
    struct oneshot *o = ctx;
    struct board_nic info;
    unsigned index = nic_index(o->nics, nic);

    hostaddrs_look(&o->addrs, now_ms);
    ret->carrier = index && nic_info(o->nics, nic, &info) == OK && info.carrier;
    ksock_link(index);
    if (index)
        hostaddrs_status(&o->addrs, index, ret);
}

static bool op_has(void *ctx, const struct ip *addr)
{
    const struct oneshot *o = ctx;

    return hostaddrs_has(&o->addrs, addr);
}

static bool op_progress(void *ctx)
{
    (void)ctx;
    return ksock_progress();
}

void oneshot_start(struct oneshot *o, struct nics *nics)
{
    o->nics = nics;
    o->kernel = (struct kernel){
        .ctx = o,
        .streams = &ksock_streams,
        .datagrams = &ksock_datagrams,
        .default_nic = op_default_nic,
        .look = op_look,
        .has = op_has,
        .progress = op_progress,
    };
    hostaddrs_open(&o->addrs);
    o->addrs.pinned = nics->only != NULL;
    kernel_use(&o->kernel);
}

unsigned oneshot_scan(struct oneshot *o)
{
    char name[IFNAMSIZ];
    unsigned link;

    (void)nic_scan(o->nics);
    hostaddrs_look(&o->addrs, clock_now_ms());
    link = hostaddrs_default_link(&o->addrs);
    if (!o->addrs.pinned && link && if_indextoname(link, name))
        nic_add(o->nics, name);
    return o->nics->count;
}

unsigned oneshot_poll(const struct oneshot *o, struct pollfd ret[static ONESHOT_POLL_MAX])
{
    unsigned n = ksock_poll(ret);

    if (o->addrs.fd >= 0)
        ret[n++] = (struct pollfd){.fd = o->addrs.fd, .events = POLLIN};
    return n;
}
