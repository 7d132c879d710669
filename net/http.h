/*
 * http.h - a pure reader of one HTTP/1.1 response (RFC 9112): bytes in, body out. No I/O, no clock.
 *
 * Accepts Content-Length and chunked; refuses both together, obsolete folding, other transfer codings, heads above HTTP_HEAD_MAX, bodies above
 * the caller's cap. A body that ends with the connection is refused. 1xx responses are skipped.
 */
#ifndef JOINBOOT_NET_HTTP_H
#define JOINBOOT_NET_HTTP_H

#include "firmware/base/span.h"

enum { HTTP_HEAD_MAX = 8192, HTTP_LOCATION_MAX = 512 };

struct http {
    struct buf *body; /* where the body goes; its cap is the size cap */
    unsigned status;
    int64_t date_s; /* Date header, 0: none */
    char location[HTTP_LOCATION_MAX];
    bool close; /* the peer will close the connection */
    bool head;  /* the head is complete: status and the fields above are valid */
    bool done;  /* the body is complete */
    /* private */
    uint8_t state;
    bool head_only, chunked, has_length, cr;
    uint64_t left;
    size_t head_n;
    char line[1024];
    size_t line_n;
};

/* Begins to read one response; its body is appended to `body`. head_only: the request was a HEAD. */
void http_init(struct http *h, struct buf *body, bool head_only);
/* Feeds bytes; *ret_used of them belonged to this response (the rest belongs to the next one). ERR_HTTP_SYNTAX, ERR_HTTP_SIZE. */
enum err http_feed(struct http *h, struct span data, size_t *ret_used) MUST_USE;
/* Appends a GET request. bearer may be NULL. accept such as "application/json". A space or control character in any of them sets overflow. */
void http_get_put(struct buf *ret, const char *authority, const char *path, const char *accept,
                  const char *bearer);

/* Appends a POST request with this JSON behind it; as above. */
void http_post_put(struct buf *ret, const char *authority, const char *path, struct span json);

#endif
