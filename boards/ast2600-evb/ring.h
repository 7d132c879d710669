/*
 * ring.h - the receive and transmit rings of an FTGMAC100: which descriptor is whose, and what is in a frame's descriptor. No register is
 * touched here.
 *
 * A descriptor is four words (AST2600 datasheet, chapter "10/100/1000 MAC", tables of transmit and receive descriptors). Word 0 says whose it
 * is: a transmit descriptor with the OWN bit, and a receive descriptor without the READY bit, belong to the device. Word 3 is the address of
 * the frame's bytes. Each buffer holds one whole frame; a frame over several descriptors is longer than any that we take, and is dropped.
 *
 * Invariant: a descriptor that belongs to the device is not written to. Word 0 is written last, after a barrier.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_RING_H
#define JOINBOOT_BOARDS_AST2600_EVB_RING_H

#include "firmware/base/span.h"

enum { RING_RX = 32, RING_TX = 16, RING_BUFFER = 1536, RING_CRC = 4, RING_FRAME_MIN = 60 };

#define RING_RX_READY  (1u << 31)
#define RING_TX_OWN    (1u << 31)
#define RING_END       (1u << 30) /* the last descriptor of the ring */
#define RING_FIRST     (1u << 29) /* segment of a frame */
#define RING_LAST      (1u << 28)
#define RING_RX_ERRORS (0x1fu << 18) /* error, CRC, too long, runt, odd nibbles */
#define RING_LENGTH    0x3fffu

struct ring_desc {
    uint32_t word[4];
};

/* In memory that processor and device see alike; 16-byte aligned. */
struct ring_memory {
    _Alignas(16) volatile struct ring_desc rx[RING_RX];
    _Alignas(16) volatile struct ring_desc tx[RING_TX];
    _Alignas(16) uint8_t rx_bytes[RING_RX][RING_BUFFER];
    _Alignas(16) uint8_t tx_bytes[RING_TX][RING_BUFFER];
};

struct ring {
    struct ring_memory *memory;
    uint32_t bus; /* the device's address of *memory */
    unsigned rx_next, tx_next;
};

/* All receive descriptors are the device's, all transmit descriptors ours. The device must be stopped. */
void ring_init(struct ring *r, struct ring_memory *memory, uint32_t bus);
uint32_t ring_rx_bus(const struct ring *r);
uint32_t ring_tx_bus(const struct ring *r);
/* Queues a frame, padded to 60 bytes (the device pads nothing). ERR_LIMIT: longer than a buffer; ERR_IO: the ring is full. */
enum err ring_send(struct ring *r, struct span frame) MUST_USE;
/* A frame, or something to drop, is waiting. */
bool ring_waiting(const struct ring *r);
/* Takes the next received descriptor and gives it back to the device: its frame without CRC in ret and its length, or 0 if it was damaged or
 * longer than cap. Only while ring_waiting(). */
size_t ring_take(struct ring *r, uint8_t *ret, size_t cap);

#endif
