/*
 * fmc.c - see fmc.h: the controller's user mode, in which the processor moves each byte.
 */
#include "boards/ast2600-evb/fmc.h"

#include "boards/ast2600-evb/fmc_io.h"

void fmc_start(void)
{
    uint32_t conf = fmc_io_get(FMC_CONF) & ~FMC_CONF_TYPE0_MASK;

    fmc_io_put(FMC_CONF, conf | FMC_CONF_TYPE0_SPI | FMC_CONF_WRITE0);
}

static void receive(uint8_t *ret, size_t n)
{
    for (; n >= 4; ret += 4, n -= 4) {
        uint32_t word = fmc_io_in4();

        for (unsigned i = 0; i < 4; i++)
            ret[i] = (uint8_t)(word >> (8 * i));
    }
    for (; n > 0; ret++, n--)
        *ret = fmc_io_in();
}

void fmc_transfer(struct span command, struct span out, uint8_t *ret, size_t n)
{
    uint32_t read_mode = fmc_io_get(FMC_CTRL0) & ~(FMC_CTRL_MODE_MASK | FMC_CTRL_STOP);

    fmc_io_put(FMC_CTRL0, read_mode | FMC_CTRL_USER | FMC_CTRL_STOP);
    fmc_io_put(FMC_CTRL0, read_mode | FMC_CTRL_USER);
    for (size_t i = 0; i < command.n; i++)
        fmc_io_out(command.p[i]);
    for (size_t i = 0; i < out.n; i++)
        fmc_io_out(out.p[i]);
    receive(ret, n);
    fmc_io_put(FMC_CTRL0, read_mode | FMC_CTRL_USER | FMC_CTRL_STOP);
    fmc_io_put(FMC_CTRL0, read_mode | FMC_CTRL_READ);
}
