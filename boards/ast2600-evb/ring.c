/*
 * ring.c - see ring.h.
 */
#include "boards/ast2600-evb/ring.h"

#include "boards/ast2600-evb/mmio.h"

static uint32_t bus_of(const struct ring *r, const volatile void *p)
{
    return r->bus + (uint32_t)((const volatile uint8_t *)p - (const volatile uint8_t *)r->memory);
}

uint32_t ring_rx_bus(const struct ring *r)
{
    return bus_of(r, r->memory->rx);
}

uint32_t ring_tx_bus(const struct ring *r)
{
    return bus_of(r, r->memory->tx);
}

static uint32_t end_of(unsigned i, unsigned count)
{
    return i + 1 == count ? RING_END : 0;
}

void ring_init(struct ring *r, struct ring_memory *memory, uint32_t bus)
{
    *r = (struct ring){.memory = memory, .bus = bus};
    for (unsigned i = 0; i < RING_RX; i++) {
        memory->rx[i].word[1] = memory->rx[i].word[2] = 0;
        memory->rx[i].word[3] = bus_of(r, memory->rx_bytes[i]);
        memory->rx[i].word[0] = end_of(i, RING_RX);
    }
    for (unsigned i = 0; i < RING_TX; i++) {
        memory->tx[i].word[1] = memory->tx[i].word[2] = 0;
        memory->tx[i].word[3] = bus_of(r, memory->tx_bytes[i]);
        memory->tx[i].word[0] = end_of(i, RING_TX);
    }
    mmio_barrier();
}

enum err ring_send(struct ring *r, struct span frame)
{
    volatile struct ring_desc *d = &r->memory->tx[r->tx_next];
    uint8_t *bytes = r->memory->tx_bytes[r->tx_next];
    size_t n = frame.n < RING_FRAME_MIN ? RING_FRAME_MIN : frame.n;

    if (frame.n > RING_BUFFER)
        return ERR_LIMIT;
    if (d->word[0] & RING_TX_OWN)
        return ERR_IO;
    memcpy(bytes, frame.p, frame.n);
    memset(bytes + frame.n, 0, n - frame.n); /* no rest of an earlier frame goes out */
    mmio_barrier();
    d->word[0] = RING_TX_OWN | RING_FIRST | RING_LAST | end_of(r->tx_next, RING_TX) | (uint32_t)n;
    mmio_barrier();
    r->tx_next = (r->tx_next + 1) % RING_TX;
    return OK;
}

bool ring_waiting(const struct ring *r)
{
    return (r->memory->rx[r->rx_next].word[0] & RING_RX_READY) != 0;
}

/* Bytes of the frame without CRC; 0 for what is no whole good frame. */
static size_t frame_size(uint32_t word)
{
    size_t n = word & RING_LENGTH;

    if ((word & RING_RX_ERRORS) || !(word & RING_FIRST) || !(word & RING_LAST))
        return 0;
    return n > RING_CRC && n <= RING_BUFFER ? n - RING_CRC : 0;
}

size_t ring_take(struct ring *r, uint8_t *ret, size_t cap)
{
    volatile struct ring_desc *d = &r->memory->rx[r->rx_next];
    size_t n = frame_size(d->word[0]);

    mmio_barrier();
    if (n <= cap)
        memcpy(ret, r->memory->rx_bytes[r->rx_next], n);
    mmio_barrier();
    d->word[0] = end_of(r->rx_next, RING_RX);
    mmio_barrier();
    r->rx_next = (r->rx_next + 1) % RING_RX;
    return n <= cap ? n : 0;
}
