/*
 * disk.c - see disk.h.
 */
#include "boards/sim/disk.h"

void disk_init(struct disk *d)
{
    *d = (struct disk){.ops = 0};
    memset(d->now, 0xff, sizeof(d->now));
    memset(d->durable, 0xff, sizeof(d->durable));
}

void disk_power_on(struct disk *d)
{
    d->ops = 0;
    d->busy_until_ms = 0;
}

void disk_power_off(struct disk *d)
{
    memcpy(d->durable, d->now, sizeof(d->durable));
}

static void write_to(uint8_t *image, enum disk_op op, uint32_t off, const uint8_t *data, uint32_t n)
{
    if (op == DISK_PROG)
        memcpy(image + off, data, n);
    else if (op == DISK_ERASE)
        memset(image + off, 0xff, n);
}

static void cut(struct disk *d, enum disk_op op, uint32_t off, const uint8_t *data, uint32_t n)
{
    static const uint32_t halves[] = {[DISK_NOTHING] = 0, [DISK_HALF] = 1, [DISK_ALL] = 2};

    if (d->cut_unsynced)
        memcpy(d->now, d->durable, sizeof(d->now));
    write_to(d->now, op, off, data, n * halves[d->cut_part] / 2);
    disk_power_off(d);
    d->cut_at = 0;
}

bool disk_do(struct disk *d, enum disk_op op, uint32_t off, uint8_t *data, uint32_t n, enum err *ret_e)
{
    *ret_e = ERR_STORE_IO;
    if (off > DISK_SIZE || n > DISK_SIZE - off)
        return true;
    if (d->now_ms < d->busy_until_ms) {
        *ret_e = ERR_BUSY;
        return true;
    }
    if (d->ops < DISK_LOG_MAX)
        d->log[d->ops] = (uint8_t)op;
    if (++d->ops == d->cut_at) {
        cut(d, op, off, data, n);
        return false;
    }
    if (d->io_error || (d->state_error && off < DISK_STATE && (op == DISK_PROG || op == DISK_ERASE)))
        return true;
    *ret_e = OK;
    d->busy_until_ms = d->now_ms + (op == DISK_PROG ? d->prog_ms : op == DISK_ERASE ? d->erase_ms : 0);
    if (op == DISK_READ)
        memcpy(data, d->now + off, n);
    else if (op == DISK_SYNC)
        memcpy(d->durable, d->now, sizeof(d->durable));
    else
        write_to(d->now, op, off, data, n);
    return true;
}
