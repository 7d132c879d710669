/*
 * sizes.h - the budgets of a BMC, in bytes unless it says otherwise: 256 KB for everything but frames. See firmware/base/limits.h.
 *
 * The largest bundle has one long scalar, what is sealed. Its text is in the arena twice, as payload and in the tree, and in libyaml's heap, which
 * doubles a string that grows. That heap is taken from mbedTLS' (main.c): TLS is over before YAML begins.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_SIZES_H
#define JOINBOOT_BOARDS_AST2600_EVB_SIZES_H

#define LIMIT_BUNDLE      (32 * 1024)
#define LIMIT_YAML        (24 * 1024) /* what is signed in it */
#define LIMIT_YAML_HEAP   (48 * 1024)
#define LIMIT_ARENA       (52 * 1024)
#define LIMIT_ANSWER      1024 /* no API server is asked */
#define LIMIT_TLS_OUT     2048
#define LIMIT_TLS_IN      2048
#define LIMIT_CRYPTO_HEAP (60 * 1024)
#define LIMIT_SITE        (16 * 1024)
#define LIMIT_ROOTS       (4 * 1024)
#define LIMIT_FILE        64 /* no file is rendered */
#define LIMIT_PATCHES     64 /* nor patched */

#define LIMIT_NET_HEAP    (8 * 1024)
#define LIMIT_NET_FRAMES  8
#define LIMIT_TCP_WINDOW  4

#endif
