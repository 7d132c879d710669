/*
 * docjson.c - kubeadm's documents as JSON: members with their commas.
 */
#include "config/docjson.h"

#include "config/duration.h"
#include "firmware/base/json.h"

void docjson_key(struct buf *ret, const char *key)
{
    uint8_t last = ret->n > 0 ? ret->p[ret->n - 1] : '[';
    if (last != '{' && last != '[')
        buf_str(ret, ",");
    if (key)
        buf_fmt(ret, "\"%s\":", key);
}

void docjson_text(struct buf *ret, const char *key, struct span value)
{
    docjson_key(ret, key);
    json_put_string(ret, value);
}

void docjson_text_if(struct buf *ret, const char *key, struct span value)
{
    if (value.n > 0)
        docjson_text(ret, key, value);
}

void docjson_words_if(struct buf *ret, const char *key, const struct span *words, unsigned count)
{
    if (count == 0)
        return;
    docjson_key(ret, key);
    buf_str(ret, "[");
    for (unsigned i = 0; i < count; i++)
        docjson_text(ret, NULL, words[i]);
    buf_str(ret, "]");
}

void docjson_duration(struct buf *ret, const char *key, uint64_t ms)
{
    docjson_key(ret, key);
    buf_str(ret, "\"");
    duration_put(ret, ms);
    buf_str(ret, "\"");
}

void docjson_true_if(struct buf *ret, const char *key, bool value)
{
    if (!value)
        return;
    docjson_key(ret, key);
    buf_str(ret, "true");
}

void docjson_open(struct buf *ret, const char *key)
{
    docjson_key(ret, key);
    buf_str(ret, "{");
}

void docjson_close(struct buf *ret)
{
    buf_str(ret, "}");
}
