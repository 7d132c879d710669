/*
 * httpreq.h - a pure reader of one HTTP/1.1 request (RFC 9112), for the small server on a BMC's host link. No I/O, no clock.
 *
 * One request per connection. What the server has no use for is refused with the status to answer: heads above HTTPREQ_HEAD_MAX (431), bodies
 * above HTTPREQ_BODY_MAX (413), transfer codings (501), other methods (405), absolute targets, folding, a missing or doubled Host (400).
 */
#ifndef JOINBOOT_NET_HTTPREQ_H
#define JOINBOOT_NET_HTTPREQ_H

#include "firmware/base/span.h"

enum { HTTPREQ_HEAD_MAX = 2048, HTTPREQ_LINE_MAX = 256, HTTPREQ_BODY_MAX = 80 };

enum httpreq_method { HTTPREQ_GET, HTTPREQ_HEAD, HTTPREQ_PUT };

struct httpreq {
    enum httpreq_method method;
    char path[64];
    uint8_t body[HTTPREQ_BODY_MAX];
    size_t body_n;
    /* private */
    uint8_t state;
    bool needs_host, has_host, has_length;
    size_t left;
    size_t head_n;
    char line[HTTPREQ_LINE_MAX];
    size_t line_n;
};

void httpreq_init(struct httpreq *r);
/* Feeds bytes. 0: more are needed; 200: the request is whole, and the fields above are valid; else the status of the refusal. What follows a whole
 * request is ignored. Not to be called again after an answer other than 0. */
unsigned httpreq_feed(struct httpreq *r, struct span data);

/* Appends the head of an answer that ends the connection. `allow` of a 405, else NULL. */
void httpreq_answer_put(struct buf *ret, unsigned status, const char *type, size_t length, const char *allow);

#endif
