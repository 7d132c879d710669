/*
 * port.c - lwIP's platform: clock, random numbers, sequence numbers, and the resolver list in the place of lwIP's own resolver.
 *
 * dns_init, dns_tmr, dns_setserver and dns_getserver are lwIP's names; defined here, they keep lwIP's dns.c out of the link.
 */
#include "net/port.h"

#include "firmware/crypto/hash.h"
#include "firmware/crypto/rng.h"

#include "lwip/dns.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#include "net/lwip/hooks.h"

enum { PORT_FIRST = 49152, PORT_COUNT = 16384, PORT_KEY_SIZE = 16, PORT_TUPLE_SIZE = 38 };

static struct {
    uint64_t now_ms;
    struct ip dhcp_dns[PORT_DHCP_DNS_MAX];
    ip_addr_t dhcp_dns_lwip[PORT_DHCP_DNS_MAX];
    bool started;
    bool has_gateway6;
    ip6_addr_t gateway6;
    bool has_key;
    uint8_t key[PORT_KEY_SIZE];
} port;

void port_stack(void)
{
    if (port.started)
        sys_restart_timeouts();
    else
        lwip_init();
    port.started = true;
}

void port_time(uint64_t now_ms)
{
    port.now_ms = now_ms;
}

uint64_t port_now_ms(void)
{
    return port.now_ms;
}

u32_t sys_now(void)
{
    return (u32_t)port.now_ms;
}

uint32_t port_random(void)
{
    return rng_u32();
}

uint16_t port_random_port(void)
{
    return (uint16_t)(PORT_FIRST + rng_u32() % PORT_COUNT);
}

void port_to_lwip(const struct ip *addr, ip_addr_t *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (addr->family == FAMILY_V6) {
        IP_SET_TYPE(ret, IPADDR_TYPE_V6);
        memcpy(ip_2_ip6(ret)->addr, addr->b, 16);
        if (netif_default != NULL)
            ip6_addr_assign_zone(ip_2_ip6(ret), IP6_UNKNOWN, netif_default);
    } else {
        IP_SET_TYPE(ret, IPADDR_TYPE_V4);
        memcpy(&ip_2_ip4(ret)->addr, addr->b, 4);
    }
}

void port_from_lwip(const ip_addr_t *addr, struct ip *ret)
{
    *ret = (struct ip){.family = IP_IS_V6(addr) ? FAMILY_V6 : FAMILY_V4};
    if (IP_IS_V6(addr))
        memcpy(ret->b, ip_2_ip6(addr)->addr, 16);
    else
        memcpy(ret->b, &ip_2_ip4(addr)->addr, 4);
}

static void port_put_addr(struct buf *b, const ip_addr_t *addr)
{
    struct ip ip;
    port_from_lwip(addr, &ip);
    buf_put(b, span_of(ip.b, sizeof(ip.b)));
}

/* RFC 6528 section 3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M a clock of 4 microseconds. */
u32_t port_tcp_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip, u16_t remote_port)
{
    uint8_t tuple[PORT_TUPLE_SIZE];
    uint8_t digest[HASH_SIZE];
    uint32_t f = 0;
    struct buf b = BUF_OF(tuple);
    if (!port.has_key)
        port.has_key = rng_bytes(port.key, sizeof(port.key)) == OK;
    port_put_addr(&b, local_ip);
    port_put_addr(&b, remote_ip);
    buf_u8(&b, (uint8_t)(local_port >> 8));
    buf_u8(&b, (uint8_t)local_port);
    buf_u8(&b, (uint8_t)(remote_port >> 8));
    buf_u8(&b, (uint8_t)remote_port);
    if (!port.has_key || hash_hmac_sha256(span_of(port.key, sizeof(port.key)), buf_span(&b), digest) != OK)
        return rng_u32();
    memcpy(&f, digest, sizeof(f));
    return (u32_t)(port.now_ms * 250u) + f;
}

const ip6_addr_t *port_nd6_gateway(struct netif *netif, const ip6_addr_t *dest)
{
    (void)dest;
    return port.has_gateway6 && netif == netif_default ? &port.gateway6 : NULL;
}

void port_set_gateway6(const struct ip *gateway)
{
    ip_addr_t addr;
    port.has_gateway6 = gateway != NULL;
    if (gateway == NULL)
        return;
    port_to_lwip(gateway, &addr);
    port.gateway6 = *ip_2_ip6(&addr);
}

void dns_init(void)
{
}

void dns_tmr(void)
{
}

/* lwIP's DHCP client calls this for each resolver of an acknowledgement, from 0 on. */
void dns_setserver(u8_t numdns, const ip_addr_t *dnsserver)
{
    if (numdns == 0)
        port_dhcp_dns_clear();
    if (numdns >= PORT_DHCP_DNS_MAX || dnsserver == NULL)
        return;
    port.dhcp_dns_lwip[numdns] = *dnsserver;
    port_from_lwip(dnsserver, &port.dhcp_dns[numdns]);
}

const ip_addr_t *dns_getserver(u8_t numdns)
{
    return numdns < PORT_DHCP_DNS_MAX ? &port.dhcp_dns_lwip[numdns] : IP_ADDR_ANY;
}

unsigned port_dhcp_dns(struct ip ret[static PORT_DHCP_DNS_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < PORT_DHCP_DNS_MAX; i++) {
        if (port.dhcp_dns[i].family != FAMILY_NONE)
            ret[n++] = port.dhcp_dns[i];
    }
    return n;
}

void port_dhcp_dns_clear(void)
{
    memset(port.dhcp_dns, 0, sizeof(port.dhcp_dns));
    memset(port.dhcp_dns_lwip, 0, sizeof(port.dhcp_dns_lwip));
}
