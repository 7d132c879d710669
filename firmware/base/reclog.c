/*
 * reclog.c - the record log of reclog.h.
 *
 *   header, 32 bytes, little-endian: 0 magic "JBR1", 4 length of the body (u32), 8 sequence (u64), 16 zero (12 bytes), 28 CRC-32 (u32)
 *
 * The CRC (crc32.h) is over the header's first 28 bytes and the body. The header is padded to a multiple of
 * prog_size with 0xff, then comes the body. CRC-32 finds accidents; who can write the storage on purpose owns the machine.
 */
#include "firmware/base/reclog.h"

#include "firmware/base/crc32.h"

enum { CHUNK = 256, MARK = 16, CRC_AT = 28 };

static const char magic[] = "JBR1";
static const char mark_text[] = "joinboot reclog1";

_Static_assert(sizeof(mark_text) - 1 == MARK, "the mark is one text");

/* Where things are; derived from the geometry. */
struct layout {
    uint32_t area_size;
    uint32_t body_at; /* in an area */
};

struct record {
    uint32_t area; /* offset */
    uint32_t length;
    uint64_t seq;
    uint32_t crc;
    uint8_t header[RECLOG_HEADER];
};

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t up(uint32_t n, uint32_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static enum err layout_of(const struct storage *st, struct layout *ret)
{
    if (st->prog_size == 0 || st->prog_size > RECLOG_PROG_MAX || st->erase_size < RECLOG_HEADER ||
        st->erase_size % st->prog_size != 0)
        return ERR_STATE;
    if (st->size / 3 < st->erase_size)
        return ERR_STATE;
    uint32_t area = (st->size - st->erase_size) / 2;
    ret->area_size = area - area % st->erase_size;
    ret->body_at = up(RECLOG_HEADER, st->prog_size);
    return ret->body_at < ret->area_size ? OK : ERR_STATE;
}

size_t reclog_capacity(const struct storage *st)
{
    struct layout l;
    return layout_of(st, &l) == OK ? l.area_size - l.body_at : 0;
}

/* Whatever a device says is wrong, here it is the storage. */
static enum err io(enum err e)
{
    return e == OK || e == ERR_BUSY ? e : ERR_STORE_IO;
}

static enum err is_marked(const struct storage *st, bool *ret)
{
    uint8_t mark[MARK];
    enum err e = io(st->read(st->ctx, 0, mark, MARK));
    if (e != OK)
        return e;
    bool blank = mark[0] == 0xff || mark[0] == 0;
    for (unsigned i = 1; i < MARK; i++)
        blank = blank && mark[i] == mark[0];
    *ret = !blank;
    return OK;
}

/* The storage held a durable record, as its own mark or the board says. */
static enum err was_used(const struct storage *st, bool *ret)
{
    bool used;
    enum err e = is_marked(st, &used);
    if (e == OK && !used && st->is_used)
        e = io(st->is_used(st->ctx, &used));
    if (e == OK)
        *ret = used;
    return e;
}

/* The CRC of a record's header and of the body as it is stored. */
static enum err stored_crc(const struct storage *st, const struct layout *l, const struct record *r,
                           uint32_t *ret)
{
    uint8_t chunk[CHUNK];
    uint32_t crc = crc32_add(CRC32_START, span_of(r->header, CRC_AT));
    for (uint32_t done = 0; done < r->length;) {
        uint32_t n = r->length - done < CHUNK ? r->length - done : CHUNK;
        enum err e = io(st->read(st->ctx, r->area + l->body_at + done, chunk, n));
        if (e != OK)
            return e;
        crc = crc32_add(crc, span_of(chunk, n));
        done += n;
    }
    *ret = ~crc;
    return OK;
}

/* Reads the record of one area. *ret_good: it is whole. */
static enum err load(const struct storage *st, const struct layout *l, uint32_t area, struct record *ret,
                     bool *ret_good)
{
    struct record r = {.area = area};
    uint32_t crc;
    enum err e = io(st->read(st->ctx, area, r.header, RECLOG_HEADER));
    if (e != OK)
        return e;
    *ret_good = false;
    r.length = get_u32(r.header + 4);
    r.seq = get_u32(r.header + 8) | (uint64_t)get_u32(r.header + 12) << 32;
    r.crc = get_u32(r.header + CRC_AT);
    if (memcmp(r.header, magic, 4) != 0 || r.length > l->area_size - l->body_at)
        return OK;
    e = stored_crc(st, l, &r, &crc);
    if (e != OK)
        return e;
    *ret_good = crc == r.crc;
    *ret = r;
    return OK;
}

/* The newest good record. ERR_STORE_EMPTY, ERR_STORE_LOST, ERR_STORE_IO, ERR_BUSY. */
static enum err newest(const struct storage *st, const struct layout *l, struct record *ret)
{
    struct record r[2];
    bool good[2];
    bool used;
    for (unsigned i = 0; i < 2; i++) {
        enum err e = load(st, l, st->erase_size + i * l->area_size, &r[i], &good[i]);
        if (e != OK)
            return e;
    }
    if (good[0] || good[1]) {
        *ret = good[0] && (!good[1] || r[0].seq >= r[1].seq) ? r[0] : r[1];
        return OK;
    }
    enum err e = was_used(st, &used);
    if (e != OK)
        return e;
    return used ? ERR_STORE_LOST : ERR_STORE_EMPTY;
}

enum err reclog_read(const struct storage *st, uint8_t *ret_body, size_t cap, size_t *ret_n,
                     uint64_t *ret_seq)
{
    struct layout l;
    struct record r;
    enum err e = layout_of(st, &l);
    if (e == OK)
        e = newest(st, &l, &r);
    if (e != OK)
        return e;
    if (r.length > cap)
        return ERR_LIMIT;
    e = r.length > 0 ? io(st->read(st->ctx, r.area + l.body_at, ret_body, r.length)) : OK;
    if (e != OK)
        return e;
    /* What was read now is what counts, not what was read while searching. */
    uint32_t crc = crc32_add(crc32_add(CRC32_START, span_of(r.header, CRC_AT)), span_of(ret_body, r.length));
    if (~crc != r.crc)
        return ERR_STORE_IO;
    *ret_n = r.length;
    *ret_seq = r.seq;
    return OK;
}

enum err reclog_find(const struct storage *st, struct reclog_record *ret)
{
    struct layout l;
    struct record r;
    enum err e = layout_of(st, &l);
    if (e == OK)
        e = newest(st, &l, &r);
    if (e == OK)
        *ret = (struct reclog_record){.at = r.area + l.body_at, .n = r.length, .seq = r.seq};
    return e;
}

enum err reclog_piece(const struct storage *st, const struct reclog_record *r, uint32_t off, uint8_t *ret,
                      uint32_t n)
{
    if (off > r->n || n > r->n - off)
        return ERR_LIMIT;
    return n > 0 ? io(st->read(st->ctx, r->at + off, ret, n)) : OK;
}

enum { FIND, ERASE, BODY, HEADER, DURABLE, LOOK, MARK_ERASE, MARK_TEXT, MARK_DURABLE, USED, WRITTEN };

static void next_step(struct reclog_job *job, unsigned step)
{
    job->step = step;
    job->at = 0;
}

/* Starts the next page of bytes that lie at `base`; what is left of a unit at their end is 0xff. The last one leads to the next step. */
static enum err program(const struct storage *st, uint32_t base, struct span s, struct reclog_job *job)
{
    uint8_t unit[RECLOG_PROG_MAX];
    uint32_t page =
        st->prog_size < STORAGE_PAGE ? STORAGE_PAGE / st->prog_size * st->prog_size : st->prog_size;
    uint32_t room = page - (base + job->at) % page;
    uint32_t left = (uint32_t)s.n - job->at;
    uint32_t n = left < room ? left - left % st->prog_size : room;
    enum err e = OK;
    if (n > 0) {
        e = io(st->prog(st->ctx, base + job->at, s.p + job->at, n));
    } else if (left > 0) {
        memset(unit, 0xff, sizeof(unit));
        memcpy(unit, s.p + job->at, left);
        e = io(st->prog(st->ctx, base + job->at, unit, st->prog_size));
        wipe(unit, sizeof(unit));
        n = left;
    }
    if (e == OK && n == left)
        next_step(job, job->step + 1);
    else if (e == OK)
        job->at += n;
    return e;
}

/* Chooses the area that does not hold the newest good record, and makes the header. */
static enum err find(const struct storage *st, const struct layout *l, struct span body,
                     struct reclog_job *job)
{
    struct record old = {.seq = 0};
    uint8_t *header = job->header;
    enum err e = newest(st, l, &old);
    if (e != OK && e != ERR_STORE_EMPTY)
        return e;
    job->area = st->erase_size + (e == OK && old.area == st->erase_size ? l->area_size : 0);
    memset(header, 0, RECLOG_HEADER);
    memcpy(header, magic, 4);
    put_u32(header + 4, (uint32_t)body.n);
    put_u32(header + 8, (uint32_t)(old.seq + 1));
    put_u32(header + 12, (uint32_t)((old.seq + 1) >> 32));
    put_u32(header + CRC_AT, ~crc32_add(crc32_add(CRC32_START, span_of(header, CRC_AT)), body));
    next_step(job, ERASE);
    return OK;
}

/* Erases the blocks that the record will lie in, one at a time. */
static enum err erase(const struct storage *st, const struct layout *l, struct span body,
                      struct reclog_job *job)
{
    enum err e = io(st->erase(st->ctx, job->area + job->at, st->erase_size));
    if (e != OK)
        return e;
    job->at += st->erase_size;
    if (job->at >= l->body_at + body.n)
        next_step(job, BODY);
    return OK;
}

static enum err durable(const struct storage *st, struct reclog_job *job)
{
    enum err e = io(st->sync(st->ctx));
    if (e == OK)
        next_step(job, job->step + 1);
    return e;
}

/* Programs the mark if there is none. From then on no good record means that the state was lost. */
static enum err look(const struct storage *st, struct reclog_job *job)
{
    bool marked;
    enum err e = is_marked(st, &marked);
    if (e == OK)
        next_step(job, marked ? USED : MARK_ERASE);
    return e;
}

static enum err mark_erase(const struct storage *st, struct reclog_job *job)
{
    enum err e = io(st->erase(st->ctx, 0, st->erase_size));
    if (e == OK)
        next_step(job, MARK_TEXT);
    return e;
}

/* Tells the board that there was a record, unless it knows. */
static enum err use(const struct storage *st, struct reclog_job *job)
{
    bool used = !st->is_used || !st->set_used;
    enum err e = used ? OK : io(st->is_used(st->ctx, &used));
    if (e != OK)
        return e;
    if (used) {
        next_step(job, WRITTEN);
        return OK;
    }
    if (job->at)
        return ERR_STORE_IO; /* it was told, and does not know */
    e = io(st->set_used(st->ctx));
    job->at = e == OK;
    return e;
}

/* One operation of the storage, or none. */
static enum err advance(const struct storage *st, const struct layout *l, struct span body,
                        struct reclog_job *job)
{
    switch (job->step) {
    case FIND:
        return find(st, l, body, job);
    case ERASE:
        return erase(st, l, body, job);
    case BODY:
        return program(st, job->area + l->body_at, body, job);
    case HEADER:
        return program(st, job->area, span_of(job->header, RECLOG_HEADER), job);
    case LOOK:
        return look(st, job);
    case MARK_ERASE:
        return mark_erase(st, job);
    case MARK_TEXT:
        return program(st, 0, span_of(mark_text, MARK), job);
    case USED:
        return use(st, job);
    default:
        return durable(st, job);
    }
}

enum err reclog_write(const struct storage *st, struct span body, struct reclog_job *job)
{
    struct layout l;
    enum err e = layout_of(st, &l);
    if (e == OK && body.n > l.area_size - l.body_at)
        e = ERR_STORE_FULL;
    while (e == OK && job->step != WRITTEN)
        e = advance(st, &l, body, job);
    if (e != ERR_BUSY)
        *job = (struct reclog_job){.step = FIND};
    return e;
}
