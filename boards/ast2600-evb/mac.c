/*
 * mac.c - see mac.h. Interrupts only end a sleep: nothing is done in a handler.
 */
#include "boards/ast2600-evb/mac.h"

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"

enum { RESET_POLLS_MAX = 100000 };

#define RUN                                                                                                \
    (MACCR_TXDMA | MACCR_RXDMA | MACCR_TXMAC | MACCR_RXMAC | MACCR_CRC_APD | MACCR_CRC_DIS | MACCR_MULTI | \
     MACCR_BROAD)

bool mac_address(const struct mac *m, uint8_t ret[static 6])
{
    uint32_t high = mmio_read(m->base + MAC_MADR), low = mmio_read(m->base + MAC_LADR);
    const uint8_t mac[6] = {(uint8_t)(high >> 8), (uint8_t)high,       (uint8_t)(low >> 24),
                            (uint8_t)(low >> 16), (uint8_t)(low >> 8), (uint8_t)low};

    if ((mac[0] & 1) || (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) == 0)
        return false;
    memcpy(ret, mac, sizeof(mac));
    return true;
}

static uint32_t control_for(const struct phy_link *link)
{
    return RUN | (link->gigabit ? MACCR_GIGA : 0) | (link->fast ? MACCR_FAST : 0) |
           (link->full_duplex ? MACCR_FULLDUP : 0);
}

bool mac_carrier(struct mac *m)
{
    struct phy_link link;

    phy_link(m->mdio, &link);
    if (m->open && link.up && control_for(&link) != m->control) {
        m->control = control_for(&link);
        mmio_write(m->base + MAC_MACCR, m->control);
    }
    return link.up;
}

static bool reset(const struct mac *m)
{
    mmio_write(m->base + MAC_MACCR, MACCR_RESET);
    for (unsigned i = 0; i < RESET_POLLS_MAX; i++) {
        if (!(mmio_read(m->base + MAC_MACCR) & MACCR_RESET))
            return true;
    }
    return false;
}

enum err mac_open(struct mac *m)
{
    struct phy_link link;
    uint8_t mac[6];

    if (m->open)
        return OK;
    if (!mac_address(m, mac) || !reset(m))
        return ERR_LINK_NONE;
    /* A reset may have forgotten the address. */
    mmio_write(m->base + MAC_MADR, (uint32_t)mac[0] << 8 | mac[1]);
    mmio_write(m->base + MAC_LADR,
               (uint32_t)mac[2] << 24 | (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5]);
    ring_init(&m->ring, m->memory, m->bus);
    mmio_write(m->base + MAC_RBSR, RING_BUFFER);
    mmio_write(m->base + MAC_TXR_BADR, ring_tx_bus(&m->ring));
    mmio_write(m->base + MAC_RXR_BADR, ring_rx_bus(&m->ring));
    mmio_write(m->base + MAC_APTC, 0);
    mmio_write(m->base + MAC_ISR, MAC_INT_ALL);
    mmio_write(m->base + MAC_IER, MAC_INT_RX | MAC_INT_NO_RX);
    phy_link(m->mdio, &link);
    m->control = control_for(&link);
    mmio_write(m->base + MAC_MACCR, m->control);
    mmio_write(m->base + MAC_RXPD, 1);
    m->open = true;
    return OK;
}

void mac_close(struct mac *m)
{
    if (!m->open)
        return;
    mmio_write(m->base + MAC_IER, 0);
    /* After the reset the device writes to no buffer any more. */
    (void)reset(m);
    m->open = false;
}

enum err mac_send(struct mac *m, struct span frame)
{
    enum err e = m->open ? ring_send(&m->ring, frame) : ERR_STATE;

    if (e == OK)
        mmio_write(m->base + MAC_TXPD, 1);
    return e;
}

size_t mac_recv(struct mac *m, uint8_t *ret, size_t cap)
{
    size_t n = 0;

    if (!m->open)
        return 0;
    /* Bounded, so that a flood of damaged frames does not hold the loop. */
    for (unsigned i = 0; i < RING_RX && n == 0 && ring_waiting(&m->ring); i++) {
        n = ring_take(&m->ring, ret, cap);
        /* The device stops when it finds no free descriptor, and looks again only when it is told to. */
        mmio_write(m->base + MAC_RXPD, 1);
    }
    return n;
}

bool mac_arm(struct mac *m)
{
    if (!m->open)
        return false;
    /* In this order: a frame that comes after the clearing raises the interrupt again. */
    mmio_write(m->base + MAC_ISR, MAC_INT_ALL);
    return ring_waiting(&m->ring);
}
