/*
 * networkd.c - see networkd.h.
 */
#include "firmware/agent/networkd.h"

#include "firmware/base/text.h"

static const char *yes(bool b)
{
    return b ? "yes" : "no";
}

static void put_static(const struct nodejoin_network *n, struct buf *ret)
{
    char text[IP_TEXT_MAX];

    for (unsigned i = 0; i < n->addr_count; i++)
        buf_fmt(ret, "Address=%s\n", ip_prefix_text(&n->addrs[i], text));
    if (n->gateway.family != FAMILY_NONE)
        buf_fmt(ret, "Gateway=%s\n", ip_text(&n->gateway, text));
    for (unsigned i = 0; i < n->dns_count; i++)
        buf_fmt(ret, "DNS=%s\n", ip_text(&n->dns[i], text));
}

void networkd_put(const struct networkd *n, struct buf *ret)
{
    static const char *const online[] = {
        [0] = "any", [FAMILIES_V4] = "ipv4", [FAMILIES_V6] = "ipv6", [FAMILIES_BOTH] = "both"};
    bool dhcp = (n->automatic & FAMILIES_V4) && !n->v4->given;
    bool follows = n->automatic & FAMILIES_V6;
    bool has_v6 = follows || n->v6->given;

    buf_str(ret, "# joinboot: the network that this node joined with\n[Match]\nMACAddress=");
    text_mac_put(ret, n->mac);
    /* A VLAN or a bridge above the link has its MAC address, too. */
    buf_str(ret, "\nType=ether\n\n[Link]\n");
    buf_fmt(ret, "RequiredForOnline=yes\nRequiredFamilyForOnline=%s\n", online[n->required & FAMILIES_BOTH]);
    buf_fmt(ret, "\n[Network]\nDHCP=%s\nIPv6AcceptRA=%s\nLinkLocalAddressing=%s\n", dhcp ? "ipv4" : "no",
            yes(follows), has_v6 ? "ipv6" : "no");
    buf_str(ret, "IPv6LinkLocalAddressGenerationMode=eui64\nIPv6PrivacyExtensions=no\n");
    /* A node keeps its address while networkd is started anew. */
    buf_str(ret, "KeepConfiguration=dhcp-on-stop\n");
    put_static(n->v4, ret);
    put_static(n->v6, ret);
    buf_str(ret, "\n[DHCPv4]\nClientIdentifier=mac\nSendHostname=no\nUseHostname=no\nSendRelease=no\n");
    buf_str(ret, "\n[DHCPv6]\nDUIDType=link-layer\nUseAddress=no\nUseHostname=no\n");
    buf_str(ret, "\n[IPv6AcceptRA]\nToken=eui64\n");
}
