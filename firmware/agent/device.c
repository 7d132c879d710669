/*
 * device.c - see device.h.
 */
#include "firmware/agent/device.h"

enum err device_secret(const struct board *board, struct jose_secret *ret)
{
    uint8_t area[BOARD_KEY_SIZE] = {0};
    enum err e = board->key_read ? board->key_read(board->ctx, area) : ERR_DEVICE_NONE;

    if (e == OK)
        e = enrol_area_read(area, ret);
    wipe(area, sizeof(area));
    return e == ERR_STORE_EMPTY ? ERR_DEVICE_NONE : e;
}

/* A new key, as it is found when it is read again: what was not kept is not enrolled. */
static enum err make(const struct board *board, struct jose_secret *ret)
{
    uint8_t area[BOARD_KEY_SIZE] = {0};
    struct jose_secret fresh;
    enum err e = jose_generate(&fresh);

    if (e == OK)
        e = enrol_area_put(fresh.d, area);
    if (e == OK)
        e = board->key_write(board->ctx, area);
    wipe(area, sizeof(area));
    wipe(&fresh, sizeof(fresh));
    if (e != OK)
        return e == ERR_STORE_EMPTY ? ERR_DEVICE_NONE : e;
    return device_secret(board, ret);
}

enum err device_start(const struct board *board, struct device *ret)
{
    struct jose_secret key;
    enum err e = device_secret(board, &key);

    if (e == ERR_DEVICE_NONE && board->key_write)
        e = make(board, &key);
    *ret = (struct device){.has_key = e == OK, .why = e};
    if (e == OK)
        ret->key = key.pub;
    wipe(&key, sizeof(key));
    return e;
}

enum err device_enrolment(const struct device *d, const struct machine *m, struct buf *ret)
{
    enum err e = d->has_key ? enrol_put(ret, &d->key, m) : OK;

    if (e == OK && d->has_key)
        buf_str(ret, "\n");
    return e == OK && ret->overflow ? ERR_LIMIT : e;
}
