/*
 * uart.c - see uart.h.
 */
#include "boards/ast2600-evb/uart.h"

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"

void uart_init(struct uart *u, uint32_t base)
{
    u->base = base;
    u->first = u->count = 0;
    mmio_write(base + UART_FCR, UART_FIFO_ON);
}

bool uart_push(struct uart *u)
{
    if (u->count == 0 || !(mmio_read(u->base + UART_LSR) & UART_LSR_EMPTY))
        return u->count != 0;
    for (unsigned i = 0; i < UART_FIFO_BYTES && u->count; i++) {
        mmio_write(u->base + UART_THR, u->ring[u->first]);
        u->first = (u->first + 1) % UART_RING;
        u->count--;
    }
    return u->count != 0;
}

void uart_flush(struct uart *u)
{
    while (uart_push(u))
        continue;
}

static void put(struct uart *u, uint8_t c)
{
    while (u->count == UART_RING)
        uart_push(u);
    u->ring[(u->first + u->count) % UART_RING] = c;
    u->count++;
}

void uart_put(struct uart *u, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            put(u, '\r');
        put(u, text.p[i]);
    }
    uart_push(u);
}
