/*
 * ast2600.h - where things are on an Aspeed AST2600: addresses, register offsets and bits, for those parts that this board uses.
 *
 * Source: ASPEED AST2600 A3 datasheet, the chapter that each group names; checked against the device models of QEMU 7.2 (hw/arm/aspeed_ast2600.c,
 * hw/net/ftgmac100.c, hw/watchdog/wdt_aspeed.c, hw/misc/aspeed_scu.c). Offsets are from the block's base.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_AST2600_H
#define JOINBOOT_BOARDS_AST2600_EVB_AST2600_H

/* Memory map (chapter "Memory space allocation"). */
#define AST_APB      0x1e600000u /* all peripherals below lie in these 2 MiB */
#define AST_APB_SIZE 0x00200000u
#define AST_FMC_MEM  0x20000000u /* the boot flash's bytes go through here (fmc_io.h) */
#define AST_GIC      0x40460000u
#define AST_DRAM     0x80000000u

/* FTGMAC100 Ethernet MACs (chapter "10/100/1000 MAC"). */
#define AST_MAC1 0x1e660000u
#define AST_MAC2 0x1e680000u
enum {
    MAC_ISR = 0x00,  /* interrupt status, written ones clear */
    MAC_IER = 0x04,  /* interrupt enable */
    MAC_MADR = 0x08, /* MAC address, bytes 0 and 1 */
    MAC_LADR = 0x0c, /* bytes 2 to 5 */
    MAC_TXPD = 0x18, /* any write: look at the transmit ring */
    MAC_RXPD = 0x1c, /* any write: look at the receive ring */
    MAC_TXR_BADR = 0x20,
    MAC_RXR_BADR = 0x24,
    MAC_APTC = 0x34, /* automatic polling of the rings */
    MAC_RBSR = 0x4c, /* receive buffer size */
    MAC_MACCR = 0x50
};
#define MAC_INT_RX    (1u << 0) /* a frame was written to memory */
#define MAC_INT_NO_RX (1u << 2) /* a frame came and no descriptor was free */
#define MAC_INT_ALL   0xffffffffu
#define MACCR_TXDMA   (1u << 0)
#define MACCR_RXDMA   (1u << 1)
#define MACCR_TXMAC   (1u << 2)
#define MACCR_RXMAC   (1u << 3)
#define MACCR_FULLDUP (1u << 8)
#define MACCR_GIGA    (1u << 9)
#define MACCR_CRC_APD (1u << 10)
#define MACCR_MULTI   (1u << 16) /* all multicast frames */
#define MACCR_BROAD   (1u << 17)
#define MACCR_CRC_DIS (1u << 18) /* frames with a bad CRC are dropped */
#define MACCR_FAST    (1u << 19) /* 100 Mbit/s */
#define MACCR_RESET   (1u << 31)

/* MDIO controllers, one per PHY (chapter "MII controller"). */
#define AST_MDIO1 0x1e650000u
#define AST_MDIO2 0x1e650008u
enum { MDIO_CTRL = 0x0, MDIO_DATA = 0x4 };
#define MDIO_FIRE     (1u << 31)
#define MDIO_CLAUSE22 (1u << 28)
#define MDIO_READ     (2u << 26)
#define MDIO_WRITE    (1u << 26)
#define MDIO_PHY(a)   ((uint32_t)(a) << 21)
#define MDIO_REG(r)   ((uint32_t)(r) << 16)
#define MDIO_IDLE     (1u << 16)

/* System control unit (chapter "System control unit"). */
#define AST_SCU 0x1e6e2000u
enum { SCU_PROTECT = 0x000, SCU_RNG_CTRL = 0x524, SCU_RNG_DATA = 0x540 };
#define SCU_UNLOCK  0x1688a8a8u /* registers can be written until anything else is written there */
#define SCU_RNG_OFF (1u << 0)   /* 0: the generator runs */

/* Watchdog 1 (chapter "Watchdog timer"). It counts microseconds. */
#define AST_WDT1 0x1e785000u
enum { WDT_RELOAD = 0x04, WDT_RESTART = 0x08, WDT_CTRL = 0x0c };
#define WDT_MAGIC  0x4755u
#define WDT_ENABLE (1u << 0)
#define WDT_RESET  (1u << 1) /* at its end the system is reset */
#define WDT_CHIP   (1u << 5) /* the whole chip, the second processor too */

/* UART5, the console (chapter "UART"): a 16550 with a register in each word. */
#define AST_UART5 0x1e784000u
enum { UART_THR = 0x00, UART_FCR = 0x08, UART_LSR = 0x14 };
#define UART_FIFO_ON    (1u << 0)
#define UART_LSR_EMPTY  (1u << 5)
#define UART_FIFO_BYTES 16

/* Interrupt numbers of the GIC (chapter "Interrupt controller", and for the timers Cortex-A7 MPCore TRM section 8.2.2). */
enum { IRQ_TIMER_SECURE = 29, IRQ_TIMER = 30, IRQ_MAC1 = 32 + 2, IRQ_MAC2 = 32 + 3 };

/* GICv2 (ARM IHI 0048B, sections 4.1.2 and 4.1.3), from AST_GIC. */
enum {
    GICD_CTLR = 0x1000,
    GICD_ISENABLER = 0x1100,  /* a bit per interrupt */
    GICD_ITARGETSR = 0x1800,  /* a byte per interrupt: bit of the processor */
    GICD_IPRIORITYR = 0x1400, /* a byte per interrupt */
    GICC_CTLR = 0x2000,
    GICC_PMR = 0x2004 /* interrupts of a lower number than this pass */
};

#endif
