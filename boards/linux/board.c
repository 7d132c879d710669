/*
 * board.c - struct board on Linux: each operation hands over to the file that does it.
 */
#include <errno.h>
#include <unistd.h>

#include "boards/linux/clock.h"
#include "boards/linux/hostif.h"
#include "boards/linux/identity.h"
#include "boards/linux/pid1.h"
#include "boards/linux/system.h"

static uint64_t op_now_ms(void *ctx)
{
    (void)ctx;
    return clock_now_ms();
}

static bool op_wall(void *ctx, int64_t *ret_unix_s)
{
    const struct system *s = ctx;

    return clock_wall(s->pid1, ret_unix_s);
}

static size_t op_noise(void *ctx, uint8_t *ret, size_t n, uint32_t *ret_bits)
{
    struct system *s = ctx;
    size_t got = clock_noise(ret, n, ret_bits);

    if (*ret_bits == 0 && !s->noise_asked)
        s->noise_asked = clock_ask_for_noise();
    return got;
}

static void op_sleep_until(void *ctx, uint64_t wake_ms)
{
    system_sleep(ctx, wake_ms);
}

static void op_feed(void *ctx)
{
    const struct system *s = ctx;

    if (s->watchdog_fd >= 0)
        (void)!write(s->watchdog_fd, "", 1);
}

static void op_console(void *ctx, struct span text)
{
    struct system *s = ctx;

    if (s->pid1)
        bootlog_put(&s->bootlog, text);
    while (text.n > 0) {
        ssize_t put = write(STDOUT_FILENO, text.p, text.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return;
        text = span_sub(text, (size_t)put, text.n - (size_t)put);
    }
}

static unsigned op_nic_count(void *ctx)
{
    struct system *s = ctx;

    return s->options.one_shot ? oneshot_scan(&s->oneshot) : nic_scan(&s->nics);
}

static enum err op_nic_info(void *ctx, unsigned nic, struct board_nic *ret)
{
    const struct system *s = ctx;
    enum err e = nic_info(&s->nics, nic, ret);

    if (e == OK && packet_is_lost(&s->packets, &s->nics, nic))
        ret->carrier = false;
    return e;
}

static enum err op_nic_open(void *ctx, unsigned nic)
{
    struct system *s = ctx;

    /* A link that has kernel addresses must have no second stack beside them: two would answer for one machine. */
    if (s->options.one_shot)
        return OK;
    return packet_open(&s->packets, &s->nics, nic);
}

static void op_nic_close(void *ctx, unsigned nic)
{
    struct system *s = ctx;

    packet_close(&s->packets, nic);
}

static enum err op_nic_send(void *ctx, unsigned nic, struct span frame)
{
    struct system *s = ctx;

    return packet_send(&s->packets, nic, frame);
}

static size_t op_nic_recv(void *ctx, unsigned nic, uint8_t *ret, size_t cap)
{
    struct system *s = ctx;

    return packet_recv(&s->packets, nic, ret, cap);
}

static enum err op_identity(void *ctx, struct board_identity *ret)
{
    const struct system *s = ctx;

    /* Only the options of an ordinary process can set it. */
    if (s->options.has_identity)
        *ret = s->options.identity;
    else
        identity_read("", ret);
    ret->has_bmc_mac = hostif_read("", ret->bmc_mac);
    return OK;
}

static struct span op_site(void *ctx)
{
    const struct system *s = ctx;

    return s->site;
}

static struct span op_cmdline(void *ctx)
{
    const struct system *s = ctx;

    return s->cmdline;
}

static enum err op_key_read(void *ctx, uint8_t ret[BOARD_KEY_SIZE])
{
    const struct system *s = ctx;

    return devkey_read(&s->devkey, system_lasting_state(s), ret);
}

static enum err op_key_write(void *ctx, const uint8_t area[BOARD_KEY_SIZE])
{
    const struct system *s = ctx;

    /* Who has the record log, and its lock, is the only one who writes. */
    return devkey_write(s->storage.fd >= 0 ? system_lasting_state(s) : NULL, area);
}

static void op_finish(void *ctx, enum board_finish how, int status)
{
    system_finish(ctx, how, status);
}

void system_fill_board(struct system *s)
{
    s->board = (struct board){
        .ctx = s,
        .name = "linux",
        .now_ms = op_now_ms,
        .wall = op_wall,
        .noise = op_noise,
        .sleep_until = op_sleep_until,
        .feed = op_feed,
        .console = op_console,
        .nic_count = op_nic_count,
        .nic_info = op_nic_info,
        .nic_open = op_nic_open,
        .nic_close = op_nic_close,
        .nic_send = op_nic_send,
        .nic_recv = op_nic_recv,
        .identity = op_identity,
        .site = op_site,
        .cmdline = op_cmdline,
        .storage = s->storage.fd >= 0 ? &s->storage.ops : NULL,
        .bundles = s->storage.fd >= 0 ? &s->bundles.ops : NULL,
        .key_read = op_key_read,
        .key_write = op_key_write,
        .finish = op_finish,
    };
}
