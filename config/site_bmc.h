/*
 * site_bmc.h - the keys of the site configuration that make a BMC (site.c has the table; SPEC.md says what they mean).
 */
#ifndef JOINBOOT_CONFIG_SITE_BMC_H
#define JOINBOOT_CONFIG_SITE_BMC_H

#include "config/site.h"

enum { SITE_BMC_WINDOW_S = 1800, SITE_BMC_REFRESH_S = 60 };

/* Readers of one value each: ERR_SITE_SYNTAX. */
enum err site_bmc_link(struct span value, struct site *s) MUST_USE;
enum err site_bmc_via(struct span value, struct site *s) MUST_USE;
enum err site_bmc_host_link(struct span value, struct site *s) MUST_USE;
enum err site_bmc_uuid(struct span value, struct site *s) MUST_USE;
enum err site_bmc_serial(struct span value, struct site *s) MUST_USE;
enum err site_bmc_mac(struct span value, struct site *s) MUST_USE;
enum err site_bmc_window(struct span value, struct site *s) MUST_USE;
enum err site_bmc_refresh(struct span value, struct site *s) MUST_USE;

/* A link to a host and a host's identity stand together, and the link is not the network card: ERR_SITE_SYNTAX. */
enum err site_bmc_check(const struct site *s, struct fault *f) MUST_USE;

#endif
