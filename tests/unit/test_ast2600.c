/*
 * test_ast2600.c - the drivers of boards/ast2600-evb against a model of the registers: the model moves frames as an FTGMAC100 does, stalls when it
 * finds no free descriptor until it is told to look again, and complains of what a device could not bear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/mac.h"
#include "boards/ast2600-evb/mmio.h"
#include "boards/ast2600-evb/soc.h"
#include "boards/ast2600-evb/uart.h"

enum { BUS = 0x80200000, SENT_MAX = 64, TEXT_MAX = 16384, LOG_MAX = 32 };

static struct ring_memory memory;

static struct {
    uint32_t regs[0x80 / 4];
    bool stuck_reset; /* never leaves its reset */
    bool stalled;     /* found no free descriptor */
    unsigned tx, rx;  /* where the device is in its rings */
    unsigned sent_count;
    size_t sent_n[SENT_MAX];
    uint8_t sent[SENT_MAX][RING_BUFFER];
    uint16_t phy[32];
    bool mdio_hangs;
    unsigned bmsr_reads;
    uint32_t mdio;
    uint32_t noise;
    uint32_t watchdog[LOG_MAX][2]; /* offset, value */
    unsigned watchdog_count;
    char text[TEXT_MAX];
    size_t text_n;
    unsigned uart_busy; /* reads of the status until the UART has room again */
    unsigned uart_left; /* bytes that it takes meanwhile */
} dev;

static void transmit(void)
{
    while (memory.tx[dev.tx].word[0] & RING_TX_OWN) {
        volatile struct ring_desc *d = &memory.tx[dev.tx];
        uint32_t word = d->word[0];

        assert_true((word & RING_FIRST) && (word & RING_LAST));
        assert_int_equal(d->word[3],
                         BUS + (uint32_t)((uint8_t *)memory.tx_bytes[dev.tx] - (uint8_t *)&memory));
        if (dev.sent_count < SENT_MAX) {
            dev.sent_n[dev.sent_count] = word & RING_LENGTH;
            memcpy(dev.sent[dev.sent_count++], memory.tx_bytes[dev.tx], word & RING_LENGTH);
        }
        d->word[0] = word & ~RING_TX_OWN;
        dev.tx = word & RING_END ? 0 : dev.tx + 1;
    }
}

/* A frame arrives with this status beside its length. False: it is lost. */
static bool arrive(const void *p, size_t n, uint32_t status)
{
    volatile struct ring_desc *d = &memory.rx[dev.rx];

    dev.stalled = dev.stalled || (d->word[0] & RING_RX_READY);
    if (dev.stalled)
        return false;
    memcpy(memory.rx_bytes[dev.rx], p, n);
    dev.rx = d->word[0] & RING_END ? 0 : dev.rx + 1;
    d->word[0] = (d->word[0] & RING_END) | RING_RX_READY | status | (uint32_t)(n + RING_CRC);
    dev.regs[MAC_ISR / 4] |= MAC_INT_RX;
    return true;
}

static bool arrives(const void *p, size_t n)
{
    return arrive(p, n, RING_FIRST | RING_LAST);
}

static uint32_t mac_get(uint32_t off)
{
    return dev.regs[off / 4];
}

static void mac_put(uint32_t off, uint32_t v)
{
    if (off == MAC_ISR) {
        dev.regs[off / 4] &= ~v;
    } else if (off == MAC_MACCR && (v & MACCR_RESET)) {
        memset(dev.regs, 0, sizeof(dev.regs));
        dev.regs[off / 4] = dev.stuck_reset ? MACCR_RESET : 0;
        dev.tx = dev.rx = 0;
        dev.stalled = false;
    } else {
        dev.regs[off / 4] = v;
    }
    if (off == MAC_TXPD && (mac_get(MAC_MACCR) & MACCR_TXDMA))
        transmit();
    if (off == MAC_RXPD)
        dev.stalled = false;
}

static uint32_t mdio_data(void)
{
    unsigned reg = dev.mdio >> 16 & 31;

    if (dev.mdio_hangs)
        return 0;
    /* The link bit latches low until it is read. */
    if (reg == 1 && dev.bmsr_reads++ == 0)
        return MDIO_IDLE;
    return MDIO_IDLE | dev.phy[reg];
}

uint32_t mmio_read(uint32_t addr)
{
    if (addr - AST_MAC1 < sizeof(dev.regs))
        return mac_get(addr - AST_MAC1);
    if (addr == AST_MDIO1 + MDIO_DATA)
        return mdio_data();
    if (addr == AST_SCU + SCU_RNG_DATA)
        return dev.noise++;
    if (addr == AST_UART5 + UART_LSR) {
        dev.uart_busy -= dev.uart_busy ? 1 : 0;
        dev.uart_left = dev.uart_busy ? dev.uart_left : UART_FIFO_BYTES;
        return dev.uart_busy ? 0 : UART_LSR_EMPTY;
    }
    return 0;
}

void mmio_write(uint32_t addr, uint32_t value)
{
    if (addr - AST_MAC1 < sizeof(dev.regs))
        mac_put(addr - AST_MAC1, value);
    if (addr == AST_MDIO1 + MDIO_CTRL)
        dev.mdio = value;
    if (addr - AST_WDT1 < 0x20 && dev.watchdog_count < LOG_MAX) {
        dev.watchdog[dev.watchdog_count][0] = addr - AST_WDT1;
        dev.watchdog[dev.watchdog_count++][1] = value;
    }
    if (addr == AST_UART5 + UART_THR) {
        assert_true(dev.uart_left-- > 0); /* more than its FIFO holds is lost */
        assert_true(dev.text_n < TEXT_MAX - 1);
        dev.text[dev.text_n++] = (char)value;
        dev.uart_busy = 3;
    }
}

void mmio_barrier(void)
{
}

static const uint8_t ADDRESS[6] = {0x52, 0x54, 0, 0x4a, 0x42, 0x11};

static struct mac start(void)
{
    struct mac m = {.base = AST_MAC1, .mdio = AST_MDIO1, .memory = &memory, .bus = BUS};

    memset(&dev, 0, sizeof(dev));
    memset(&memory, 0xa5, sizeof(memory));
    dev.regs[MAC_MADR / 4] = 0x5254;
    dev.regs[MAC_LADR / 4] = 0x004a4211;
    dev.phy[1] = 1u << 2;
    dev.phy[4] = dev.phy[5] = 1u << 8 | 1u << 7;
    return m;
}

static struct mac started(void)
{
    struct mac m = start();

    assert_int_equal(mac_open(&m), OK);
    return m;
}

static void address_is_the_loaders(void **state)
{
    static const uint32_t bad[][2] = {{0, 0}, {0x5354, 0x004a4211}, {0xffff, 0xffffffff}};
    struct mac m = start();
    uint8_t mac[6] = {0};

    (void)state;
    assert_true(mac_address(&m, mac));
    assert_memory_equal(mac, ADDRESS, 6);
    /* The model's reset forgets it, as silicon may. */
    assert_int_equal(mac_open(&m), OK);
    assert_int_equal(mac_get(MAC_MADR), 0x5254);
    assert_int_equal(mac_get(MAC_LADR), 0x004a4211);
    for (unsigned i = 0; i < COUNT(bad); i++) {
        m = start();
        dev.regs[MAC_MADR / 4] = bad[i][0];
        dev.regs[MAC_LADR / 4] = bad[i][1];
        assert_false(mac_address(&m, mac));
        assert_int_equal(mac_open(&m), ERR_LINK_NONE);
    }
}

static void opening(void **state)
{
    struct mac m = start();

    (void)state;
    assert_int_equal(mac_send(&m, span_of("x", 1)), ERR_STATE);
    assert_int_equal(mac_recv(&m, memory.tx_bytes[0], 1514), 0);
    dev.stuck_reset = true;
    assert_int_equal(mac_open(&m), ERR_LINK_NONE);
    m = started();
    assert_int_equal(mac_get(MAC_RXR_BADR), BUS);
    assert_int_equal(mac_get(MAC_TXR_BADR), BUS + sizeof(memory.rx));
    assert_int_equal(mac_get(MAC_TXR_BADR) % 16, 0);
    assert_int_equal(mac_get(MAC_RBSR), RING_BUFFER);
    assert_int_equal(mac_get(MAC_MACCR) & (MACCR_FAST | MACCR_GIGA | MACCR_FULLDUP),
                     MACCR_FAST | MACCR_FULLDUP);
    /* Again: nothing is lost of what waits. */
    assert_true(arrives("0123456789abcdef", 16));
    assert_int_equal(mac_open(&m), OK);
    assert_true(mac_arm(&m));
    assert_int_equal(mac_get(MAC_ISR), 0);
    mac_close(&m);
    assert_int_equal(mac_get(MAC_MACCR), 0);
    assert_false(mac_arm(&m));
}

static void sending(void **state)
{
    static uint8_t frame[RING_BUFFER + 1], zeros[RING_FRAME_MIN];
    struct mac m = started();

    (void)state;
    memset(frame, 0x5a, sizeof(frame));
    for (unsigned i = 0; i < 3 * RING_TX; i++) {
        dev.sent_count = 0;
        frame[0] = (uint8_t)i;
        assert_int_equal(mac_send(&m, span_of(frame, 20 + i)), OK);
        assert_int_equal(dev.sent_count, 1);
        assert_int_equal(dev.sent_n[0], 20 + i < 60 ? 60 : 20 + i);
        assert_memory_equal(dev.sent[0], frame, 20 + i);
        /* Nothing of an earlier frame, or of memory, stands behind a short one. */
        if (20 + i < 60)
            assert_memory_equal(dev.sent[0] + 20 + i, zeros, 40 - i);
    }
    assert_int_equal(mac_send(&m, span_of(frame, RING_BUFFER)), OK);
    assert_int_equal(mac_send(&m, span_of(frame, RING_BUFFER + 1)), ERR_LIMIT);
    /* A device that takes nothing: the ring gets full, and what is in it goes out in order. */
    dev.regs[MAC_MACCR / 4] = 0;
    dev.sent_count = 0;
    for (unsigned i = 0; i < RING_TX; i++) {
        frame[0] = (uint8_t)i;
        assert_int_equal(mac_send(&m, span_of(frame, 100)), OK);
    }
    assert_int_equal(mac_send(&m, span_of(frame, 100)), ERR_IO);
    transmit();
    assert_int_equal(dev.sent_count, RING_TX);
    for (unsigned i = 0; i < RING_TX; i++)
        assert_int_equal(dev.sent[i][0], i);
    assert_int_equal(mac_send(&m, span_of(frame, 100)), OK);
}

static void receiving(void **state)
{
    struct mac m = started();
    uint8_t frame[RING_BUFFER], got[1514];

    (void)state;
    memset(frame, 0x3c, sizeof(frame));
    assert_int_equal(mac_recv(&m, got, sizeof(got)), 0);
    for (unsigned i = 0; i < 3 * RING_RX; i++) {
        frame[0] = (uint8_t)i;
        assert_true(arrives(frame, 60 + i));
        memset(got, 0, sizeof(got));
        assert_int_equal(mac_recv(&m, got, sizeof(got)), 60 + i);
        assert_memory_equal(got, frame, 60 + i);
    }
    /* More than the ring holds: the device stalls, and goes on when a descriptor was freed and it was told. */
    for (unsigned i = 0; i < RING_RX; i++) {
        frame[0] = (uint8_t)i;
        assert_true(arrives(frame, 60));
    }
    assert_false(arrives(frame, 60));
    for (unsigned i = 0; i < RING_RX; i++) {
        assert_int_equal(mac_recv(&m, got, sizeof(got)), 60);
        assert_int_equal(got[0], i);
        assert_true(arrives(frame, 61));
    }
    for (unsigned i = 0; i < RING_RX; i++)
        assert_int_equal(mac_recv(&m, got, sizeof(got)), 61);
    assert_int_equal(mac_recv(&m, got, sizeof(got)), 0);
}

static void damaged_frames_are_dropped(void **state)
{
    static const uint32_t bad[] = {
        RING_LAST,
        RING_FIRST,
        RING_FIRST | RING_LAST | 1u << 18,
        RING_FIRST | RING_LAST | 1u << 19,
        RING_FIRST | RING_LAST | 1u << 20,
        RING_FIRST | RING_LAST | 1u << 21,
        RING_FIRST | RING_LAST | 1u << 22,
    };
    struct mac m = started();
    uint8_t frame[RING_BUFFER] = {0}, got[1514], big[RING_LENGTH + 1];

    (void)state;
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_true(arrive(frame, 100, bad[i]));
        assert_true(arrives("good frame of sixteen", 21));
        assert_int_equal(mac_recv(&m, got, sizeof(got)), 21);
        assert_int_equal(mac_recv(&m, got, sizeof(got)), 0);
    }
    /* Longer than the caller takes, than a buffer, or no longer than its CRC. */
    assert_true(arrives(frame, 1515));
    assert_int_equal(mac_recv(&m, got, sizeof(got)), 0);
    assert_true(arrives(frame, 0));
    assert_int_equal(mac_recv(&m, got, sizeof(got)), 0);
    memory.rx[dev.rx].word[0] |= RING_RX_READY | RING_FIRST | RING_LAST | RING_LENGTH;
    assert_int_equal(mac_recv(&m, big, sizeof(big)), 0);
    assert_int_equal(memory.rx[dev.rx].word[0] & RING_RX_READY, 0);
}

static void link_of_the_phy(void **state)
{
    static const struct {
        uint16_t own, peer, own_giga, peer_giga;
        uint32_t want;
    } rows[] = {
        {0x1e1, 0x1e1, 1u << 9, 1u << 11, MACCR_GIGA | MACCR_FULLDUP},
        {0x1e1, 0x1e1, 1u << 9, 0, MACCR_FAST | MACCR_FULLDUP},
        {0x1e1, 0x0a1, 0, 1u << 11, MACCR_FAST},
        {0x1e1, 0x061, 0, 0, MACCR_FULLDUP},
        {0x1e1, 0x021, 0, 0, 0},
    };
    struct mac m = started();

    (void)state;
    for (unsigned i = 0; i < COUNT(rows); i++) {
        dev.phy[4] = rows[i].own;
        dev.phy[5] = rows[i].peer;
        dev.phy[9] = rows[i].own_giga;
        dev.phy[10] = rows[i].peer_giga;
        dev.bmsr_reads = 0;
        assert_true(mac_carrier(&m));
        assert_int_equal(mac_get(MAC_MACCR) & (MACCR_GIGA | MACCR_FAST | MACCR_FULLDUP), rows[i].want);
        assert_true(mac_get(MAC_MACCR) & MACCR_RXDMA);
    }
    dev.phy[1] = 0;
    assert_false(mac_carrier(&m));
    dev.phy[1] = 1u << 2;
    dev.mdio_hangs = true;
    assert_false(mac_carrier(&m));
}

static void console(void **state)
{
    static struct uart u;
    static char long_text[2 * UART_RING + 1];

    (void)state;
    memset(&dev, 0, sizeof(dev));
    uart_init(&u, AST_UART5);
    uart_put(&u, SPAN_LIT("one\ntwo\n"));
    uart_flush(&u);
    assert_string_equal(dev.text, "one\r\ntwo\r\n");
    /* Longer than the ring: late, and whole. */
    memset(long_text, 'x', sizeof(long_text) - 1);
    dev.text_n = 0;
    uart_put(&u, span_str(long_text));
    uart_flush(&u);
    assert_int_equal(dev.text_n, sizeof(long_text) - 1);
    assert_false(uart_push(&u));
}

static void noise_claims_little(void **state)
{
    uint8_t got[64];
    uint32_t bits = 0;

    (void)state;
    memset(&dev, 0, sizeof(dev));
    dev.noise = 0x04030201;
    assert_int_equal(soc_noise(got, sizeof(got), &bits), sizeof(got));
    assert_int_equal(bits, 16); /* 256 bits only for 1 KiB */
    assert_memory_equal(got, "\x01\x02\x03\x04\x02\x02\x03\x04", 8);
}

static void watchdog(void **state)
{
    (void)state;
    memset(&dev, 0, sizeof(dev));
    soc_watchdog_start();
    assert_int_equal(dev.watchdog_count, 4);
    /* It is stopped, loaded and restarted before it is switched on: it never runs with the length of before. */
    assert_int_equal(dev.watchdog[0][0], WDT_CTRL);
    assert_int_equal(dev.watchdog[0][1], 0);
    assert_int_equal(dev.watchdog[1][0], WDT_RELOAD);
    assert_int_equal(dev.watchdog[1][1], SOC_WATCHDOG_S * 1000000);
    assert_int_equal(dev.watchdog[2][0], WDT_RESTART);
    assert_int_equal(dev.watchdog[2][1], WDT_MAGIC);
    assert_int_equal(dev.watchdog[3][0], WDT_CTRL);
    assert_int_equal(dev.watchdog[3][1] & (WDT_ENABLE | WDT_RESET), WDT_ENABLE | WDT_RESET);
    soc_watchdog_feed();
    assert_int_equal(dev.watchdog_count, 5);
    assert_int_equal(dev.watchdog[4][0], WDT_RESTART);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_is_the_loaders),
        cmocka_unit_test(opening),
        cmocka_unit_test(sending),
        cmocka_unit_test(receiving),
        cmocka_unit_test(damaged_frames_are_dropped),
        cmocka_unit_test(link_of_the_phy),
        cmocka_unit_test(console),
        cmocka_unit_test(noise_claims_little),
        cmocka_unit_test(watchdog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
