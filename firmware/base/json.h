/*
 * json.h - a pull reader for JSON (RFC 8259) over bytes in memory. It allocates nothing and copies nothing.
 *
 * The reader latches its first error: after one, every call returns JSON_ERROR and json_error() tells it. Strict: UTF-8 only, no comments,
 * no trailing commas, one value, nothing behind it, depth at most JSON_DEPTH. Duplicate keys are the caller's to see (json_get refuses them on
 * its path).
 */
#ifndef JOINBOOT_BASE_JSON_H
#define JOINBOOT_BASE_JSON_H

#include "firmware/base/span.h"

enum { JSON_DEPTH = 32 };

enum json_event {
    JSON_ERROR = 0,
    JSON_OBJECT, /* { */
    JSON_OBJECT_END,
    JSON_ARRAY, /* [ */
    JSON_ARRAY_END,
    JSON_KEY,    /* raw text in `raw`, without quotes, escapes not decoded */
    JSON_STRING, /* the same */
    JSON_NUMBER, /* text in `raw` */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_END /* the one value ended and nothing follows */
};

struct json {
    struct span in;
    size_t pos;
    struct span raw;
    uint8_t depth;
    uint8_t state; /* what may come next; json.c's own */
    enum err error;
    uint32_t is_object; /* bit per depth */
};

void json_init(struct json *j, struct span in);
enum json_event json_next(struct json *j);
enum err json_error(const struct json *j);

/* Reads over the value that follows: after JSON_KEY its value, inside an array the next item. ERR_INPUT or ERR_LIMIT as json_error(). */
enum err json_skip(struct json *j) MUST_USE;

/* Decodes the escapes of a raw string (RFC 8259 section 7) onto ret. ERR_INPUT for lone surrogates, ERR_LIMIT if ret is too small. */
enum err json_unescape(struct span raw, struct buf *ret) MUST_USE;

/* True if a raw string, its escapes decoded, is this zero-terminated text. */
bool json_is(struct span raw, const char *text);

/* Finds the string at a path of keys of the document's root object, such as {"data", "kubeconfig", NULL}, and appends its decoded text
 * to ret. The whole document is read and must be well-formed; a key on the path that comes twice in its object is an error, and so is a value
 * that is no string. OK with *ret_found false: well-formed, but there is nothing at the path (ret is unchanged). ERR_INPUT, ERR_LIMIT
 * (nesting, or ret is too small). */
enum err json_get(struct span doc, const char *const path[], struct buf *ret, bool *ret_found) MUST_USE;

/* Appends s as a quoted JSON string. Control characters are escaped; s must be UTF-8. */
void json_put_string(struct buf *ret, struct span s);

#endif
