/*
 * rawdisk.c - see rawdisk.h.
 */
#include "tests/unit/rawdisk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool failing(struct rawdisk *d)
{
    return ++d->calls == d->fail_at;
}

static bool is_busy(struct rawdisk *d)
{
    if (d->busy == 0)
        return false;
    d->busy--;
    d->refused++;
    return true;
}

static enum err disk_read(void *ctx, uint32_t off, void *ret, uint32_t n)
{
    struct rawdisk *d = ctx;
    assert_true(off <= d->st.size && n <= d->st.size - off);
    if (is_busy(d))
        return ERR_BUSY;
    if (failing(d))
        return ERR_IO;
    memcpy(ret, d->bytes + off, n);
    return OK;
}

static struct op *record(struct rawdisk *d, enum op_kind kind, uint32_t off, uint32_t n)
{
    assert_true(d->op_count < OPS_MAX && n <= sizeof(d->ops[0].data));
    struct op *op = &d->ops[d->op_count++];
    op->kind = kind;
    op->off = off;
    op->n = n;
    memset(op->data, 0xff, n);
    return op;
}

static enum err disk_prog(void *ctx, uint32_t off, const void *p, uint32_t n)
{
    struct rawdisk *d = ctx;
    assert_true(n > 0 && off % d->st.prog_size == 0 && n % d->st.prog_size == 0 && n <= d->st.size - off);
    uint32_t page = d->st.prog_size > STORAGE_PAGE ? d->st.prog_size : STORAGE_PAGE;
    assert_int_equal(off / page, (off + n - 1) / page);
    if (is_busy(d))
        return ERR_BUSY;
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(d->bytes[off + i], 0xff); /* only erased bytes are programmed */
    if (failing(d))
        return ERR_IO;
    memcpy(record(d, PROG, off, n)->data, p, n);
    memcpy(d->bytes + off, p, n);
    d->busy = d->slow;
    return OK;
}

static enum err disk_erase(void *ctx, uint32_t off, uint32_t n)
{
    struct rawdisk *d = ctx;
    assert_true(n == d->st.erase_size && off % n == 0 && n <= d->st.size - off);
    if (is_busy(d))
        return ERR_BUSY;
    if (failing(d))
        return ERR_IO;
    (void)record(d, ERASE, off, n);
    memset(d->bytes + off, 0xff, n);
    d->busy = d->slow;
    return OK;
}

static enum err disk_sync(void *ctx)
{
    struct rawdisk *d = ctx;
    if (is_busy(d))
        return ERR_BUSY;
    if (failing(d))
        return ERR_IO;
    (void)record(d, SYNC, 0, 0);
    return OK;
}

static enum err disk_is_used(void *ctx, bool *ret)
{
    struct rawdisk *d = ctx;
    if (is_busy(d))
        return ERR_BUSY;
    if (failing(d))
        return ERR_IO;
    *ret = d->used;
    return OK;
}

static enum err disk_set_used(void *ctx)
{
    struct rawdisk *d = ctx;
    if (failing(d))
        return ERR_IO;
    assert_int_equal(d->busy, 0);
    d->used = true;
    d->busy = d->slow;
    return OK;
}

void rawdisk_make(struct rawdisk *d, const struct geometry *g)
{
    *d = (struct rawdisk){.st = {.prog_size = g->prog, .erase_size = g->erase, .size = g->size}};
    d->st.ctx = d;
    d->st.read = disk_read;
    d->st.prog = disk_prog;
    d->st.erase = disk_erase;
    d->st.sync = disk_sync;
    memset(d->bytes, g->blank, sizeof(d->bytes));
}

void rawdisk_remember(struct rawdisk *d)
{
    d->st.is_used = disk_is_used;
    d->st.set_used = disk_set_used;
}
