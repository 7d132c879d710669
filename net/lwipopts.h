/*
 * lwipopts.h - lwIP 2.2.1's options for one NIC (and a BMC's link to its host), both families, a handful of outgoing connections, and fixed memory.
 *
 * lwIP is not trusted with a hostile segment as it comes: what its defaults leave open is closed here (sequence numbers, ports, reassembly) or
 * in front of it (guard.c drops redirects, router advertisements that break the rules, options of wrong length; dad.c watches for duplicates).
 */
#ifndef JOINBOOT_NET_LWIPOPTS_H
#define JOINBOOT_NET_LWIPOPTS_H

#include "firmware/base/limits.h"

/* One thread, no operating system; callbacks run inside net_poll(). */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_RAW             0
#define LWIP_ALTCP           0
#define LWIP_STATS           0
#define LWIP_SINGLE_NETIF    0
#define LWIP_NETIF_LOOPBACK  0
#define LWIP_HAVE_LOOPIF     0

/* Memory: pools and one heap, all static. */
#define MEM_LIBC_MALLOC         0
#define MEMP_MEM_MALLOC         0
#define MEM_ALIGNMENT           8
#define MEM_SIZE                LIMIT_NET_HEAP
#define MEMP_NUM_PBUF           32
#define PBUF_POOL_SIZE          LIMIT_NET_FRAMES
#define PBUF_POOL_BUFSIZE       1536
#define MEMP_NUM_UDP_PCB        12
#define MEMP_NUM_TCP_PCB        6
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG        32
#define MEMP_NUM_ARP_QUEUE      16
#define MEMP_NUM_ND6_QUEUE      16
#define MEMP_NUM_MLD6_GROUP     10
#define MEMP_NUM_FRAG_PBUF      1

/* IPv4. Fragments are dropped: nothing here needs them, and reassembly is memory for strangers. */
#define LWIP_IPV4           1
#define LWIP_ARP            1
#define ARP_QUEUEING        1
#define ARP_TABLE_SIZE      16
#define ETHARP_SUPPORT_VLAN 0
#define IP_REASSEMBLY       0
#define IP_FRAG             0
#define IP_FORWARD          0
#define LWIP_ICMP           1
#define LWIP_IGMP           0
#define LWIP_AUTOIP         0
#define LWIP_ACD            0
#define LWIP_DHCP           1
#define LWIP_DHCP_DOES_ACD_CHECK \
    0 /* it waits seconds before the address may be used; dad.c watches instead */
#define LWIP_DHCP_MAX_DNS_SERVERS 4
#define LWIP_DHCP_GET_NTP_SRV     0
#define DHCP_COARSE_TIMER_SECS    1 /* leases in seconds, so that short ones are kept */
#define DHCP_TIMEOUT_SIZE_T       u32_t

/* lwIP's resolver is not linked: port.c has the four functions that DHCP and the timers call, dns.c resolves. */
#define LWIP_DNS        1
#define DNS_MAX_SERVERS 4

/* IPv6. Router solicitations, duplicate address detection and resolvers are done by net/, which needs them faster and longer. */
#define LWIP_IPV6                      1
#define LWIP_IPV6_NUM_ADDRESSES        5
#define LWIP_IPV6_SEND_ROUTER_SOLICIT  0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS  7 /* so slow that dad.c always decides first */
#define LWIP_IPV6_AUTOCONFIG           1
#define LWIP_IPV6_MLD                  1
#define LWIP_IPV6_REASS                0
#define LWIP_IPV6_FRAG                 0
#define IPV6_FRAG_COPYHEADER           1
#define LWIP_IPV6_FORWARD              0
#define LWIP_IPV6_DHCP6                0
#define LWIP_ND6_QUEUEING              1
#define LWIP_ND6_NUM_NEIGHBORS         16
#define LWIP_ND6_NUM_DESTINATIONS      16
#define LWIP_ND6_NUM_PREFIXES          6
#define LWIP_ND6_NUM_ROUTERS           4
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 0
#define LWIP_ICMP6                     1

/* Packets in memory of a BMC's host link (hostnet.c). */
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/* TCP. */
#define LWIP_TCP            1
#define LWIP_UDP            1
#define TCP_MSS             1440
#define TCP_WND             (LIMIT_TCP_WINDOW * TCP_MSS)
#define TCP_SND_BUF         (4 * TCP_MSS)
#define TCP_SND_QUEUELEN    16
#define TCP_QUEUE_OOSEQ     1
#define TCP_OOSEQ_MAX_PBUFS 8
#define LWIP_TCP_RTO_TIME   1000 /* RFC 6298 section 2 */
#define TCP_SYNMAXRTX       6
#define TCP_MAXRTX          10
#define TCP_LISTEN_BACKLOG  0

/* Random numbers: initial sequence numbers by RFC 6528, ports and identifiers from rng.h. */
#define LWIP_HOOK_FILENAME   "net/lwip/hooks.h"
#define LWIP_HOOK_TCP_ISN    port_tcp_isn
#define LWIP_HOOK_ND6_GET_GW port_nd6_gateway

/* The client identifier in every DHCPv4 message; the BMC's address in what is answered on the link to it. */
#define LWIP_HOOK_DHCP_APPEND_OPTIONS(netif, dhcp, state, msg, type, len) dhcp4_client_append(netif, msg, len)
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, msg, type, code, n, p, at) \
    ((void)(msg), dhcp4_client_option(code, n, p, at))

#endif
