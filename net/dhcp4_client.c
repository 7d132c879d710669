/*
 * dhcp4_client.c - what lwIP's DHCPv4 client does not do by itself (net/lwip/hooks.h): the client identifier, and on the link to a BMC the one thing
 * that is wanted there: option 72, the address of a web server (RFC 2132 section 8.17), which is the BMC's.
 */
#include "net/netstate.h"

#include "lwip/prot/dhcp.h"
#include "net/lwip/hooks.h"

enum {
    OPTION_MASK = 1,
    OPTION_PARAMETERS = 55,
    OPTION_CLIENT_ID = 61,
    OPTION_WWW = 72,
    HARDWARE_ETHERNET = 1,
    OPTION_SIZE = 2 + 1 + 6,
    END_SIZE = 1
};

/* lwIP's list of wanted parameters, router and resolvers among them, is the last option of a message that has one. */
static u16_t dhcp4_client_want(struct dhcp_msg *msg, u16_t n)
{
    for (u16_t i = 0; i + 4 <= n; i = (u16_t)(i + 2 + msg->options[i + 1])) {
        if (msg->options[i] == OPTION_PARAMETERS) {
            msg->options[i + 1] = 2;
            msg->options[i + 2] = OPTION_MASK;
            msg->options[i + 3] = OPTION_WWW;
            return (u16_t)(i + 4);
        }
    }
    return n;
}

void dhcp4_client_append(const struct netif *netif, struct dhcp_msg *msg, u16_t *len)
{
    u16_t at = net_state.host_link ? dhcp4_client_want(msg, *len) : *len;

    if (at > DHCP_OPTIONS_LEN - OPTION_SIZE - END_SIZE || netif->hwaddr_len != 6)
        return;
    msg->options[at++] = OPTION_CLIENT_ID;
    msg->options[at++] = 1 + 6;
    msg->options[at++] = HARDWARE_ETHERNET;
    for (unsigned i = 0; i < 6; i++)
        msg->options[at++] = netif->hwaddr[i];
    *len = at;
}

/* Of several addresses the first is preferred. lwIP does not compare an option's length with what is left of the message. */
void dhcp4_client_option(u8_t code, u8_t n, const struct pbuf *p, u16_t at)
{
    ip4_addr_t addr;

    if (net_state.host_link && code == OPTION_WWW && n >= sizeof(addr) &&
        pbuf_copy_partial(p, &addr, sizeof(addr), at) == sizeof(addr))
        net_state.v4.www = addr;
}
