/*
 * sizes.h - the budgets of a BMC, in bytes unless it says otherwise: 256 KB for everything but frames. See firmware/base/limits.h.
 */
#ifndef JOINBOOT_BOARDS_AST2600_EVB_SIZES_H
#define JOINBOOT_BOARDS_AST2600_EVB_SIZES_H

#define LIMIT_BUNDLE      (32 * 1024)
#define LIMIT_YAML        (24 * 1024) /* what is signed in it */
#define LIMIT_YAML_HEAP   (64 * 1024)
#define LIMIT_ARENA       (64 * 1024)
#define LIMIT_ANSWER      1024 /* no API server is asked */
#define LIMIT_CRYPTO_HEAP (96 * 1024)
#define LIMIT_SITE        (16 * 1024)
#define LIMIT_ROOTS       (4 * 1024)
#define LIMIT_FILE        64 /* no file is rendered */

#define LIMIT_NET_HEAP    (12 * 1024)
#define LIMIT_NET_FRAMES  16
#define LIMIT_TCP_WINDOW  4

#endif
