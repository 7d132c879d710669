/*
 * url.h - https URLs (RFC 3986, the part that a boot agent needs): https://host[:port]/path[?query]. No user name, no fragment.
 */
#ifndef JOINBOOT_BASE_URL_H
#define JOINBOOT_BASE_URL_H

#include "firmware/base/fault.h"
#include "firmware/base/ip.h"

enum { URL_MAX = 512 };

struct url {
    char host[254]; /* lower case; IPv6 without brackets */
    struct ip ip;   /* if the host is a literal */
    uint16_t port;
    char path[URL_MAX]; /* with query; starts with / */
};

/* ERR_URL, or ERR_URL_PLAIN for http. */
enum err url_parse(struct span text, struct url *ret) MUST_USE;
/* Resolves a Location header against a base: only the same origin over https passes. ERR_HTTP_REDIRECT otherwise. */
enum err url_redirect(const struct url *base, struct span location, struct url *ret) MUST_USE;
void url_put(struct buf *ret, const struct url *u);
/* host[:port] as the Host header wants it. */
void url_put_authority(struct buf *ret, const struct url *u);

#endif
