/*
 * site_bmc.c - see site_bmc.h.
 */
#include "config/site_bmc.h"

#include "firmware/base/text.h"

enum { SECONDS_MAX = 7 * 24 * 3600, REFRESH_MIN_S = 5 };

static enum err link_name(struct span value, char *ret, size_t cap)
{
    if (value.n == 0 || span_find(value, ' ') < value.n || span_find(value, '/') < value.n)
        return ERR_SITE_SYNTAX;
    return span_to_cstr(value, ret, cap) == OK ? OK : ERR_SITE_SYNTAX;
}

enum err site_bmc_link(struct span value, struct site *s)
{
    return link_name(value, s->host_link, sizeof(s->host_link));
}

enum err site_bmc_host_link(struct span value, struct site *s)
{
    return link_name(value, s->bmc_link, sizeof(s->bmc_link));
}

enum err site_bmc_via(struct span value, struct site *s)
{
    static const char *const words[] = {[SITE_VIA_NETWORK] = "network",
                                        [SITE_VIA_BMC] = "bmc",
                                        [SITE_VIA_BMC_FIRST] = "bmc-first",
                                        [SITE_VIA_BMC_LAST] = "bmc-last"};

    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_is(value, words[i])) {
            s->via = (enum site_via)i;
            return OK;
        }
    }
    return ERR_SITE_SYNTAX;
}

enum err site_bmc_uuid(struct span value, struct site *s)
{
    if (text_uuid(value, s->host.uuid) != OK)
        return ERR_SITE_SYNTAX;
    s->host.has_uuid = true;
    return OK;
}

enum err site_bmc_serial(struct span value, struct site *s)
{
    if (value.n == 0)
        return ERR_SITE_SYNTAX;
    return span_to_cstr(value, s->host.serial, sizeof(s->host.serial)) == OK ? OK : ERR_SITE_SYNTAX;
}

enum err site_bmc_mac(struct span value, struct site *s)
{
    if (s->host_mac_count == SITE_HOST_MACS_MAX || text_mac(value, s->host_macs[s->host_mac_count]) != OK)
        return ERR_SITE_SYNTAX;
    s->host_mac_count++;
    return OK;
}

static enum err seconds(struct span value, uint32_t min, uint32_t *ret)
{
    uint64_t v;

    if (text_u64(value, SECONDS_MAX, &v) != OK || v < min)
        return ERR_SITE_SYNTAX;
    *ret = (uint32_t)v;
    return OK;
}

enum err site_bmc_window(struct span value, struct site *s)
{
    return seconds(value, 0, &s->serve_window_s);
}

enum err site_bmc_refresh(struct span value, struct site *s)
{
    return seconds(value, REFRESH_MIN_S, &s->refresh_s);
}

enum err site_bmc_check(const struct site *s, struct fault *f)
{
    bool host = s->host.has_uuid || s->host.serial[0] || s->host_mac_count;

    if (host != (s->host_link[0] != 0))
        return fault_set(f, ERR_SITE_SYNTAX, "`host-link` stands with host-uuid, host-serial or host-mac");
    if (host && s->via != SITE_VIA_NETWORK)
        return fault_set(f, ERR_SITE_SYNTAX, "a BMC (`host-link`) has no BMC (`via`)");
    if ((s->via != SITE_VIA_NETWORK) != (s->bmc_link[0] != 0))
        return fault_set(f, ERR_SITE_SYNTAX, "`via` with a BMC and `bmc-link` stand together");
    if (s->bmc_link[0] && strcmp(s->bmc_link, s->nic) == 0)
        return fault_set(f, ERR_SITE_SYNTAX, "`bmc-link` and `nic` are two network cards");
    /* Where the firmware names no card, none of them is known to be the BMC's. */
    if (strcmp(s->bmc_link, SITE_BMC_SMBIOS) == 0 && !s->nic[0])
        return fault_set(f, ERR_SITE_SYNTAX, "`bmc-link = smbios` stands with `nic`");
    if (host && strcmp(s->host_link, s->nic) == 0)
        return fault_set(f, ERR_SITE_SYNTAX, "`host-link` and `nic` are two network cards");
    return OK;
}
