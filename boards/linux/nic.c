/*
 * nic.c - see nic.h.
 */
#include "boards/linux/nic.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boards/linux/sysfile.h"
#include "firmware/base/text.h"

static bool has(const char *nic, const char *what)
{
    char path[SYSFILE_PATH];
    return sysfile_exists(sysfile_path(path, "/sys/class/net/%s/%s", nic, what));
}

/* An ioctl on any socket, as netdevice(7) wants it. False with errno. */
static bool control(unsigned long request, struct ifreq *r)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool done = sysfile_ioctl(fd, request, r) == 0;
    close(fd);
    return done;
}

static bool is_veth(const char *nic)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq r = {.ifr_data = (char *)&info};
    if (span_to_cstr(span_str(nic), r.ifr_name, sizeof r.ifr_name))
        return false;
    return control(SIOCETHTOOL, &r) && strncmp(info.driver, "veth", sizeof info.driver) == 0;
}

static bool looks_right(const char *nic)
{
    char path[SYSFILE_PATH];
    if (sysfile_u64(sysfile_path(path, "/sys/class/net/%s/type", nic), 0) != ARPHRD_ETHER)
        return false;
    if (has(nic, "master") || has(nic, "bridge") || has(nic, "bonding") || has(nic, "wireless") ||
        has(nic, "phy80211"))
        return false;
    return has(nic, "device") || is_veth(nic);
}

static bool known(const struct nics *n, const char *name)
{
    for (unsigned i = 0; i < n->count; i++)
        if (strcmp(n->name[i], name) == 0)
            return true;
    return false;
}

static void sort_tail(struct nics *n, unsigned from)
{
    for (unsigned i = from + 1; i < n->count; i++)
        for (unsigned j = i; j > from && strcmp(n->name[j - 1], n->name[j]) > 0; j--) {
            char t[IFNAMSIZ];
            memcpy(t, n->name[j], sizeof t);
            memcpy(n->name[j], n->name[j - 1], sizeof t);
            memcpy(n->name[j - 1], t, sizeof t);
        }
}

unsigned nic_scan(struct nics *n)
{
    struct sysfile_dir d;
    if (!sysfile_dir_open(&d, "/sys/class/net"))
        return n->count;
    unsigned before = n->count;
    const char *name;
    while (n->count < BOARD_NICS_MAX && (name = sysfile_dir_next(&d)) != NULL) {
        bool wanted = n->only ? strcmp(name, n->only) == 0 : !known(n, name) && looks_right(name);
        if (!wanted || known(n, name))
            continue;
        if (!span_to_cstr(span_str(name), n->name[n->count], sizeof n->name[0]))
            n->count++;
    }
    sysfile_dir_close(&d);
    /* The kernel lists links in no useful order; the first look gives them by name. */
    sort_tail(n, before);
    return n->count;
}

void nic_add(struct nics *n, const char *name)
{
    if (n->count < BOARD_NICS_MAX && !known(n, name) &&
        !span_to_cstr(span_str(name), n->name[n->count], sizeof n->name[0]))
        n->count++;
}

enum err nic_info(const struct nics *n, unsigned nic, struct board_nic *ret)
{
    if (nic >= n->count)
        return ERR_LINK_NONE;
    const char *name = n->name[nic];
    char path[SYSFILE_PATH], text[32];
    struct board_nic out = {.mtu = 1500};
    if (!sysfile_text(sysfile_path(path, "/sys/class/net/%s/address", name), text, sizeof text) ||
        text_mac(span_str(text), out.mac))
        return ERR_LINK_NONE;
    memcpy(out.name, name, sizeof out.name);
    uint64_t mtu = sysfile_u64(sysfile_path(path, "/sys/class/net/%s/mtu", name), 1500);
    out.mtu = mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
    /* Not IFF_RUNNING, which comes about a second later. Unreadable (EINVAL) while the link is down. */
    out.carrier = sysfile_u64(sysfile_path(path, "/sys/class/net/%s/carrier", name), 0) == 1;
    *ret = out;
    return OK;
}

unsigned nic_index(const struct nics *n, unsigned nic)
{
    return nic < n->count ? if_nametoindex(n->name[nic]) : 0;
}

enum err nic_up(const char *name)
{
    struct ifreq r = {0};
    if (span_to_cstr(span_str(name), r.ifr_name, sizeof r.ifr_name) || !control(SIOCGIFFLAGS, &r))
        return ERR_IO;
    if (r.ifr_flags & IFF_UP)
        return OK;
    r.ifr_flags |= IFF_UP;
    return control(SIOCSIFFLAGS, &r) ? OK : ERR_IO;
}
