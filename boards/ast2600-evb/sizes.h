/*
 * sizes.h - the budgets of a BMC, in bytes unless it says otherwise: 256 KB for everything but frames. See firmware/base/limits.h.
 *
 * All of them are taken at once, from the start, so the worst phase's sum is what `make size` and the linker script hold to the board's budget
 * (board.mk). Two memories take turns: libyaml's heap is lent by mbedTLS' (main.c), as TLS is over before YAML begins; and the arena has a fetch's
 * connections first and then what was fetched (phases_forget). tests/lab/suite_memory.py measures the peaks: heap 60 to 66 KB with two connections at once to
 * RSA-4096 chains, libyaml 42,768, arena 25,728, stack 11,056 with the largest sealed bundle. A bundle in clear has more nodes in its tree, so the arena
 * has what is left.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_SIZES_H
#define JOINBOOT_BOARDS_AST2600_EVB_SIZES_H

#define LIMIT_BUNDLE      (32 * 1024)
#define LIMIT_YAML        (24 * 1024) /* what is signed in it */
#define LIMIT_YAML_HEAP   (48 * 1024)
#define LIMIT_ARENA       (40 * 1024)
#define LIMIT_ANSWER      1024 /* no API server is asked */
#define LIMIT_TLS_OUT     2048
#define LIMIT_TLS_IN      2048
#define LIMIT_CRYPTO_HEAP (68 * 1024)
#define LIMIT_SITE        (16 * 1024)
#define LIMIT_ROOTS       (4 * 1024)
#define LIMIT_FILE        64 /* no file is rendered */
#define LIMIT_SYSLOG      2048

#define LIMIT_NET_HEAP    (8 * 1024)
#define LIMIT_NET_FRAMES  8
#define LIMIT_TCP_WINDOW  4

/* libyaml's memory fits beside what mbedTLS keeps without a connection. */
#if LIMIT_YAML_HEAP + 4096 > LIMIT_CRYPTO_HEAP
#error "libyaml's heap is lent by mbedTLS'"
#endif

#endif
