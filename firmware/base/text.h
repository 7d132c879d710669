/*
 * text.h - strict small readers and writers of text: numbers, hex, base64 (RFC 4648), base64url without padding (RFC 7515 section 2),
 * RFC 3339 times, HTTP dates (RFC 9110 section 5.6.7), DNS names (RFC 1123). Nothing is skipped, nothing is guessed.
 */
#ifndef JOINBOOT_BASE_TEXT_H
#define JOINBOOT_BASE_TEXT_H

#include "firmware/base/span.h"

/* `0|[1-9][0-9]*` up to max. ERR_INPUT otherwise. */
enum err text_u64(struct span s, uint64_t max, uint64_t *ret) MUST_USE;

/* Exactly n bytes from 2n hex digits of either case. ERR_INPUT otherwise. */
enum err text_hex(struct span s, uint8_t *ret, size_t n) MUST_USE;
/* Lower-case hex appended to ret. */
void text_hex_put(struct buf *ret, struct span s);

/* base64url without padding and without spare bits, appended to ret. ERR_INPUT on any other byte, ERR_LIMIT if ret is too small. */
enum err text_b64url(struct span s, struct buf *ret) MUST_USE;
void text_b64url_put(struct buf *ret, struct span s);
/* Standard base64 with padding; white space between groups is accepted only if `lines`. */
enum err text_b64(struct span s, bool lines, struct buf *ret) MUST_USE;
void text_b64_put(struct buf *ret, struct span s);

/* RFC 3339 in UTC with whole seconds: 2026-11-23T04:50:51Z, years 1970 to 9999. ERR_INPUT otherwise. Seconds since 1970. */
enum err text_time(struct span s, int64_t *ret_unix_s) MUST_USE;
void text_time_put(struct buf *ret, int64_t unix_s);
/* IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT. */
enum err text_http_date(struct span s, int64_t *ret_unix_s) MUST_USE;
/* Seconds since 1970 of a UTC calendar date and time. */
int64_t text_civil(int year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second);

/* Labels of [a-z0-9]([-a-z0-9]*[a-z0-9])?, joined by dots, at most 253 (RFC 1123 subdomain as Kubernetes uses it); lower case only. */
bool text_is_subdomain(struct span s);
/* A DNS host name in either case. */
bool text_is_hostname(struct span s);
/* 8-4-4-4-12 hex digits. ERR_INPUT otherwise. */
enum err text_uuid(struct span s, uint8_t ret[static 16]) MUST_USE;
void text_uuid_put(struct buf *ret, const uint8_t uuid[static 16]);
/* aa:bb:cc:dd:ee:ff. ERR_INPUT otherwise. */
enum err text_mac(struct span s, uint8_t ret[static 6]) MUST_USE;
void text_mac_put(struct buf *ret, const uint8_t mac[static 6]);

/* Valid UTF-8 without surrogates, overlong forms or code points above 10FFFF (RFC 3629). */
bool text_is_utf8(struct span s);

#endif
