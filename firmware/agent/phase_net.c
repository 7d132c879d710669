/*
 * phase_net.c - link, address, clock, locate, and after accept: network. From carrier to a place to fetch from.
 */
#include "firmware/agent/courier.h"
#include "firmware/agent/phases.h"
#include "firmware/agent/resume.h"
#include "firmware/base/text.h"
#include "net/kernel.h"

enum { CARRIER_POLL_MS = 10, TELL_AFTER_MS = 3000 };

/* On a running system: the NIC that its default route uses. */
static bool nic_chosen(const struct agent *a, unsigned i)
{
    const struct kernel *k = kernel_used();
    unsigned nic;

    return a->site.nic[0] || !k || (k->default_nic(k->ctx, &nic) && nic == i);
}

static bool nic_wanted(const struct agent *a, const struct board_nic *nic)
{
    /* The link between a BMC and its host leads to no network. */
    if (strcmp(a->site.host_link, nic->name) == 0 || courier_is_link(a, nic))
        return false;
    return !a->site.nic[0] || strcmp(a->site.nic, nic->name) == 0;
}

enum err link_start(struct agent *a)
{
    struct board_nic nic;
    unsigned count = a->board->nic_count(a->board->ctx);
    unsigned opened = 0;

    a->table->release(a);
    if (a->net_up)
        net_stop();
    a->net_up = false;
    a->has_static = false;
    a->families = 0;
    for (unsigned i = 0; i < count; i++) {
        if (a->board->nic_info(a->board->ctx, i, &nic) == OK && nic_wanted(a, &nic) &&
            a->board->nic_open(a->board->ctx, i) == OK)
            opened++;
    }
    if (opened == 0)
        return fault_set(&a->fault, ERR_LINK_NONE, "%u NICs found, wanted: %s", count,
                         a->site.nic[0] ? a->site.nic : "any");
    return OK;
}

enum step link_step(struct agent *a)
{
    struct board_nic nic;
    unsigned count = a->board->nic_count(a->board->ctx);
    unsigned chosen = count;

    for (unsigned i = 0; i < count && chosen == count; i++) {
        if (a->board->nic_info(a->board->ctx, i, &nic) == OK && nic_wanted(a, &nic) && nic.carrier &&
            nic_chosen(a, i))
            chosen = i;
    }
    if (chosen == count)
        return phases_wait(a, CARRIER_POLL_MS);
    /* Those that link_start opened: a BMC's link to its host is another's to close. */
    for (unsigned i = 0; i < count; i++) {
        if (i != chosen && a->board->nic_info(a->board->ctx, i, &nic) == OK && nic_wanted(a, &nic))
            a->board->nic_close(a->board->ctx, i);
    }
    a->nic = chosen;
    a->carrier_ms = a->now_ms;
    return STEP_DONE;
}

void link_report(struct agent *a)
{
    struct board_nic nic;

    if (a->board->nic_info(a->board->ctx, a->nic, &nic) == OK)
        journal_text(&a->journal, "nic", nic.name);
}

enum err address_start(struct agent *a)
{
    struct net_options options = {.dad = (enum net_dad)a->site.dad, .families = a->site.families};
    enum err e;

    if (a->net_up)
        return OK;
    e = net_start(a->board, a->nic, &options, a->now_ms);
    if (e != OK) {
        a->board->nic_close(a->board->ctx, a->nic);
        return fault_set(&a->fault, e, "starting the network");
    }
    a->net_up = true;
    net_status(&a->net);
    return OK;
}

/* The families of the set that are not usable yet. */
static unsigned families_missing(const struct agent *a, unsigned families)
{
    if ((families & FAMILIES_V4) && net_family_ready(&a->net, FAMILY_V4, false))
        families &= ~(unsigned)FAMILIES_V4;
    if ((families & FAMILIES_V6) && net_family_ready(&a->net, FAMILY_V6, false))
        families &= ~(unsigned)FAMILIES_V6;
    return families;
}

const char *phases_families_text(unsigned families)
{
    static const char *const text[] = {
        [0] = "none", [FAMILIES_V4] = "ipv4", [FAMILIES_V6] = "ipv6", [FAMILIES_BOTH] = "ipv4,ipv6"};

    return text[families & FAMILIES_BOTH];
}

static bool there(const struct net_addr *addr)
{
    return addr->state == NET_ADDR_TENTATIVE || addr->state == NET_ADDR_OPTIMISTIC ||
           addr->state == NET_ADDR_PREFERRED;
}

unsigned phases_families_lost(const struct agent *a)
{
    unsigned lost = a->families;

    if (there(&a->net.v4))
        lost &= ~(unsigned)FAMILIES_V4;
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++) {
        if (there(&a->net.v6[i]))
            lost &= ~(unsigned)FAMILIES_V6;
    }
    return lost;
}

/* Says once per attempt what is being waited for. */
static void tell_waiting(struct agent *a, unsigned missing)
{
    if (a->at.sub || a->now_ms - a->at.start_ms < TELL_AFTER_MS)
        return;
    a->at.sub = 1;
    journal_begin(&a->journal, a->now_ms, a->table->rows[a->at.row].name, "wait");
    journal_text(&a->journal, "missing", phases_families_text(missing));
    journal_end(&a->journal);
}

enum step address_step(struct agent *a)
{
    unsigned missing = families_missing(a, a->site.families);

    a->families = a->site.families & ~missing;
    if (missing == 0)
        return STEP_DONE;
    if (a->now_ms - a->at.start_ms < a->site.families_wait_ms) {
        tell_waiting(a, missing);
        return phases_wait(a, 100);
    }
    if (a->site.one_family && missing != a->site.families) {
        journal_begin(&a->journal, a->now_ms, "address", "note");
        journal_text(&a->journal, "text", "goes on with one family, as the site configuration permits");
        journal_text(&a->journal, "missing", phases_families_text(missing));
        journal_end(&a->journal);
        return STEP_DONE;
    }
    fault_set(&a->fault, ERR_ADDRESS_FAMILY, "%s missing after %u ms", phases_families_text(missing),
              (unsigned)a->site.families_wait_ms);
    return STEP_ERROR;
}

void address_report(struct agent *a)
{
    if (net_family_ready(&a->net, FAMILY_V4, false))
        journal_prefix(&a->journal, "ipv4", &a->net.v4.prefix);
    if (a->net.router4.family)
        journal_ip(&a->journal, "router4", &a->net.router4);
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++) {
        if (a->net.v6[i].state == NET_ADDR_OPTIMISTIC || a->net.v6[i].state == NET_ADDR_PREFERRED)
            journal_prefix(&a->journal, "ipv6", &a->net.v6[i].prefix);
    }
    if (a->net.router6.family)
        journal_ip(&a->journal, "router6", &a->net.router6);
    for (unsigned i = 0; i < a->net.dns_count; i++)
        journal_ip(&a->journal, "dns", &a->net.dns[i]);
}

enum step clock_step(struct agent *a)
{
    int64_t wall_s;

    if (a->board->wall(a->board->ctx, &wall_s) && !timekeeper_hint(&a->time, wall_s, a->now_ms) &&
        a->time.quality == TIME_FLOOR)
        journal_note(&a->journal, a->now_ms, "clock",
                     "the real-time clock is below the floor and is not used");
    return STEP_DONE;
}

void clock_report(struct agent *a)
{
    static const char *const quality[] = {
        [TIME_FLOOR] = "floor", [TIME_HINT] = "hint", [TIME_TRUSTED] = "trusted"};
    char text[32];
    struct buf b = BUF_OF(text);

    text_time_put(&b, agent_time(a));
    journal_span(&a->journal, "time", buf_span(&b));
    journal_text(&a->journal, "quality", quality[a->time.quality]);
}

/* Puts what the machine is that bundles are for in the place of {uuid}, {mac} and {serial}. */
static enum err expand_url(const struct agent *a, struct buf *ret)
{
    struct span rest = span_str(a->site.url);

    while (rest.n) {
        if (span_starts(rest, "{uuid}") && a->machine.id.has_uuid) {
            text_uuid_put(ret, a->machine.id.uuid);
            rest = span_sub(rest, 6, rest.n);
        } else if (span_starts(rest, "{serial}") && a->machine.id.serial[0]) {
            buf_str(ret, a->machine.id.serial);
            rest = span_sub(rest, 8, rest.n);
        } else if (span_starts(rest, "{mac}") && a->machine.mac_count) {
            struct board_nic nic;

            if (a->site.host_link[0])
                text_mac_put(ret, a->machine.macs[0]);
            else if (a->board->nic_info(a->board->ctx, a->nic, &nic) == OK)
                text_mac_put(ret, nic.mac);
            rest = span_sub(rest, 5, rest.n);
        } else if (rest.p[0] == '{') {
            return ERR_URL;
        } else {
            buf_u8(ret, rest.p[0]);
            rest = span_sub(rest, 1, rest.n);
        }
    }
    return ret->overflow ? ERR_URL : OK;
}

enum step locate_step(struct agent *a)
{
    uint8_t text[URL_MAX];
    struct buf b = BUF_OF(text);
    enum err e;

    if (!a->site.url[0]) {
        fault_set(&a->fault, ERR_LOCATE_NONE, "no url");
        return STEP_ERROR;
    }
    e = expand_url(a, &b);
    if (e == OK)
        e = url_parse(buf_span(&b), &a->url);
    if (e != OK) {
        fault_set(&a->fault, e, "%s", a->site.url);
        return STEP_ERROR;
    }
    return STEP_DONE;
}

void locate_report(struct agent *a)
{
    uint8_t text[URL_MAX + 64];
    struct buf b = BUF_OF(text);

    url_put(&b, &a->url);
    journal_span(&a->journal, "url", buf_span(&b));
}

static enum err apply_static(struct agent *a, const struct nodejoin_network *n)
{
    enum err e = OK;

    for (unsigned i = 0; i < n->addr_count && e == OK; i++)
        e = net_static_addr(&n->addrs[i], &n->gateway);
    for (unsigned i = 0; i < n->dns_count && e == OK; i++)
        e = net_static_dns(&n->dns[i]);
    if (e != OK)
        fault_set(&a->fault, e, "network section");
    return e;
}

/* Addresses that another bundle brought do not outlive it: the network starts anew, and this row waits for the families again. */
static enum err drop_static(struct agent *a)
{
    const uint8_t *digest = a->resuming ? a->state.digest : verified_digest(a->verified);
    bool same = memcmp(a->static_digest, digest, HASH_SIZE) == 0;
    bool had = a->has_static;

    a->has_static = a->bundle.node.v4.given || a->bundle.node.v6.given;
    memcpy(a->static_digest, digest, HASH_SIZE);
    if (!had || same)
        return OK;
    net_stop();
    a->net_up = false;
    return address_start(a);
}

/* A certificate that is of no use ends the resumption. A bundle that was just accepted leads on to a new join at once. */
static enum err resume_or_join(struct agent *a)
{
    enum err e = resume_check_certificate(a);

    if (e == OK) {
        resume_load(a);
        return OK;
    }
    a->resuming = false;
    a->rejoin = true;
    if (!a->accepted)
        return e;
    journal_fault(&a->journal, a->now_ms, "network", &a->fault, 1, 0);
    fault_clear(&a->fault);
    return OK;
}

enum err network_start(struct agent *a)
{
    enum err e = a->resuming ? resume_or_join(a) : OK;

    if (e == OK)
        e = drop_static(a);

    if (e == OK)
        e = apply_static(a, &a->bundle.node.v4);
    if (e == OK)
        e = apply_static(a, &a->bundle.node.v6);
    if (e == OK && !a->resuming)
        e = join_node_ips(&a->bundle.join, a->node_ips, &a->node_ip_count, &a->fault);
    net_status(&a->net);
    return e;
}

static bool usable(const struct net_addr *addr)
{
    return addr->state == NET_ADDR_OPTIMISTIC || addr->state == NET_ADDR_PREFERRED;
}

bool phases_has_address(const struct agent *a, const struct ip *ip)
{
    if (kernel_used())
        return kernel_used()->has(kernel_used()->ctx, ip);
    if (usable(&a->net.v4) && ip_eq(&a->net.v4.prefix.addr, ip))
        return true;
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++) {
        if (usable(&a->net.v6[i]) && ip_eq(&a->net.v6[i].prefix.addr, ip))
            return true;
    }
    return false;
}

/* The document has no node-ip: IPv4 first, then the best IPv6 address: a static one before others, never a deprecated one. */
static void fill_node_ips(struct agent *a)
{
    const struct net_addr *best = NULL;

    if (usable(&a->net.v4))
        a->node_ips[a->node_ip_count++] = a->net.v4.prefix.addr;
    for (unsigned i = 0; i < NET_ADDR6_MAX; i++) {
        const struct net_addr *x = &a->net.v6[i];

        if (usable(x) && !x->deprecated && (!best || (x->is_static && !best->is_static)))
            best = x;
    }
    if (best)
        a->node_ips[a->node_ip_count++] = best->prefix.addr;
}

enum step network_step(struct agent *a)
{
    unsigned missing = families_missing(a, a->bundle.node.families);
    char text[IP_TEXT_MAX];

    if (missing) {
        tell_waiting(a, missing);
        return phases_wait(a, 100);
    }
    if (a->node_ip_count == 0)
        fill_node_ips(a);
    for (unsigned i = 0; i < a->node_ip_count; i++) {
        if (!phases_has_address(a, &a->node_ips[i])) {
            (void)ip_text(&a->node_ips[i], text);
            if (a->bundle.join.node_ip)
                yaml_fault(&a->fault, ERR_NODE_IP, a->bundle.join.node_ip, "%s is no address of this machine",
                           text);
            else
                fault_set(&a->fault, ERR_NODE_IP, "%s is no address of this machine", text);
            return STEP_ERROR;
        }
    }
    return STEP_DONE;
}
