/*
 * sim.c - see sim.h: the scheduler.
 */
#include "boards/sim/sim.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boards/sim/node.h"
#include "boards/sim/wire.h"

/* So many turns without a tick of the clock mean that it never will. */
enum { STILL_TURNS_MAX = 5000 };

/* Nothing may wait for the storage within a turn: who is refused so often does. */
enum { TURN_REFUSED_MAX = 4 };

void sim_init(struct sim *s)
{
    static const uint8_t uuid[16] = {0x4c, 0x4c, 0x45, 0x44, 0,    0x51, 0x10, 0x35,
                                     0x80, 0x44, 0xb4, 0xc0, 0x4f, 0x31, 0x32, 0x33};

    memset(s, 0, sizeof(*s));
    s->nic_count = 1;
    for (unsigned i = 0; i < SIM_NICS_MAX; i++) {
        s->nics[i] =
            (struct board_nic){.mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)}, .mtu = 1500, .carrier = i == 0};
        snprintf(s->nics[i].name, sizeof(s->nics[i].name), "sim%u", i);
    }
    s->identity.has_uuid = true;
    memcpy(s->identity.uuid, uuid, sizeof(uuid));
    s->has_clock = true;
    s->has_storage = true;
    s->sock = -1;
    disk_init(&s->disk);
}

void sim_site(struct sim *s, const char *text)
{
    struct buf b = BUF_OF(s->site);

    buf_str(&b, text);
    s->site_n = b.n;
}

bool sim_boot(struct sim *s)
{
    int pair[2];

    sim_power_off(s);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    s->boots++;
    s->finished = s->died = s->cut = s->unfed = s->stuck = false;
    s->frame_count = 0;
    s->wake_ms = s->now_ms += SIM_BOOT_MS;
    s->turns = s->still_turns = s->frames_sent = 0;
    s->longest_turn_us = 0;
    s->mark = s->console_n;
    disk_power_on(&s->disk);
    if (s->os)
        os_power_on(s->os);
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        _exit(node_run(s, pair[1]));
    }
    close(pair[1]);
    s->sock = pair[0];
    if (s->pid < 0)
        s->pid = 0;
    return s->pid > 0 && sim_run(s, 0);
}

/* The process is gone, or goes now. */
static void reap(struct sim *s)
{
    int status = 0;

    kill(s->pid, SIGKILL);
    waitpid(s->pid, &status, 0);
    close(s->sock);
    s->sock = -1;
    s->pid = 0;
    disk_power_off(&s->disk);
}

void sim_power_off(struct sim *s)
{
    if (s->pid)
        reap(s);
}

void sim_inject(struct sim *s, unsigned nic, struct span frame)
{
    struct sim_frame *f = &s->frames[s->frame_count];

    if (!s->pid || !s->nics[nic].carrier || s->frame_count == SIM_FRAMES_MAX || frame.n > BOARD_FRAME_MAX)
        return;
    f->nic = nic;
    f->n = frame.n;
    memcpy(f->bytes, frame.p, frame.n);
    s->frame_count++;
}

void sim_wake(struct sim *s)
{
    s->wake_ms = s->now_ms;
}

static void on_console(struct sim *s, const struct wire_message *m)
{
    size_t half = SIM_CONSOLE_MAX / 2;

    if (s->console_n + m->n > SIM_CONSOLE_MAX) {
        memmove(s->console, s->console + half, s->console_n - half);
        s->console_n -= half;
        s->mark = s->mark > half ? s->mark - half : 0;
    }
    memcpy(s->console + s->console_n, m->bytes, m->n);
    s->console_n += m->n;
    s->console[s->console_n] = 0;
}

static enum disk_op disk_op_of(uint32_t kind)
{
    return kind == WIRE_READ    ? DISK_READ
           : kind == WIRE_PROG  ? DISK_PROG
           : kind == WIRE_ERASE ? DISK_ERASE
                                : DISK_SYNC;
}

static void on_disk(struct sim *s, struct wire_message *m)
{
    uint32_t kind = m->kind;
    enum err e;

    s->disk.now_ms = s->now_ms;
    if (!disk_do(&s->disk, disk_op_of(kind), (uint32_t)m->a, m->bytes, (uint32_t)m->b, &e)) {
        s->cut = true;
        reap(s);
        return;
    }
    if (e == ERR_BUSY && ++s->turn_refused > TURN_REFUSED_MAX) {
        s->stuck = true;
        reap(s);
        return;
    }
    m->n = kind == WIRE_READ && e == OK ? (uint32_t)m->b : 0;
    m->kind = WIRE_ANSWER;
    m->a = e;
    if (!wire_send(s->sock, m))
        s->died = true;
}

static void on_sleep(struct sim *s, const struct wire_message *m)
{
    s->wake_ms = m->a;
    if (m->b > s->longest_turn_us && s->turns > 0)
        s->longest_turn_us = m->b;
    s->unfed = s->unfed || m->c != 1;
    s->turns++;
}

/* Takes the node's messages until it sleeps again or ends. */
static void serve(struct sim *s)
{
    static struct wire_message m;

    while (s->pid) {
        if (!wire_recv(s->sock, &m)) {
            s->died = !s->finished && !(s->os && s->os->switched);
            reap(s);
            return;
        }
        switch (m.kind) {
        case WIRE_SLEEP:
            on_sleep(s, &m);
            return;
        case WIRE_FRAME:
            s->frames_sent++;
            if (s->nics[m.a].carrier && s->frame)
                s->frame(s->ctx, (unsigned)m.a, span_of(m.bytes, m.n));
            break;
        case WIRE_CONSOLE:
            on_console(s, &m);
            break;
        case WIRE_FINISH:
            s->finished = true;
            s->how = (enum board_finish)m.a;
            s->status = (int)m.b;
            break;
        default:
            on_disk(s, &m);
            break;
        }
    }
}

/* One turn of the node. */
static void turn(struct sim *s)
{
    static struct wire_message m;
    bool sent = true;

    for (unsigned i = 0; i < s->frame_count && sent; i++) {
        m = (struct wire_message){.kind = WIRE_FRAME, .a = s->frames[i].nic, .n = (uint32_t)s->frames[i].n};
        memcpy(m.bytes, s->frames[i].bytes, m.n);
        sent = wire_send(s->sock, &m);
    }
    s->frame_count = 0;
    s->turn_refused = 0;
    m.kind = WIRE_RESUME;
    m.n = 0;
    m.a = s->now_ms;
    m.b = 0;
    m.c = (uint64_t)s->wall_s;
    for (unsigned i = 0; i < s->nic_count; i++)
        m.b |= (uint64_t)s->nics[i].carrier << i;
    if (sent && wire_send(s->sock, &m))
        serve(s);
    else if (s->pid) {
        s->died = true;
        reap(s);
    }
    s->stuck = s->stuck || ++s->still_turns > STILL_TURNS_MAX;
}

/* One step: a turn of the node, or of the world, or of the clock, which moves to `end` at most. False when there is nothing more to do. */
static bool step(struct sim *s, uint64_t end)
{
    uint64_t next;

    if (!s->pid || s->stuck)
        return false;
    if (s->turns == 0) {
        serve(s); /* the node's first message: it is there */
        turn(s);
        return true;
    }
    if (s->frame_count || s->wake_ms <= s->now_ms) {
        turn(s);
        return true;
    }
    if (s->pump && s->pump(s->ctx))
        return true;
    next = s->wake_ms < end ? s->wake_ms : end;
    if (next <= s->now_ms)
        return false;
    s->now_ms = next;
    s->still_turns = 0;
    return next < end || s->wake_ms <= end;
}

bool sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now_ms + ms;

    while (step(s, end))
        continue;
    return s->pid != 0;
}

bool sim_says(const struct sim *s, const char *text)
{
    return strstr(s->console + s->mark, text) != NULL;
}

bool sim_expect(struct sim *s, const char *text, uint64_t ms)
{
    uint64_t end = s->now_ms + ms;
    const char *at;
    size_t seen = 0;

    for (;;) {
        at = seen == s->console_n ? NULL : strstr(s->console + s->mark, text);
        seen = s->console_n;
        if (at) {
            s->mark = (size_t)(at - s->console) + strlen(text);
            return true;
        }
        if (!step(s, end))
            return false;
    }
}
