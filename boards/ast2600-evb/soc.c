/*
 * soc.c - see soc.h.
 */
#include "boards/ast2600-evb/soc.h"

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mmio.h"

enum { US_PER_S = 1000000 };

void soc_noise_start(void)
{
    uint32_t control = mmio_read(AST_SCU + SCU_RNG_CTRL);

    if (!(control & SCU_RNG_OFF))
        return;
    mmio_write(AST_SCU + SCU_PROTECT, SCU_UNLOCK);
    mmio_write(AST_SCU + SCU_RNG_CTRL, control & ~SCU_RNG_OFF);
    mmio_write(AST_SCU + SCU_PROTECT, 0);
}

size_t soc_noise(uint8_t *ret, size_t n, uint32_t *ret_bits)
{
    uint32_t word = 0;

    for (size_t i = 0; i < n; i++) {
        if (i % sizeof(word) == 0)
            word = mmio_read(AST_SCU + SCU_RNG_DATA);
        ret[i] = (uint8_t)(word >> 8 * (i % sizeof(word)));
    }
    *ret_bits = (uint32_t)(n / 4);
    return n;
}

static void watchdog(uint32_t us)
{
    /* The counter takes a new length only when it is restarted, and is stopped meanwhile. */
    mmio_write(AST_WDT1 + WDT_CTRL, 0);
    mmio_write(AST_WDT1 + WDT_RELOAD, us);
    mmio_write(AST_WDT1 + WDT_RESTART, WDT_MAGIC);
    mmio_write(AST_WDT1 + WDT_CTRL, WDT_ENABLE | WDT_RESET | WDT_CHIP);
}

void soc_watchdog_start(void)
{
    watchdog(SOC_WATCHDOG_S * US_PER_S);
}

void soc_watchdog_feed(void)
{
    mmio_write(AST_WDT1 + WDT_RESTART, WDT_MAGIC);
}

void soc_reset(void)
{
    watchdog(1000);
}
