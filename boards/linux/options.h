/*
 * options.h - the command line of the agent as an ordinary process. PID 1 has none: the kernel's command line is read instead.
 */
#ifndef JOINBOOT_BOARDS_LINUX_OPTIONS_H
#define JOINBOOT_BOARDS_LINUX_OPTIONS_H

#include "boards/board.h"

enum { OPTIONS_EXIT_OK = 0, OPTIONS_EXIT_FAILED = 1, OPTIONS_EXIT_USAGE = 2, OPTIONS_CMDLINE = 2048 };

struct options {
    const char *site; /* paths; never NULL */
    const char *state;
    const char *nic; /* NULL: every link that looks right */
    bool has_identity;
    struct board_identity identity;
    bool once;
    bool one_shot;
    bool enrol;
    uint32_t timeout_s; /* of the whole run with one_shot; 0: none */
    bool help;
    bool version;
    struct buf cmdline; /* what --set said, in the form of a kernel command line */
    uint8_t cmdline_mem[OPTIONS_CMDLINE];
};

/* Reads argv. ERR_INPUT with one line for the user in ret_why (zero-terminated). */
enum err options_parse(struct options *o, int argc, const char *const *argv, struct buf *ret_why) MUST_USE;

/* The text of --help. */
struct span options_help(void);

#endif
