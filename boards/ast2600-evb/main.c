/*
 * main.c - the agent on a bare AST2600: struct board over the drivers beside this file.
 */
#include "boards/ast2600-evb/ast2600.h"
#include "boards/ast2600-evb/cpu.h"
#include "boards/ast2600-evb/flash.h"
#include "boards/ast2600-evb/mac.h"
#include "boards/ast2600-evb/map.h"
#include "boards/ast2600-evb/mmio.h"
#include "boards/ast2600-evb/soc.h"
#include "boards/ast2600-evb/uart.h"
#include "config/yaml_heap.h"
#include "firmware/agent/phases.h"
#include "firmware/crypto/heap.h"

/* A sleep is never so long that the watchdog would end it. */
enum { MACS = 2, SLEEP_MS_MAX = SOC_WATCHDOG_S * 1000 / 4, FLASH_START_MS = 10000 };

extern uintptr_t __stack_chk_guard;

static __attribute__((section(".dma"))) struct ring_memory frames[MACS];
static struct mac macs[MACS] = {{.base = AST_MAC1, .mdio = AST_MDIO1}, {.base = AST_MAC2, .mdio = AST_MDIO2}};
static struct uart uart;
static struct flash flash;
static struct agent agent;

int main(void);

_Static_assert(RACE_PARALLEL * sizeof(struct conn) <= LIMIT_ARENA,
               "a fetch's connections fit into the arena");

/* What `joinctl image` lets into the site area is what this agent reads. */
_Static_assert(MAP_SITE_MAX == LIMIT_SITE && MAP_ROOTS_MAX == LIMIT_ROOTS, "map.h and sizes.h agree");

/* While YAML is read no TLS connection is open, and mbedTLS' heap is nearly empty. */
void *yaml_heap_block_take(void)
{
    return heap_take(LIMIT_YAML_HEAP);
}

void yaml_heap_block_give(void *p)
{
    heap_give(p);
}

static uint64_t op_now_ms(void *ctx)
{
    (void)ctx;
    return cpu_now_ms();
}

/* There is a clock, but no battery is known to keep it, and nobody sets it: what it says after power-on is not a time. */
static bool op_wall(void *ctx, int64_t *ret_unix_s)
{
    (void)ctx;
    (void)ret_unix_s;
    return false;
}

static size_t op_noise(void *ctx, uint8_t *ret, size_t n, uint32_t *ret_bits)
{
    (void)ctx;
    return soc_noise(ret, n, ret_bits);
}

static void op_sleep_until(void *ctx, uint64_t wake_ms)
{
    uint64_t now = cpu_now_ms();
    bool waiting = false;

    (void)ctx;
    if (wake_ms > now + SLEEP_MS_MAX)
        wake_ms = now + SLEEP_MS_MAX;
    while (!waiting && now < wake_ms) {
        for (unsigned i = 0; i < MACS; i++)
            waiting = mac_arm(&macs[i]) || waiting;
        /* The console's text goes out while there is nothing else to do. */
        if (!waiting && !uart_push(&uart)) {
            cpu_sleep(wake_ms);
            return;
        }
        now = cpu_now_ms();
    }
}

static void op_feed(void *ctx)
{
    (void)ctx;
    soc_watchdog_feed();
}

static void op_console(void *ctx, struct span text)
{
    (void)ctx;
    uart_put(&uart, text);
}

static unsigned op_nic_count(void *ctx)
{
    (void)ctx;
    return MACS;
}

static enum err op_nic_info(void *ctx, unsigned nic, struct board_nic *ret)
{
    static const char *const names[MACS] = {"mac1", "mac2"};
    struct board_nic info = {.mtu = 1500};

    (void)ctx;
    if (nic >= MACS || !mac_address(&macs[nic], info.mac))
        return ERR_LINK_NONE;
    memcpy(info.name, names[nic], strlen(names[nic]));
    info.carrier = mac_carrier(&macs[nic]);
    *ret = info;
    return OK;
}

static enum err op_nic_open(void *ctx, unsigned nic)
{
    (void)ctx;
    return nic < MACS ? mac_open(&macs[nic]) : ERR_LINK_NONE;
}

static void op_nic_close(void *ctx, unsigned nic)
{
    (void)ctx;
    if (nic < MACS)
        mac_close(&macs[nic]);
}

static enum err op_nic_send(void *ctx, unsigned nic, struct span frame)
{
    (void)ctx;
    return nic < MACS ? mac_send(&macs[nic], frame) : ERR_LINK_NONE;
}

static size_t op_nic_recv(void *ctx, unsigned nic, uint8_t *ret, size_t cap)
{
    (void)ctx;
    return nic < MACS ? mac_recv(&macs[nic], ret, cap) : 0;
}

/* The board has neither UUID nor serial number: it is known by its MACs. */
static enum err op_identity(void *ctx, struct board_identity *ret)
{
    (void)ctx;
    *ret = (struct board_identity){.has_uuid = false};
    return OK;
}

/* The text is needed while identify reads it, long before there is a bundle: it lies where the bundle will. For the agent there is no site if it
 * cannot be read; why it cannot is said here. */
static struct span op_site(void *ctx)
{
    char text[48];
    struct buf b = BUF_OF(text);
    size_t n = 0;
    enum err e = ERR_BUSY;

    (void)ctx;
    while (e == ERR_BUSY)
        e = flash_site(&flash, agent.bundle_mem, sizeof(agent.bundle_mem), &n);
    if (e != OK && e != ERR_STORE_EMPTY) {
        buf_fmt(&b, "joinboot: site area: %s\n", err_name(e));
        uart_put(&uart, buf_span(&b));
    }
    return e == OK ? span_of(agent.bundle_mem, n) : span_of(NULL, 0);
}

static struct span op_cmdline(void *ctx)
{
    (void)ctx;
    return span_of(NULL, 0);
}

/* What another operation has begun is waited for: the longest is an erase. */
static enum err op_key_read(void *ctx, uint8_t ret[BOARD_KEY_SIZE])
{
    enum err e = ERR_BUSY;

    (void)ctx;
    while (e == ERR_BUSY)
        e = flash_key(&flash, ret);
    return e;
}

static enum err op_key_write(void *ctx, const uint8_t area[BOARD_KEY_SIZE])
{
    struct flash_key_job job = {.step = FLASH_KEY_FIND};
    enum err e = ERR_BUSY;

    (void)ctx;
    while (e == ERR_BUSY)
        e = flash_write_key(&flash, area, &job);
    return e == OK ? OK : ERR_STORE_IO;
}

/* Nothing switches the power of this board, and there is nobody to return to: every end is a restart. */
static void op_finish(void *ctx, enum board_finish how, int status)
{
    (void)ctx;
    (void)how;
    (void)status;
    uart_flush(&uart);
    soc_reset();
    for (;;)
        continue;
}

/* Counts this start in flash, where nothing but a start counts, and says the number: no register tells what reset the machine. */
static bool start_flash(void)
{
    char text[80];
    struct buf b = BUF_OF(text);
    uint64_t end = cpu_now_ms() + FLASH_START_MS;
    uint32_t boots = 0;
    enum err e;

    /* A sector may still be in the erase that a reset of the processor did not end. */
    while ((e = flash_start(&flash)) == ERR_BUSY && cpu_now_ms() < end)
        soc_watchdog_feed();
    while (e == OK && (e = flash_count_boot(&flash)) == ERR_BUSY)
        e = OK;
    while (e == OK && (e = flash_boots(&flash, &boots)) == ERR_BUSY)
        e = OK;
    (void)!flash_nor_sync(&flash.nor); /* a boot that could not be counted is no fault of the state record */
    if (e == OK)
        buf_fmt(&b, "joinboot: ast2600-evb, boot %u\n", (unsigned)boots);
    else
        buf_str(&b, "joinboot: ast2600-evb, the flash cannot be used\n");
    uart_put(&uart, buf_span(&b));
    return e == OK;
}

int main(void)
{
    static struct board board = {
        .name = "ast2600-evb",
        .now_ms = op_now_ms,
        .wall = op_wall,
        .noise = op_noise,
        .sleep_until = op_sleep_until,
        .feed = op_feed,
        .console = op_console,
        .nic_count = op_nic_count,
        .nic_info = op_nic_info,
        .nic_open = op_nic_open,
        .nic_close = op_nic_close,
        .nic_send = op_nic_send,
        .nic_recv = op_nic_recv,
        .identity = op_identity,
        .site = op_site,
        .cmdline = op_cmdline,
        .finish = op_finish,
    };

    soc_watchdog_start();
    uart_init(&uart, AST_UART5);
    cpu_interrupts();
    soc_noise_start();
    __stack_chk_guard = mmio_read(AST_SCU + SCU_RNG_DATA) & ~0xffu; /* a zero byte stops a string */
    for (unsigned i = 0; i < MACS; i++) {
        macs[i].memory = &frames[i];
        macs[i].bus = (uint32_t)(uintptr_t)&frames[i];
    }
    if (start_flash()) {
        board.storage = &flash.state;
        board.bundles = &flash.bundle;
        board.key_read = op_key_read;
        board.key_write = op_key_write;
    }
    (void)agent_run(&agent, &phases_bmc, &board, NULL);
    op_finish(NULL, BOARD_FINISH_REBOOT, 0);
    return 0;
}
