/*
 * wire.h - the messages between the scheduler and a node, each one packet of a SOCK_SEQPACKET socket pair.
 *
 * A node runs only between RESUME and its next SLEEP, and the scheduler only while the node sleeps or waits for an ANSWER: lock-step. FRAME and
 * CONSOLE are not answered; FRAME goes both ways, before RESUME and before SLEEP.
 */
#ifndef JOINBOOT_BOARDS_SIM_WIRE_H
#define JOINBOOT_BOARDS_SIM_WIRE_H

#include "firmware/base/span.h"

enum { WIRE_BYTES_MAX = 4096 };

enum wire_kind {
    WIRE_SLEEP, /* node: a = time to wake at, b = CPU time of the turn in microseconds, c = times that the watchdog was fed */
    WIRE_RESUME, /* scheduler: a = time now, b = bit per NIC that has a carrier, c = seconds since 1970 of the real-time clock */
    WIRE_FRAME,  /* a = NIC, bytes = the frame */
    WIRE_CONSOLE, /* node: bytes = text */
    WIRE_READ,    /* node: a = offset, b = length */
    WIRE_PROG,    /* node: a = offset, bytes = data */
    WIRE_ERASE,   /* node: a = offset, b = length */
    WIRE_SYNC,    /* node */
    WIRE_ANSWER,  /* scheduler: a = enum err, bytes = what was read */
    WIRE_FINISH   /* node: a = enum board_finish, b = status */
};

struct wire_message {
    uint32_t kind;
    uint32_t n; /* of bytes */
    uint64_t a, b, c;
    uint8_t bytes[WIRE_BYTES_MAX];
};

/* Sends a message without its unused bytes. False if the other side is gone. */
bool wire_send(int sock, const struct wire_message *m) MUST_USE;
/* Waits for the next message. False if the other side is gone. */
bool wire_recv(int sock, struct wire_message *ret) MUST_USE;

#endif
