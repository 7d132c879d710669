/*
 * system.h - one Linux machine: everything behind struct board and struct host, owned by main().
 */
#ifndef JOINBOOT_BOARDS_LINUX_SYSTEM_H
#define JOINBOOT_BOARDS_LINUX_SYSTEM_H

#include "boards/linux/bootlog.h"
#include "boards/linux/devkey.h"
#include "boards/linux/hostnet.h"
#include "boards/linux/keep.h"
#include "boards/linux/modules.h"
#include "boards/linux/oneshot.h"
#include "boards/linux/options.h"
#include "boards/linux/packet.h"
#include "boards/linux/probe.h"
#include "boards/linux/rootfs.h"
#include "boards/linux/service.h"
#include "boards/linux/storage.h"
#include "firmware/base/limits.h"

enum { SYSTEM_CMDLINE = 4096, SYSTEM_BUTTONS = 4 };

struct system {
    bool pid1;
    bool finishing;
    bool state_open;  /* as PID 1: root_step is done */
    bool noise_asked; /* a child waits for the kernel's generator */
    struct options options;
    struct nics nics;
    struct packets packets;
    struct storage_file storage;
    struct storage_file bundles; /* beside it, with .bundle behind its name */
    char bundles_path[256];
    struct devkey devkey;
    struct hostnet net;
    struct keep keep;
    struct service services[HOST_SERVICES];
    struct probe probe;
    struct oneshot oneshot; /* used with --one-shot only */
    struct modules modules;
    struct rootfs rootfs;
    struct bootlog bootlog;
    int link_fd;   /* rtnetlink: wakes the loop when a carrier changes; -1: none */
    int uevent_fd; /* as PID 1: devices that appear later; -1: none */
    int watchdog_fd;
    int button_fd[SYSTEM_BUTTONS]; /* as PID 1: power buttons */
    struct span site;
    struct span cmdline;
    uint8_t site_mem[LIMIT_SITE];
    uint8_t cmdline_mem[SYSTEM_CMDLINE];
    struct board board;
    struct host host;
};

/* As an ordinary process, from its options. ERR_SITE_MISSING, ERR_STORE_IO with the reason in f. */
enum err system_start(struct system *s, struct fault *f) MUST_USE;

/* As PID 1, after pid1_prepare(). Never fails: what is missing is said on the console. */
void system_start_pid1(struct system *s);

/* One line for the operator on the console. */
void system_say(struct system *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* host.h: root_step. */
enum err system_root_step(struct system *s, const struct host_root *want, enum host_answer *ret,
                          struct fault *f) MUST_USE;

/* board.h: sleep_until. */
void system_sleep(struct system *s, uint64_t wake_ms);

/* board.h: finish. Stops the services; ends the process, or the machine. */
void system_finish(struct system *s, enum board_finish how, int status);

/* For options.enrol: only what the device key needs. Another joinboot may run; then nothing is written. */
void system_start_enrol(struct system *s);

/* The path of the record log if it outlives a power cycle, else NULL. */
const char *system_lasting_state(const struct system *s);

/* Fills s->board and s->host. */
void system_fill_board(struct system *s);
void system_fill_host(struct system *s);

/* host.h: poll. */
bool system_poll(struct system *s, uint64_t now_ms, uint64_t *ret_wake_ms, bool *ret_reboot);

#endif
