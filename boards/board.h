/*
 * board.h - the contract that every board fulfils: what the portable part needs of a machine, and nothing more.
 *
 * One struct of functions with a context. All functions return at once (sleep_until excepted). `boards/PORTING.md` has a row for each.
 * Types only: this header is the lowest layer together with firmware/base.
 */
#ifndef JOINBOOT_BOARDS_BOARD_H
#define JOINBOOT_BOARDS_BOARD_H

#include "firmware/base/span.h"

enum { BOARD_NICS_MAX = 16, BOARD_FRAME_MAX = 1514, BOARD_SERIAL_MAX = 64, BOARD_KEY_SIZE = 64 };

struct board_nic {
    char name[16];
    uint8_t mac[6];
    uint16_t mtu; /* of IP packets, usually 1500 */
    bool carrier;
};

struct board_identity {
    bool has_uuid;
    uint8_t uuid[16];              /* in the order of its text form */
    char serial[BOARD_SERIAL_MAX]; /* empty if the machine has none */
};

/* Raw storage in littlefs' shape. Offsets and sizes are multiples of prog_size (prog) and erase_size (erase). A storage without the need to
 * erase makes erase set all bytes to 0xff. prog is durable only after sync.
 *
 * Flash takes its time, and nothing waits for it: prog and erase are only started, OK says that they were, and ERR_BUSY, from any operation, that
 * an earlier one is still under way; nothing was done then, and the same is asked again later. prog has taken its bytes when it returns. A failure
 * that shows later is the answer of the next prog, erase or sync. So that each step is short, the record log erases one block at a time and
 * programs within one page: the multiple of prog_size that just fits into STORAGE_PAGE, or prog_size where that is larger. */
enum { STORAGE_PAGE = 256 };

struct storage {
    void *ctx;
    uint32_t prog_size;
    uint32_t erase_size;
    uint32_t size;
    enum err (*read)(void *ctx, uint32_t off, void *ret, uint32_t n);
    enum err (*prog)(void *ctx, uint32_t off, const void *p, uint32_t n);
    enum err (*erase)(void *ctx, uint32_t off, uint32_t n);
    enum err (*sync)(void *ctx);
    /* One bit beside this storage that says that it once held a durable record: set once, never cleared, and not lost with the storage. Both
     * NULL: the board has no place for it. */
    enum err (*is_used)(void *ctx, bool *ret);
    enum err (*set_used)(void *ctx);
};

enum board_finish {
    BOARD_FINISH_EXIT, /* an ordinary process ends with this status */
    BOARD_FINISH_POWEROFF,
    BOARD_FINISH_REBOOT
};

struct board {
    void *ctx;
    const char *name;                             /* "linux", "sim" */
    uint64_t (*now_ms)(void *ctx);                /* monotonic milliseconds */
    bool (*wall)(void *ctx, int64_t *ret_unix_s); /* real-time clock; false: there is none */
    /* Fills up to n bytes of noise; returns how many, and the entropy that the board claims for them in bits. */
    size_t (*noise)(void *ctx, uint8_t *ret, size_t n, uint32_t *ret_bits);
    void (*sleep_until)(void *ctx, uint64_t wake_ms); /* returns earlier when a frame or event is there */
    void (*feed)(void *ctx); /* watchdog, once a turn after all deadlines were checked */
    void (*console)(void *ctx, struct span text);
    unsigned (*nic_count)(void *ctx);
    enum err (*nic_info)(void *ctx, unsigned nic, struct board_nic *ret);
    enum err (*nic_open)(void *ctx, unsigned nic); /* link up, frames flow from now on; idempotent */
    void (*nic_close)(void *ctx, unsigned nic);    /* idempotent */
    enum err (*nic_send)(void *ctx, unsigned nic,
                         struct span frame); /* Ethernet frame without FCS, checksums complete */
    size_t (*nic_recv)(void *ctx, unsigned nic, uint8_t *ret, size_t cap); /* 0: none waiting */
    enum err (*identity)(void *ctx, struct board_identity *ret);
    struct span (*site)(void *ctx);    /* read-only site area; empty: there is none */
    struct span (*cmdline)(void *ctx); /* kernel command line or arguments in that form */
    const struct storage *storage;     /* for the record log; NULL: nothing is stored */
    const struct storage
        *bundles; /* for the bundle that a BMC keeps, at least 32 KiB of it; NULL: it keeps none */
    /* The device key's area: a secret that is written once and that ordinary operation only reads. Both NULL, or both there. key_read:
     * ERR_STORE_EMPTY if nothing was written, or a power cut came before all of it was durable; ERR_STORE_IO. */
    enum err (*key_read)(void *ctx, uint8_t ret[BOARD_KEY_SIZE]);
    /* Called only behind ERR_STORE_EMPTY, and durable when it returns. ERR_STORE_IO; ERR_STORE_EMPTY if this boot has no place that lasts. */
    enum err (*key_write)(void *ctx, const uint8_t area[BOARD_KEY_SIZE]);
    void (*finish)(void *ctx, enum board_finish how, int status);
};

#endif
