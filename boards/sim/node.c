/*
 * node.c - see node.h. The process has a copy of struct sim as it was at power-on; clock and carrier come with every RESUME.
 */
#include "boards/sim/node.h"

#include <time.h>
#include <unistd.h>

#include "boards/sim/wire.h"
#include "firmware/agent/phases.h"

struct node {
    struct sim *sim;
    int sock;
    uint64_t now_ms;
    int64_t wall_s;
    uint64_t carriers;
    uint64_t noise; /* state of the generator */
    uint64_t turn_us, fed;
    bool open[SIM_NICS_MAX];
    struct sim_frame in[SIM_FRAMES_MAX];
    unsigned in_first, in_count;
    struct wire_message message;
};

static uint64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Without a scheduler there is no machine. */
static void tell(struct node *n, const struct wire_message *m)
{
    if (!wire_send(n->sock, m))
        _exit(0);
}

static void hear(struct node *n)
{
    if (!wire_recv(n->sock, &n->message))
        _exit(0);
}

static uint64_t now_ms(void *ctx)
{
    return ((const struct node *)ctx)->now_ms;
}

static bool wall(void *ctx, int64_t *ret_unix_s)
{
    const struct node *n = ctx;

    if (n->sim->has_clock)
        *ret_unix_s = n->wall_s;
    return n->sim->has_clock;
}

/* Another sequence of bytes at every boot, but the same ones in every run of a test (xorshift64). */
static size_t noise(void *ctx, uint8_t *ret, size_t cap, uint32_t *ret_bits)
{
    struct node *n = ctx;

    *ret_bits = 0;
    if (n->sim->noise == SIM_NOISE_NONE)
        return 0;
    for (size_t i = 0; i < cap; i++) {
        n->noise ^= n->noise << 13;
        n->noise ^= n->noise >> 7;
        n->noise ^= n->noise << 17;
        ret[i] = n->sim->noise == SIM_NOISE_STUCK ? 0xa5 : (uint8_t)(n->noise >> 32);
    }
    *ret_bits = (uint32_t)(4 * cap);
    return cap;
}

static void keep_frame(struct node *n)
{
    struct sim_frame *f = &n->in[(n->in_first + n->in_count) % SIM_FRAMES_MAX];

    if (n->in_count == SIM_FRAMES_MAX || n->message.a >= SIM_NICS_MAX || !n->open[n->message.a])
        return;
    f->nic = (unsigned)n->message.a;
    f->n = n->message.n;
    memcpy(f->bytes, n->message.bytes, f->n);
    n->in_count++;
}

static void sleep_until(void *ctx, uint64_t wake_ms)
{
    struct node *n = ctx;

    n->message =
        (struct wire_message){.kind = WIRE_SLEEP, .a = wake_ms, .b = cpu_us() - n->turn_us, .c = n->fed};
    tell(n, &n->message);
    for (hear(n); n->message.kind == WIRE_FRAME; hear(n))
        keep_frame(n);
    n->now_ms = n->message.a;
    n->carriers = n->message.b;
    n->wall_s = (int64_t)n->message.c;
    n->fed = 0;
    n->turn_us = cpu_us();
}

static void feed(void *ctx)
{
    ((struct node *)ctx)->fed++;
}

static void console(void *ctx, struct span text)
{
    struct node *n = ctx;

    n->message.kind = WIRE_CONSOLE;
    n->message.n = (uint32_t)(text.n < WIRE_BYTES_MAX ? text.n : WIRE_BYTES_MAX);
    memcpy(n->message.bytes, text.p, n->message.n);
    tell(n, &n->message);
}

static unsigned nic_count(void *ctx)
{
    return ((const struct node *)ctx)->sim->nic_count;
}

static enum err nic_info(void *ctx, unsigned nic, struct board_nic *ret)
{
    const struct node *n = ctx;

    if (nic >= n->sim->nic_count)
        return ERR_LINK_NONE;
    *ret = n->sim->nics[nic];
    ret->carrier = (n->carriers >> nic & 1) != 0;
    return OK;
}

static enum err nic_open(void *ctx, unsigned nic)
{
    struct node *n = ctx;

    if (nic >= n->sim->nic_count)
        return ERR_LINK_NONE;
    n->open[nic] = true;
    return OK;
}

static void nic_close(void *ctx, unsigned nic)
{
    struct node *n = ctx;

    if (nic < n->sim->nic_count)
        n->open[nic] = false;
}

static enum err nic_send(void *ctx, unsigned nic, struct span frame)
{
    struct node *n = ctx;

    if (nic >= n->sim->nic_count || !n->open[nic] || frame.n > BOARD_FRAME_MAX)
        return ERR_IO;
    n->message.kind = WIRE_FRAME;
    n->message.a = nic;
    n->message.n = (uint32_t)frame.n;
    memcpy(n->message.bytes, frame.p, frame.n);
    tell(n, &n->message);
    return OK;
}

static size_t nic_recv(void *ctx, unsigned nic, uint8_t *ret, size_t cap)
{
    struct node *n = ctx;
    size_t size = 0;

    for (unsigned i = 0; i < n->in_count && size == 0; i++) {
        struct sim_frame *f = &n->in[(n->in_first + i) % SIM_FRAMES_MAX];

        if (f->nic != nic || f->n > cap)
            continue;
        size = f->n; /* 0 from now on: taken */
        memcpy(ret, f->bytes, size);
        f->n = 0;
    }
    for (; n->in_count > 0 && n->in[n->in_first % SIM_FRAMES_MAX].n == 0; n->in_count--)
        n->in_first++;
    return size;
}

static enum err identity(void *ctx, struct board_identity *ret)
{
    *ret = ((const struct node *)ctx)->sim->identity;
    return OK;
}

static struct span site(void *ctx)
{
    const struct node *n = ctx;

    return span_of(n->sim->site, n->sim->site_n);
}

static struct span cmdline(void *ctx)
{
    return span_str(((const struct node *)ctx)->sim->cmdline);
}

/* One storage operation at the scheduler. */
static enum err ask(struct node *n, enum wire_kind kind, uint32_t off, uint32_t size)
{
    n->message.kind = kind;
    n->message.n = kind == WIRE_PROG ? size : 0;
    n->message.a = off;
    n->message.b = size;
    tell(n, &n->message);
    hear(n);
    return (enum err)n->message.a;
}

/* A part of the disk. */
struct part {
    struct node *node;
    uint32_t first;
};

static enum err storage_read(void *ctx, uint32_t off, void *ret, uint32_t size)
{
    const struct part *part = ctx;
    struct node *n = part->node;
    enum err e = size > WIRE_BYTES_MAX ? ERR_STORE_IO : ask(n, WIRE_READ, part->first + off, size);

    if (e == OK)
        memcpy(ret, n->message.bytes, size);
    return e;
}

static enum err storage_prog(void *ctx, uint32_t off, const void *p, uint32_t size)
{
    const struct part *part = ctx;
    struct node *n = part->node;

    if (size > WIRE_BYTES_MAX)
        return ERR_STORE_IO;
    memcpy(n->message.bytes, p, size);
    return ask(n, WIRE_PROG, part->first + off, size);
}

static enum err storage_erase(void *ctx, uint32_t off, uint32_t size)
{
    const struct part *part = ctx;

    return ask(part->node, WIRE_ERASE, part->first + off, size);
}

static enum err storage_sync(void *ctx)
{
    return ask(((const struct part *)ctx)->node, WIRE_SYNC, 0, 0);
}

static void finish(void *ctx, enum board_finish how, int status)
{
    struct node *n = ctx;

    n->message = (struct wire_message){.kind = WIRE_FINISH, .a = how, .b = (uint64_t)(unsigned)status};
    tell(n, &n->message);
    _exit(0);
}

int node_run(struct sim *s, int sock)
{
    static struct agent agent;
    static struct node n;
    struct part parts[] = {{&n, 0}, {&n, DISK_STATE}};
    struct storage storage = {
        .ctx = &parts[0],
        .prog_size = 16,
        .erase_size = DISK_BLOCK,
        .size = DISK_STATE,
        .read = storage_read,
        .prog = storage_prog,
        .erase = storage_erase,
        .sync = storage_sync,
    };
    struct storage bundles = storage;
    const struct board board = {
        .ctx = &n,
        .name = "sim",
        .now_ms = now_ms,
        .wall = wall,
        .noise = noise,
        .sleep_until = sleep_until,
        .feed = feed,
        .console = console,
        .nic_count = nic_count,
        .nic_info = nic_info,
        .nic_open = nic_open,
        .nic_close = nic_close,
        .nic_send = nic_send,
        .nic_recv = nic_recv,
        .identity = identity,
        .site = site,
        .cmdline = cmdline,
        .storage = s->has_storage ? &storage : NULL,
        .bundles = s->has_storage ? &bundles : NULL,
        .finish = finish,
    };
    struct host host;

    bundles.ctx = &parts[1];
    bundles.size = DISK_BUNDLES;
    n = (struct node){.sim = s, .sock = sock, .noise = 0x9e3779b97f4a7c15u * (s->boots + 1), .fed = 1};
    /* Power-on: the first RESUME brings the time. */
    sleep_until(&n, 0);
    if (s->os)
        host = os_host(s->os);
    return agent_run(&agent, &phases_node, &board, s->os ? &host : NULL);
}
