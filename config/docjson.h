/*
 * docjson.h - kubeadm's documents as JSON: members with their commas.
 */
#ifndef JOINBOOT_CONFIG_DOCJSON_H
#define JOINBOOT_CONFIG_DOCJSON_H

#include "firmware/base/span.h"

/* Writes a comma unless a bracket was just opened, and the key; none if it is NULL, for an item of a list. */
void docjson_key(struct buf *ret, const char *key);
/* One member. The `_if` forms write none for an empty or false value, as Go's omitempty. */
void docjson_text(struct buf *ret, const char *key, struct span value);
void docjson_text_if(struct buf *ret, const char *key, struct span value);
void docjson_words_if(struct buf *ret, const char *key, const struct span *words, unsigned count);
void docjson_true_if(struct buf *ret, const char *key, bool value);
/* As Go prints a duration. */
void docjson_duration(struct buf *ret, const char *key, uint64_t ms);
/* A member that is an object, and its end. */
void docjson_open(struct buf *ret, const char *key);
void docjson_close(struct buf *ret);

#endif
