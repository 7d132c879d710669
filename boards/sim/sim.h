/*
 * sim.h - a simulated machine and its scheduler: the board that scenario tests run on.
 *
 * lwIP and PSA exist once per process, so every boot of a node is a forked process that runs the agent as it ships (node.c). The scheduler, which
 * is the test's process, owns the clock, the frames, the storage and the console, and lets the node run from one sleep to the next (wire.h).
 * Simulated time stands still while the node runs; what a turn costs is measured in CPU time.
 *
 * Invariant: between two calls of this module the node sleeps or does not exist.
 */
#ifndef JOINBOOT_BOARDS_SIM_SIM_H
#define JOINBOOT_BOARDS_SIM_SIM_H

#include <sys/types.h>

#include "boards/board.h"
#include "boards/sim/disk.h"
#include "boards/sim/os.h"
#include "firmware/base/limits.h"

enum { SIM_NICS_MAX = 2, SIM_FRAMES_MAX = 256, SIM_CONSOLE_MAX = 1 << 20, SIM_BOOT_MS = 1000 };

enum sim_noise { SIM_NOISE_GOOD, SIM_NOISE_STUCK, SIM_NOISE_NONE };

struct sim_frame {
    unsigned nic;
    size_t n;
    uint8_t bytes[BOARD_FRAME_MAX];
};

struct sim {
    /* the machine; may be changed while there is no node, carrier and wall_s at any time */
    struct board_nic nics[SIM_NICS_MAX];
    unsigned nic_count;
    struct board_identity identity;
    enum sim_noise noise;
    bool has_clock;
    int64_t wall_s; /* what the real-time clock says; it does not run */
    bool has_storage;
    struct disk disk;
    struct os *os; /* NULL: a board without an operating system */
    uint8_t site[LIMIT_SITE + 1];
    size_t site_n;
    char cmdline[512];
    /* the world around it */
    uint64_t now_ms;
    void *ctx;
    void (*frame)(void *ctx, unsigned nic, struct span frame); /* the node sent this */
    bool (*pump)(
        void *ctx); /* called before time moves on; true: it made frames, so time stands still. May be NULL */
    struct sim_frame frames[SIM_FRAMES_MAX]; /* towards the node */
    unsigned frame_count;
    /* the running node */
    pid_t pid; /* 0: there is none */
    int sock;
    unsigned boots;
    uint64_t wake_ms;
    bool finished; /* by itself, with `how` and `status` */
    enum board_finish how;
    int status;
    bool died;  /* it ended in any other way than by sim_power_off, a cut or finish */
    bool cut;   /* the power was cut at disk.cut_at */
    bool unfed; /* a turn fed the watchdog not exactly once */
    bool stuck; /* time did not move on over many turns, or a turn asked a busy storage again and again */
    /* measured */
    unsigned turns, still_turns;
    unsigned turn_refused; /* what the storage was asked in this turn while it was busy */
    unsigned frames_sent;
    uint64_t longest_turn_us;
    /* the console since sim_init; when it is full its older half is dropped */
    char console[SIM_CONSOLE_MAX + 1];
    size_t console_n;
    size_t mark; /* sim_expect looks behind it */
};

/* A machine with one NIC with carrier, MAC 02:00:00:00:00:01, a UUID, good noise, a clock at 0, empty storage, no operating system, no site. */
void sim_init(struct sim *s);
void sim_site(struct sim *s, const char *text);
/* Switches the machine on. False if the node could not be started. */
bool sim_boot(struct sim *s) MUST_USE;
/* Cuts the power now; nothing happens if it is off. */
void sim_power_off(struct sim *s);
/* A frame towards the node; dropped without carrier. */
void sim_inject(struct sim *s, unsigned nic, struct span frame);
/* Something happened that wakes the operating system: the node does not sleep on. */
void sim_wake(struct sim *s);
/* Drives the node for so long, or until it ends. True if it still runs. */
bool sim_run(struct sim *s, uint64_t ms);
/* Drives it until `text` stands on the console behind the mark, and puts the mark behind it. False if it does not come in time. */
bool sim_expect(struct sim *s, const char *text, uint64_t ms) MUST_USE;
/* The text is on the console behind the mark. */
bool sim_says(const struct sim *s, const char *text);

#endif
