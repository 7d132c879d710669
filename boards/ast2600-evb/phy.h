/*
 * phy.h - a PHY behind an MDIO controller: link state and what was negotiated (IEEE 802.3 clause 22, registers 0 to 10).
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_PHY_H
#define JOINBOOT_BOARDS_AST2600_EVB_PHY_H

#include "firmware/base/base.h"

struct phy_link {
    bool up;
    bool gigabit, fast; /* 1000, 100; neither: 10 Mbit/s */
    bool full_duplex;
};

/* The PHY at address 0 of the MDIO controller at `mdio`. An MDIO that never becomes idle reads as a link that is down. */
void phy_link(uint32_t mdio, struct phy_link *ret);

#endif
