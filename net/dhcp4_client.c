/*
 * dhcp4_client.c - the DHCPv4 client identifier that lwIP does not send by itself (net/lwip/hooks.h).
 */
#include "lwip/netif.h"
#include "lwip/prot/dhcp.h"
#include "net/lwip/hooks.h"

enum { OPTION_CLIENT_ID = 61, HARDWARE_ETHERNET = 1, OPTION_SIZE = 2 + 1 + 6, END_SIZE = 1 };

void dhcp4_client_append(const struct netif *netif, struct dhcp_msg *msg, u16_t *len)
{
    u16_t at = *len;

    if (at > DHCP_OPTIONS_LEN - OPTION_SIZE - END_SIZE || netif->hwaddr_len != 6)
        return;
    msg->options[at++] = OPTION_CLIENT_ID;
    msg->options[at++] = 1 + 6;
    msg->options[at++] = HARDWARE_ETHERNET;
    for (unsigned i = 0; i < 6; i++)
        msg->options[at++] = netif->hwaddr[i];
    *len = at;
}
