/*
 * enrol_tool.c - see enrol_tool.h.
 */
#include "config/enrol_tool.h"

#include "firmware/base/json.h"
#include "firmware/base/text.h"
#include "firmware/crypto/jose_tool.h"

struct record {
    struct machine machine;
    struct span kind, api, kid, key;
};

static enum err read_text(struct json *j, struct span *ret)
{
    if (json_next(j) != JSON_STRING)
        return ERR_INPUT;
    *ret = j->raw;
    return OK;
}

static enum err read_serial(struct json *j, struct machine *m)
{
    struct buf b = {.p = (uint8_t *)m->id.serial, .cap = sizeof(m->id.serial) - 1};
    struct span raw;
    enum err e = read_text(j, &raw);

    return e == OK ? json_unescape(raw, &b) : e;
}

static enum err read_uuid(struct json *j, struct machine *m)
{
    struct span raw;
    enum err e = read_text(j, &raw);

    if (e == OK)
        e = text_uuid(raw, m->id.uuid);
    m->id.has_uuid = e == OK;
    return e;
}

static enum err read_macs(struct json *j, struct machine *m)
{
    enum json_event ev;

    if (json_next(j) != JSON_ARRAY)
        return ERR_INPUT;
    for (ev = json_next(j); ev == JSON_STRING; ev = json_next(j)) {
        if (m->mac_count == BOARD_NICS_MAX || text_mac(j->raw, m->macs[m->mac_count]) != OK)
            return ERR_INPUT;
        m->mac_count++;
    }
    return ev == JSON_ARRAY_END ? OK : ERR_INPUT;
}

/* The object's own text: jose_device_parse() reads it. */
static enum err read_key(struct json *j, struct span *ret)
{
    size_t from = j->pos;
    enum err e = json_skip(j);
    struct span text = span_sub(j->in, from, j->pos - from);
    size_t at = span_find(text, '{');

    *ret = span_sub(text, at, text.n);
    return e == OK && ret->n > 0 ? OK : ERR_INPUT;
}

static enum err read_member(struct json *j, struct record *r)
{
    struct span name = j->raw;

    if (span_is(name, "apiVersion"))
        return read_text(j, &r->api);
    if (span_is(name, "kind"))
        return read_text(j, &r->kind);
    if (span_is(name, "kid"))
        return read_text(j, &r->kid);
    if (span_is(name, "key"))
        return read_key(j, &r->key);
    if (span_is(name, "uuid"))
        return read_uuid(j, &r->machine);
    if (span_is(name, "serial"))
        return read_serial(j, &r->machine);
    return span_is(name, "macs") ? read_macs(j, &r->machine) : ERR_INPUT;
}

static enum err read_record(struct span text, struct record *ret)
{
    enum err e = OK;
    enum json_event ev;
    struct json j;

    json_init(&j, text);
    if (json_next(&j) != JSON_OBJECT)
        return ERR_INPUT;
    for (ev = json_next(&j); ev == JSON_KEY && e == OK; ev = e == OK ? json_next(&j) : JSON_ERROR)
        e = read_member(&j, ret);
    if (e != OK || ev != JSON_OBJECT_END || json_next(&j) != JSON_END)
        return ERR_INPUT;
    return span_is(ret->api, "joinboot/v1alpha1") && span_is(ret->kind, "Enrolment") ? OK : ERR_INPUT;
}

enum err enrol_read(struct span text, struct jose_key *ret_key, struct machine *ret_machine,
                    bool *ret_has_machine)
{
    char kid[JOSE_THUMBPRINT_TEXT + 1];
    struct record r = {0};
    struct jose_key key;
    bool is_record = read_record(text, &r) == OK;
    enum err e = jose_device_parse(is_record ? r.key : text, &key);

    if (e == OK && is_record) {
        e = jose_thumbprint(&key, kid);
        if (e == OK && !span_is(r.kid, kid))
            e = ERR_INPUT;
    }
    if (e != OK)
        return e;
    *ret_key = key;
    *ret_machine = r.machine;
    *ret_has_machine =
        is_record && (r.machine.id.has_uuid || r.machine.id.serial[0] || r.machine.mac_count > 0);
    return OK;
}
