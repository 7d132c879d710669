/*
 * enrol.c - see enrol.h.
 */
#include "config/enrol.h"

#include "firmware/base/json.h"
#include "firmware/base/text.h"

enum { SECRET = 32 };
_Static_assert((int)BOARD_KEY_SIZE == (int)SECRET + (int)HASH_SIZE, "a number and its digest");

static void put_member(struct buf *ret, const char *name, struct span value)
{
    buf_fmt(ret, ",\"%s\":", name);
    json_put_string(ret, value);
}

static void put_identity(struct buf *ret, const struct machine *m)
{
    uint8_t text[48];
    struct buf b = BUF_OF(text);
    unsigned count = m->mac_count < NODEJOIN_MACS_MAX ? m->mac_count : NODEJOIN_MACS_MAX;

    if (m->id.has_uuid) {
        text_uuid_put(&b, m->id.uuid);
        put_member(ret, "uuid", buf_span(&b));
    }
    if (m->id.serial[0])
        put_member(ret, "serial", span_str(m->id.serial));
    if (count > 0)
        buf_str(ret, ",\"macs\":[");
    for (unsigned i = 0; i < count; i++) {
        b = BUF_OF(text);
        text_mac_put(&b, m->macs[i]);
        buf_str(ret, i > 0 ? "," : "");
        json_put_string(ret, buf_span(&b));
    }
    if (count > 0)
        buf_str(ret, "]");
}

enum err enrol_put(struct buf *ret, const struct jose_key *key, const struct machine *m)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    enum err e = jose_thumbprint(key, kid);

    if (e != OK)
        return e;
    buf_str(ret, "{\"apiVersion\":\"joinboot/v1alpha1\",\"kind\":\"Enrolment\"");
    put_identity(ret, m);
    put_member(ret, "kid", span_str(kid));
    buf_str(ret, ",\"key\":");
    jose_key_put(ret, key);
    buf_str(ret, "}");
    return ret->overflow ? ERR_LIMIT : OK;
}

static enum err digest_of(const uint8_t d[static SECRET], uint8_t ret[static HASH_SIZE])
{
    const struct span parts[] = {SPAN_LIT("joinboot device key"), span_of(d, SECRET)};

    return hash_sha256_parts(parts, COUNT(parts), ret);
}

enum err enrol_area_put(const uint8_t d[static SECRET], uint8_t ret[static BOARD_KEY_SIZE])
{
    uint8_t digest[HASH_SIZE];
    enum err e = digest_of(d, digest);

    if (e != OK)
        return e;
    memcpy(ret, d, SECRET);
    memcpy(ret + SECRET, digest, sizeof(digest));
    return OK;
}

enum err enrol_area_read(const uint8_t area[static BOARD_KEY_SIZE], struct jose_secret *ret)
{
    uint8_t digest[HASH_SIZE];
    enum err e;

    if (digest_of(area, digest) != OK || !equal_ct(digest, area + SECRET, sizeof(digest)))
        return ERR_DEVICE_KEY;
    e = jose_secret_of(area, ret);
    return e == ERR_INPUT ? ERR_DEVICE_KEY : e;
}
