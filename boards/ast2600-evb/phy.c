/*
 * phy.c - see phy.h.
 */
#include "boards/ast2600-evb/phy.h"

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"

enum {
    PHY_ADDRESS = 0,
    /* A frame of 64 bits at 2.5 MHz takes 26 us; a register access on the bus at least 20 ns. */
    POLLS_MAX = 5000,
    BMSR = 1, /* IEEE 802.3 tables 22-8, 28-2, 28-3, 40-3 */
    ANAR = 4,
    ANLPAR = 5,
    GBCR = 9,
    GBSR = 10
};
#define BMSR_LINK     (1u << 2)
#define AN_10_FULL    (1u << 6)
#define AN_100_HALF   (1u << 7)
#define AN_100_FULL   (1u << 8)
#define GBCR_1000FULL (1u << 9)
#define GBSR_1000FULL (1u << 11)

static bool read_reg(uint32_t mdio, unsigned reg, uint32_t *ret)
{
    uint32_t data = 0;

    mmio_write(mdio + MDIO_CTRL,
               MDIO_FIRE | MDIO_CLAUSE22 | MDIO_READ | MDIO_PHY(PHY_ADDRESS) | MDIO_REG(reg));
    for (unsigned i = 0; i < POLLS_MAX && !(data & MDIO_IDLE); i++)
        data = mmio_read(mdio + MDIO_DATA);
    *ret = data & 0xffff;
    return (data & MDIO_IDLE) != 0;
}

void phy_link(uint32_t mdio, struct phy_link *ret)
{
    uint32_t status = 0, own = 0, peer = 0, own_giga = 0, peer_giga = 0;
    uint32_t common;

    *ret = (struct phy_link){.up = false};
    /* The link bit latches low: the first read tells of a link that was lost, the second of now. */
    if (!read_reg(mdio, BMSR, &status))
        return;
    if (!read_reg(mdio, BMSR, &status) || !(status & BMSR_LINK))
        return;
    if (!read_reg(mdio, ANAR, &own) || !read_reg(mdio, ANLPAR, &peer) || !read_reg(mdio, GBCR, &own_giga) ||
        !read_reg(mdio, GBSR, &peer_giga))
        return;
    common = own & peer;
    ret->up = true;
    ret->gigabit = (own_giga & GBCR_1000FULL) && (peer_giga & GBSR_1000FULL);
    ret->fast = !ret->gigabit && (common & (AN_100_FULL | AN_100_HALF));
    ret->full_duplex = ret->gigabit || (common & AN_100_FULL) || (!ret->fast && (common & AN_10_FULL));
}
