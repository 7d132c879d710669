/*
 * uart.h - the console: text waits in a ring and goes out as the UART takes it.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_UART_H
#define JOINBOOT_BOARDS_AST2600_EVB_UART_H

#include "firmware/base/span.h"

enum { UART_RING = 2048 };

struct uart {
    uint32_t base;
    unsigned first, count;
    uint8_t ring[UART_RING];
};

/* Baud rate and pins are the loader's. */
void uart_init(struct uart *u, uint32_t base);
/* Text with "\n" as a line's end. When the ring is full it waits for the UART: a line is late rather than lost. */
void uart_put(struct uart *u, struct span text);
/* Gives the UART what it can take now. True if text is left. */
bool uart_push(struct uart *u);
/* Waits until all of it is in the UART. */
void uart_flush(struct uart *u);

#endif
