/*
 * hostnet.c - see hostnet.h.
 */
#include "boards/linux/hostnet.h"

#include <errno.h>

#include "boards/linux/files.h"
#include "boards/linux/netlink.h"
#include "boards/linux/sysctl.h"
#include "boards/linux/sysfile.h"

static enum err conf6(const char *link, const char *name, const char *value, struct fault *f)
{
    char key[128];
    struct buf b = BUF_OF(key);

    /* A link's name may hold a dot, which sysctl writes as a slash. */
    buf_str(&b, "net.ipv6.conf.");
    for (const char *p = link; *p; p++)
        buf_u8(&b, (uint8_t)(*p == '.' ? '/' : *p));
    buf_fmt(&b, ".%s%c", name, 0);
    return b.overflow ? fault_set(f, ERR_LIMIT, "%s", link) : sysctl_set(key, value, f);
}

static bool has_ipv6(void)
{
    return sysfile_exists("/proc/sys/net/ipv6");
}

static enum err ipv6_on(const char *link, const struct host_net *want, struct fault *f)
{
    char text[16];
    struct buf b = BUF_OF(text);
    enum err e;

    if (!has_ipv6())
        return OK;
    e = conf6(link, "autoconf", "0", f);
    if (e == OK)
        e = conf6(link, "accept_ra", want->accept_ra ? "2" : "0", f);
    if (e == OK)
        e = conf6("all", "disable_ipv6", "0", f);
    if (e == OK)
        e = conf6("default", "disable_ipv6", "0", f);
    if (e == OK)
        e = conf6(link, "disable_ipv6", "0", f);
    if (e == OK && want->mtu6) {
        buf_fmt(&b, "%u%c", (unsigned)want->mtu6, 0);
        e = conf6(link, "mtu", text, f);
    }
    return e;
}

static bool same_addr(const struct ip_prefix *a, const struct ip_prefix *b)
{
    return a->len == b->len && ip_eq(&a->addr, &b->addr);
}

static bool same_route(const struct host_route *a, const struct host_route *b)
{
    return a->family == b->family && a->dst.len == b->dst.len && ip_eq(&a->via, &b->via) &&
           (a->dst.len == 0 || ip_eq(&a->dst.addr, &b->dst.addr));
}

/* Takes back what `old` has and `want` (NULL: nothing) does not. Losses are not errors: it may be gone already. */
static void take_back(unsigned index, const struct host_net *old, const struct host_net *want)
{
    struct netlink_msg m;
    bool keep;

    for (unsigned i = 0; i < old->route_count; i++) {
        keep = false;
        for (unsigned k = 0; want && k < want->route_count; k++)
            keep = keep || same_route(&old->routes[i], &want->routes[k]);
        netlink_route_del(&m, index, &old->routes[i]);
        (void)(keep ? 0 : netlink_do(&m));
    }
    for (unsigned i = 0; i < old->addr_count; i++) {
        keep = false;
        for (unsigned k = 0; want && k < want->addr_count; k++)
            keep = keep || same_addr(&old->addrs[i], &want->addrs[k]);
        netlink_addr_del(&m, index, &old->addrs[i]);
        (void)(keep ? 0 : netlink_do(&m));
    }
}

static bool gateway_is_near(const struct host_net *want, const struct ip *via)
{
    if (ip_is_link_local(via))
        return true;
    for (unsigned i = 0; i < want->addr_count; i++)
        if (ip_in_prefix(via, &want->addrs[i]))
            return true;
    return false;
}

static enum err give(unsigned index, const struct host_net *want, struct fault *f)
{
    char text[IP_TEXT_MAX];
    struct netlink_msg m;
    int error;

    for (unsigned i = 0; i < want->addr_count; i++) {
        if (want->valid_s[i] == 0)
            continue;
        netlink_addr_add(&m, index, &want->addrs[i], want->valid_s[i]);
        error = netlink_do(&m);
        if (error)
            return fault_set(f, ERR_HANDOFF, "address %s: %s", ip_prefix_text(&want->addrs[i], text),
                             files_reason(error));
    }
    for (unsigned i = 0; i < want->route_count; i++) {
        const struct host_route *r = &want->routes[i];
        bool beside_ra = r->family == FAMILY_V6 && r->dst.len == 0 && want->accept_ra;
        netlink_route_add(&m, index, r, !gateway_is_near(want, &r->via),
                          beside_ra ? HOSTNET_METRIC_BESIDE_RA : 0);
        error = netlink_do(&m);
        if (error)
            return fault_set(f, ERR_HANDOFF, "route via %s: %s", ip_text(&r->via, text), files_reason(error));
    }
    return OK;
}

enum err hostnet_apply(struct hostnet *h, const struct nics *nics, const struct host_net *want,
                       struct fault *f)
{
    unsigned index = nic_index(nics, want->nic);
    enum err e;

    if (index == 0)
        return fault_set(f, ERR_LINK_NONE, "the link has gone");
    if (h->applied && h->last.nic == want->nic)
        take_back(index, &h->last, want);
    e = hostnet_loopback(f);
    if (e == OK && nic_up(nics->name[want->nic]))
        e = fault_set(f, ERR_HANDOFF, "%s up: %s", nics->name[want->nic], files_reason(errno));
    if (e == OK)
        e = ipv6_on(nics->name[want->nic], want, f);
    if (e)
        return e;
    /* From here on something may be in the kernel, also if the next step fails half-way. */
    h->applied = true;
    h->last = *want;
    return give(index, want, f);
}

void hostnet_release(struct hostnet *h, const struct nics *nics, unsigned nic)
{
    unsigned index = nic_index(nics, nic);

    if (!h->applied || h->last.nic != nic)
        return;
    h->applied = false;
    if (index == 0)
        return;
    take_back(index, &h->last, NULL);
    if (has_ipv6())
        (void)!conf6(nics->name[nic], "disable_ipv6", "1", NULL);
}

enum err hostnet_lifetime(const struct nics *nics, unsigned nic, const struct ip_prefix *addr,
                          uint32_t valid_s, uint32_t preferred_s, struct fault *f)
{
    unsigned index = nic_index(nics, nic);
    char text[IP_TEXT_MAX];
    struct netlink_msg m;
    int error;

    if (index == 0)
        return fault_set(f, ERR_HANDOFF, "the link has gone");
    netlink_addr_lifetime(&m, index, addr, valid_s, preferred_s);
    error = netlink_do(&m);
    return error
               ? fault_set(f, ERR_HANDOFF, "address %s: %s", ip_prefix_text(addr, text), files_reason(error))
               : OK;
}

enum err hostnet_loopback(struct fault *f)
{
    return nic_up("lo") ? fault_set(f, ERR_HANDOFF, "lo up: %s", files_reason(errno)) : OK;
}
